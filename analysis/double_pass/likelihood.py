"""The bivariate probit of a double pass: one r over all cells, its profile interval.

The likelihood of r is profiled over the mean of every cell, for a whole grid of r at a
time; grids around the maximum and around the ends of the interval are refined thrice.

References
----------
.. [1] Venzon & Moolgavkar (1988), Appl. Stat. 37, 87-94 (profile likelihood).
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, ndtri, owens_t
from scipy.stats import chi2

from ..trials.counts import loglinear_rate

PairCounts = Int[np.ndarray, " cell 3"]
"""Pairs by cell with yes twice, once, and never ("yes": correct, in forced choice)."""


@dataclass(frozen=True)
class ConsistencyFit:
    """The r of highest likelihood; its SE, None at an edge; its profile interval."""

    r: float
    se: float | None
    low: float
    high: float


def fit(counts: PairCounts) -> ConsistencyFit:
    """Find the maximum of the profile likelihood, and where it is 1.92 below.

    Parameters
    ----------
    counts
        Pairs of every cell; both responses must occur in one of them.

    Examples
    --------
    >>> found = fit(np.array([[200, 80, 40]]))
    >>> round(found.r, 3), round(found.low, 3), round(found.high, 3)
    (0.534, 0.366, 0.675)
    """
    grid = np.linspace(0, 1, 129)
    best = _highest(grid, counts)
    step = 1e-3
    near = np.clip(best + step * np.array([-1, 0, 1]), 0, 1)
    below, top, above = _profile(near, counts)
    curvature = (2 * top - below - above) / step**2
    se = 1 / math.sqrt(curvature) if step < best < 1 - step and curvature > 0 else None
    least = top - float(chi2.ppf(0.95, 1)) / 2
    left = np.concatenate([grid[grid < best], [best]])
    right = np.concatenate([[best], grid[grid > best]])
    low = _crossing(left, counts, least)
    high = 1 - _crossing(1 - right[::-1], counts, least, is_mirrored=True)
    return ConsistencyFit(best, se, low, high)


def _highest(grid: np.ndarray, counts: PairCounts) -> float:
    """The r of highest likelihood: an edge if it is as good as anything inside."""
    for _ in range(3):  # to a step of 8e-6, and the vertex of a parabola after that
        values = _profile(grid, counts)
        k = int(values.argmax())
        around = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
        grid = np.linspace(*around, 33)
    values = _profile(grid, counts)
    for edge in (0, -1):
        if grid[edge] in (0.0, 1.0) and values[edge] >= values.max() - 1e-9:
            return float(grid[edge])
    k = min(max(int(values.argmax()), 1), len(grid) - 2)
    before, top, after = values[k - 1 : k + 2]
    bend = before - 2 * top + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(grid[k] + np.clip(shift, -1, 1) * (grid[1] - grid[0]))


def _crossing(
    grid: np.ndarray, counts: PairCounts, least: float, is_mirrored: bool = False
) -> float:
    """The lowest point of a rising grid at which the likelihood is `least` or more.

    The grid ends at the maximum. 0 if the likelihood is as high there already.
    """

    def profile(points: np.ndarray) -> np.ndarray:
        return _profile(1 - points if is_mirrored else points, counts) - least

    for _ in range(3):
        values = profile(grid)
        k = int(np.argmax(values >= 0))
        if k == 0:
            return float(grid[0])
        grid = np.linspace(grid[k - 1], grid[k], 33)
    values = profile(grid)
    k = max(int(np.argmax(values >= 0)), 1)
    share = values[k - 1] / (values[k - 1] - values[k])
    return float(grid[k - 1] + share * (grid[k] - grid[k - 1]))


def _profile(
    r: Float[np.ndarray, " grid"], counts: PairCounts
) -> Float[np.ndarray, " grid"]:
    """Log likelihood at every r, maximal over the mean of every cell.

    It is concave in each mean (a normal integral over a quadrant is log-concave), so a
    golden-section search over all cells at once finds the maximum.
    """
    slope = np.sqrt((1 - r) / (1 + r))[:, None]
    middle, golden = np.tile(cell_z(counts), (len(r), 1)), (math.sqrt(5) - 1) / 2
    low, high = middle - 3, middle + 3
    for _ in range(26):  # to 2e-5, which the log likelihood does not feel
        left, right = high - golden * (high - low), low + golden * (high - low)
        at_left, at_right = (_log_likelihood(z, slope, counts) for z in (left, right))
        rises = at_left < at_right
        low, high = np.where(rises, left, low), np.where(rises, high, right)
    return _log_likelihood((low + high) / 2, slope, counts).sum(1)


def _log_likelihood(
    z: Float[np.ndarray, " grid cell"],
    slope: Float[np.ndarray, " grid 1"],
    counts: PairCounts,
) -> Float[np.ndarray, " grid cell"]:
    """Multinomial log likelihood of the pairs (twice, once, never) of each cell."""
    once = 2 * owens_t(z, slope)  # either order has this chance
    chances = np.stack([ndtr(z) - once, once, ndtr(-z) - once], axis=-1)
    return (counts * np.log(np.maximum(chances, 1e-300))).sum(-1)


def cell_rates(counts: PairCounts) -> Float[np.ndarray, " cell"]:
    """Return each cell's rate of "yes" over both showings, log-linear corrected."""
    return loglinear_rate(2 * counts[:, 0] + counts[:, 1], 2 * counts.sum(1))


def cell_z(counts: PairCounts) -> Float[np.ndarray, " cell"]:
    """Return Phi^-1 of each cell's rate of "yes"."""
    return np.asarray(ndtri(cell_rates(counts)))
