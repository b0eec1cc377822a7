"""The law of the decision variable: what a kernel makes of the noise that was shown.

The elements x_j of white noise are independent, so that cumulants of v = sum of k_j x_j
add up: its excess kurtosis is kappa sum k^4 / (sum k^2)^2, kappa that of one element
(-2 binary, -1.2 uniform, 0 normal; of a difference of two intervals half of it). m
equal elements have kappa / m. The whole law is the convolution of the elements' levels,
each times its weight.

The sampling noise of many small weights would make the law too normal: elements enter
with their own levels where their weight is beyond 2.5 standard errors, and the others
as one normal part of their unbiased energy, max(sum of k^2 - SE^2, 0).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.fft import irfft, next_fast_len, rfft

from ..double_pass.law import Law
from ..trials.design import TrialDesign

BEYOND_SE = 2.5  # of a weight, from where on its element enters by itself
STEP = 0.02  # of the law's grid, SDs
REACH = 6.0  # of the normal part, its SDs
MOST_LEVELS = 512
LEAST_MASS = 1e-9
ENOUGH = 1_000_000  # values, whose kurtosis has a standard error of .005
LITTLE = 0.2  # of the energy of a kernel
GAP = 0.25  # between two levels, SDs
LEAST_LEVEL = 0.01  # mass of what counts as a level


@dataclass(frozen=True, eq=False)
class ElementLevels:
    """What one element of a noise field can be, in its SDs.

    Attributes
    ----------
    value, mass
        Levels and their shares; mean 0 and variance 1.
    """

    value: Float[np.ndarray, " level"]
    mass: Float[np.ndarray, " level"]

    @classmethod
    def of(cls, trials: TrialDesign) -> "ElementLevels":
        """Count the levels that were shown, of a million values at most.

        Noise of more levels than 512 is sorted into so many.
        """
        _, first = np.unique(trials.cluster, return_index=True)
        first = first[: max(ENOUGH // trials.halves.shape[2], 1)]
        shown = trials.where(first).shown
        value, count = np.unique(shown, return_counts=True)
        if len(value) > MOST_LEVELS:
            edges = np.linspace(value[0], value[-1], MOST_LEVELS + 1)
            bin_of = np.clip(np.searchsorted(edges, value, "right") - 1, 0, None)
            bin_of = np.minimum(bin_of, MOST_LEVELS - 1)
            total = np.bincount(bin_of, count, MOST_LEVELS)
            middle = np.bincount(bin_of, count * value, MOST_LEVELS)
            value, count = middle[total > 0] / total[total > 0], total[total > 0]
        value, mass = value.astype(np.float64), count / count.sum()
        value = value - mass @ value
        value = value / math.sqrt(mass @ value**2)
        return cls(value, mass)

    @property
    def kurtosis(self) -> float:
        """Excess kurtosis."""
        return float(self.mass @ self.value**4) - 3.0


@dataclass(frozen=True, eq=False)
class KernelParts:
    """A kernel as the law takes it.

    Attributes
    ----------
    weights
        Of the elements beyond 2.5 SE.
    chosen
        Which elements these are.
    normal
        Energy of the others, without bias.
    """

    weights: Float[np.ndarray, " some"]
    chosen: Bool[np.ndarray, " element"]
    normal: float

    @classmethod
    def of(
        cls, kernel: Float[np.ndarray, " element"], se: Float[np.ndarray, " element"]
    ) -> "KernelParts":
        """Part the elements by their standard errors."""
        chosen = np.abs(kernel) > BEYOND_SE * se
        rest = ~chosen
        energy = float(np.sum(kernel[rest] ** 2 - se[rest] ** 2))
        return cls(kernel[chosen], chosen, max(energy, 0.0))

    @property
    def energy(self) -> float:
        """Sum of squares of all."""
        return float(self.weights @ self.weights) + self.normal

    @property
    def are_few(self) -> bool:
        """Whether the elements beyond 2.5 SE are all that counts."""
        return len(self.weights) > 0 and self.normal <= LITTLE * self.energy

    @property
    def without_little(self) -> "KernelParts":
        """The same without a normal part that is little, such as noise leaves."""
        return replace(self, normal=0.0) if self.are_few else self


def kurtosis_of_sum(parts: KernelParts, element_kurtosis: float) -> float:
    """Return the excess kurtosis of the decision variable.

    Examples
    --------
    >>> none = np.zeros(3)
    >>> kurtosis_of_sum(KernelParts.of(np.array([1.0, 1.0, 0.0]), none), -2.0)
    -1.0
    """
    if not parts.energy > 0:
        return 0.0
    return element_kurtosis * float(np.sum(parts.weights**4)) / parts.energy**2


def n_levels(law: Law) -> int:
    """Count the levels of a law: what lies closer together than .25 is one.

    A stretch without gaps counts as one for every .5 SD of it.
    """
    ends = np.flatnonzero(np.diff(law.points) > GAP)
    first = np.concatenate([[0], ends + 1])
    last = np.concatenate([ends, [len(law.points) - 1]])
    total = np.add.reduceat(law.mass, first)
    width = law.points[last] - law.points[first]
    return int(np.sum((1 + np.floor(width / (2 * GAP)))[total >= LEAST_LEVEL]))


def law_of(
    parts: KernelParts, levels: ElementLevels, difference: bool, step: float = STEP
) -> Law:
    """Return the law of the decision variable.

    Parameters
    ----------
    parts
        With some energy.
    difference
        Whether an element is the difference of two intervals' levels.
    step
        Of the grid that the levels are put on, SDs of the decision variable.

    Examples
    --------
    A single element of binary noise is one of two.

    >>> parts = KernelParts.of(np.array([0.5]), np.zeros(1))
    >>> binary = ElementLevels(np.array([-1.0, 1.0]), np.array([0.5, 0.5]))
    >>> law = law_of(parts, binary, difference=False)
    >>> law.points.round(6).tolist(), law.mass.round(6).tolist()
    ([-1.0, 1.0], [0.5, 0.5])
    """
    weights = parts.weights / math.sqrt(parts.energy)
    normal = math.sqrt(parts.normal / parts.energy)
    if difference:
        weights = np.concatenate([weights, -weights]) / math.sqrt(2)
    farthest = float(np.abs(levels.value).max()) * np.abs(weights).sum()
    reach = min(farthest, 12.0) + REACH * normal + 2 * step
    half = math.ceil(reach / step)
    n = int(next_fast_len(2 * half + 1, real=True) or 0)
    spectrum = np.ones(n // 2 + 1, complex)
    for weight in weights.tolist():
        spectrum *= rfft(_on_grid(weight * levels.value, levels.mass, step, n))
    if normal > 0:
        frequency = 2 * np.pi * np.arange(n // 2 + 1) / (n * step)
        spectrum *= np.exp(-((frequency * normal) ** 2) / 2)
    mass = np.asarray(irfft(spectrum, n))
    points = step * (np.arange(n) - n * (np.arange(n) > half))
    kept = mass > LEAST_MASS
    order = np.argsort(points[kept])
    points, mass = points[kept][order], mass[kept][order] / mass[kept].sum()
    points = points - mass @ points
    return Law(points / math.sqrt(mass @ points**2), mass)


def _on_grid(value: np.ndarray, mass: np.ndarray, step: float, n: int) -> np.ndarray:
    """Share every level between the two grid points next to it, its mean kept."""
    below = np.floor(value / step + 1e-9).astype(np.int64)
    part = np.clip(value / step - below, 0, 1)
    found = np.zeros(n)
    np.add.at(found, below % n, mass * (1 - part))
    np.add.at(found, (below + 1) % n, mass * part)
    return found
