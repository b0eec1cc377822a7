"""Signal detection theory: sensitivity, criterion and proportion correct.

Rates are log-linear corrected before every z-transform, always and in both classes:
(count + .5) / (n + 1) [1]_. Standard errors are Miller's [2]_: the estimator's exact
variance under binomial counts at the estimated rates, which Suero, Privado & Botella
[3]_ found the most accurate of the three in use.

References
----------
.. [1] Hautus (1995), Behav. Res. Meth. Instrum. Comput. 27, 46-51.
.. [2] Miller (1996), Percept. Psychophys. 58, 65-72.
.. [3] Suero, Privado & Botella (2017), Psicologica 38, 149-175.
.. [4] Macmillan & Creelman (2005), Detection Theory: A User's Guide, 2nd ed.
.. [5] Gourevitch & Galanter (1967), Psychometrika 32, 25-33.
.. [6] Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom

from ..trials.counts import loglinear_rate
from ..trials.estimate import Z95, Estimate
from .mafc import check_alternatives, mafc_dprime

DPRIME_YES_NO = "dprime-yes-no-loglinear/1"
CRITERION = "criterion-yes-no-loglinear/1"
LN_BETA = "ln-beta-yes-no-loglinear/1"
DPRIME_2AFC = "dprime-2afc-loglinear/1"
INTERVAL_BIAS = "interval-bias-2afc-loglinear/1"
DPRIME_MAFC = "dprime-mafc-loglinear/1"
PROPORTION = "proportion-wilson/1"
STRONG_BIAS = 0.2  # interval bias from which target intervals are kept apart

Transform = Callable[[np.ndarray], np.ndarray]


def dprime_from_counts(
    hits: int, misses: int, false_alarms: int, correct_rejections: int
) -> Estimate:
    """Estimate sensitivity d' = z(H) - z(F) from the four yes/no counts.

    Parameters
    ----------
    hits, misses
        Signal trials answered "yes" and "no".
    false_alarms, correct_rejections
        Noise-only trials answered "yes" and "no".

    Returns
    -------
    Estimate
        In standard deviations of the decision variable; 0 is chance.

    Raises
    ------
    ValueError
        If a count is negative, or there are no signal or no noise-only trials.

    Examples
    --------
    >>> counts = {"false_alarms": 10, "correct_rejections": 40}
    >>> print(dprime_from_counts(hits=40, misses=10, **counts))
    1.642 SE 0.284 [1.084, 2.199] n=100 (dprime-yes-no-loglinear/1)
    """
    z_h, z_f, se, n = _z_scores(hits, misses, false_alarms, correct_rejections)
    return Estimate.normal(z_h - z_f, se, n, DPRIME_YES_NO)


def criterion_from_counts(
    hits: int, misses: int, false_alarms: int, correct_rejections: int
) -> Estimate:
    """Estimate the yes/no criterion c = -[z(H) + z(F)] / 2 from the four counts.

    Above 0 the observer says "no" more often than an unbiased one. Parameters and
    errors as for `dprime_from_counts`.

    Examples
    --------
    >>> counts = {"false_alarms": 5, "correct_rejections": 45}
    >>> criterion_from_counts(hits=30, misses=20, **counts).value > 0
    True
    """
    z_h, z_f, se, n = _z_scores(hits, misses, false_alarms, correct_rejections)
    return Estimate.normal(-(z_h + z_f) / 2, se / 2, n, CRITERION)


def ln_beta(
    hits: int, misses: int, false_alarms: int, correct_rejections: int
) -> Estimate:
    """Estimate the log likelihood ratio at the criterion, c d' = [z(F)^2 - z(H)^2] / 2.

    Parameters and errors as for `dprime_from_counts`.

    Examples
    --------
    >>> ln_beta(hits=30, misses=20, false_alarms=5, correct_rejections=45).value > 0
    True
    """
    h, f = _two_classes(hits, misses, false_alarms, correct_rejections)
    se = math.hypot(_miller_se(*h, _z_squared), _miller_se(*f, _z_squared)) / 2
    z_h, z_f, _, n = _z_scores(hits, misses, false_alarms, correct_rejections)
    return Estimate.normal((z_f**2 - z_h**2) / 2, se, n, LN_BETA)


def dprime_2afc(
    correct_first: int, wrong_first: int, wrong_second: int, correct_second: int
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

    Raises
    ------
    ValueError
        If a count is negative, or a target interval has no trials.

    Examples
    --------
    >>> round(dprime_2afc(40, 10, 10, 40).value, 3)
    1.161
    """
    z_h, z_f, se, n = _z_scores(
        correct_first, wrong_first, wrong_second, correct_second
    )
    value = (z_h - z_f) / math.sqrt(2)
    return Estimate.normal(value, se / math.sqrt(2), n, DPRIME_2AFC)


def interval_bias(
    correct_first: int, wrong_first: int, wrong_second: int, correct_second: int
) -> Estimate:
    """Estimate the interval bias -[z(H) + z(F)] / 2 from the four 2AFC counts.

    Above 0 the observer prefers the second interval. Beyond -+.2 proportion correct
    under-states sensitivity. Parameters and errors as for `dprime_2afc`.

    Examples
    --------
    >>> interval_bias(30, 20, 5, 45).value > 0
    True
    """
    z_h, z_f, se, n = _z_scores(
        correct_first, wrong_first, wrong_second, correct_second
    )
    return Estimate.normal(-(z_h + z_f) / 2, se / 2, n, INTERVAL_BIAS)


def dprime_mafc(correct: int, n_trials: int, n_alternatives: int) -> Estimate:
    """Estimate d' of an m-alternative task from the number of correct trials.

    The log-linear correction adds one trial, spread evenly over the alternatives:
    (correct + 1/m) / (n + 1). For m = 2 that is Hautus's .5 and 1, and chance stays
    d' = 0 for every m. Assumes an observer without a bias for a position.

    Raises
    ------
    ValueError
        If the counts do not fit each other, or there are fewer than two alternatives.

    Examples
    --------
    >>> dprime_mafc(correct=25, n_trials=100, n_alternatives=4).value
    0.0
    """
    check_alternatives(n_alternatives)
    _check_counts(correct=correct, wrong=n_trials - correct)
    if n_trials == 0:
        raise ValueError("n_trials must be > 0, got 0")

    def estimator(counts: np.ndarray) -> np.ndarray:
        rate = loglinear_rate(counts, n_trials, n_alternatives)
        return mafc_dprime(rate, n_alternatives)

    rate = loglinear_rate(correct, n_trials, n_alternatives)
    value = float(estimator(np.array(correct)))
    se = _binomial_sd(n_trials, rate, estimator)
    # Newton leaves 1e-17 where chance is exactly 0.
    return Estimate.normal(round(value, 12), se, n_trials, DPRIME_MAFC)


def wilson_interval(proportion: float, n: int | float) -> tuple[float, float]:
    """Return Wilson's 95 % limits of a proportion [6]_; `n` may be an effective number.

    Examples
    --------
    >>> [round(limit, 4) for limit in wilson_interval(1.0, 100)]
    [0.963, 1.0]
    """
    centre = (proportion + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    variance = proportion * (1 - proportion) / n + Z95**2 / (4 * n**2)
    half = Z95 * math.sqrt(variance) / (1 + Z95**2 / n)
    # Rounding must not push a limit past 0, 1, or the proportion itself.
    low, high = max(centre - half, 0.0), min(centre + half, 1.0)
    return min(low, proportion), max(high, proportion)


def proportion(
    count: int, n: int, formula: str = PROPORTION, design_effect: float = 1.0
) -> Estimate:
    """Estimate a proportion, uncorrected, with Wilson's 95 % interval.

    Parameters
    ----------
    design_effect
        Variance relative to independent trials: above 1 where trials share their noise.

    Returns
    -------
    Estimate
        Its SE is binomial, 0 at a proportion of 0 or 1: read the interval there.

    Raises
    ------
    ValueError
        If the counts do not fit each other, or `n` is 0.

    Examples
    --------
    >>> print(proportion(75, 100))
    0.750 SE 0.043 [0.657, 0.825] n=100 (proportion-wilson/1)
    """
    _check_counts(count=count, rest=n - count)
    if n == 0:
        raise ValueError("n must be > 0, got 0")
    value, n_effective = count / n, n / design_effect
    se = math.sqrt(value * (1 - value) / n_effective)
    return Estimate(value, se, *wilson_interval(value, n_effective), n, formula)


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if count < 0 or int(count) != count:
            raise ValueError(f"{name} must be a count >= 0, got {count}")


def _two_classes(
    hits: int, misses: int, false_alarms: int, correct_rejections: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """(yes responses, trials) of the signal and of the noise-only class."""
    _check_counts(
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


def _z_scores(
    hits: int, misses: int, false_alarms: int, correct_rejections: int
) -> tuple[float, float, float, int]:
    """z(H), z(F), the SE of their difference (and of their sum), and n."""
    h, f = _two_classes(hits, misses, false_alarms, correct_rejections)
    se = math.hypot(_miller_se(*h, ndtri), _miller_se(*f, ndtri))
    z_h, z_f = (float(ndtri(loglinear_rate(*counts))) for counts in (h, f))
    return z_h, z_f, se, h[1] + f[1]


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
