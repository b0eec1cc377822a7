"""The figure: whether networks alike at order zero see alike at one and two."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..figures import write_figure
from ..files import write_text
from ..output import as_csv, as_json
from ..sweeps.sweep import silent
from .boxes import Boxes, boxes
from .circuits import GAMMA, SESSION_SEED
from .outcome import FORMAT, Shares, rows_of_boxes, shares_of
from .people import beside_people
from .pictures import draw_boxes, draw_shares_of_surrogates
from .surrogates import SURROGATES, Extent, surrogate_sweeps

if TYPE_CHECKING:
    from ...experiments.session.results import SessionData
    from ...models.simulate import Progress
    from ..sweeps.running import Told

_EXTENT = "extent.json"


@dataclass(frozen=True)
class DeepVsShallow:
    """What it came to.

    Attributes
    ----------
    shares
        Part A: what networks share with surrogates, over seeds.
    boxes
        Part C: kernels from gradients and from responses.
    failed
        Sentence by name of each cell that failed, of parts A and C.
    """

    shares: list[Shares]
    boxes: Boxes
    failed: dict[str, str]


def deep_vs_shallow(
    out: Path,
    *,
    extent: Extent | None = None,
    log: Path | None = None,
    people: "Sequence[SessionData]" = (),
    processes: int | None = None,
    told: "Told | None" = None,
    progress: "Progress | None" = None,
) -> DeepVsShallow:
    """Make the figure, or go on with it, and write what it came to.

    Parameters
    ----------
    out
        Folder, which is made. What is there is not done again.
    extent
        Seeds, trials, steps and levels of part A; all unless told otherwise.
    log, people
        Trial log with sessions of people, and these, for part B.
    processes
        Of part A at once; one for each core unless told otherwise.
    told
        Called as cells of part A end.
    progress
        Called as the other parts go on, as in `yoked.run`.

    Raises
    ------
    ValueError
        If what is in the folder is of another extent.
    """
    extent = extent or Extent()
    out.mkdir(parents=True, exist_ok=True)
    _require_same(out / _EXTENT, extent)
    surrogates = out / "surrogates"
    table = surrogate_sweeps(surrogates, extent, processes, told or silent)
    shares = shares_of(table)
    write_text(out / "cells.csv", table.to_csv(index=False, lineterminator="\n"))
    write_text(out / "shares.csv", as_csv(shares))
    write_figure(out / "shares.svg", draw_shares_of_surrogates(shares))
    cells: list[dict[str, Any]] = table.to_dict("records")
    found = boxes(cells, surrogates / "gradients", progress)
    in_boxes = rows_of_boxes(found.found)
    write_text(out / "boxes.csv", as_csv(in_boxes))
    write_figure(out / "boxes.svg", draw_boxes(found.found))
    parts = {
        "format": FORMAT,
        "yoked": version("yoked"),
        "extent": extent.to_dict(),
        "internal_noise": GAMMA,
        "contrasts": SURROGATES,
        "session_seed": SESSION_SEED,
        "shares": [each.to_dict() for each in shares],
        "boxes": in_boxes,
    }
    write_text(out / "deep-vs-shallow.json", as_json(parts) + "\n")
    if log is not None:
        beside_people(log, people, out / "people", progress)
    failed = {
        f"{row['surrogate']}-{row['position']}, {row['cell']}": str(row["error"])
        for row in cells
        if row["status"] != "done"
    }
    return DeepVsShallow(shares, found, found.missing | failed)


def _require_same(file: Path, extent: Extent) -> None:
    """Refuse a folder of another extent; more seeds may be added to one."""
    if file.is_file():
        kept = json.loads(file.read_text(encoding="utf-8"))
        same = replace(extent, n_seeds=kept["n_seeds"]).to_dict()
        if same != kept or extent.n_seeds < kept["n_seeds"]:
            rule = "a new folder, or one of the same trials, steps and levels"
            got = f"{str(file.parent)!r} of {_words(kept)}"
            raise ValueError(f"the folder of a figure must be {rule}, got {got}")
    write_text(file, json.dumps(extent.to_dict(), indent=1))


def _words(kept: dict[str, Any]) -> str:
    levels = [
        "/".join(kept[name]) for name in ("surrogates", "positions", "goals", "fronts")
    ]
    counts = f"{kept['n_seeds']} seeds, {kept['trials']} trials, {kept['steps']} steps"
    return f"{counts}, {', '.join(levels)}"
