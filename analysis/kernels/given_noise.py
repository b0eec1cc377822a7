"""The linear share from single responses given their noise.

P("yes" | x) = Phi(m + b . x), the internal noise being normal, holds whatever the law
of the noise x is; it needs no normal decision variable. In noise SDs, with x white,

    linear share = |b|^2 / (1 + |b|^2).

b is fitted without a penalty, thresholds smooth in contrast as in `showings.py`. The
maximum is too long by O(p / n); the jackknife over 20 groups of noise fields [1]_ takes
that off and gives the standard error (19 degrees of freedom).

References
----------
.. [1] Quenouille (1956), Biometrika 43, 353-360; Tukey (1958), Ann. Math. Stat. 29,
   614.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtr
from scipy.stats import t as student

from ..double_pass.consistency import maximise
from ..double_pass.showings import Showings
from ..probit.newton import log_likelihoods, slopes
from ..probit.trials import SEPARABLE
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.resample import folds

GROUPS = 20
MOST_PER_TRIAL = 0.1  # elements per trial, beyond which the jackknife is too short
MOST_WORK = 2e8  # trials x elements^2
LITTLE = 1e-3  # precision of a prior on b: a fit exists, and is moved by nothing else
T95 = float(student.ppf(0.975, GROUPS - 1))
FAR = 50.0
NEAR_CERTAIN = 2.5  # of a predictor, SDs of the internal noise
SHORT = 0.4  # a share below which nothing is certain


@dataclass(frozen=True, eq=False)
class GivenNoise:
    """The probit fit of single responses given their noise, in internal-noise SDs.

    Attributes
    ----------
    slope, se
        b per SD of the noise, and its standard errors.
    predictor
        m + b . x of every trial.
    columns
        Of the thresholds.
    share, groups
        |b|^2 / (1 + |b|^2) of all trials; and without each group of fields.
    influence
        What each noise field, by rising cluster, adds to the share.
    loose, loose_near
        Standard error of log |b|, above .5 nothing is known of the length; and what it
        would be without the trials beyond 2.5 SD.
    contrary
        Responses that are expected against the predictor on those trials.
    """

    slope: Float[np.ndarray, " element"]
    se: Float[np.ndarray, " element"]
    predictor: Float[np.ndarray, " trial"]
    columns: Float[np.ndarray, " trial column"]
    share: float
    groups: Float[np.ndarray, " group"]
    influence: Float[np.ndarray, " field"]
    loose: float
    loose_near: float
    contrary: float

    def estimate(self, formula: str, n: int) -> Estimate:
        """Return the share about its jackknife centre, with its interval."""
        value = GROUPS * self.share - (GROUPS - 1) * float(self.groups.mean())
        se = math.sqrt((GROUPS - 1) * float(np.var(self.groups)))
        return Estimate(value, se, value - T95 * se, value + T95 * se, n, formula)


def threshold_columns(showings: Showings) -> Float[np.ndarray, " trial column"]:
    """Return the thresholds' columns, a power of contrast straightened at its fit."""
    if not showings.power.shape[1]:
        return showings.base
    theta = maximise(showings.counted(), r=0.0).theta
    n = showings.base.shape[1]
    power = (
        showings.power * np.exp(math.exp(theta[-1]) * showings.log_contrast)[:, None]
    )
    bend = (power @ theta[n:-1]) * showings.log_contrast
    columns = np.column_stack([showings.base, power, bend])
    return columns / np.maximum(np.abs(columns).max(0), 1e-12)


def why_not_by_trials(trials: TrialDesign) -> str | None:
    """Return why an unpenalised fit of single responses is not to be had, or None."""
    n, p = trials.noise.shape
    if p > MOST_PER_TRIAL * n:
        return f"trials must be ten for each of {p} elements, got {n}"
    if n * p**2 > MOST_WORK:
        return f"trials x elements^2 must be at most {MOST_WORK:.0e}, got {n} and {p}"
    return None


def given_noise(
    trials: TrialDesign,
    columns: Float[np.ndarray, " trial column"],
    sd: float,
    seed: int = 0,
) -> GivenNoise:
    """Fit single responses given their noise.

    Parameters
    ----------
    columns
        Of the thresholds, from `threshold_columns`.
    sd
        Of the noise.
    seed
        Of the split into groups.

    Raises
    ------
    CannotTell
        If the noise separates the responses.
    """
    k = columns.shape[1]
    x = np.hstack([columns, trials.noise.astype(np.float64) / sd])
    precision = np.where(np.arange(x.shape[1]) < k, 1e-6, LITTLE)
    yes = trials.response
    theta = newton(x, yes, precision)
    predictor = x @ theta
    if np.all((predictor > 0) == yes) or np.abs(predictor).max() > FAR * 4:
        raise CannotTell(
            f"{SEPARABLE}, got {len(x)} trials of {x.shape[1] - k} elements"
        )
    group = folds(trials.cluster, trials.cell, GROUPS, np.random.default_rng(seed))
    parts = jackknifed(x, yes, precision, theta, group)
    slope, curvature = slopes(predictor, yes)
    hessian = (x * curvature[:, None]).T @ x + np.diag(precision)
    near = np.abs(predictor) <= NEAR_CERTAIN
    of_near = (x[near] * curvature[near, None]).T @ x[near] + np.diag(precision)
    inverse = np.linalg.inv(hessian)
    moved = (x * slope[:, None]) @ inverse[:, k:]
    b = theta[k:]
    by_share = 2 * b / (1 + b @ b) ** 2
    return GivenNoise(
        slope=b,
        se=np.sqrt(np.diag(inverse)[k:]),
        predictor=predictor,
        columns=columns,
        share=share_of(b),
        groups=np.array([share_of(part[k:]) for part in parts]),
        influence=trials.by_field(moved @ by_share),
        loose=_loose(b, inverse[k:, k:]),
        loose_near=_loose(b, np.linalg.inv(of_near)[k:, k:]),
        contrary=float(ndtr(-np.abs(predictor[~near])).sum()),
    )


def _loose(b: np.ndarray, covariance: np.ndarray) -> float:
    """Return the standard error of log |b|; 0 of a short kernel: it does not matter."""
    if share_of(b) < SHORT:
        return 0.0
    return math.sqrt(max(float(b @ covariance @ b), 0.0)) / float(b @ b)


def share_of(b: Float[np.ndarray, " element"]) -> float:
    """Return |b|^2 / (1 + |b|^2)."""
    length = float(b @ b)
    return length / (1 + length)


def newton(
    x: Float[np.ndarray, " trial column"],
    yes: Bool[np.ndarray, " trial"],
    precision: Float[np.ndarray, " column"],
    start: Float[np.ndarray, " column"] | None = None,
    max_steps: int = 40,
) -> Float[np.ndarray, " column"]:
    """Return the maximum of a probit likelihood under a normal prior."""
    theta = np.zeros(x.shape[1]) if start is None else start.copy()
    predictor = x @ theta

    def loss_at(theta: np.ndarray, predictor: np.ndarray) -> float:
        penalty = float(precision @ theta**2) / 2
        return penalty - float(log_likelihoods(predictor, yes).sum())

    loss = loss_at(theta, predictor)
    for _ in range(max_steps):
        slope, curvature = slopes(predictor, yes)
        gradient = slope @ x - precision * theta
        hessian = (x * curvature[:, None]).T @ x + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        promised = float(gradient @ step)
        for _ in range(30):
            new = theta + step
            new_predictor = x @ new
            new_loss = loss_at(new, new_predictor)
            if new_loss <= loss + 1e-10:
                break
            step = step / 2
        else:
            break
        theta, predictor, loss = new, new_predictor, new_loss
        if promised < 1e-8 or np.abs(predictor).max() > 4 * FAR:
            break
    return theta


def jackknifed(
    x: Float[np.ndarray, " trial column"],
    yes: Bool[np.ndarray, " trial"],
    precision: Float[np.ndarray, " column"],
    theta: Float[np.ndarray, " column"],
    group: np.ndarray,
) -> Float[np.ndarray, " group column"]:
    """Return the maximum without each group of trials, from that of all.

    A Newton step from the sums of all trials less the group's, then from where that
    leads until nothing moves: two or three steps.
    """
    slope, curvature = slopes(x @ theta, yes)
    prior = np.diag(precision)
    hessian = (x * curvature[:, None]).T @ x + prior
    gradient = slope @ x - precision * theta
    found = []
    for number in range(GROUPS):
        out = group == number
        z = x[out]
        less = hessian - (z * curvature[out][:, None]).T @ z
        near = theta + np.linalg.solve(less, gradient - slope[out] @ z)
        kept = ~out
        found.append(newton(x[kept], yes[kept], precision, near, max_steps=4))
    return np.array(found)
