"""What kernels of both orders say about the cascade behind them, freed of noise.

Every feature is a ratio of sums of products of the two kernels. Estimation noise adds
to each sum of squares what its variance says, and that much is taken away; a bootstrap
sample has this noise twice, once of its own, and twice as much is taken away. A ratio
whose denominator may be nothing is not given.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..trials.estimate import Estimate
from .replicates import Replicates

FORMULA = "cascade-feature-{}/1"
NAMES = (
    "second_order_share",
    "trace",
    "off_diagonal_share",
    "diagonal_correlation",
    "along_kernel_share",
    "other_to_target_ratio",
    "halves_correlation",
    "flatness_of_other",
)
MEANINGS = {
    "second_order_share": "share of the decision variance that is of second order",
    "trace": "trace of H2, in noise variances",
    "off_diagonal_share": "energy of H2 off its diagonal",
    "diagonal_correlation": "cosine of the diagonal of H2 with the other's half",
    "along_kernel_share": "energy of H2 that is along the first-order kernel",
    "other_to_target_ratio": "size of the other's half along the target's half",
    "halves_correlation": "cosine of the halves of the first-order kernel",
    "flatness_of_other": "energy of the other's half that is its mean",
}


@dataclass(frozen=True, eq=False)
class Draws:
    """A feature of the trials, and of bootstrap samples of them; NaN: undefined."""

    value: float
    drawn: Float[np.ndarray, " replicate"]

    @property
    def is_defined(self) -> bool:
        """Whether the denominator is surely there: in all but 1 % of the samples."""
        share = float(np.mean(np.isnan(self.drawn)))
        return bool(np.isfinite(self.value)) and share <= 0.01

    def limits(self, level: float) -> tuple[float, float]:
        """Return the interval that holds a share `level` of the samples, and value."""
        tail = (1 - level) / 2
        low, high = np.nanquantile(self.drawn, (tail, 1 - tail))
        return min(float(low), self.value), max(float(high), self.value)

    def estimate(self, name: str, n: int) -> Estimate:
        """Return the feature with its SE and 95 % interval, or why there is none."""
        formula = FORMULA.format(name.replace("_", "-"))
        if not self.is_defined:
            return Estimate.missing(formula, "too few trials: it divides by noise", n)
        low, high = self.limits(0.95)
        se = float(np.nanstd(self.drawn))
        return Estimate(self.value, se, low, high, n, formula, MEANINGS[name])


def features(given: Replicates, drawn: Replicates, sd: float) -> dict[str, Draws]:
    """Return every feature of the observed kernels, with bootstrap samples of it.

    Parameters
    ----------
    given
        Kernels of the responses given, one replicate.
    drawn
        Kernels of bootstrap samples.
    sd
        SD of the noise, contrast; features have no unit.
    """
    noise = _Noise.of(drawn, sd)
    value = _of(given.halves / sd, given.second / sd**2, noise, 1)
    samples = _of(drawn.halves / sd, drawn.second / sd**2, noise, 2)
    return {name: Draws(float(value[name][0]), samples[name]) for name in NAMES}


@dataclass(frozen=True)
class _Noise:
    """Variances of the kernels' elements, summed: what noise adds to squares."""

    target: float
    other: float
    kernel: float
    between: float  # covariance of the halves
    on_diagonal: float
    off_diagonal: float

    @classmethod
    def of(cls, drawn: Replicates, sd: float) -> "_Noise":
        halves = (drawn.halves - drawn.halves.mean(0)) / sd
        n = len(halves) - 1
        covariance = np.einsum("rae,rbe->ab", halves, halves) / n
        elements = drawn.second.var(axis=0, ddof=1).astype(float) / sd**4
        on_diagonal = float(np.trace(elements))
        return cls(
            target=float(covariance[0, 0]),
            other=float(covariance[1, 1]),
            kernel=float(covariance.sum()),
            between=float(covariance[0, 1]),
            on_diagonal=on_diagonal,
            off_diagonal=float(elements.sum()) - on_diagonal,
        )


def _of(
    halves: np.ndarray, second: np.ndarray, noise: _Noise, times: int
) -> dict[str, np.ndarray]:
    """Features of each replicate; `times` is how often its noise was added."""
    target, other = halves[:, 0].astype(float), halves[:, 1].astype(float)
    kernel, e = target + other, halves.shape[2]
    matrix = second.astype(float)
    diagonal = np.diagonal(matrix, axis1=1, axis2=2)
    squared_target = _dot(target, target) - times * noise.target
    squared_other = _dot(other, other) - times * noise.other
    squared_kernel = _dot(kernel, kernel) - times * noise.kernel
    across = _dot(target, other) - times * noise.between
    on = _dot(diagonal, diagonal) - times * noise.on_diagonal
    off = (matrix**2).sum((1, 2)) - _dot(diagonal, diagonal)
    off = off - times * noise.off_diagonal
    trace = diagonal.sum(1)
    per_element = times * noise.kernel / e
    along = np.einsum("ri,rij,rj->r", kernel, matrix, kernel) - per_element * trace
    along_squared = _ratio(along**2, squared_kernel**2, squared_kernel)
    along_squared = along_squared - times * noise.on_diagonal / e
    of_mean = e * other.mean(1) ** 2 - times * noise.other / e
    share = on + off
    return {
        "second_order_share": _ratio(share / 2, squared_kernel + share / 2),
        "trace": trace,
        "off_diagonal_share": _ratio(off, share),
        "diagonal_correlation": _cosine(_dot(diagonal, other), on, squared_other),
        "along_kernel_share": _ratio(along_squared, share),
        "other_to_target_ratio": _ratio(across, squared_target),
        "halves_correlation": _cosine(across, squared_target, squared_other),
        "flatness_of_other": _ratio(of_mean, squared_other),
    }


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("re,re->r", a, b)


def _ratio(
    above: np.ndarray, below: np.ndarray, positive: np.ndarray | None = None
) -> np.ndarray:
    """Quotient where the denominator is positive, else NaN."""
    good = (below if positive is None else positive) > 0
    return np.where(good, above / np.where(good, below, 1), np.nan)


def _cosine(across: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    good = (first > 0) & (second > 0)
    below = np.sqrt(np.where(good, first * second, 1))
    return np.where(good, across / below, np.nan)
