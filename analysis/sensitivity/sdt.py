"""Signal detection theory: sensitivity, criterion and proportion correct.

Rates are log-linear corrected before every z-transform, always and in both classes:
(count + .5) / (n + 1) [1]_. Standard errors are Miller's [2]_: the estimator's exact
variance under binomial counts at the estimated rates, which Suero, Privado & Botella
[3]_ found the most accurate of the three in use. Intervals are not made of them: they
are put together from the mid-P limits of the rates (`mover.py`), hold up to the
ceiling, and have no end where a class has no error.

References
----------
.. [1] Hautus (1995), Behav. Res. Meth. Instrum. Comput. 27, 46-51.
.. [2] Miller (1996), Percept. Psychophys. 58, 65-72.
.. [3] Suero, Privado & Botella (2017), Psicologica 38, 149-175.
.. [4] Macmillan & Creelman (2005), Detection Theory: A User's Guide, 2nd ed.
.. [5] Gourevitch & Galanter (1967), Psychometrika 32, 25-33.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom

from ..trials.counts import loglinear_rate
from ..trials.estimate import Estimate
from ..trials.proportion import check_counts
from .mafc import check_alternatives, mafc_dprime
from .mover import Part, mid_p_lower, square_and_add, z_part

DPRIME_YES_NO = "dprime-yes-no-loglinear/2"
CRITERION = "criterion-yes-no-loglinear/2"
LN_BETA = "ln-beta-yes-no-loglinear/2"
DPRIME_2AFC = "dprime-2afc-loglinear/2"
INTERVAL_BIAS = "interval-bias-2afc-loglinear/2"
DPRIME_MAFC = "dprime-mafc-loglinear/2"
AT_CEILING = "a class whose responses were all alike leaves the interval open"

Transform = Callable[[np.ndarray], np.ndarray]
Effects = tuple[float, float]
"""Variance of either class's count relative to independent trials."""


def dprime_from_counts(
    hits: int,
    misses: int,
    false_alarms: int,
    correct_rejections: int,
    effects: Effects = (1.0, 1.0),
) -> Estimate:
    """Estimate sensitivity d' = z(H) - z(F) from the four yes/no counts.

    Parameters
    ----------
    hits, misses
        Signal trials answered "yes" and "no".
    false_alarms, correct_rejections
        Noise-only trials answered "yes" and "no".
    effects
        Variance of the counts of the signal and of the noise-only class relative to
        independent trials: above 1 where trials share their noise.

    Returns
    -------
    Estimate
        In standard deviations of the decision variable; 0 is chance. Without misses or
        without false alarms the interval has no upper end, and the value rests on the
        correction.

    Raises
    ------
    ValueError
        If a count is negative, or there are no signal or no noise-only trials.

    Examples
    --------
    >>> counts = {"false_alarms": 10, "correct_rejections": 40}
    >>> print(dprime_from_counts(hits=40, misses=10, **counts))
    1.642 SE 0.284 [1.112, 2.243] n=100 (dprime-yes-no-loglinear/2)
    >>> print(dprime_from_counts(200, 0, 0, 200).short())
    5.617 [4.719, ∞]
    """
    found = _TwoRates.of(hits, misses, false_alarms, correct_rejections, effects)
    return found.sum_of((1.0, -1.0), DPRIME_YES_NO)


def criterion_from_counts(
    hits: int,
    misses: int,
    false_alarms: int,
    correct_rejections: int,
    effects: Effects = (1.0, 1.0),
) -> Estimate:
    """Estimate the yes/no criterion c = -[z(H) + z(F)] / 2 from the four counts.

    Above 0 the observer says "no" more often than an unbiased one. Parameters and
    errors as for `dprime_from_counts`. A class in which all responses were alike does
    not say how far out the criterion lies; without any error it has no limits at all.

    Examples
    --------
    >>> counts = {"false_alarms": 5, "correct_rejections": 45}
    >>> criterion_from_counts(hits=30, misses=20, **counts).value > 0
    True
    """
    found = _TwoRates.of(hits, misses, false_alarms, correct_rejections, effects)
    return found.sum_of((-0.5, -0.5), CRITERION)


def ln_beta(
    hits: int,
    misses: int,
    false_alarms: int,
    correct_rejections: int,
    effects: Effects = (1.0, 1.0),
) -> Estimate:
    """Estimate the log likelihood ratio at the criterion, c d' = [z(F)^2 - z(H)^2] / 2.

    Parameters and errors as for `dprime_from_counts`.

    Examples
    --------
    >>> ln_beta(hits=30, misses=20, false_alarms=5, correct_rejections=45).value > 0
    True
    """
    counts = _two_classes(hits, misses, false_alarms, correct_rejections)
    found = _TwoRates.of(hits, misses, false_alarms, correct_rejections, effects)
    ses = (
        _miller_se(*count, _z_squared) * math.sqrt(effect) / 2
        for count, effect in zip(counts, effects, strict=True)
    )
    hit, false_alarm = (part.half_squared() for part in found.parts)
    halves = _TwoRates((hit, false_alarm), tuple(ses), found.n)
    return halves.sum_of((-1.0, 1.0), LN_BETA)


def dprime_2afc(
    correct_first: int,
    wrong_first: int,
    wrong_second: int,
    correct_second: int,
    effects: Effects = (1.0, 1.0),
) -> Estimate:
    """Estimate d' = [z(H) - z(F)] / sqrt 2 from the four counts of a 2AFC task.

    The first interval plays the signal: H is the rate of responses "first" when the
    target came first, F when it came second. The square root of two makes it the d'
    that the same observer has in a yes/no task: two intervals are two looks [4]_.

    Parameters
    ----------
    correct_first, wrong_first
        Trials with the target in the first interval, answered "first" and "second".
    wrong_second, correct_second
        Trials with the target in the second interval, answered "first" and "second".
    effects
        As for `dprime_from_counts`, of these two classes.

    Raises
    ------
    ValueError
        If a count is negative, or a target interval has no trials.

    Examples
    --------
    >>> round(dprime_2afc(40, 10, 10, 40).value, 3)
    1.161
    """
    counts = correct_first, wrong_first, wrong_second, correct_second
    root = math.sqrt(0.5)
    return _TwoRates.of(*counts, effects).sum_of((root, -root), DPRIME_2AFC)


def interval_bias(
    correct_first: int,
    wrong_first: int,
    wrong_second: int,
    correct_second: int,
    effects: Effects = (1.0, 1.0),
) -> Estimate:
    """Estimate the interval bias -[z(H) + z(F)] / 2 from the four 2AFC counts.

    Above 0 the observer prefers the second interval. Beyond -+.2 proportion correct
    under-states sensitivity. Parameters and errors as for `dprime_2afc`; limits as for
    `criterion_from_counts`.

    Examples
    --------
    >>> interval_bias(30, 20, 5, 45).value > 0
    True
    """
    counts = correct_first, wrong_first, wrong_second, correct_second
    return _TwoRates.of(*counts, effects).sum_of((-0.5, -0.5), INTERVAL_BIAS)


def dprime_mafc(
    correct: int, n_trials: int, n_alternatives: int, effect: float = 1.0
) -> Estimate:
    """Estimate d' of an m-alternative task from the number of correct trials.

    The log-linear correction adds one trial, spread evenly over the alternatives:
    (correct + 1/m) / (n + 1). For m = 2 that is Hautus's .5 and 1, and chance stays
    d' = 0 for every m. Assumes an observer without a bias for a position. The interval
    is the mid-P one of the rate, carried over; it has no upper end without an error.

    Parameters
    ----------
    effect
        Variance of the count relative to independent trials.

    Raises
    ------
    ValueError
        If the counts do not fit each other, or there are fewer than two alternatives.

    Examples
    --------
    >>> dprime_mafc(correct=25, n_trials=100, n_alternatives=4).value
    0.0
    >>> print(dprime_mafc(100, 100, 4).short())
    3.940 [3.229, ∞]
    """
    check_alternatives(n_alternatives)
    check_counts(correct=correct, wrong=n_trials - correct)
    if n_trials == 0:
        raise ValueError("n_trials must be > 0, got 0")

    def estimator(counts: np.ndarray) -> np.ndarray:
        rate = loglinear_rate(counts, n_trials, n_alternatives)
        return mafc_dprime(rate, n_alternatives)

    rate = loglinear_rate(correct, n_trials, n_alternatives)
    # Newton leaves 1e-17 where chance is exactly 0.
    value = round(float(estimator(np.array(correct))), 12)
    se = _binomial_sd(n_trials, rate, estimator) * math.sqrt(effect)
    n = n_trials / effect
    low, high = (
        _mafc_limit(float(mid_p_lower(np.array(k / effect), np.array(n))), side)
        for k, side in ((correct, 1), (n_trials - correct, -1))
    )
    ends = (_mafc_dprime(low, n_alternatives), _mafc_dprime(high, n_alternatives))
    low, high = min(ends[0], value), max(ends[1], value)
    note = AT_CEILING if math.isinf(high) else None
    return Estimate(value, se, low, high, n_trials, DPRIME_MAFC, note)


def _mafc_limit(rate: float, side: int) -> float:
    """A limit of the rate of correct responses, from that of either response."""
    return rate if side > 0 else 1 - rate


def _mafc_dprime(rate: float, n_alternatives: int) -> float:
    """Carry a rate to d'; without an end where the rate is at its own."""
    if not 0 < rate < 1:
        return math.copysign(math.inf, rate - 0.5)
    return float(mafc_dprime(np.array(rate), n_alternatives))


@dataclass(frozen=True, eq=False)
class _TwoRates:
    """Something of the rate of either class, with limits; its SEs; and n."""

    parts: tuple[Part, Part]
    ses: tuple[float, ...]
    n: int

    @classmethod
    def of(
        cls,
        hits: int,
        misses: int,
        false_alarms: int,
        correct_rejections: int,
        effects: Effects,
    ) -> "_TwoRates":
        """Give z of both rates: values of all trials, limits of effective ones."""
        counts = _two_classes(hits, misses, false_alarms, correct_rejections)
        h, f = (
            _z(*count, effect) for count, effect in zip(counts, effects, strict=True)
        )
        ses = (
            _miller_se(*count, ndtri) * math.sqrt(effect)
            for count, effect in zip(counts, effects, strict=True)
        )
        return cls((h, f), tuple(ses), counts[0][1] + counts[1][1])

    def sum_of(self, weights: tuple[float, float], formula: str) -> Estimate:
        """Give the weighted sum of the two."""
        value = sum(
            w * float(p.value) for w, p in zip(weights, self.parts, strict=True)
        )
        low, high = (float(x) for x in square_and_add(list(self.parts), weights))
        se = math.hypot(*(w * s for w, s in zip(weights, self.ses, strict=True)))
        note = AT_CEILING if math.isinf(low) or math.isinf(high) else None
        low, high = min(low, value), max(high, value)
        return Estimate(value, se, low, high, self.n, formula, note)


def _z(count: int, n: int, effect: float) -> Part:
    """Z of a rate, with the limits that an effective number of trials gives."""
    every = z_part(np.array(count), np.array(n))
    if effect == 1:
        return every
    fewer = z_part(np.array(count / effect), np.array(n / effect))
    ends = np.minimum(fewer.low, every.low), np.maximum(fewer.high, every.high)
    return Part(every.value, *(np.asarray(end) for end in ends))


def _two_classes(
    hits: int, misses: int, false_alarms: int, correct_rejections: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """(yes responses, trials) of the signal and of the noise-only class."""
    check_counts(
        hits=hits,
        misses=misses,
        false_alarms=false_alarms,
        correct_rejections=correct_rejections,
    )
    n_signal, n_noise = hits + misses, false_alarms + correct_rejections
    if not (n_signal and n_noise):
        got = f"{n_signal} and {n_noise}"
        raise ValueError(f"trials of both classes must be there, got {got}")
    return (hits, n_signal), (false_alarms, n_noise)


def _z_squared(rate: np.ndarray) -> np.ndarray:
    return ndtri(rate) ** 2


def _miller_se(count: int, n: int, transform: Transform) -> float:
    """SD of transform(corrected rate) over all counts that the estimated rate gives."""
    rate = loglinear_rate(count, n)
    return _binomial_sd(n, rate, lambda k: transform(loglinear_rate(k, n)))


def _binomial_sd(n: int, rate: float, estimator: Transform) -> float:
    """SD of estimator(count), count ~ binomial(n, rate), by exact enumeration."""
    low, high = binom.ppf([1e-15, 1 - 1e-15], n, rate)  # all but 2e-15 of the mass
    counts = np.arange(low, high + 1)
    mass = binom.pmf(counts, n, rate)
    values = estimator(counts)
    mean = mass @ values / mass.sum()
    return math.sqrt(mass @ (values - mean) ** 2 / mass.sum())
