"""Occluded and cluttered digits as files: pictures, and tables of what they show."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

from .as_file import write_picture
from .crowded_digits import LEVELS, crowded_digits
from .digits import Digits


def write_crowded_digits(
    folder: Path,
    digits: Digits,
    kind: str,
    levels: Sequence[int] | None,
    fit: int,
    test: int,
    seed: int = 0,
    progress: Callable[[str, float, int], None] | None = None,
) -> None:
    """Write pictures of both parts, and their tables.

    Parameters
    ----------
    folder
        Which is made. Tables are fit.csv, fit-plain.csv (level 0 alone) and test.csv;
        their column condition says the level, as in occluded-10.
    digits, kind, levels, seed
        As of `crowded_digits`.
    fit, test
        Digits of each part, each at every level.
    progress
        Told the part, how many pictures are written, and of how many.
    """
    folder.mkdir(parents=True, exist_ok=True)
    n_levels = len(LEVELS[kind] if levels is None else levels)
    for part, n in (("fit", fit), ("test", test)):
        rows = []
        for k, one in enumerate(crowded_digits(digits, part, n, kind, levels, seed)):
            name = f"{part}/{k:05d}.png"
            write_picture(folder / name, one.contrast)
            rows.append((name, str(one.digit), f"{kind}-{one.level}"))
            if progress is not None:
                progress(part, k + 1, n * n_levels)
        _table(folder / f"{part}.csv", rows)
        if part == "fit":
            plain = [row for row in rows if row[2] == f"{kind}-0"]
            _table(folder / "fit-plain.csv", plain)


def _table(path: Path, rows: list[tuple[str, str, str]]) -> None:
    """Write which picture shows what, at which level."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "category", "condition"])
        table.writerows(rows)
