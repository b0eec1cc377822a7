"""The probit of single responses given the noise, without penalty, and its jackknife.

P("yes" | x) = Phi(a + b . x) with x the noise in SDs holds for a linear observer in
noise of any law, since only the internal noise is left to be normal. The share of the
decision variance that is linear in the noise is then

    |b|^2 / (1 + |b|^2).

It is biased by about p / n, which the jackknife over groups of noise fields takes away.
Intercepts are smooth in contrast, as the thresholds of a double pass are.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import log_ndtr

from ..trials.estimate import CannotTell

GROUPS = 20
CERTAIN, MOSTLY = 3.0, 0.4  # internal-noise SDs; share of a class's trials
_STEPS, _HALVINGS, _ENOUGH, _MOST = 40, 20, 1e-7, 40.0
TOO_CERTAIN = (
    "answers are certain at one of the noise's few levels, so that the slope has no "
    "upper end"
)


@dataclass(frozen=True, eq=False)
class GivenNoise:
    """The fit to all trials, and to all but each group.

    Attributes
    ----------
    slope, se
        b and its standard error, per noise SD, in internal-noise SDs.
    share, share_se
        |b|^2 / (1 + |b|^2) with its bias taken away, and its standard error.
    predictor
        a + b . x.
    kernel_part
        b . x.
    """

    slope: Float[np.ndarray, " element"]
    se: Float[np.ndarray, " element"]
    share: float
    share_se: float
    predictor: Float[np.ndarray, " trial"]
    kernel_part: Float[np.ndarray, " trial"]

    def is_certain(self, cell: Int[np.ndarray, " trial"]) -> bool:
        """Whether in some class most responses could not have been others."""
        sure = np.abs(self.predictor) > CERTAIN
        share = np.bincount(cell, sure) / np.maximum(np.bincount(cell), 1)
        return bool(share.max() > MOSTLY)


def fit_given_noise(
    x: Float[np.ndarray, " trial element"],
    intercepts: Float[np.ndarray, " trial column"],
    yes: Bool[np.ndarray, " trial"],
    cluster: Int[np.ndarray, " trial"],
    seed: int = 0,
) -> GivenNoise:
    """Fit the probit of responses given the noise, and jackknife its share.

    Parameters
    ----------
    x
        Noise that speaks for "yes", in SDs about the mean of its class.
    intercepts
        What a is made of.
    cluster
        Number of the noise field; its showings stay together.

    Raises
    ------
    CannotTell
        If the noise separates the responses.
    """
    design, q = np.hstack([intercepts, x]).astype(np.float64), intercepts.shape[1]
    every = np.ones(len(yes))
    theta, information = newton(design, yes, every)
    covariance = np.linalg.pinv(information)
    fields, number = np.unique(cluster, return_inverse=True)
    group = np.random.default_rng(seed).permutation(len(fields)) % GROUPS
    shares = np.array(
        [
            _share(newton(design, yes, every * (group[number] != g), theta)[0][q:])
            for g in range(GROUPS)
        ]
    )
    value = GROUPS * _share(theta[q:]) - (GROUPS - 1) * shares.mean()
    spread = np.sqrt((GROUPS - 1) / GROUPS * ((shares - shares.mean()) ** 2).sum())
    kernel_part = x @ theta[q:]
    return GivenNoise(
        slope=theta[q:],
        se=np.sqrt(np.diag(covariance)[q:]),
        share=float(value),
        share_se=float(spread),
        predictor=design @ theta,
        kernel_part=kernel_part,
    )


def _share(slope: np.ndarray) -> float:
    energy = float(slope @ slope)
    return energy / (1 + energy)


def newton(
    design: Float[np.ndarray, " trial column"],
    yes: Bool[np.ndarray, " trial"],
    weight: Float[np.ndarray, " trial"],
    start: Float[np.ndarray, " column"] | None = None,
    ridge: float = 0.0,
) -> tuple[Float[np.ndarray, " column"], Float[np.ndarray, " column column"]]:
    """Return the probit's coefficients and their information.

    Raises
    ------
    CannotTell
        If there is no finite fit.
    """
    sign = np.where(yes, 1.0, -1.0)

    def value(theta: np.ndarray) -> float:
        inside = weight @ log_ndtr(sign * (design @ theta))
        return float(inside) - ridge / 2 * float(theta @ theta)

    theta = np.zeros(design.shape[1]) if start is None else start.copy()
    now = value(theta)
    for _ in range(_STEPS):
        margin = sign * (design @ theta)
        if np.abs(margin).max() > _MOST:
            break
        ratio = np.exp(-(margin**2) / 2 - log_ndtr(margin)) / np.sqrt(2 * np.pi)
        score = design.T @ (weight * sign * ratio) - ridge * theta
        bend = weight * ratio * (margin + ratio)
        information = (design * bend[:, None]).T @ design
        information[np.diag_indices_from(information)] += ridge + 1e-9
        step = np.linalg.solve(information, score)
        if step @ score < _ENOUGH:
            return theta, information
        for _ in range(_HALVINGS):
            if (after := value(theta + step)) >= now - 1e-10:
                theta, now = theta + step, after
                break
            step = step / 2
        else:
            return theta, information
    raise CannotTell(TOO_CERTAIN)
