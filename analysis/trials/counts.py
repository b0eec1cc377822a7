"""Counts of responses, the rates they give, and what a double pass does to them."""

from typing import overload

import numpy as np
from jaxtyping import Float, Real

from .estimate import CannotTell
from .responses import Responses, design_effect

STRONG_BIAS = 0.2  # interval bias from which target intervals are kept apart
FourCounts = tuple[int, int, int, int]
"""Signal trials answered "signal" and not, then noise-only trials likewise."""


@overload
def loglinear_rate(count: float, n: float, n_alternatives: int = 2) -> float: ...


@overload
def loglinear_rate(
    count: Real[np.ndarray, " *shape"],
    n: Real[np.ndarray, " *of"] | float,
    n_alternatives: int = 2,
) -> Float[np.ndarray, " *shape"]: ...


def loglinear_rate(count, n, n_alternatives=2):
    """Return a response rate that is never 0 or 1: (count + 1/m) / (n + 1).

    The log-linear correction [1]_ adds one trial, spread evenly over the m
    alternatives: half a response to the count where there are two.

    References
    ----------
    .. [1] Hautus (1995), Behav. Res. Meth. Instrum. Comput. 27, 46-51.

    Examples
    --------
    >>> loglinear_rate(10, 10), loglinear_rate(25, 99, n_alternatives=4)
    (0.9545454545454546, 0.2525)
    """
    return (count + 1 / n_alternatives) / (n + 1)


def four_counts(responses: Responses) -> FourCounts:
    """Count hits, misses, false alarms and correct rejections.

    In 2AFC the first interval plays the signal, as in `sdt.dprime_2afc`.

    Raises
    ------
    ValueError
        If the task has more than two alternatives or no correct answer, or a class has
        no trials.
    """
    if responses.n_alternatives > 2:
        rule = "two for hits and false alarms"
        raise CannotTell(f"alternatives must be {rule}, got {responses.n_alternatives}")
    responses.require_target()
    signal = 0 if responses.task == "2afc" else 1
    cell = 2 * (responses.target != signal) + (responses.response != signal)
    hits, misses, false_alarms, rejections = np.bincount(cell, minlength=4).tolist()
    for target, n in ((signal, hits + misses), (1 - signal, false_alarms + rejections)):
        if not n:
            raise CannotTell(f"no counted trial has target {target}")
    return hits, misses, false_alarms, rejections


def shared_noise_effect(responses: Responses) -> float:
    """Return the design effect of the double pass on the rates of correct responses.

    Variance relative to independent trials, about the rate of each class at each
    contrast; 1 without pairs.
    """
    correct = responses.correct.astype(np.float64)
    return design_effect(correct, responses.cell, responses.cluster)
