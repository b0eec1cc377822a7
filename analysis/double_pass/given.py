"""d', r and gamma of one fit of the likelihood: whatever its thresholds are given.

d' is the mean over trials of the difference that the target makes to the threshold at
their contrast (over root 2 in a forced choice), everything else in the thresholds held:
at one contrast it is d'. Its standard error is the delta method's with the expected
information of all that was fitted, pairs included: trials shown twice count less.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr

from ..trials.estimate import Estimate
from ..trials.responses import Responses
from ..trials.result import Result
from .consistency import (
    ConsistencyFit,
    LapseTerm,
    ShowingsFit,
    fit_consistency,
    maximise,
)
from .internal_noise import InternalNoise
from .showings import FEW_CONTRASTS, Showings, varied_cells
from .showings_numba import place
from .smooth_thresholds import from_share, why_no_share, why_reversed

ONE_CLASS = "no contrast has trials of both classes"
FEWEST_ERRORS = 0.5
NO_ERRORS = "a class without errors, but for lapses, leaves d' open above"


@dataclass(frozen=True)
class Given(Result):
    """d' and internal noise of a session under a condition that is named.

    Attributes
    ----------
    estimand
        What is held: such as "constant criterion".
    dprime
        Mean over the trials' contrasts.
    internal_noise
        From pairs and trials shown once.
    """

    estimand: str
    dprime: Estimate
    internal_noise: InternalNoise


def given(
    estimand: str,
    showings: Showings,
    own: Showings,
    responses: Responses,
    formula: str,
    lapse_rate: float | None = 0.0,
    lapses: LapseTerm | None = None,
) -> tuple[Given, ShowingsFit]:
    """Fit thresholds, and give d' and internal noise with the fit.

    Parameters
    ----------
    showings
        Of `responses`, with columns of whatever is held.
    own
        The same without these columns.
    formula
        The end of the estimates' names.
    lapse_rate, lapses
        As for `fit_consistency`.
    """
    if reason := why_no_share(responses):
        fit = maximise(showings, 0.0, lapse_rate, lapses)
        noise = InternalNoise.missing(formula, reason, len(responses.second_rows))
    else:
        few = showings.counted() if _is_shared(showings) else showings
        found = fit_consistency(few, lapse_rate, lapses)
        fit, noise = found.plain, noise_of(found, showings.n_pairs, formula)
        if reason := why_reversed(few, found):
            noise = InternalNoise.missing(formula, reason, showings.n_pairs)
    dprime = _dprime(showings, own, responses, fit, formula, lapse_rate is None)
    return Given(estimand, dprime, noise), fit


def _is_shared(showings: Showings) -> bool:
    """Whether many trials have the same threshold: whether counting them helps."""
    few = showings.base.shape[1] <= 4
    return few and len(np.unique(showings.log_contrast)) <= 8


def noise_of(found: ConsistencyFit, n_pairs: int, formula: str) -> InternalNoise:
    """Return r, cut to 0 to 1, and gamma where r tells it."""
    value, low, high = (
        float(np.clip(x, 0, 1)) for x in (found.r, found.low, found.high)
    )
    se = found.se if 0 < value < 1 else None
    r = Estimate(value, se, min(low, value), max(high, value), n_pairs, f"r-{formula}")
    return from_share(r, formula)


def _dprime(
    showings: Showings,
    own: Showings,
    responses: Responses,
    fit: ShowingsFit,
    formula: str,
    lapse_is_fitted: bool,
) -> Estimate:
    name = f"dprime-{formula}"
    weight = _of_target(responses)
    if weight is None:
        return Estimate.missing(name, ONE_CLASS, len(responses))
    threshold, slopes = _own_thresholds(showings, own.base.shape[1], fit.theta)
    if _is_without_error(responses, threshold):
        return Estimate.missing(name, NO_ERRORS, len(responses))
    value, slope = float(weight @ threshold), weight @ slopes
    k = len(slope)
    fitted = np.diag(fit.information) > 0
    fitted[k + 1] &= lapse_is_fitted
    known = np.flatnonzero(fitted)
    covariance = np.zeros_like(fit.information)
    covariance[np.ix_(known, known)] = np.linalg.pinv(
        fit.information[np.ix_(known, known)]
    )
    se = math.sqrt(max(float(slope @ covariance[:k, :k] @ slope), 0.0))
    return Estimate.normal(value, se, len(responses), name)


def _is_without_error(responses: Responses, threshold: np.ndarray) -> bool:
    """Whether a class with its own threshold had no error, or none but lapses."""
    if len(responses.contrasts) > FEW_CONTRASTS:
        return False
    if not varied_cells(responses).all():
        return True
    contrary = np.bincount(responses.cell, ndtr(-np.abs(threshold)))
    return bool(np.any(contrary[np.unique(responses.cell)] < FEWEST_ERRORS))


def _of_target(responses: Responses) -> Float[np.ndarray, " trial"] | None:
    """Weigh trials so that their thresholds add up to the mean d'; None without one."""
    cell = np.searchsorted(responses.contrasts, responses.contrast)
    n = np.zeros((len(responses.contrasts), 2))
    np.add.at(n, (cell, responses.target), 1)
    share = n.sum(1) * (n > 0).all(1)
    if not share.any():
        return None
    share = share / share.sum()
    sign = np.where(responses.target == 1, 1.0, -1.0)
    root = math.sqrt(2) if responses.is_forced_choice else 1.0
    return sign * share[cell] / n[cell, responses.target] / root


def _own_thresholds(
    showings: Showings, n_own: int, theta: Float[np.ndarray, " parameter"]
) -> tuple[Float[np.ndarray, " trial"], Float[np.ndarray, " trial parameter"]]:
    """Give the part of thresholds that stimuli make, and its derivatives by theta."""
    base = showings.base.copy()
    base[:, n_own:] = 0
    threshold, slopes = np.empty(len(base)), np.empty((len(base), len(theta)))
    place(base, showings.power, showings.log_contrast, theta, threshold, slopes)
    return threshold, slopes


def signal_of(
    responses: Responses, own: Showings, theta: Float[np.ndarray, " parameter"]
) -> Float[np.ndarray, " trial"] | None:
    """Return what the stimulus does to each threshold, over its mean: -+ d'(c) / d'.

    Parameters
    ----------
    own, theta
        The session's own thresholds, and their parameters.
    """
    weight = _of_target(responses)
    if weight is None:
        return None
    threshold, _ = _own_thresholds(own, own.base.shape[1], theta)
    signed = np.where(responses.target == 1, 0.5, -0.5)
    mean = float(weight @ threshold)
    effect = np.zeros(len(responses))
    for contrast in responses.contrasts:
        here = responses.contrast == contrast
        ends = [threshold[here & (responses.target == k)] for k in (0, 1)]
        if len(ends[0]) and len(ends[1]):
            effect[here] = ends[1].mean() - ends[0].mean()
    return signed * effect / mean if mean else signed
