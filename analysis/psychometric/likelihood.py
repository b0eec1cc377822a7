"""Maximum of a psychometric function's likelihood, and its profiles [1]_.

Parameters are (threshold, log width, lapse, guess); each may be held at a value.
Fisher scoring with Levenberg and Marquardt's damping, within bounds, from the best
points of a grid.

References
----------
.. [1] Venzon & Moolgavkar (1988), Appl. Stat. 37, 87-94 (profile likelihood).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2

from ..trials.chance import counted_p
from .shapes import (
    SHAPES,
    log_likelihood,
    psychometric_values,
    saturated_log_likelihood,
    simulated_responses,
)

THRESHOLD, LOG_WIDTH, LAPSE, GUESS = range(4)
MAX_LAPSE = 0.1
MAX_STEPS = 200
MAX_GUESS = 0.3  # where the guess rate is free


@dataclass(frozen=True, eq=False)
class Problem:
    """Data and model of one fit.

    Attributes
    ----------
    x
        Contrast on the axis of the fit, rising.
    k, n
        As in `log_likelihood`.
    bounds
        Of the four parameters; equal ones hold a parameter.
    drop
        By how much less likely the ends of a 95 % interval are.
    """

    x: Float[np.ndarray, " level"]
    k: Float[np.ndarray, " level class"]
    n: Float[np.ndarray, " level class"]
    shape: str
    threshold_at: float
    bounds: tuple[tuple[float, float], ...]
    drop: float

    @classmethod
    def of(
        cls,
        x: Float[np.ndarray, " level"],
        k: Float[np.ndarray, " level class"],
        n: Float[np.ndarray, " level class"],
        shape: str,
        threshold_at: float,
        lapse: float | None,
        guess: float | None,
        effect: float,
    ) -> "Problem":
        """Return the problem with a lapse or guess rate held, or free where None."""
        shown = x[np.isfinite(x)]
        span = float(np.ptp(shown))
        bounds = (
            (float(shown.min()) - 3 * span, float(shown.max()) + 3 * span),
            (math.log(span) - 7, math.log(span) + 4),
            (0.0, MAX_LAPSE) if lapse is None else (lapse, lapse),
            (0.0, MAX_GUESS) if guess is None else (guess, guess),
        )
        drop = effect * float(chi2.ppf(0.95, 1)) / 2
        return cls(x, k, n, shape, threshold_at, bounds, drop)

    def holding(self, index: int, value: float) -> "Problem":
        """Return the problem with one parameter held."""
        bounds = list(self.bounds)
        bounds[index] = (value, value)
        return replace(self, bounds=tuple(bounds))

    def values(self, parameters: np.ndarray) -> Float[np.ndarray, " level"]:
        """Return psi at each level."""
        shape = SHAPES[self.shape]
        return psychometric_values(self.x, parameters, shape, self.threshold_at)[0]

    def score(self, parameters: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the log likelihood, its gradient and the expected information."""
        shape = SHAPES[self.shape]
        psi, slopes = psychometric_values(self.x, parameters, shape, self.threshold_at)
        value, by_psi, information = log_likelihood(psi, self.k, self.n)
        weighted = slopes.T * information
        return float(value.sum()), by_psi @ slopes, weighted @ slopes

    @property
    def n_free(self) -> int:
        """How many parameters are not held."""
        return sum(low < high for low, high in self.bounds)


def maximum(
    problem: Problem, start: np.ndarray | None = None
) -> tuple[Float[np.ndarray, " 4"], float]:
    """Return the parameters of the greatest likelihood, and its logarithm.

    Parameters
    ----------
    start
        Where to begin; None for the best points of a grid.
    """
    starts = _grid_starts(problem) if start is None else [start]
    return max((_climb(problem, each) for each in starts), key=_second)


def _climb(problem: Problem, start: np.ndarray) -> tuple[np.ndarray, float]:
    low, high = np.array(problem.bounds).T
    theta, damping = np.clip(start, low, high), 1e-3
    now, gradient, information = problem.score(theta)
    for _ in range(MAX_STEPS):
        pushed_out = ((theta <= low) & (gradient <= 0)) | (
            (theta >= high) & (gradient >= 0)
        )
        free = np.flatnonzero(~pushed_out)
        if not len(free):
            break
        step = _damped_step(gradient[free], information[np.ix_(free, free)], damping)
        proposed = theta.copy()
        proposed[free] = np.clip(theta[free] + step, low[free], high[free])
        reached, new_gradient, new_information = problem.score(proposed)
        gain = reached - now
        if gain > 0:
            theta, now = proposed, reached
            gradient, information = new_gradient, new_information
            damping = max(damping / 10, 1e-9)
            if gain < 1e-9:
                break
        elif damping > 1e6 or float(gradient[free] @ step) < 1e-9:
            break
        else:
            damping *= 10
    return theta, now


def _damped_step(
    gradient: np.ndarray, information: np.ndarray, damping: float
) -> np.ndarray:
    diagonal = np.diag(information)
    # A parameter that the data do not feel here stays where it is.
    ridge = damping * diagonal + 1e-10 * max(float(diagonal.max()), 1e-10)
    return np.linalg.solve(information + np.diag(ridge), gradient)


def profile_limits(
    problem: Problem, best: Float[np.ndarray, " 4"], top: float, index: int
) -> tuple[float, float]:
    """Return the 95 % profile-likelihood limits of one parameter, or its bounds.

    Parameters
    ----------
    top
        Log likelihood at the maximum.
    """
    low, high = problem.bounds[index]

    def limit(bound: float, step: float) -> float:
        start = best

        def excess(value: float) -> float:
            nonlocal start
            held = problem.holding(index, value)
            found, reached = maximum(held, start)
            if top - reached >= problem.drop:  # the last place may have led astray
                again, higher = maximum(held, best)
                found, reached = max((found, reached), (again, higher), key=_second)
            if top - reached < problem.drop:
                start = found
            # The root makes it nearly straight: the fall is nearly quadratic.
            return math.sqrt(max(top - reached, 0.0)) - math.sqrt(problem.drop)

        return _crossing(excess, float(best[index]), bound, step)

    step = 0.02 * (high - low)
    return limit(low, -step), limit(high, step)


def deviance_p(
    problem: Problem,
    best: Float[np.ndarray, " 4"],
    deviance: float,
    n_simulations: int,
    seed: int,
) -> float:
    """Return the share of simulated, refitted observers with at least this deviance.

    The data count as one more, so that p is never 0.
    """
    rng, psi, n_worse = np.random.default_rng(seed), problem.values(best), 0
    for _ in range(n_simulations):
        k = simulated_responses(psi, problem.k, problem.n, rng)
        drawn = replace(problem, k=k)
        _, reached = maximum(drawn, best)
        n_worse += 2 * (saturated_log_likelihood(k, problem.n) - reached) >= deviance
    return counted_p(int(n_worse), n_simulations, "simulations")


def _grid_starts(problem: Problem) -> list[Float[np.ndarray, " 4"]]:
    """The two best points of a coarse grid."""
    low, high = np.array(problem.bounds).T
    inside = problem.x[np.isfinite(problem.x)]
    span = math.log(float(np.ptp(inside)))
    grid = [
        np.clip([threshold, span + log_width, 0.02, 0.03], low, high)
        for threshold in np.linspace(inside.min(), inside.max(), 7)
        for log_width in (-2.0, -1.0, 0.0, 1.0)
    ]
    return sorted(grid, key=lambda point: -problem.score(point)[0])[:2]


def _second(pair: tuple[np.ndarray, float]) -> float:
    return pair[1]


def _crossing(
    excess: Callable[[float], float], value: float, bound: float, step: float
) -> float:
    """Where excess, negative at the value, turns positive on the way to the bound."""
    inside, below, reach = value, None, step
    while inside != bound:
        outside = value + reach
        outside = min(outside, bound) if step > 0 else max(outside, bound)
        now = excess(outside)
        if now > 0:
            below = excess(inside) if below is None else below
            return _regula_falsi(excess, (inside, below), (outside, now))
        inside, below, reach = outside, now, 2 * reach
    return bound


def _regula_falsi(
    excess: Callable[[float], float],
    inside: tuple[float, float],
    outside: tuple[float, float],
) -> float:
    """Root between two places whose excess is known and not computed again.

    With a start of its own for every profile, the same place may come out a little
    different a second time; a bracket that is only narrowed does not mind.
    """
    first = abs(outside[0] - inside[0])
    for _ in range(40):
        share = min(max(inside[1] / (inside[1] - outside[1]), 0.02), 0.98)
        place = inside[0] + share * (outside[0] - inside[0])
        now = excess(place)
        if abs(now) < 2e-3 or abs(outside[0] - inside[0]) < 1e-4 * first:
            return place
        inside, outside = ((place, now), outside) if now < 0 else (inside, (place, now))
    return (inside[0] + outside[0]) / 2
