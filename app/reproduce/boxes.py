"""Part C: kernels from gradients beside kernels from responses, of the same observers.

The first seed of every network of part A, and the surrogates, where the position is
known. Where both agree, what a network shares with a surrogate can be told from its
gradients, with little of the sampling noise of its responses.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from ...analysis.kernels.weighted_sum import Kernel
from ...analysis.second_order.kernel import SecondOrderKernel
from ...analysis.sessions.kernel import kernel
from ...analysis.trials.estimate import Estimate
from ...experiments.session.results import SessionData, load_session
from ..files import whole_file
from ..sweeps.cell import LOG, WEIGHTS
from .surrogates import IDEAL, SURROGATES, TWIN

if TYPE_CHECKING:
    from ...experiments.session.observer import Observer
    from ...models.simulate import Progress

TRIALS = 2048  # of gradients; a twentieth of a session's would have its errors
SHARE, SLOPE = "cosine-of-kernels-disattenuated/1", "slope-of-kernels-disattenuated/1"
LEAST_RELIABLE = 0.5  # below, ratios are of noise
_VERSION = 1  # of what is kept; another one is measured anew
_SEED = 0
Numbers = Float64[np.ndarray, " _"]  # kernels of both orders differ in length


@dataclass(frozen=True, eq=False)
class Measured:
    """A kernel and the standard error of each of its numbers.

    Of order two the numbers on and above the diagonal, those above it times sqrt(2):
    sums of products are then those of the whole matrix, and each number counts once.
    """

    kernel: Numbers
    se: Numbers

    @property
    def reliability(self) -> float:
        """Share of its mean square that is no sampling noise; below 0 by chance."""
        return 1 - float(np.mean(self.se**2) / np.mean(self.kernel**2))

    @property
    def length(self) -> float:
        """Its norm."""
        return float(np.linalg.norm(self.kernel))


@dataclass(frozen=True, eq=False)
class Box:
    """An observer's kernel of one order, as gradients and as responses have it.

    Attributes
    ----------
    surrogate, goal, front
        Which network it is; the surrogate itself has the goal 'twin' and no front.
    order
        1 or 2.
    white, black
        The kernel from gradients, and from responses; the second's errors at order two
        are those of an observer without second order.
    """

    surrogate: str
    goal: str
    front: str | None
    order: int
    white: Measured
    black: Measured

    @property
    def share(self) -> Estimate:
        """Their cosine, as a share of what their noise leaves."""
        return share_of(self.white, self.black, "white", "black")

    @property
    def slope(self) -> Estimate:
        """Of black on white: 1 where both have one unit and size."""
        white, black = self.white, self.black
        n = white.kernel.size
        if (unknown := _unreliable(n, SLOPE, white=white, black=black)) is not None:
            return unknown
        power = white.length**2 - float(np.sum(white.se**2))
        slope = float(white.kernel @ black.kernel) / power
        by_black = white.kernel / power
        by_white = (black.kernel - 2 * slope * white.kernel) / power
        return _estimate(slope, (by_black, black.se), (by_white, white.se), SLOPE)


@dataclass(frozen=True)
class Boxes:
    """What could be measured, and why the rest could not, by network."""

    found: list[Box]
    missing: dict[str, str] = field(default_factory=dict)


def share_of(one: Measured, other: Measured, name: str, another: str) -> Estimate:
    """Give the cosine of two kernels over sqrt(reliability x reliability).

    The error is by the delta method, from the errors of all numbers.
    """
    n = one.kernel.size
    if (why := _unreliable(n, SHARE, **{name: one, another: other})) is not None:
        return why
    ours, theirs = one.kernel / one.length, other.kernel / other.length
    cosine = float(ours @ theirs)
    ceiling = math.sqrt(one.reliability * other.reliability)
    by_one = (theirs - cosine * ours) / one.length / ceiling
    by_other = (ours - cosine * theirs) / other.length / ceiling
    return _estimate(cosine / ceiling, (by_one, one.se), (by_other, other.se), SHARE)


def _unreliable(n: int, formula: str, **kernels: Measured) -> Estimate | None:
    for name, each in kernels.items():
        if not each.reliability > LEAST_RELIABLE:
            rule = f"a reliability of {LEAST_RELIABLE} or more"
            note = f"the {name} kernel must have {rule}, got {each.reliability:.2f}"
            return Estimate.missing(formula, note, n)
    return None


def _estimate(
    value: float, one: tuple[Numbers, Numbers], other: tuple[Numbers, Numbers], of: str
) -> Estimate:
    parts = (np.sum((slopes * se) ** 2) for slopes, se in (one, other))
    return Estimate.normal(value, math.sqrt(float(sum(parts))), one[0].size, of)


def boxes(
    cells: list[dict[str, Any]], out: Path, progress: "Progress | None" = None
) -> Boxes:
    """Measure all of them; what was measured before is read.

    Parameters
    ----------
    cells
        Rows of the table of part A, in whose folder `out` is.
    out
        Folder for what gradients came to, which is made.
    progress
        Told how many are done.
    """
    known = [row for row in cells if row["position"] == "known"]
    first = min((row["seed"] for row in known), default=0)
    rows = [r for r in known if r["seed"] == first and r["goal"] != IDEAL]
    out.mkdir(parents=True, exist_ok=True)
    made = Boxes([])
    for number, row in enumerate(rows):
        try:
            made.found.extend(_of(row, out))
        except ValueError as reason:  # dead units, one response alone
            made.missing[f"{row['surrogate']}, {row['cell']}"] = str(reason)
        if progress is not None:
            progress("gradients", number + 1, len(rows))
    return made


def _of(row: dict[str, Any], out: Path) -> Iterator[Box]:
    """Give both orders of a cell's observer."""
    if row["status"] != "done":
        raise ValueError(str(row["error"]))
    front = row["front"] if isinstance(row["front"], str) else None
    names = row["surrogate"], row["goal"], front
    sweep = out.parent / f"{row['surrogate']}-{row['position']}"
    session = load_session(sweep / "cells" / row["cell"] / LOG, row["session"])
    file = out / f"{row['surrogate']}-{row['observer']}.npz"
    whites = _white(row, session, sweep, file)
    one = kernel(session, 1, "weighted_sum")
    two = kernel(session, 2)
    assert isinstance(one, Kernel)
    assert isinstance(two, SecondOrderKernel)
    n = one.kernel.size
    rows, columns = np.triu_indices(n)
    of_null = two.null_se * np.where(rows == columns, math.sqrt(2), 1.0)
    blacks = (
        Measured(one.kernel.ravel(), one.se.ravel()),
        _whole(two.kernel[rows, columns], of_null, n),
    )
    for order, (white, black) in enumerate(zip(whites, blacks, strict=True), 1):
        yield Box(*names, order, white, black)


def _whole(above: Numbers, se: Numbers, n: int) -> Measured:
    """Let the numbers on and above a diagonal count as the whole matrix does."""
    rows, columns = np.triu_indices(n)
    weights = np.where(rows == columns, 1.0, math.sqrt(2))
    return Measured(weights * above, weights * se)


def _white(
    row: dict[str, Any], session: SessionData, sweep: Path, file: Path
) -> tuple[Measured, Measured]:
    """Give the kernels from gradients, kept in a file with what they are of."""
    contrast, gamma = SURROGATES[row["surrogate"]], float(row["internal_noise"])
    of = f"{_VERSION} {row['weights_hash']} {contrast} {gamma!r} {TRIALS}"
    if file.is_file():
        with np.load(file) as kept:
            if str(kept["of"]) == of:
                one = Measured(kept["one"], kept["one_se"])
                return one, Measured(kept["two"], kept["two_se"])
    from ...models.white_box.kernels import white_box

    made = white_box(
        session.protocol,
        _observer(row, sweep),
        trials=TRIALS,
        contrast=contrast,
        internal_noise=gamma,
        seed=_SEED,
        batch=128,
    )
    assert made.two is not None
    n = made.one.kernel.size
    upper = np.triu_indices(n)
    one = Measured(made.one.kernel.ravel(), made.one.se.ravel())
    two = _whole(made.two.kernel[upper], made.two.se[upper], n)
    with whole_file(file, "wb") as written:
        np.savez(
            written,
            one=one.kernel,
            one_se=one.se,
            two=two.kernel,
            two_se=two.se,
            of=of,
        )
    return one, two


def _observer(row: dict[str, Any], sweep: Path) -> "Observer":
    from ...models.registry import load

    if row["goal"] == TWIN:
        return load(row["surrogate"])
    training = f"{row['observer']}--seed-{row['seed']}"
    return load(str(sweep / "training" / training / WEIGHTS))
