"""Internal noise by one likelihood, with thresholds that are smooth in contrast.

The default estimate, `consistent_share` and `internal_noise`: the adjusted profile
likelihood of r over all pairs and single showings, thresholds as `showings.Showings`
has them. Where a power of contrast does not fit, the thresholds are splines instead.
`internal_noise_by_agreement` solves the agreement of all pairs on the same thresholds.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2

from ..trials.estimate import Estimate
from ..trials.held import as_responses
from ..trials.responses import Responses, SessionLike
from .bivariate_probit import normal_both
from .consistency import ConsistencyFit, fit_consistency, maximise
from .internal_noise import NO_PAIRS, ONE_RESPONSE, InternalNoise, three_conventions
from .showings import FEW_CONTRASTS, NOT_TWO, Showings, Thresholds, bends, varied_cells
from .showings_numba import place

LIKELIHOOD = "likelihood-smooth-thresholds/1"
BY_AGREEMENT = "agreement-smooth-thresholds/1"
ALIKE = (
    "the responses never varied within a class of stimuli, so agreement says nothing "
    "about internal noise"
)
MISFIT = 0.01  # p of a power of contrast below which thresholds are splines
REVERSED = 1e-3  # p of r = 0 below which less agreement than by chance is no accident
LEAST_PAIRS, MOST_SE = 50, 0.25  # for gamma: else it could be anything


@dataclass(frozen=True, eq=False)
class ConsistentShare:
    """The consistent share of variance, and the thresholds that it rests on.

    Attributes
    ----------
    r
        1 / (1 + gamma^2), 0 to 1; or why there is none.
    thresholds
        'cells', 'power' or 'spline'.
    p_power
        Of the test of a power of contrast against splines; None where it was not made.
    fit
        The fit itself, in which r may be negative; None where there is none.
    showings
        What was fitted; None likewise.
    """

    r: Estimate
    thresholds: Thresholds | None = None
    p_power: float | None = None
    fit: ConsistencyFit | None = None
    showings: Showings | None = None


def consistent_share(source: SessionLike | Responses) -> ConsistentShare:
    """Estimate r = 1 / (1 + gamma^2) from a double pass, at any number of contrasts.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> print(consistent_share(session).r)  # this template has no internal noise
    1.000 [0.993, 1.000] n=100 (r-likelihood-smooth-thresholds/1)
    """
    responses = as_responses(source)
    n, name = len(responses.second_rows), f"r-{LIKELIHOOD}"
    if reason := why_no_share(responses):
        return ConsistentShare(Estimate.missing(name, reason, n))
    showings, thresholds, p_power = smooth_showings(responses)
    n = int(showings.pair_weight.sum())
    fit = fit_consistency(showings)
    if reason := why_reversed(showings, fit):
        return ConsistentShare(Estimate.missing(name, reason, n))
    notes = []
    if thresholds == "spline":
        notes.append(
            f"thresholds are splines: no power of contrast (p = {p_power:.2g})"
        )
    value, low, high = (min(max(x, 0.0), 1.0) for x in (fit.r, fit.low, fit.high))
    se = fit.se if 0 < value < 1 else None
    r = Estimate(value, se, low, high, n, name, "; ".join(notes) or None)
    return ConsistentShare(r, thresholds, p_power, fit, showings)


def smooth_showings(
    responses: Responses,
) -> tuple[Showings, Thresholds, float | None]:
    """Return showings whose thresholds fit, counted together; kind, p of the power law.

    As `smooth_thresholds` has them.
    """
    showings, thresholds, p = smooth_thresholds(responses)
    return showings.counted(), thresholds, p


def smooth_thresholds(
    responses: Responses,
) -> tuple[Showings, Thresholds, float | None]:
    """Return showings whose thresholds fit, their kind, and p of a power of contrast.

    Up to two contrasts every class and contrast has a threshold. With more they are a
    power of contrast, tested against natural splines in its log (for each class): where
    p < .01 they are these splines.
    """
    if len(responses.contrasts) <= FEW_CONTRASTS:
        return Showings.of(responses, "cells"), "cells", None
    power = Showings.of(responses, "power")
    bent = power.with_columns(bends(responses))
    df = bent.n_theta - power.n_theta
    gain = maximise(bent.counted()).log_likelihood
    gain -= maximise(power.counted()).log_likelihood
    p = float(chi2.sf(max(2 * gain, 0.0), df)) if df else 1.0
    if p >= MISFIT:
        return power, "power", p
    return Showings.of(responses, "spline"), "spline", p


def internal_noise(source: SessionLike | Responses) -> InternalNoise:
    """Estimate internal noise from a double pass, at any number of contrasts.

    Below 50 pairs, or where r is known to no better than an SE of .25, there is r and
    its interval but no gamma.
    """
    return from_share(consistent_share(source).r)


def from_share(r: Estimate, formula: str = LIKELIHOOD) -> InternalNoise:
    """Return r, gamma and gamma squared, or why r tells no gamma."""
    if r.value is None:
        return InternalNoise.missing(formula, r.note or "", r.n)
    assert r.low is not None
    assert r.high is not None
    se = r.se if r.se is not None else (r.high - r.low) / 3.92
    if reason := why_no_gamma(r.n, se):
        return replace(InternalNoise.missing(formula, reason, r.n), r=r)
    return three_conventions(r, formula)


def why_no_gamma(n_pairs: int, se: float) -> str | None:
    """Return why r, with this standard error, tells no gamma; or None."""
    if n_pairs < LEAST_PAIRS:
        return f"gamma needs {LEAST_PAIRS} pairs or more, got {n_pairs}"
    if se > MOST_SE:
        return f"gamma needs a standard error of r of {MOST_SE} or less, got {se:.2f}"
    return None


def internal_noise_by_agreement(share: ConsistentShare) -> InternalNoise:
    """Estimate internal noise from how often the passes agree.

    Thresholds by ordinary probit on all trials, then the r at which the expected number
    of agreements, sum of Phi2(m1, m2; r) + Phi2(-m1, -m2; r), is the number there was.
    The interval is the likelihood's, extended to this r.
    """
    if share.fit is None or share.showings is None:
        return InternalNoise.missing(BY_AGREEMENT, share.r.note or "", share.r.n)
    value, se = _r_of_agreement(share.showings)
    assert share.r.low is not None
    assert share.r.high is not None
    ends = min(share.r.low, value), max(share.r.high, value)
    name = f"r-{BY_AGREEMENT}"
    r = Estimate(value, se, *ends, share.r.n, name, share.r.note)
    return from_share(r, BY_AGREEMENT)


def _r_of_agreement(showings: Showings) -> tuple[float, float | None]:
    """Solve for r; its SE is that of the agreement, thresholds held."""
    theta = maximise(showings, r=0.0).theta
    m = thresholds_at(showings, theta)
    a, b, weight = m[showings.first], m[showings.second], showings.pair_weight
    same = showings.yes[showings.first] == showings.yes[showings.second]

    def excess(r: float) -> float:
        agree = normal_both(a, b, r) + normal_both(-a, -b, r)
        return float(weight @ (agree - same))

    high = 1 - 1e-9
    if excess(0.0) >= 0:
        return 0.0, None
    if excess(high) <= 0:
        return 1.0, None
    r = float(brentq(excess, 0.0, high, xtol=1e-10))  # type: ignore[arg-type]
    agree = normal_both(a, b, r) + normal_both(-a, -b, r)
    exponent = -(a**2 - 2 * r * a * b + b**2) / (2 * (1 - r**2))
    slope = weight @ (np.exp(exponent) / (math.pi * math.sqrt(1 - r**2)))
    return r, float(math.sqrt(weight @ (agree * (1 - agree))) / slope)


def thresholds_at(showings: Showings, theta: np.ndarray) -> np.ndarray:
    """Return the threshold of every showing."""
    m = np.empty(len(showings.yes))
    slopes = np.empty((len(m), showings.n_theta))
    place(showings.base, showings.power, showings.log_contrast, theta, m, slopes)
    return m


def why_no_share(responses: Responses) -> str | None:
    """Return why there is no r, or None.

    Where the responses of every class are all alike (of every class and contrast, up to
    two contrasts) nothing tells by how much the decision variable varied.
    """
    if responses.n_alternatives > 2:
        return f"{NOT_TWO}, got {responses.n_alternatives}"
    second = responses.second_rows
    if not len(second):
        return NO_PAIRS
    shown = np.concatenate([second, responses.first[second]])
    if responses.response[shown].min() == responses.response[shown].max():
        return ONE_RESPONSE
    if len(responses.contrasts) <= FEW_CONTRASTS:
        return None if varied_cells(responses)[shown].any() else ALIKE
    yes = [responses.response[responses.target == k] for k in (0, 1)]
    has_both = any(len(each) and each.min() < each.max() for each in yes)
    return None if has_both else ALIKE


def why_reversed(showings: Showings, fit: ConsistencyFit) -> str | None:
    """Return why a pass seems to have its responses the other way round, or None.

    Internal noise, however large, cannot make two passes agree less than independent
    ones would. Where the likelihood of r = 0 is so much lower that p < .001, the keys
    of one pass mean the opposite, or the pairs are not pairs.
    """
    if fit.plain.r >= 0:
        return None
    independent = maximise(showings, r=0.0, start=fit.plain)
    gain = 2 * (fit.plain.log_likelihood - independent.log_likelihood)
    if float(chi2.sf(max(gain, 0.0), 1)) / 2 >= REVERSED:
        return None
    same = showings.yes[showings.first] == showings.yes[showings.second]
    n, n_same = showings.pair_weight.sum(), showings.pair_weight[same].sum()
    return (
        f"the passes agree on {n_same:.0f} of {n:.0f} pairs, fewer than without "
        "anything in common: are the responses of one pass reversed (keys swapped)?"
    )
