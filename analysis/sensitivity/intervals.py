"""Intervals of d' that hold at few trials, high d' and strong bias.

The estimates of `sdt.py` carry intervals put together from the limits of two rates
(`mover.py`). Two others are here for who wants to compare:

    profile      the profile likelihood [1]_ of the log-linear corrected counts, over
                 the criterion; quick, and allows for trials shown twice
    enumerated   Miller's enumeration [2]_ turned round: the d' at which the estimator
                 would come out as far off as it did 2.5 times in 100 (ties half), at
                 the criterion that then fits best

References
----------
.. [1] Venzon & Moolgavkar (1988), Appl. Stat. 37, 87-94.
.. [2] Miller (1996), Percept. Psychophys. 58, 65-72.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri
from scipy.stats import binom, chi2

from ..trials.counts import loglinear_rate
from ..trials.estimate import Estimate, mapped
from .sdt import Effects, dprime_from_counts

PROFILE = "dprime-yes-no-loglinear-profile/2"
ENUMERATED = "dprime-yes-no-loglinear-enumerated/1"
PROFILE_2AFC = "dprime-2afc-loglinear-profile/2"
ENUMERATED_2AFC = "dprime-2afc-loglinear-enumerated/1"
FORMULAS = {
    ("profile", False): PROFILE,
    ("profile", True): PROFILE_2AFC,
    ("enumerated", False): ENUMERATED,
    ("enumerated", True): ENUMERATED_2AFC,
}
REACH = 6.0  # in d', how far from the estimate a limit is looked for

Class = tuple[float, float]
"""Responses "signal", and trials, of one stimulus class."""


def profile_dprime(
    hits: int,
    misses: int,
    false_alarms: int,
    correct_rejections: int,
    forced_choice: bool = False,
    effects: Effects = (1.0, 1.0),
) -> Estimate:
    """Estimate d' with the profile likelihood's 95 % interval.

    Value and SE are those of `sdt.dprime_from_counts` (`sdt.dprime_2afc` if
    `forced_choice`, with the counts in that function's order).

    Parameters
    ----------
    effects
        As for `sdt.dprime_from_counts`: counts are divided by them.

    Raises
    ------
    ValueError
        If a count is negative, or a class has no trials.

    Examples
    --------
    >>> print(profile_dprime(40, 10, 10, 40))
    1.642 SE 0.284 [1.100, 2.204] n=100 (dprime-yes-no-loglinear-profile/2)
    """
    counts = hits, misses, false_alarms, correct_rejections
    point = replace(dprime_from_counts(*counts, effects), note=None)
    of_signal, of_noise = effects
    classes = (
        _corrected(hits / of_signal, misses / of_signal),
        _corrected(false_alarms / of_noise, correct_rejections / of_noise),
    )
    drop = float(chi2.ppf(0.95, 1)) / 2
    best = _profile(_best(classes), classes)

    def excess(d: float) -> float:
        return best - _profile(d, classes) - drop

    estimate = replace(
        point,
        low=_limit(excess, _value(point), -REACH),
        high=_limit(excess, _value(point), REACH),
        formula=PROFILE,
    )
    return _of_two_looks(estimate, PROFILE_2AFC) if forced_choice else estimate


def enumerated_dprime(
    hits: int,
    misses: int,
    false_alarms: int,
    correct_rejections: int,
    forced_choice: bool = False,
) -> Estimate:
    """Estimate d' with the 95 % interval by enumeration of all counts.

    Parameters and errors as for `profile_dprime`. A limit that is more than 6 away is
    infinite.

    Examples
    --------
    >>> print(enumerated_dprime(40, 10, 10, 40))
    1.642 SE 0.284 [1.096, 2.213] n=100 (dprime-yes-no-loglinear-enumerated/1)
    """
    point = dprime_from_counts(hits, misses, false_alarms, correct_rejections)
    point = replace(point, note=None)
    n, m = hits + misses, false_alarms + correct_rejections
    classes = _corrected(hits, misses), _corrected(false_alarms, correct_rejections)

    def above(d: float) -> float:
        c = _best_criterion(d, classes)
        return _chance_above(_value(point), (n, ndtr(d / 2 - c)), (m, ndtr(-d / 2 - c)))

    estimate = replace(
        point,
        low=_limit(lambda d: 0.025 - above(d), _value(point), -REACH),
        high=_limit(lambda d: above(d) - 0.975, _value(point), REACH),
        formula=ENUMERATED,
    )
    return _of_two_looks(estimate, ENUMERATED_2AFC) if forced_choice else estimate


def _value(estimate: Estimate) -> float:
    return cast("float", estimate.value)


def _corrected(yes: float, no: float) -> Class:
    """Counts to which the log-linear correction has added half a response of each."""
    return yes + 0.5, yes + no + 1.0


def _best(classes: tuple[Class, Class]) -> float:
    """The d' of the greatest likelihood."""
    (hits, n), (false_alarms, m) = classes
    return float(ndtri(hits / n) - ndtri(false_alarms / m))


def best_criteria(
    z: Float[np.ndarray, " level"],
    k: Float[np.ndarray, " level 2"],
    n: Float[np.ndarray, " level 2"],
) -> Float[np.ndarray, " level"]:
    """Return the criterion of the greatest likelihood at each level, by Newton steps.

    The likelihood is concave in it. Where all responses are alike it is out of reach,
    and stays at the edge of -+6.

    Parameters
    ----------
    z
        Half of d'.
    k, n
        Responses "signal", and trials, of the signal and the noise-only class.

    Examples
    --------
    >>> yes, shown = np.array([[30.0, 5.0]]), np.full((1, 2), 50.0)
    >>> best_criteria(np.array([0.8]), yes, shown).round(3)
    array([0.524])
    """
    c = -ndtri(loglinear_rate(k, n)).mean(1)
    for _ in range(30):
        slope, curvature = np.zeros(len(z)), np.full(len(z), 1e-9)
        for column, sign in ((0, 1.0), (1, -1.0)):
            eta = sign * z - c
            density = np.exp(-(eta**2) / 2) / math.sqrt(2 * math.pi)
            up = density / np.maximum(ndtr(eta), 1e-300)
            down = density / np.maximum(ndtr(-eta), 1e-300)
            yes, no = k[:, column], n[:, column] - k[:, column]
            slope += no * down - yes * up
            curvature += yes * up * (eta + up) + no * down * (down - eta)
        step = np.clip(slope / curvature, -1, 1)
        c = np.clip(c + step, -6, 6)
        if np.abs(step).max(initial=0) < 1e-9:
            break
    return c


def _best_criterion(d: float, classes: tuple[Class, Class]) -> float:
    k, n = np.array(classes).T[:, None]
    return float(best_criteria(np.array([d / 2]), k, n)[0])


def _profile(d: float, classes: tuple[Class, Class]) -> float:
    c = _best_criterion(d, classes)
    return sum(
        yes * float(log_ndtr(half - c)) + (n - yes) * float(log_ndtr(c - half))
        for half, (yes, n) in zip((d / 2, -d / 2), classes, strict=True)
    )


def _chance_above(
    value: float, signal: tuple[int, float], noise: tuple[int, float]
) -> float:
    """Chance that corrected z(H) - z(F) exceeds a value; an equal one counts half."""
    (n, hit_rate), (m, false_alarm_rate) = signal, noise
    hits, false_alarms = np.arange(n + 1), np.arange(m + 1)
    at_least = np.append(binom.sf(hits - 1, n, hit_rate), 0.0)
    z_hits = ndtri(loglinear_rate(hits, n))
    needed = value + ndtri(loglinear_rate(false_alarms, m))
    ends = [np.searchsorted(z_hits, needed + side) for side in (-1e-9, 1e-9)]
    chance = (at_least[ends[0]] + at_least[ends[1]]) / 2
    return float(binom.pmf(false_alarms, m, false_alarm_rate) @ chance)


def _limit(excess: Callable[[float], float], value: float, reach: float) -> float:
    """Where excess, negative at the value, crosses 0; infinite if not within reach."""
    if excess(value + reach) <= 0:
        return math.copysign(math.inf, reach)
    return cast("float", brentq(excess, value, value + reach, xtol=1e-6))


def _of_two_looks(estimate: Estimate, formula: str) -> Estimate:
    root = math.sqrt(2)
    return mapped(estimate, lambda d: d / root, formula, 1 / root)
