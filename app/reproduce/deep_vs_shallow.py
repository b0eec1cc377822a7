"""The figure: whether networks alike at order zero see alike at one and two."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..figures import write_figure
from ..files import write_text
from ..output import as_csv, as_json
from ..scores.card import Score
from .boxes import Box, boxes
from .outcome import FORMAT, Shares, rows_of_boxes, shares_of
from .people import beside_people
from .pictures import draw_boxes, draw_shares_of_surrogates
from .surrogates import Extent, surrogate_sweeps

if TYPE_CHECKING:
    from ...experiments.session.results import SessionData
    from ...models.simulate import Progress
    from ..sweeps.running import Told


@dataclass(frozen=True)
class DeepVsShallow:
    """What it came to.

    Attributes
    ----------
    shares
        Part A: what networks share with surrogates, over seeds.
    scores
        Part B: observers beside people, a score for each task; empty without people.
    boxes
        Part C: kernels from gradients and from responses.
    failed
        Sentence by name of each cell of part A that failed.
    """

    shares: list[Shares]
    scores: list[Score]
    boxes: list[Box]
    failed: dict[str, str] = field(default_factory=dict)


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
        Seeds, trials and steps of part A; all unless told otherwise.
    log, people
        Trial log with sessions of people, and these, for part B.
    processes
        Of part A at once; one for each core unless told otherwise.
    told
        Called as cells of part A end.
    progress
        Called as the other parts go on, as in `yoked.run`.
    """
    surrogates = out / "surrogates"
    table = surrogate_sweeps(surrogates, extent or Extent(), processes, told or _nobody)
    shares = shares_of(table)
    found_boxes = boxes(table, surrogates / "gradients", progress)
    scores = []
    if people:
        assert log is not None
        scores = beside_people(log, people, out / "people", progress)
    failed = {
        f"{row['surrogate']}-{row['position']}, {row['cell']}": str(row["error"])
        for row in table.to_dict("records")
        if row["status"] != "done"
    }
    made = DeepVsShallow(shares, scores, found_boxes, failed)
    _write(made, table.to_csv(index=False, lineterminator="\n"), out)
    return made


def _nobody(_: object) -> None:
    """Tell nobody."""


def _write(made: DeepVsShallow, cells: str, out: Path) -> None:
    in_boxes = rows_of_boxes(made.boxes)
    write_text(out / "cells.csv", cells)
    write_text(out / "shares.csv", as_csv(made.shares))
    write_text(out / "boxes.csv", as_csv(in_boxes))
    shares = [each.to_dict() for each in made.shares]
    parts = {"format": FORMAT, "shares": shares, "boxes": in_boxes}
    write_text(out / "deep-vs-shallow.json", as_json(parts) + "\n")
    write_figure(out / "shares.svg", draw_shares_of_surrogates(made.shares))
    write_figure(out / "boxes.svg", draw_boxes(made.boxes))
