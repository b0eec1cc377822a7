"""Is a fitted cascade enough? Its residuals against those of answers drawn from it.

Four marks of the residuals r = y - P: the most extreme eigenvalue, and the size, of
sum r (n n' of the noise that speaks for "yes", less that of the other), which is a
second order that the cascade leaves over; and how far powers of its own response would
explain them, or its product with the energy of the field, which tell of a further
nonlinearity and of a gain. The most telling counts, and is compared with the most
telling of every set of answers.
"""

import numpy as np
from jaxtyping import Float

from ..trials.chance import CountedP, counted_p
from .cascade_fits import Choices, Fit, covariance, residual_matrices

POWERS = (2, 3)
TINY = 1e-12


def adequacy(choices: Choices, fit: Fit, n_sets: int, seed: int) -> CountedP:
    """Return p of the most telling mark, against sets of answers drawn from the fit.

    What a refit to each set would take up is projected out of all residuals: to first
    order, that is the refit.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.random((n_sets, len(choices))) < fit.p
    residual = _refitted(fit, np.concatenate([choices.yes[None], drawn]) - fit.p)
    second = residual_matrices(choices, residual)
    in_sds = second / np.maximum(second[1:].std(0), TINY)
    curve, gain = _after(choices, fit)
    marks = np.stack(
        [
            np.abs(np.linalg.eigvalsh(second)).max(1),
            np.square(in_sds).sum((1, 2)),
            _score(residual @ choices.decision(curve)),
            _score(residual @ choices.decision(gain)),
        ]
    )
    as_extreme = (marks[:, :, None] <= marks[:, None, :]).sum(2)  # (mark, set)
    least = as_extreme.min(0)
    return counted_p(int(np.sum(least[1:] <= least[0])), n_sets, "sets of answers")


def _refitted(
    fit: Fit, residual: Float[np.ndarray, " set trial"]
) -> Float[np.ndarray, " set trial"]:
    """Take out what one step of the fit would: J (J'WJ)^-1 J'W r."""
    weighted = fit.slopes / (fit.p * (1 - fit.p))[:, None]
    return residual - residual @ weighted @ covariance(fit) @ fit.slopes.T


def _after(choices: Choices, fit: Fit) -> list[Float[np.ndarray, " field column"]]:
    """Return what a curve and a gain after the cascade would add to its response."""
    response = fit.family.response(choices.x, fit.theta[: fit.n_family])[0]
    scaled = (response - response.mean()) / max(float(response.std()), TINY)
    energy = np.square(choices.x).mean(1)
    curve = np.stack([scaled**power for power in POWERS], 1)
    return [curve, (scaled * energy)[:, None]]


def _score(sums: Float[np.ndarray, " set column"]) -> Float[np.ndarray, " set"]:
    """Return the score statistic of columns, by the covariance of the drawn sets."""
    around = np.atleast_2d(np.cov(sums[1:].T))
    return np.einsum("sa,ab,sb->s", sums, np.linalg.pinv(around, hermitian=True), sums)
