"""Efficiency: how much of what the stimulus tells an observer uses.

The ideal observer of a known signal in white Gaussian noise matches the template: its
d' is the norm of the difference between the two signals over the noise's SD per
element, per interval in a forced choice. Absolute efficiency is (d' / d'_ideal)^2 [1]_.

A linear observer's kernel predicts its efficiency without a double pass [2]_: with U
the optimally weighted sum of the noise (`score.py`), sigma_U^2 the variance of each of
its elements and t the ideal template of length 1,

    F = [(U . t)^2 / sigma_U^2 - 1] / I,    1 / I = pq / (N phi^2) at one contrast.

An observer whose efficiency is above it uses more than its kernel shows.

References
----------
.. [1] Tanner & Birdsall (1958), J. Acoust. Soc. Am. 30, 922-928.
.. [2] Murray, Bennett & Sekuler (2005), J. Vision 5(2):5, 139-149, eq 5.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr

from ..trials.counts import shared_noise_effect
from ..trials.design import TrialDesign
from ..trials.estimate import Z95, CannotTell, Estimate, mapped
from ..trials.held import Held
from ..trials.responses import Responses, SessionLike
from ..trials.result import Result
from ..trials.score import score
from ..trials.shown import shown_signal
from .by_task import dprime
from .efficiency_trend import EfficiencyTrend, efficiency_trend
from .ideal import NO_SIGNAL, IdealObserver
from .mafc import mafc_proportion_correct, mafc_slope

KERNEL = "kernel-efficiency-murray2005/1"
RATIO = "efficiency-over-kernel-efficiency/1"
ABSOLUTE = "absolute-efficiency/2"
POOLED = "absolute-efficiency-inverse-variance/1"
_STEPS = 20  # of the weights; they settle in five


@dataclass(frozen=True)
class ContrastEfficiency(Result):
    """Efficiency at one contrast.

    Attributes
    ----------
    contrast
        The signal's.
    ideal_dprime
        Of the ideal observer; 0 where the signal is less than half a level.
    dprime, efficiency
        Of the observer.
    """

    contrast: float
    ideal_dprime: float
    dprime: Estimate
    efficiency: Estimate


@dataclass(frozen=True)
class Efficiency(Result):
    """Absolute efficiency of an observer.

    Attributes
    ----------
    pooled
        One efficiency over all contrasts.
    by_contrast
        At each contrast, rising; empty where there is no ideal observer.
    trend
        Whether it changes with contrast; None where that cannot be told. A pooled
        efficiency then says so in its note.
    """

    pooled: Estimate
    by_contrast: tuple[ContrastEfficiency, ...]
    trend: EfficiencyTrend | None = None


@dataclass(frozen=True)
class KernelEfficiency(Result):
    """Does the kernel explain the efficiency? For a linear observer the ratio is 1.

    Attributes
    ----------
    predicted
        Efficiency that the kernel implies.
    actual
        Absolute efficiency.
    ratio
        Actual / predicted.
    """

    predicted: Estimate
    actual: Estimate
    ratio: Estimate


def absolute_efficiency(session: SessionLike) -> Efficiency:
    """Estimate (d' / d'_ideal)^2 of a session, by contrast and pooled.

    By contrast it is carried from d' and its interval; below chance it is 0. Pooled, d'
    is taken to be one multiple a of the ideal's at all contrasts: a is the mean of
    d' / d'_ideal by inverse variance, the efficiency its square. The variance is that
    at the d' which a expects, not at the one observed, so that contrasts at which no
    observer of such efficiency would err weigh nothing: there d' rests on the
    correction of the counts and on lapses. The SE allows for trials shown twice.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template", efficiency=0.5)
    >>> session = yoked.run(protocol, observer, seed=2, trials=1000, contrast=0.15)
    >>> pooled = absolute_efficiency(session).pooled
    >>> pooled.low < 0.5 < pooled.high
    True
    """
    held = Held.of(session)
    counted, ideal = held.responses, IdealObserver.of(held)
    if ideal.reason:
        return Efficiency(Estimate.missing(POOLED, ideal.reason, len(counted)), ())
    parts = tuple(_at_contrast(counted, ideal, float(c)) for c in counted.contrasts)
    if not any(part.ideal_dprime for part in parts):
        return Efficiency(Estimate.missing(POOLED, NO_SIGNAL, len(counted)), parts)
    trend = _trend(counted, parts)
    pooled = _pooled(counted, parts)
    return Efficiency(
        pooled.with_note(ideal.note, trend and trend.warning), parts, trend
    )


def _trend(
    counted: Responses, parts: tuple[ContrastEfficiency, ...]
) -> EfficiencyTrend | None:
    try:
        return efficiency_trend(counted, np.array([p.ideal_dprime for p in parts]))
    except CannotTell:
        return None


def _at_contrast(
    counted: Responses, ideal: IdealObserver, contrast: float
) -> ContrastEfficiency:
    own, best = (
        dprime(counted.where(counted.contrast == contrast)),
        ideal.dprime(contrast),
    )
    if not best:
        reason = f"the signal of contrast {contrast:g} is less than half a level"
        efficiency = Estimate.missing(ABSOLUTE, reason, own.n)
    else:
        efficiency = _squared(own, best, ABSOLUTE)
    return ContrastEfficiency(contrast, best, own, efficiency)


def _squared(own: Estimate, best: float, formula: str) -> Estimate:
    """Carry d' to (d' / best)^2; d' below chance to 0."""
    slope = 2 * max(own.value or 0.0, 0.0) / best**2
    return mapped(own, lambda d: (max(d, 0.0) / best) ** 2, formula, slope or None)


def _pooled(counted: Responses, parts: tuple[ContrastEfficiency, ...]) -> Estimate:
    """Square of the mean of d' / d'_ideal by inverse variance, at the d' it expects."""
    known = [p for p in parts if p.ideal_dprime and p.dprime.value is not None]
    if not known:
        return Estimate.missing(POOLED, "no contrast has trials of every target")
    own = np.array([p.dprime.value for p in known])
    best, n = np.array([(p.ideal_dprime, p.dprime.n) for p in known]).T
    a = float(own @ best / (best @ best))
    weight = best
    for _ in range(_STEPS):
        slope, variance = slope_and_variance(a * best, counted)
        weight = best * n * slope**2 / variance
        a = float(own @ weight / (best @ weight))
    se = math.sqrt(shared_noise_effect(counted) / float(best @ weight))
    return _squared(Estimate.normal(a, se, int(n.sum()), POOLED), 1.0, POOLED)


def slope_and_variance(
    dprime: Float[np.ndarray, " contrast"], counted: Responses
) -> tuple[Float[np.ndarray, " contrast"], Float[np.ndarray, " contrast"]]:
    """Return, for an observer without bias, how being correct depends on d'.

    Derivative of the proportion correct by d', and the variance of one trial's being
    correct; the variance of an estimate of d' from n trials is variance / n / slope^2.
    """
    if counted.is_forced_choice:
        p = mafc_proportion_correct(dprime, counted.n_alternatives)
        slope = mafc_slope(dprime, counted.n_alternatives)
    else:
        p = ndtr(dprime / 2)
        slope = np.exp(-(dprime**2) / 8) / math.sqrt(8 * math.pi)
    return np.asarray(slope), np.maximum(p * (1 - p), 1e-12)


def kernel_efficiency(session: SessionLike) -> KernelEfficiency:
    """Compare the efficiency that the kernel implies with the actual one.

    Contrasts are combined within contrast, by the optimally weighted sum. The ratio's
    interval is that of its logarithm; it allows for the correlation of the two, which
    rest on the same responses.

    Raises
    ------
    ValueError
        If there are more than two alternatives, or no class has both responses.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template", efficiency=0.5)
    >>> session = yoked.run(protocol, observer, seed=2, trials=1000, contrast=0.15)
    >>> ratio = kernel_efficiency(session).ratio  # of a linear observer
    >>> ratio.low < 1 < ratio.high
    True
    """
    held = Held.of(session)
    efficiency, counted = absolute_efficiency(held), held.responses
    actual = efficiency.pooled
    if actual.value is None:
        reason = actual.note or ""
        none = (Estimate.missing(name, reason, actual.n) for name in (KERNEL, RATIO))
        predicted, ratio = none
        return KernelEfficiency(predicted, actual, ratio)
    template = shown_signal(held.protocol, 1.0, is_quantised=False).ravel()
    predicted, influence = predicted_efficiency(held.design, template)
    own = _influence_on_actual(counted, efficiency)
    own = own[np.isin(np.unique(counted.cluster), held.design.cluster)]
    size = float(np.linalg.norm(own) * np.linalg.norm(influence))
    together = float(own @ influence) / size if size > 0 else 0.0
    return KernelEfficiency(predicted, actual, _ratio(actual, predicted, together))


def predicted_efficiency(
    trials: TrialDesign, template: Float[np.ndarray, " element"]
) -> tuple[Estimate, Float[np.ndarray, " stimulus"]]:
    """Estimate the efficiency of a linear observer with these responses [2]_.

    Parameters
    ----------
    template
        The ideal one, of any length.

    Returns
    -------
    estimate, influence
        The efficiency, and what each stimulus adds to it (up to a factor above 0).

    Raises
    ------
    CannotTell
        If the template is 0 everywhere, or no class has both responses.
    """
    length = float(np.linalg.norm(template))
    if not length > 0:
        raise CannotTell("template must differ from 0 somewhere, got 0 everywhere")
    found = score(trials)
    along = trials.along(template / length)
    each = np.bincount(found.cluster, found.coefficient * along)
    total, scale = float(each.sum()), (found.sd * found.information) ** 2
    value = (total**2 - found.sd**2 * found.spread) / scale
    influence = each + found.rate_influence(along) * math.sqrt(scale)
    variance = float(influence @ influence) - total**2 / len(each)
    # Of the square of a normal: 4 mean^2 variance + 2 variance^2, total^2 being larger
    # than mean^2 by the variance.
    se = math.sqrt(max(4 * total**2 * variance - 2 * variance**2, 2 * variance**2))
    note = None if value > 0 else "the kernel is no larger along the signal than noise"
    estimate = Estimate.normal(value, se / scale, found.n, KERNEL, note)
    return estimate, np.sign(total) * (influence - influence.mean())


def _influence_on_actual(
    counted: Responses, efficiency: Efficiency
) -> Float[np.ndarray, " stimulus"]:
    """What each stimulus adds to the pooled efficiency (up to a factor above 0)."""
    at = np.searchsorted(counted.contrasts, counted.contrast)
    _, cell = np.unique(counted.cell, return_inverse=True)
    correct = counted.correct.astype(np.float64)
    rate = np.bincount(cell, correct) / np.bincount(cell)
    best = np.array([part.ideal_dprime for part in efficiency.by_contrast])
    a = math.sqrt(efficiency.pooled.value or 0.0)
    slope, variance = slope_and_variance(a * best, counted)
    each = (correct - rate[cell]) * (best * slope / variance)[at]
    _, cluster = np.unique(counted.cluster, return_inverse=True)
    return np.bincount(cluster, each)


def _ratio(actual: Estimate, predicted: Estimate, together: float) -> Estimate:
    """Actual / predicted with the interval of its logarithm."""
    value, expected = actual.value or 0.0, predicted.value or 0.0
    if value <= 0 or expected <= 0 or not (actual.se and predicted.se):
        reason = "an efficiency of 0 or less has no ratio"
        return Estimate.missing(RATIO, reason, predicted.n)
    ratio, one, other = value / expected, actual.se / value, predicted.se / expected
    relative = math.sqrt(one**2 + other**2 - 2 * together * one * other)
    low, high = (ratio * math.exp(sign * Z95 * relative) for sign in (-1, 1))
    return Estimate(ratio, ratio * relative, low, high, predicted.n, RATIO)
