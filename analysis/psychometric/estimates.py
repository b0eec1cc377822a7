"""From the maximum of a psychometric function's likelihood to named estimates.

Intervals are the profile likelihood's. An end that no contrast closes is open: infinite
on the right, 0 (or, on the axis 'linear', minus infinite) on the left.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..trials.estimate import Z95, Estimate
from .likelihood import LOG_WIDTH, THRESHOLD, Problem, maximum, profile_limits
from .responses import off_axis

FLAT = 0.05  # log likelihood that the data do not feel


@dataclass(frozen=True, eq=False)
class Maximum:
    """A problem with the parameters of its greatest likelihood."""

    problem: Problem
    parameters: Float[np.ndarray, " 4"]
    log_likelihood: float

    @classmethod
    def of(cls, problem: Problem) -> "Maximum":
        """Find the maximum."""
        return cls(problem, *maximum(problem))

    def limits(self, index: int) -> tuple[float, float]:
        """Return the 95 % limits of a parameter, or its bounds."""
        return profile_limits(self.problem, self.parameters, self.log_likelihood, index)

    def is_flat_at(self, index: int, bound: float) -> bool:
        """Whether a parameter could as well be at its bound."""
        _, there = maximum(self.problem.holding(index, bound))
        return self.log_likelihood - there < FLAT


def threshold_estimate(maximal: Maximum, axis: str, n: int, formula: str) -> Estimate:
    """Return the threshold in contrast; missing where the contrasts do not tell it."""
    (lowest, highest) = maximal.problem.bounds[THRESHOLD]
    low, high = maximal.limits(THRESHOLD)
    opens_down, opens_up = low <= lowest, high >= highest
    at = f"{maximal.problem.threshold_at:g}"
    reason = f"these contrasts do not tell where {at} is reached"
    if opens_down and opens_up:
        return Estimate.missing(formula, reason, n)
    if opens_up and maximal.is_flat_at(THRESHOLD, highest):
        beyond = f"{reason}, only that it is above {off_axis(low, axis):.3g}"
        return Estimate.missing(formula, beyond, n)
    if opens_down and maximal.is_flat_at(THRESHOLD, lowest):
        before = f"{reason}, only that it is below {off_axis(high, axis):.3g}"
        return Estimate.missing(formula, before, n)
    x = float(maximal.parameters[THRESHOLD])
    value, se, note = off_axis(x, axis), None, None
    if opens_down or opens_up:
        note = "the interval is open: no contrast is far enough on that side"
    else:
        se = (high - low) / (2 * Z95) * (value if axis == "log" else 1.0)
    ends = (-math.inf if opens_down else low, math.inf if opens_up else high)
    low, high = (off_axis(end, axis) for end in ends)
    return Estimate(value, se, min(low, value), max(high, value), n, formula, note)


def width_estimate(maximal: Maximum, n: int, formula: str) -> Estimate:
    """Return the width on the axis of the fit; 0 where it may be a step."""
    lowest, highest = maximal.problem.bounds[LOG_WIDTH]
    limits = maximal.limits(LOG_WIDTH)
    low = 0.0 if limits[0] <= lowest else math.exp(limits[0])
    high = math.inf if limits[1] >= highest else math.exp(limits[1])
    if low == 0 and high == math.inf:
        return Estimate.missing(formula, "these contrasts do not tell the width", n)
    width = math.exp(float(maximal.parameters[LOG_WIDTH]))
    is_known = low > 0 and high < math.inf
    se = width * (limits[1] - limits[0]) / (2 * Z95) if is_known else None
    note = None
    if low == 0:
        note = "the function may be a step: no contrast is on its rise"
    if high == math.inf:
        note = "the function may be flat"
    return Estimate(width, se, min(low, width), max(high, width), n, formula, note)


def rate_estimate(maximal: Maximum, index: int, n: int, formula: str) -> Estimate:
    """Return the lapse or guess rate; without an interval where it was given."""
    lowest, highest = maximal.problem.bounds[index]
    value = float(maximal.parameters[index])
    if lowest == highest:
        return Estimate(value, None, None, None, n, formula, "given, not fitted")
    low, high = maximal.limits(index)
    note = f"bounded to {lowest:g} to {highest:g}"
    return Estimate(value, None, min(low, value), max(high, value), n, formula, note)
