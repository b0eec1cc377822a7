"""What the parts came to, as rows: shares over seeds, and kernels of two kinds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ...analysis.trials.estimate import Estimate
from ...analysis.trials.result import Cells, Result
from ..output import Row
from ..sweeps.collect import means_of
from .boxes import Box, cosine
from .surrogates import TWIN

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "yoked-deep-vs-shallow/1"  # of the plain form, which docs/json.md describes
_QUANTITIES = ("share_0", "share_1", "share_2")


@dataclass(frozen=True)
class Shares(Result):
    """A share of the ceiling, over seeds.

    Attributes
    ----------
    surrogate, position
        Whom it is of.
    goal
        Of the training; 'twin' of the surrogate itself, 'ideal' of the ideal observer.
    front
        Of the network; None of those two.
    order
        0, 1 or 2.
    share
        With its interval over seeds.
    n_seeds
        Seeds that it rests on.
    n_failed
        Cells that failed.
    """

    surrogate: str
    position: str
    goal: str
    front: str | None
    order: int
    share: Estimate
    n_seeds: int
    n_failed: int

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give one row."""
        failed = f" ({self.n_failed} failed)" if self.n_failed else ""
        return [
            {
                "surrogate": self.surrogate,
                "position": self.position,
                "goal": self.goal,
                "front": self.front or "-",
                "order": str(self.order),
                "share of the ceiling": self.share.short(),
                "seeds": f"{self.n_seeds}{failed}",
            }
        ]


def shares_of(table: "pd.DataFrame") -> list[Shares]:
    """Average the cells of part A over seeds."""
    found = []
    for key, part in table.groupby(["surrogate", "position"], sort=False):
        surrogate, position = cast("tuple[str, str]", key)
        for mean in means_of(part):
            if mean.quantity not in _QUANTITIES:
                continue
            goal, _, front = mean.observer.partition(".")
            counts = mean.n_seeds, mean.n_failed
            order = _QUANTITIES.index(mean.quantity)
            of = surrogate, position, goal, front or None, order
            found.append(Shares(*of, mean.mean, *counts))
    return found


def rows_of_boxes(boxes: Sequence[Box]) -> list[Row]:
    """Give a row for each kernel: how alike its two kinds are, and to the surrogate."""
    own = {(b.surrogate, b.order): b for b in boxes if b.goal == TWIN}
    return [
        {
            "surrogate": box.surrogate,
            "goal": box.goal,
            "front": box.front,
            "order": box.order,
            "cosine": box.cosine,
            "reliability": box.reliability,
            "share": box.share,
            "slope": box.slope,
            "to_surrogate": cosine(box.white, own[box.surrogate, box.order].white),
        }
        for box in boxes
    ]
