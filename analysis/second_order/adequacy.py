"""Is a fitted cascade enough? Its residuals against those of answers drawn from it.

Five marks of the residuals r = y - P tell what a cascade leaves over. Two are of the
second order, sum r (n n' of the noise that speaks for "yes", less that of the other):
its most extreme eigenvalue and its size. Three ask what else would explain them: powers
of the cascade's own response (a further nonlinearity), the response times the energy of
the field (a gain), the response times each element (a kernel that changes along the
response, as where filters are several). Response and energy are taken by their ranks,
so that no mark rests on a few extreme fields.

The marks count together, as Fisher's sum of log p, p being the share of the sets whose
mark is as large; and that sum is compared with the one of every set.
"""

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from ..trials.chance import CountedP, counted_p
from .cascade_fits import Choices, Fit, covariance, residual_matrices

POWERS = (1, 2, 3)
TINY = 1e-12


def adequacy(choices: Choices, fit: Fit, n_sets: int, seed: int) -> CountedP:
    """Return p of the marks together, against sets of answers drawn from the fit.

    What a refit to each set would take up is projected out of all residuals: to first
    order, that is the refit.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.random((n_sets, len(choices))) < fit.p
    residual = _refitted(fit, np.concatenate([choices.yes[None], drawn]) - fit.p)
    second = residual_matrices(choices, residual)
    in_sds = second / np.maximum(second.std(0), TINY)
    marks = np.stack(
        [
            np.abs(np.linalg.eigvalsh(second)).max(1),
            np.square(in_sds).sum((1, 2)),
            *(_score(residual @ choices.decision(c)) for c in _after(choices, fit)),
        ]
    )
    as_extreme = (marks[:, :, None] <= marks[:, None, :]).sum(2)  # (mark, set)
    together = -np.log(as_extreme).sum(0)
    at_least = together[1:] >= together[0] - TINY
    return counted_p(int(np.sum(at_least)), n_sets, "sets of answers")


def _refitted(
    fit: Fit, residual: Float[np.ndarray, " set trial"]
) -> Float[np.ndarray, " set trial"]:
    """Take out what one step of the fit would: J (J'WJ)^-1 J'W r."""
    weighted = fit.slopes / (fit.p * (1 - fit.p))[:, None]
    return residual - residual @ weighted @ covariance(fit) @ fit.slopes.T


def _after(choices: Choices, fit: Fit) -> list[Float[np.ndarray, " field column"]]:
    """Return what a curve, a gain and a turning kernel would add to the response."""
    x = choices.x
    response = _ranks(fit.family.response(x, fit.theta[: fit.n_family])[0])
    curve = np.stack([response**power for power in POWERS], 1)
    gain = response * _ranks(np.square(x).mean(1))
    turn = response[:, None] * (x - x.mean(0))
    return [curve, gain[:, None], turn]


def _ranks(values: Float[np.ndarray, " field"]) -> Float[np.ndarray, " field"]:
    """Return ranks from -1 to 1."""
    return 2 * (rankdata(values) - 0.5) / len(values) - 1


def _score(sums: Float[np.ndarray, " set column"]) -> Float[np.ndarray, " set"]:
    """Return the score statistic of columns, by the covariance of all sets.

    The observer's own is among them, else it alone would be held against a covariance
    that was made without it, and be larger than the others.
    """
    around = np.atleast_2d(sums.T @ sums) / len(sums)
    return np.einsum("sa,ab,sb->s", sums, np.linalg.pinv(around, hermitian=True), sums)
