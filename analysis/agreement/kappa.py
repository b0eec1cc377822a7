"""The ceiling of error consistency: how large kappa can be, given internal noise.

Kappa compares with what independent observers would share, so its largest value depends
on both proportions correct. With p1 = Phi(z) the observer's, p2 the other's, r the
observer's consistent share of variance, and c = p1 p2 + (1 - p1)(1 - p2),

    kappa = (A - c) / (1 - c):

- of the observer with itself, A its agreement over two passes and p2 = p1 [1]_;
- of a linear-Gaussian observer and itself without internal noise, A = 1 - 2 T(z, gamma)
  and p2 = Phi(z / sqrt r). This twin agrees most often, but kappa counts it against the
  twin that it is more often correct: it can be below a second pass;
- the ceiling of deterministic models of a linear-Gaussian observer: the largest kappa
  of any that is correct where the observer's own chance of being correct is above some
  value. Every model of largest kappa is of this kind, as kappa rises with
  A - (1 - kappa)(2 p1 - 1) p2, a sum over stimuli; and the observer itself is a mixture
  of them, so its kappa with itself is never above the ceiling;
- of any deterministic model, at most with A the upper bound
  (1 + sqrt(2 alpha - 1)) / 2 of the agreement [2]_, and A never more than
  1 - |p1 - p2|, which is all that two proportions correct allow.

Error consistency is about being correct, so A is agreement in that; in two-alternative
tasks it is the agreement of the responses.

References
----------
.. [1] Geirhos, Meding & Wichmann (2020), NeurIPS 33 (kappa).
.. [2] Neri & Levi (2006), Vision Res. 46, 2465-2474.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from ..double_pass.bivariate_probit import normal_both
from ..double_pass.consistency import fit_consistency
from ..double_pass.internal_noise import (
    agreement_probability,
    gamma_from_r,
    pair_counts,
    r_from_gamma,
    why_no_internal_noise,
)
from ..double_pass.smooth_thresholds import smooth_showings
from ..trials.counts import loglinear_rate
from ..trials.estimate import Z95, Estimate, mapped
from ..trials.responses import Responses, SessionLike
from ..trials.result import Result
from .error_consistency import MIN_KAPPA_TRIALS, OF_CHOICES, error_consistency
from .responses import (
    NOT_TWO,
    ceiling_bounds,
    linear_ceiling,
)
from .shared import SharedTrials

SELF = "self-kappa-likelihood-by-contrast/2"
LINEAR = "kappa-ceiling-linear-gaussian/2"
UPPER = "kappa-ceiling-upper-bound/2"
TWIN = "kappa-noiseless-twin-linear-gaussian/2"
RELATIVE = "kappa-over-linear-ceiling/2"
_CUTS = np.linspace(-4, 4, 801)  # 0 is the noiseless twin
_STEP = 1e-5


@dataclass(frozen=True)
class KappaCeiling(Result):
    """How large error consistency with an observer can be.

    Attributes
    ----------
    self_kappa
        Of the observer with itself on another pass: of a perfect twin, noise and all.
    noiseless_twin
        Of a linear-Gaussian observer with itself without internal noise.
    linear_gaussian
        Of the best deterministic model if the observer is linear with Gaussian noise.
    upper
        What no deterministic model exceeds (that is correct as often as given).
    """

    self_kappa: Estimate
    noiseless_twin: Estimate
    linear_gaussian: Estimate
    upper: Estimate


@dataclass(frozen=True)
class KappaComparison(Result):
    """Error consistency of two observers beside the reference's ceiling.

    Attributes
    ----------
    kappa
        Error consistency by contrast.
    ceiling
        The reference's, `upper` at the other's proportions correct.
    relative
        kappa / ceiling.linear_gaussian.
    """

    kappa: Estimate
    ceiling: KappaCeiling
    relative: Estimate


def kappa(agreement: float, p1: float, p2: float) -> float:
    """Return Cohen's kappa of two observers correct p1 and p2 who agree this often.

    Examples
    --------
    >>> round(kappa(0.74055, 0.75, 0.75), 3)  # two passes at 75 % correct, gamma 1
    0.308
    """
    chance = p1 * p2 + (1 - p1) * (1 - p2)
    return (agreement - chance) / (1 - chance)


def linear_kappa_ceiling(z: float | Float[np.ndarray, " class"], gamma: float) -> float:
    """Return the largest kappa of a deterministic model and a linear-Gaussian observer.

    Parameters
    ----------
    z
        Phi^-1 of the proportion correct, of each stimulus class where there are two.
    gamma
        Internal / external SD.

    Examples
    --------
    >>> round(linear_kappa_ceiling(0.67449, gamma=1.0), 3)  # the twin's is .440
    0.476
    """
    if math.isinf(gamma):
        return 0.0
    z = np.atleast_1d(z)
    r = r_from_gamma(gamma)
    cut = math.sqrt(1 - r) * _CUTS[:, None]  # z of the chance of being correct
    t = (z - cut) / math.sqrt(r)
    both = normal_both(z, t, math.sqrt(r)) + normal_both(-z, -t, math.sqrt(r))
    agreement, p1, p2 = both.mean(1), ndtr(z).mean(), ndtr(t).mean(1)
    chance = p1 * p2 + (1 - p1) * (1 - p2)
    return float(((agreement - chance) / np.maximum(1 - chance, 1e-12)).max())


def kappa_ceiling(
    responses: Responses, other_rate: Float[np.ndarray, " contrast"] | None = None
) -> KappaCeiling:
    """Estimate the ceiling of error consistency from an observer's double pass.

    By contrast, averaged by trials, over the contrasts that enter error consistency:
    10 trials or more, neither all correct nor all wrong. r is that of the adjusted
    profile likelihood of the double pass, with thresholds smooth in contrast; its
    interval is carried through, proportions correct held.

    Parameters
    ----------
    other_rate
        Proportion correct of the other observer at each contrast of `responses`, for
        the upper bound; None allows any.
    """
    names = (SELF, TWIN, LINEAR, UPPER)
    if responses.n_alternatives > 2:
        reason = f"{NOT_TWO}, got {responses.n_alternatives}"
        return KappaCeiling(*(Estimate.missing(name, reason) for name in names))
    r = _consistency(responses)
    cells, weight, used = _cells(responses)
    if r.value is None or not weight.sum():
        reason = r.note if r.value is None else "no contrast enters error consistency"
        missing = (Estimate.missing(name, reason or "", r.n) for name in names)
        return KappaCeiling(*missing)
    given = None if other_rate is None else other_rate[used]
    functions = (_self, _twin, _linear, _upper)
    return KappaCeiling(
        *(
            _carried(r, _averaged(function, cells, weight, given), name)
            for function, name in zip(functions, names, strict=True)
        )
    )


def _consistency(responses: Responses) -> Estimate:
    """Estimate r of the double pass by the adjusted profile likelihood, 0 to 1."""
    counts = pair_counts(responses, by_contrast=True)
    n = int(counts.sum())
    if reason := why_no_internal_noise(counts):
        return Estimate.missing(SELF, reason, n)
    fit = fit_consistency(smooth_showings(responses)[0])
    r, low, high = (float(np.clip(x, 0, 1)) for x in (fit.r, fit.low, fit.high))
    return Estimate(r, fit.se, min(low, r), max(high, r), n, SELF)


def _cells(responses: Responses) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give z of being correct by contrast and class, trials, and contrasts used."""
    at = np.searchsorted(responses.contrasts, responses.contrast)
    n_classes = 1 if responses.is_forced_choice or not responses.has_target else 2
    cell = n_classes * at + (0 if n_classes == 1 else responses.target)
    n = np.bincount(cell, minlength=n_classes * len(responses.contrasts))
    right = np.bincount(cell, responses.correct, minlength=len(n))
    z = ndtri(loglinear_rate(right, n)).reshape(-1, n_classes)
    n, right = (x.reshape(-1, n_classes).sum(1) for x in (n, right))
    used = (n >= MIN_KAPPA_TRIALS) & (right > 0) & (right < n)
    return z[used], n[used].astype(np.float64), used


Function = Callable[[np.ndarray, float, float | None], float]


def _averaged(
    function: Function,
    cells: np.ndarray,
    weight: np.ndarray,
    given: np.ndarray | None,
) -> Callable[[float], float]:
    """Make a function of r: the mean over contrasts, weighted by trials."""

    def mean(r: float) -> float:
        rates = [None] * len(cells) if given is None else given.tolist()
        values = [function(z, r, p2) for z, p2 in zip(cells, rates, strict=True)]
        return float(np.average(values, weights=weight))

    return mean


def _self(z: np.ndarray, r: float, _: float | None) -> float:
    p = float(ndtr(z).mean())
    return kappa(float(agreement_probability(z, r).mean()), p, p)


def _twin(z: np.ndarray, r: float, _: float | None) -> float:
    agreement = float(linear_ceiling(z, gamma_from_r(r)).mean())
    p2 = float(ndtr(z / math.sqrt(max(r, 1e-12))).mean())
    return kappa(agreement, float(ndtr(z).mean()), p2)


def _linear(z: np.ndarray, r: float, _: float | None) -> float:
    return linear_kappa_ceiling(z, gamma_from_r(r))


def _upper(z: np.ndarray, r: float, p2: float | None) -> float:
    p1 = float(ndtr(z).mean())
    _, best = ceiling_bounds(float(agreement_probability(z, r).mean()))
    if p2 is not None:
        return kappa(min(best, 1 - abs(p1 - p2)), p1, p2) if 0 < p2 < 1 else 0.0
    # Kappa falls with c, so the best p2 is as far as the agreement lets it be.
    rates = [rate for rate in (p1 - (1 - best), p1 + (1 - best)) if 0 < rate < 1]
    return max([kappa(best, p1, rate) for rate in rates], default=1.0)


def _carried(r: Estimate, function: Callable[[float], float], name: str) -> Estimate:
    """Carry r through a function of it, with the SE of the delta method."""
    assert r.value is not None
    slope = None
    if _STEP < r.value < 1 - _STEP:
        slope = (function(r.value + _STEP) - function(r.value - _STEP)) / (2 * _STEP)
    return mapped(r, function, name, slope)


def compare_kappa(reference: SessionLike, other: SessionLike) -> KappaComparison:
    """Compare error consistency of two sessions with its ceiling.

    The interval of the ratio takes kappa and its ceiling as independent.

    Raises
    ------
    ValueError
        If the sessions did not have the same trials, or none counts in both.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> compare_kappa(session, session).ceiling.self_kappa.value  # no internal noise
    1.0
    """
    shared = SharedTrials.of(reference, other)
    ours, rows = shared.ours, shared.rows
    contrast, right = ours.contrast[rows], shared.theirs.correct[shared.other_rows]
    scored = ours.scored[rows], shared.theirs.scored[shared.other_rows]
    found = error_consistency(*scored, contrast, shared.stimulus)
    found = found.with_note(None if ours.has_target else OF_CHOICES)
    rate = [
        float(right[contrast == value].mean()) if np.any(contrast == value) else 0.0
        for value in ours.contrasts
    ]
    best = kappa_ceiling(ours, np.array(rate))
    return KappaComparison(found, best, _relative(found, best.linear_gaussian))


def _relative(found: Estimate, best: Estimate) -> Estimate:
    if found.value is None or not best.value or best.value < 0:
        reason = found.note if found.value is None else best.note
        return Estimate.missing(RELATIVE, reason or "the ceiling is 0", found.n)
    assert found.se is not None
    assert best.low is not None
    assert best.high is not None
    value = found.value / best.value
    se_best = (best.high - best.low) / (2 * Z95)
    se = math.hypot(found.se, value * se_best) / best.value
    return Estimate.normal(value, se, found.n, RELATIVE)
