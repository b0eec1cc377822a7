"""The normal model of a rating ROC, variances unequal, by maximum likelihood [1]_.

P(rating at or above boundary j) is Phi(-c_j) without the signal and Phi(a - s c_j) with
it. Fisher scoring; standard errors from the expected information, or, where trials were
shown twice, from the scores summed within each noise field (the sandwich).

References
----------
.. [1] Dorfman & Alf (1969), J. Math. Psychol. 6, 487-496; Ogilvie & Creelman (1968),
   J. Math. Psychol. 5, 377-391.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, ndtri
from scipy.stats import chi2

from ..trials.counts import loglinear_rate
from ..trials.estimate import Z95, Estimate

D_A = "d_a-unequal-variance-ml/1"
SLOPE = "roc-slope-ml/1"
CRITERION = "rating-criterion-ml/1"
SHOWN_TWICE = "SE allows for trials shown twice"
MAX_STEPS = 100


@dataclass(frozen=True)
class UnequalVariance:
    """The fitted model; `fit_p` is the p value of its G^2, None without a df."""

    d_a: Estimate
    slope: Estimate
    criteria: tuple[Estimate, ...]
    fit_p: float | None


def fit_unequal_variance(
    counts: Int[np.ndarray, " 2 category"],
    ratings: Int[np.ndarray, " trial"],
    target: Int[np.ndarray, " trial"],
    cluster: Int[np.ndarray, " trial"],
) -> UnequalVariance:
    """Fit the unequal-variance normal model to rating counts.

    Categories that were never used are left out: of the boundaries around them one is
    estimated, the others are missing.

    Returns
    -------
    UnequalVariance
        Missing, with the reason, where fewer than three categories are in use or the
        likelihood has no maximum inside (as without any overlap of the classes).
    """
    used = np.flatnonzero(counts.sum(0))
    n, n_categories = int(counts.sum()), counts.shape[1]
    if len(used) < 3:
        reason = f"{len(used)} categories in use: unequal variance needs three or more"
        return _missing(reason, n, n_categories)
    data = counts[:, used].astype(np.float64)
    theta = _maximum(data)
    if theta is None:
        reason = "the likelihood has no maximum: the classes hardly overlap"
        return _missing(reason, n, n_categories)
    covariance = np.linalg.inv(_information(theta, data.sum(1)))
    note = None
    if len(np.unique(cluster)) < len(cluster):
        category = np.searchsorted(used, ratings)
        covariance = _sandwich(theta, data, category, target, cluster, covariance)
        note = SHOWN_TWICE
    return _estimates(theta, covariance, data, used, n_categories, note)


def _missing(reason: str, n: int, n_categories: int) -> UnequalVariance:
    d_a, slope, criterion = (
        Estimate.missing(formula, reason, n) for formula in (D_A, SLOPE, CRITERION)
    )
    return UnequalVariance(d_a, slope, (criterion,) * (n_categories - 1), None)


def _estimates(
    theta: np.ndarray,
    covariance: np.ndarray,
    data: np.ndarray,
    used: np.ndarray,
    n_categories: int,
    note: str | None,
) -> UnequalVariance:
    """Carry (a, s, criteria) and their covariance into named estimates."""
    a, s, n = float(theta[0]), float(theta[1]), int(data.sum())
    root = math.sqrt(2 / (1 + s**2))
    gradient = np.array([root, -a * s * root / (1 + s**2)])
    se = math.sqrt(gradient @ covariance[:2, :2] @ gradient)
    d_a = Estimate.normal(a * root, se, n, D_A, note)
    se_s = math.sqrt(covariance[1, 1])
    factor = math.exp(Z95 * se_s / s)  # symmetric on the log scale: s is a ratio of SDs
    slope = Estimate(s, se_s, s / factor, s * factor, n, SLOPE, note)
    criteria = [
        Estimate.missing(CRITERION, f"no response was {r}", n)
        for r in range(1, n_categories)
    ]
    for j, boundary in enumerate(used[1:]):
        se_c = math.sqrt(covariance[2 + j, 2 + j])
        criteria[boundary - 1] = Estimate.normal(theta[2 + j], se_c, n, CRITERION, note)
    return UnequalVariance(d_a, slope, tuple(criteria), _fit_p(theta, data))


def _fit_p(theta: np.ndarray, data: np.ndarray) -> float | None:
    df = 2 * (data.shape[1] - 1) - len(theta)
    if df <= 0:
        return None
    share = data / data.sum(1, keepdims=True)
    chance = _probabilities(theta)[0]
    seen = data > 0
    deviance = 2 * float((data[seen] * np.log(share[seen] / chance[seen])).sum())
    return float(chi2.sf(deviance, df))


def _maximum(data: np.ndarray) -> Float[np.ndarray, " parameter"] | None:
    """(a, s, criteria) at the maximum by Fisher scoring, or None without one."""
    theta, n = _start(data), data.sum(1)
    now = _log_likelihood(theta, data)
    for _ in range(MAX_STEPS):
        gradient, information = _score(theta, data), _information(theta, n)
        if not np.all(np.isfinite(information)) or np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, gradient)
        if float(gradient @ step) < 1e-10:
            return theta
        theta, now, moved = _uphill(theta, step, now, data)
        if not moved:
            return theta if float(gradient @ step) < 1e-6 else None
    return None


def _uphill(
    theta: np.ndarray, step: np.ndarray, now: float, data: np.ndarray
) -> tuple[np.ndarray, float, bool]:
    for _ in range(30):
        proposed = theta + step
        valid = proposed[1] > 0 and np.all(np.diff(proposed[2:]) > 0)
        if valid and (reached := _log_likelihood(proposed, data)) > now:
            return proposed, reached, True
        step = step / 2
    return theta, now, False


def _start(data: np.ndarray) -> Float[np.ndarray, " parameter"]:
    """A line through the log-linear corrected points in z coordinates."""
    above = data[:, ::-1].cumsum(1)[:, ::-1][:, 1:]
    z_f, z_h = ndtri(loglinear_rate(above, data.sum(1, keepdims=True)))
    # Corrected rates fall strictly, except where a category is empty in the noise.
    criteria = np.maximum.accumulate(-z_f + 1e-3 * np.arange(len(z_f)))
    spread = np.std(z_f) or 1.0
    s = min(max(float(np.std(z_h) / spread), 0.3), 3.0)
    return np.concatenate([[float(np.mean(z_h) - s * np.mean(z_f)), s], criteria])


def _probabilities(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chance (class, category), and its derivative (class, category, parameter)."""
    a, s, c = theta[0], theta[1], theta[2:]
    n_c = len(c)
    edge = np.stack([c, s * c - a])  # (class, boundary), below which lies Phi(edge)
    density = np.exp(-(edge**2) / 2) / math.sqrt(2 * math.pi)
    slope = np.zeros((2, n_c, 2 + n_c))
    slope[1, :, 0], slope[1, :, 1] = -density[1], c * density[1]
    slope[0, np.arange(n_c), 2 + np.arange(n_c)] = density[0]
    slope[1, np.arange(n_c), 2 + np.arange(n_c)] = s * density[1]
    below = np.pad(ndtr(edge), ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
    slope = np.pad(slope, ((0, 0), (1, 1), (0, 0)))
    return np.maximum(np.diff(below, axis=1), 1e-300), np.diff(slope, axis=1)


def _log_likelihood(theta: np.ndarray, data: np.ndarray) -> float:
    return float((data * np.log(_probabilities(theta)[0])).sum())


def _score(theta: np.ndarray, data: np.ndarray) -> Float[np.ndarray, " parameter"]:
    chance, slope = _probabilities(theta)
    return np.einsum("kj,kjp->p", data / chance, slope)


def _information(
    theta: np.ndarray, n: np.ndarray
) -> Float[np.ndarray, " parameter parameter"]:
    chance, slope = _probabilities(theta)
    return np.einsum("kj,kjp,kjq->pq", n[:, None] / chance, slope, slope)


def _sandwich(
    theta: np.ndarray,
    data: np.ndarray,
    category: np.ndarray,
    target: np.ndarray,
    cluster: np.ndarray,
    covariance: np.ndarray,
) -> Float[np.ndarray, " parameter parameter"]:
    """Covariance from scores that are summed within each noise field."""
    chance, slope = _probabilities(theta)
    scores = (slope / chance[..., None])[target, category]
    together = np.zeros((int(cluster.max()) + 1, len(theta)))
    np.add.at(together, cluster, scores)
    return covariance @ (together.T @ together) @ covariance
