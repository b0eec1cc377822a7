"""What the parts came to, as rows: shares over seeds, and kernels of two kinds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ...analysis.trials.estimate import Estimate
from ...analysis.trials.result import Cells, Result
from ..output import Row
from ..sweeps.collect import means_of
from .boxes import SHARE, Box, share_of
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
        With its interval over seeds, to which the error of the surrogate's session, one
        for all networks, is added in full.
    between_sd
        SD of the seeds' own values.
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
    between_sd: float | None
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
        means = {
            (mean.observer, mean.quantity): mean
            for mean in means_of(part)
            if mean.quantity in _QUANTITIES
        }
        for observer, cells in part.groupby("observer", sort=False):
            name = str(observer)
            goal, _, front = name.partition(".")
            for order, quantity in enumerate(_QUANTITIES):
                of = surrogate, position, goal, front or None, order
                mean = means.get((name, quantity))
                if mean is None:  # no seed of it is done
                    why = Estimate.missing("none/1", "no cell of it is done")
                    found.append(Shares(*of, why, None, 0, len(cells)))
                    continue
                counts = mean.n_seeds, mean.n_failed
                found.append(Shares(*of, mean.mean, mean.between_sd, *counts))
    return found


def rows_of_boxes(boxes: Sequence[Box]) -> list[Row]:
    """Give a row for each kernel: how alike its two kinds are, and to the surrogate."""
    own = {(box.surrogate, box.order): box for box in boxes if box.goal == TWIN}
    return [
        {
            "surrogate": box.surrogate,
            "goal": box.goal,
            "front": box.front,
            "order": box.order,
            "white_reliability": box.white.reliability,
            "black_reliability": box.black.reliability,
            "share": box.share.to_dict(),
            "slope": box.slope.to_dict(),
            "to_surrogate": _to(own.get((box.surrogate, box.order)), box),
        }
        for box in boxes
    ]


def _to(surrogate: Box | None, box: Box) -> dict[str, Any]:
    """Compare the kernels from gradients of a network and its surrogate."""
    if box is surrogate:
        return Estimate.missing(SHARE, "it is the surrogate").to_dict()
    if surrogate is None:
        return Estimate.missing(SHARE, "the surrogate's was not measured").to_dict()
    names = "surrogate's", "network's"
    return share_of(surrogate.white, box.white, *names).to_dict()
