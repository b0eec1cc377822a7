"""Texture-MNIST as files: pictures, and tables of what they show."""

import csv
from collections.abc import Callable
from pathlib import Path

from .as_file import write_picture
from .digits import SIZE_PX as DIGIT_PX
from .digits import Digits
from .texture_mnist import ZOOM, textured_digits

LABELS = ("digit", "texture")
PARTS = ("fit", "test")
SIZE_PX = ZOOM * DIGIT_PX


def write_texture_mnist(
    folder: Path,
    digits: Digits,
    fit: int,
    test: int,
    seed: int = 0,
    is_bright: bool = False,
    progress: Callable[[str, float, int], None] | None = None,
) -> None:
    """Write pictures and maps of digits of both parts, and a table for each label.

    Parameters
    ----------
    folder
        Which is made. Tables are called fit-digit.csv and so on.
    digits, seed, is_bright
        As of `textured_digits`.
    fit, test
        How many pictures of each part.
    progress
        Told the part, how many are written, and of how many.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for part, n in zip(PARTS, (fit, test), strict=True):
        rows = []
        made = textured_digits(digits, part, n, seed, is_bright=is_bright)
        for k, one in enumerate(made):
            name, of_map = f"{part}/{k:05d}.png", f"{part}-maps/{k:05d}.png"
            write_picture(folder / name, one.contrast)
            write_picture(folder / of_map, 2.0 * one.mask - 1)
            rows.append((name, str(one.digit), one.texture, of_map))
            if progress is not None:
                progress(part, k + 1, n)
        _tables(folder, part, rows)


def _tables(folder: Path, part: str, rows: list[tuple[str, str, str, str]]) -> None:
    """Write which picture shows what: a table for each label."""
    for at, label in enumerate(LABELS):
        path = folder / f"{part}-{label}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["file", "category", "importance"])
            table.writerows([row[0], row[1 + at], row[3]] for row in rows)
