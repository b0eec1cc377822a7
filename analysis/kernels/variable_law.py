"""The law of a linear decision variable in noise that is not Gaussian.

The decision variable's repeating part is v = k . x. Elements are independent, so
cumulants add: with kappa the excess kurtosis of an element, that of v is

    kappa sum k_j^4 / (sum k_j^2)^2,

-2 for one element of binary noise, -1.2 for one of uniform noise, halved where two
intervals are compared; with many equal elements v is normal. The whole law is the
convolution of the elements' scaled levels.

Which kernel: elements beyond 2.5 standard errors count one by one; of the others only
the energy that is not sampling noise, as a normal part, for their noise would make the
law too normal.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..trials.design import TrialDesign

OWN_ELEMENT = 2.5  # standard errors
MOST_POINTS = 96  # of a law
_GAUSS_HERMITE = np.polynomial.hermite_e.hermegauss(15)


@dataclass(frozen=True, eq=False)
class VariableLaw:
    """The law of v, mean 0 and variance 1.

    Attributes
    ----------
    points, chances
        Its values, as means of intervals where there are many, and their chances.
    excess_kurtosis
        By cumulants.
    n_elements
        Elements that count one by one.
    """

    points: Float[np.ndarray, " point"]
    chances: Float[np.ndarray, " point"]
    excess_kurtosis: float
    n_elements: int

    @property
    def as_rows(self) -> Float[np.ndarray, " 2 point"]:
        """Points and chances, as `Showings.law` takes them."""
        return np.stack([self.points, self.chances])


def element_law(
    trials: TrialDesign,
) -> tuple[Float[np.ndarray, " level"], Float[np.ndarray, " level"]]:
    """Return the levels that an element of the noise took, and how often.

    About their mean and in SDs; of the noise that speaks for "yes", so in 2AFC the
    levels of a difference of two.
    """
    levels, n = np.unique(trials.shown, return_counts=True)
    values, chances = levels.astype(np.float64), n / n.sum()
    values = values - chances @ values
    values, chances = compressed(values, chances, 4 * MOST_POINTS)
    if trials.is_forced_choice:
        values, chances = _sum(values, chances, -values, chances)
    return values / np.sqrt(chances @ values**2), chances


def decision_law(
    trials: TrialDesign,
    kernel: Float[np.ndarray, " element"],
    se: Float[np.ndarray, " element"],
) -> VariableLaw | None:
    """Return the law of v under a kernel; None where the kernel is only noise."""
    size = np.abs(kernel)
    own = size > OWN_ELEMENT * se
    others = max(float((kernel[~own] ** 2 - se[~own] ** 2).sum()), 0.0)
    energy = float((kernel[own] ** 2).sum()) + others
    if not own.any():
        return None
    values, chances = element_law(trials)
    kurtosis = float(chances @ values**4) - 3
    points, weights = np.zeros(1), np.ones(1)
    for weight in kernel[own] / np.sqrt(energy):
        points, weights = _sum(points, weights, weight * values, chances)
    if others > 0:
        nodes, of_node = _GAUSS_HERMITE
        normal = np.sqrt(others / energy) * nodes
        points, weights = _sum(points, weights, normal, of_node / of_node.sum())
    points, weights = compressed(points, weights, MOST_POINTS)
    points = points - weights @ points
    points = points / np.sqrt(weights @ points**2)
    excess = kurtosis * float((kernel[own] ** 4).sum()) / energy**2
    return VariableLaw(points, weights, excess, int(own.sum()))


def _sum(
    a: np.ndarray, of_a: np.ndarray, b: np.ndarray, of_b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Convolve two laws."""
    values, chances = np.add.outer(a, b).ravel(), np.outer(of_a, of_b).ravel()
    return compressed(values, chances, 4 * MOST_POINTS)


def compressed(
    values: Float[np.ndarray, " value"], chances: Float[np.ndarray, " value"], most: int
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Return a law with at most so many points, each the mean of an interval.

    Values that are equal but for rounding are one. Intervals are of equal length, for
    points in the tails decide how certain a response can be.
    """
    order = np.argsort(values)
    values, chances = values[order], chances[order]
    span = float(values[-1] - values[0])
    place = (values - values[0]) / max(span, 1e-300)
    new = np.diff(place, prepend=-1.0) > 1e-9
    bins = np.cumsum(new) - 1
    if bins[-1] + 1 > most:
        bins = np.minimum((place * most).astype(int), most - 1)
    total = np.bincount(bins, chances)
    kept = total > 0
    return np.bincount(bins, chances * values)[kept] / total[kept], total[kept]
