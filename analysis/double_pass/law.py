"""Internal noise of a double pass when the decision variable has any law.

The noise's part v of the decision variable is normal where many elements are weighed,
or where the noise is. A template of few elements in binary noise has a v of few levels,
and what agreement says of gamma under a normal law is then wrong, by a factor of .3 to
3. With v of variance 1 and a known law,

    P("yes" | v) = f(v) = Phi((mu + v) / gamma),    mu = m sqrt(1 + gamma^2),
    P11 = E f^2,  P01 = E f (1 - f),  P00 = E (1 - f)^2,

and trials that were shown once are "yes" with probability E f. Thresholds m are smooth
in contrast as in `showings.py`. Under the normal law this is the likelihood there.

The profile of gamma may have several maxima where v has few levels; it is therefore
followed on a grid over the whole range, thresholds being fitted at each of its points
from those at the neighbour, once from either end.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq, minimize_scalar

from .consistency import LIMIT, maximise
from .law_numba import law_climb, law_scores
from .showings import Showings
from .showings_numba import place

LEAST_GAMMA, MOST_GAMMA = 0.05, 20.0
N_GRID = 31


@dataclass(frozen=True, eq=False)
class Law:
    """Where the noise's part of the decision variable may lie, in its own SDs.

    Attributes
    ----------
    points, mass
        Values, and the probability of each; mean 0 and variance 1.
    """

    points: Float[np.ndarray, " point"]
    mass: Float[np.ndarray, " point"]

    @property
    def kurtosis(self) -> float:
        """Excess kurtosis; 0 of a normal law."""
        return float(self.mass @ self.points**4) - 3.0


@dataclass(frozen=True, eq=False)
class LawFit:
    """Gamma under a law, with its interval by the profile likelihood.

    Attributes
    ----------
    gamma, low, high
        Where the likelihood is highest, and 1.92 lower; `low` is 0 and `high` infinite
        where it is nowhere so low between .05 and 20.
    se_log
        Standard error of log gamma from the expected information.
    theta
        Thresholds' parameters.
    log_likelihood
        At the maximum.
    """

    gamma: float
    low: float
    high: float
    se_log: float
    theta: Float[np.ndarray, " parameter"]
    log_likelihood: float


def fit_law(showings: Showings, law: Law) -> LawFit:
    """Fit gamma under a law of the decision variable.

    Parameters
    ----------
    showings
        Should be `counted`, which is faster and the same.
    """
    k = showings.n_theta
    ends = (math.log(LEAST_GAMMA), math.log(MOST_GAMMA))
    grid = np.linspace(*ends, N_GRID)
    known: dict[float, tuple[float, np.ndarray]] = {}

    def at(log_gamma: float, theta: np.ndarray) -> float:
        start = np.append(theta, log_gamma)
        value = _climb(showings, law, start)[0]
        if log_gamma not in known or value > known[log_gamma][0]:
            known[log_gamma] = value, start[:k]
        return known[log_gamma][0]

    theta = maximise(showings).theta
    for direction in (grid[::-1], grid):
        for log_gamma in direction.tolist():
            at(log_gamma, theta)
            theta = known[log_gamma][1]

    def profile(log_gamma: float) -> float:
        near = min(known, key=lambda other: abs(other - log_gamma))
        return at(log_gamma, known[near][1])

    values = np.array([known[x][0] for x in grid.tolist()])
    best = int(values.argmax())
    inside = grid[max(best - 1, 0)], grid[min(best + 1, N_GRID - 1)]
    found: Any = minimize_scalar(
        lambda x: -profile(float(x)),
        bounds=inside,
        method="bounded",
        options={"xatol": 1e-3},
    )
    top_at = float(found.x) if -found.fun >= values[best] else float(grid[best])
    top = max(-float(found.fun), float(values[best]))
    start = np.append(known[top_at][1], top_at)
    _, information = _climb(showings, law, start)
    low, high = _ends(profile, grid, values, top_at, top)
    return LawFit(
        gamma=math.exp(top_at),
        low=low,
        high=high,
        se_log=_se(information),
        theta=start[:k],
        log_likelihood=top,
    )


def influence_on_r(
    showings: Showings, law: Law, fit: LawFit
) -> Float[np.ndarray, " stimulus"]:
    """Return what each stimulus adds to r = 1 / (1 + gamma^2), by its number.

    Parameters
    ----------
    showings
        Not `counted`: every stimulus is by itself.
    """
    rows = _with_few_rows(showings)
    k = showings.n_theta
    m, jacobian = np.empty(len(rows.yes)), np.empty((len(rows.yes), k))
    place(rows.base, rows.power, rows.log_contrast, fit.theta, m, jacobian)
    pairs = np.empty((len(rows.first), k + 1))
    singles = np.empty((len(rows.single), k + 1))
    information = np.empty((k + 1, k + 1))
    law_scores(
        m,
        jacobian,
        rows.yes,
        rows.first,
        rows.second,
        rows.pair_weight,
        rows.single,
        rows.single_weight,
        law.points,
        law.mass,
        fit.gamma,
        pairs,
        singles,
        information,
    )
    by_score = np.linalg.pinv(information)[k]
    r = 1 / (1 + fit.gamma**2)
    slope = -2 * r * (1 - r)  # of r by log gamma
    found = np.zeros(int(showings.stimulus.max()) + 1)
    np.add.at(found, showings.stimulus[showings.first], slope * (pairs @ by_score))
    np.add.at(found, showings.stimulus[showings.single], slope * (singles @ by_score))
    return found


def _with_few_rows(showings: Showings) -> Showings:
    """Give equal showings one row; pairs and single ones stay apart."""
    columns = np.column_stack(
        [showings.base, showings.power, showings.log_contrast, showings.yes]
    )
    _, example, kind = np.unique(
        columns, axis=0, return_index=True, return_inverse=True
    )
    kind = kind.ravel()
    return replace(
        showings,
        yes=showings.yes[example],
        base=showings.base[example],
        power=showings.power[example],
        log_contrast=showings.log_contrast[example],
        first=kind[showings.first],
        second=kind[showings.second],
        single=kind[showings.single],
        stimulus=np.arange(len(example)),
    )


def _climb(showings: Showings, law: Law, start: np.ndarray) -> tuple[float, np.ndarray]:
    """Move thresholds in `start` to the maximum; give its value and information."""
    information = np.empty((len(start), len(start)))
    value = law_climb(
        showings.base,
        showings.power,
        showings.log_contrast,
        showings.yes,
        showings.first,
        showings.second,
        showings.pair_weight,
        showings.single,
        showings.single_weight,
        law.points,
        law.mass,
        start,
        information,
    )
    return float(value), information


def _se(information: np.ndarray) -> float:
    k = len(information) - 1
    crossed = information[:k, k]
    rest = information[k, k] - crossed @ np.linalg.pinv(information[:k, :k]) @ crossed
    return 1 / math.sqrt(rest) if rest > 1e-12 else math.inf


def _ends(
    profile: Callable[[float], float],
    grid: np.ndarray,
    values: np.ndarray,
    at: float,
    top: float,
) -> tuple[float, float]:
    """Return the outermost gammas that are 1.92 below the top, or 0 and infinity."""

    def excess(log_gamma: float) -> float:
        return top - profile(log_gamma) - LIMIT

    inside = np.flatnonzero(top - values <= LIMIT)
    first = float(grid[inside[0]]) if len(inside) else at
    last = float(grid[inside[-1]]) if len(inside) else at
    first, last = min(first, at), max(last, at)
    below, above = grid[grid < first], grid[grid > last]
    low, high = 0.0, math.inf
    if len(below):
        low = math.exp(brentq(excess, float(below[-1]), first, xtol=1e-4))  # type: ignore[arg-type]
    if len(above):
        high = math.exp(brentq(excess, last, float(above[0]), xtol=1e-4))  # type: ignore[arg-type]
    return low, high
