"""Receiver operating characteristics: from ratings, confidence or decision variables.

A rating r of R categories says "signal" more surely the larger it is; every boundary
between two categories is a criterion of its own, and gives a point (F, H). Two
measures of area do not share their assumptions:

    `auc`         trapezoids through the points, P(signal rated above noise) + ties / 2;
                  SE by DeLong, DeLong & Clarke-Pearson [1]_
    `auc_normal`  Phi(d_a / sqrt 2) of two normal distributions of unequal variance,
                  fitted by maximum likelihood [2]_

In z coordinates that model is the line z(H) = a + s z(F): the noise distribution is
standard normal, the signal's has SD 1 / s and mean a / s, and

    d_a = a sqrt(2 / (1 + s^2)) [3]_

With s = 1 d_a is d', and the area is the proportion correct of the same observer in
2AFC, Phi(d' / sqrt 2) (the area theorem [3]_).

References
----------
.. [1] DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.
.. [2] Dorfman & Alf (1969), J. Math. Psychol. 6, 487-496.
.. [3] Green & Swets (1966), Signal Detection Theory and Psychophysics; Simpson & Fitter
   (1973), Psychol. Bull. 80, 481-488 (d_a).
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr
from scipy.stats import rankdata

from ..trials.counts import loglinear_rate
from ..trials.estimate import Z95, CannotTell, Estimate, mapped
from ..trials.held import as_responses
from ..trials.proportion import wilson_interval
from ..trials.responses import Responses, SessionLike, design_effect
from ..trials.result import Result
from .roc_normal import SHOWN_TWICE, fit_unequal_variance

AUC = "auc-trapezoid-delong/1"
AUC_NORMAL = "auc-unequal-variance-ml/1"
SEPARATE = "every signal trial is on one side of every noise-only trial"


@dataclass(frozen=True, eq=False)
class Roc(Result):
    """A receiver operating characteristic and its measures.

    Attributes
    ----------
    counts
        Trials by class (0 noise-only, 1 signal) and rating.
    false_alarm_rate, hit_rate
        Of responses at or above each category from the highest to the second lowest,
        log-linear corrected: (count + .5) / (n + 1). Both rise.
    auc
        Area under the trapezoids through the uncorrected points; .5 is chance.
    auc_normal, d_a, slope
        Of the normal model: area, sensitivity in units of the root mean square of the
        two SDs, and s, the ratio of the noise's to the signal's SD.
    criteria
        Boundary below each category from the second up, in SDs of the noise-only
        distribution from its mean.
    fit_p
        Probability of a worse fit of the normal model, where there are categories
        enough to test it (more than three), else None.
    """

    counts: Int[np.ndarray, " 2 category"]
    false_alarm_rate: Float[np.ndarray, " criterion"]
    hit_rate: Float[np.ndarray, " criterion"]
    auc: Estimate
    auc_normal: Estimate
    d_a: Estimate
    slope: Estimate
    criteria: tuple[Estimate, ...]
    fit_p: float | None


def roc_from_ratings(
    ratings: Int[np.ndarray, " trial"],
    target: Int[np.ndarray, " trial"],
    n_responses: int,
    cluster: Int[np.ndarray, " trial"] | None = None,
) -> Roc:
    """Estimate the ROC of a rating task, or of a yes/no task as one of two ratings.

    Parameters
    ----------
    ratings
        From 0, the surest "noise", to n_responses - 1, the surest "signal".
    target
        Class of the trial, 1 = signal.
    cluster
        Number of the noise field, for standard errors that allow for trials shown
        twice; None if every trial had its own.

    Returns
    -------
    Roc
        With fewer than three categories in use the normal model's estimates are
        missing and say why.

    Raises
    ------
    ValueError
        If a rating or target is out of range, or a class has no trials.

    Examples
    --------
    >>> counts = [[174, 172, 104, 92, 41, 8], [46, 57, 66, 101, 154, 173]]
    >>> ratings = np.concatenate([np.repeat(np.arange(6), row) for row in counts])
    >>> target = np.repeat([0, 1], [sum(row) for row in counts])
    >>> made = roc_from_ratings(ratings, target, n_responses=6)
    >>> print(made.d_a)
    1.239 SE 0.067 [1.108, 1.369] n=1188 (d_a-unequal-variance-ml/1)
    """
    _check(ratings, target, n_responses)
    if cluster is None:
        cluster = np.arange(len(target))
    counts = np.stack(
        [np.bincount(ratings[target == k], minlength=n_responses) for k in (0, 1)]
    )
    above = counts[:, ::-1].cumsum(1)[:, :-1]
    rates = loglinear_rate(above, counts.sum(1, keepdims=True))
    model = fit_unequal_variance(counts, ratings, target, cluster)
    return Roc(
        counts=counts,
        false_alarm_rate=rates[0],
        hit_rate=rates[1],
        auc=auc(ratings, target, cluster),
        auc_normal=mapped(model.d_a, _area, AUC_NORMAL, _area_slope(model.d_a)),
        d_a=model.d_a,
        slope=model.slope,
        criteria=model.criteria,
        fit_p=model.fit_p,
    )


def auc(
    values: Float[np.ndarray, " trial"] | Int[np.ndarray, " trial"],
    target: Int[np.ndarray, " trial"],
    cluster: Int[np.ndarray, " trial"] | None = None,
) -> Estimate:
    """Estimate the area under the ROC of ratings, confidence or decision variables.

    Parameters
    ----------
    values
        Larger for more evidence of the signal; only their order counts.

    Returns
    -------
    Estimate
        The interval is symmetric in log odds, so it stays within 0 to 1. At an area of
        0 or 1 the SE is undefined, and the interval Wilson's of as many trials as the
        smaller class has.

    Raises
    ------
    ValueError
        If a class has no trials, or a target is not 0 or 1.

    Examples
    --------
    >>> auc(np.array([0.2, 1.4, 0.9, 2.2]), np.array([0, 0, 1, 1])).value
    0.75
    """
    _check_classes(target)
    n = [int((target == k).sum()) for k in (0, 1)]
    placement = _placements(np.asarray(values, np.float64), target)
    area = float(placement[target == 1].mean())
    if area in (0.0, 1.0):
        limits = wilson_interval(area, min(n))
        return Estimate(area, None, *limits, len(target), AUC, SEPARATE)
    cluster = np.arange(len(target)) if cluster is None else cluster
    effect = design_effect(placement, target, cluster)
    # One trial of a class alone has no spread of its own: the binomial bound stands in.
    spread = [
        np.var(placement[target == k], ddof=1) if n[k] > 1 else area * (1 - area)
        for k in (0, 1)
    ]
    se = math.sqrt(effect * (spread[0] / n[0] + spread[1] / n[1]))
    centre, half = math.log(area / (1 - area)), Z95 * se / (area * (1 - area))
    low, high = (1 / (1 + math.exp(-x)) for x in (centre - half, centre + half))
    note = SHOWN_TWICE if effect > 1 else None
    return Estimate(area, se, low, high, len(target), AUC, note)


def roc(source: SessionLike | Responses) -> Roc:
    """Estimate the ROC of a session of a rating or yes/no task.

    Trials of all contrasts are pooled.

    Raises
    ------
    ValueError
        If the task is a forced choice, which has no signal and noise-only trials.

    Examples
    --------
    >>> import yoked
    >>> observer = yoked.load_observer("template")
    >>> protocol = yoked.load_protocol("bar-polarity")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300)
    >>> made = roc(session)
    >>> made.counts.shape, made.auc.value > 0.5
    ((2, 2), True)
    """
    responses = as_responses(source)
    if responses.is_forced_choice or responses.task == "identify":
        rule = "rating or yes_no for a ROC"
        raise CannotTell(f"task must be {rule}, got {responses.task!r}")
    responses.require_target()
    ratings = responses.response
    if responses.task == "rating":
        ratings = responses.table["response"].to_numpy(np.int64)
    n_responses, cluster = responses.n_responses, responses.cluster
    return roc_from_ratings(ratings, responses.target, n_responses, cluster)


def _check(ratings: np.ndarray, target: np.ndarray, n_responses: int) -> None:
    if n_responses < 2:
        raise ValueError(f"n_responses must be >= 2, got {n_responses}")
    wrong = ratings[(ratings < 0) | (ratings >= n_responses)]
    if wrong.size:
        raise ValueError(f"ratings must be in 0 to {n_responses - 1}, got {wrong[0]}")
    _check_classes(target)


def _check_classes(target: np.ndarray) -> None:
    wrong = target[(target != 0) & (target != 1)]
    if wrong.size:
        raise ValueError(f"target must be 0 or 1, got {wrong[0]}")
    n = [int((target == k).sum()) for k in (0, 1)]
    if not all(n):
        rule = "there in both classes for a ROC"
        raise CannotTell(f"trials must be {rule}, got {n[1]} signal and {n[0]} noise")


def _placements(
    values: Float[np.ndarray, " trial"], target: Int[np.ndarray, " trial"]
) -> Float[np.ndarray, " trial"]:
    """Share of the other class that each trial is on the right side of; ties half."""
    overall = rankdata(values)
    placement = np.empty(len(values))
    for k in (0, 1):
        own = target == k
        # Rank among all less rank among its own: how many of the others are below.
        below = overall[own] - rankdata(values[own])
        share = below / (~own).sum()
        placement[own] = share if k == 1 else 1 - share
    return placement


def _area(d: float) -> float:
    return float(ndtr(d / math.sqrt(2)))


def _area_slope(d: Estimate) -> float | None:
    if d.value is None or not math.isfinite(d.value):
        return None
    return math.exp(-(d.value**2) / 4) / math.sqrt(2 * math.pi) / math.sqrt(2)
