"""Part C: kernels from gradients beside kernels from responses, of the same observers.

The first seed of every network of part A, and the surrogates, where the position is
known. Where both agree, what a network shares with a surrogate can be told from its
gradients, without the sampling noise of its responses.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from ...analysis.kernels.weighted_sum import Kernel
from ...analysis.second_order.kernel import SecondOrderKernel
from ...analysis.sessions.kernel import kernel
from ...experiments.session.results import SessionData, load_session
from ..files import whole_file
from ..sweeps.cell import LOG, WEIGHTS
from .surrogates import GAMMA, IDEAL, SURROGATES, TWIN

if TYPE_CHECKING:
    import pandas as pd

    from ...experiments.session.observer import Observer
    from ...models.simulate import Progress

TRIALS = 2048  # of gradients; a twentieth of the responses has a smaller error
_SEED = 0
Numbers = Float64[np.ndarray, " _"]  # kernels of both orders differ in length


@dataclass(frozen=True, eq=False)
class Box:
    """An observer's kernel of one order, as gradients and as responses have it.

    Attributes
    ----------
    surrogate, goal, front
        Which network it is; the surrogate itself has the goal 'twin'.
    order
        1 or 2; of order two the numbers on and above the diagonal.
    white, black
        The kernel from gradients, and from responses.
    black_se
        Standard error of each number of the second.
    """

    surrogate: str
    goal: str
    front: str
    order: int
    white: Numbers
    black: Numbers
    black_se: Numbers

    @property
    def reliability(self) -> float:
        """Share of the black kernel's mean square that is no sampling noise."""
        return 1 - float(np.mean(self.black_se**2) / np.mean(self.black**2))

    @property
    def cosine(self) -> float:
        """Of the two kernels."""
        return cosine(self.white, self.black)

    @property
    def share(self) -> float | None:
        """The cosine over the square root of the reliability; None where that is .2."""
        r = self.reliability
        return self.cosine / math.sqrt(r) if r > LEAST_RELIABLE else None

    @property
    def slope(self) -> float:
        """Of the black kernel on the white one: 1 where both have one unit and size."""
        return float(self.white @ self.black / (self.white @ self.white))


LEAST_RELIABLE = 0.2


def cosine(one: Numbers, other: Numbers) -> float:
    """Give the cosine of two kernels."""
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def boxes(
    table: "pd.DataFrame", out: Path, progress: "Progress | None" = None
) -> list[Box]:
    """Measure all of them; what was measured before is read.

    Parameters
    ----------
    table
        Of part A, in whose folder `out` is.
    out
        Folder for what gradients came to, which is made.
    progress
        Told how many are done.
    """
    known = [
        row
        for row in table.to_dict("records")
        if (row["position"], row["status"]) == ("known", "done")
    ]
    first = min((row["seed"] for row in known), default=0)
    rows = [r for r in known if r["seed"] == first and r["goal"] != IDEAL]
    out.mkdir(parents=True, exist_ok=True)
    found: list[Box] = []
    for number, row in enumerate(rows):
        found += _of(row, out)
        if progress is not None:
            progress("gradients", number + 1, len(rows))
    return found


def _of(row: dict[str, Any], out: Path) -> Iterator[Box]:
    """Give both orders of a cell's observer."""
    front = row["front"] if isinstance(row["front"], str) else "none"
    names = row["surrogate"], row["goal"], front
    sweep = out.parent / f"{row['surrogate']}-{row['position']}"
    session = load_session(sweep / "cells" / row["cell"] / LOG, row["session"])
    whites = _white(row, session, sweep, out / f"{'-'.join(names)}.npz")
    one = kernel(session, 1, "weighted_sum")
    two = kernel(session, 2)
    assert isinstance(one, Kernel)
    assert isinstance(two, SecondOrderKernel)
    n = one.kernel.size
    upper = np.triu_indices(n)
    se_two = two.null_se * np.where(upper[0] == upper[1], math.sqrt(2), 1.0)
    black = (one.kernel.ravel(), one.se.ravel()), (two.kernel[upper], se_two)
    for order, (white, (values, se)) in enumerate(zip(whites, black, strict=True), 1):
        yield Box(*names, order, white, values, np.asarray(se, np.float64))


def _white(
    row: dict[str, Any], session: SessionData, sweep: Path, file: Path
) -> tuple[Numbers, Numbers]:
    """Give the kernels from gradients, kept in a file with what they are of."""
    of = f"{row['session']} {TRIALS} {row['internal_noise']}"
    if file.is_file():
        with np.load(file) as kept:
            if str(kept["of"]) == of:
                return kept["one"], kept["two"]
    from ...models.white_box.kernels import white_box

    made = white_box(
        session.protocol,
        _observer(row, sweep),
        trials=TRIALS,
        contrast=SURROGATES[row["surrogate"]],
        internal_noise=float(row["internal_noise"]) or GAMMA,
        seed=_SEED,
        batch=128,
    )
    assert made.two is not None
    one = made.one.kernel.ravel()
    two = made.two.kernel[np.triu_indices(len(one))]
    with whole_file(file, "wb") as written:
        np.savez(written, one=one, two=two, of=of)
    return one, two


def _observer(row: dict[str, Any], sweep: Path) -> "Observer":
    from ...models.registry import load

    if row["goal"] == TWIN:
        return load(row["surrogate"])
    training = f"{row['observer']}--seed-{row['seed']}"
    return load(str(sweep / "training" / training / WEIGHTS))
