"""The plain probit and least-squares fits of a kernel, over the engine of the house.

P(yes) = Phi(a_cell + beta . noise), one row a trial.

For a linear observer beta is the template in units of the internal noise [1]_. That
scale is infinite for an observer without internal noise, so kernels are given in
**decision SDs per noise SD**,

    k = s beta / sqrt(1 + beta' S beta),

s the SD and S the covariance of the noise as it was, about the means of the cells. With
white noise the squares of k add up to the share of the decision variable's variance
that is linear in the noise, at most 1. The least-squares fit, responses on noise with
one mean a cell, has the same direction and its slope is E[phi] k / s.

Both fits take care of correlated noise and of cells of unequal rates by themselves. A
penalty is the precision of a normal prior on s beta: with penalty c the loss is
-log likelihood + c |s beta|^2 / 2 (least squares: half the squared residuals).

References
----------
.. [1] Murray (2011), J. Vis. 11(5):2, eqs 24-29.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from yoked.analysis.probit.newton import Coordinates
from yoked.analysis.probit.trials import (
    check_penalty,
    influence,
    log_likelihood,
    solve,
    standardised,
)
from yoked.analysis.trials.counts import loglinear_rate
from yoked.analysis.trials.design import TrialDesign


def decision_units(
    beta: Float[np.ndarray, " element"], x: Float[np.ndarray, " trial element"]
) -> Float[np.ndarray, " element"]:
    """Return the kernel in decision SDs per noise SD that slopes on noise amount to."""
    predictor = (x @ beta.astype(x.dtype)).astype(np.float64)
    return beta / np.sqrt(1 + np.mean(predictor**2))


@dataclass(frozen=True, eq=False)
class ProbitFit:
    """The probit model of a session.

    Attributes
    ----------
    beta
        Slope for each element, in internal-noise SDs per unit of noise contrast.
    se
        Its standard error: sandwich, added up within noise fields that were shown
        twice. With a penalty it is that of the penalised estimate about its own mean.
    intercept
        Phi^-1 of P(yes) at the mean noise of each cell. Infinite in a cell where every
        response was one and there is no penalty; 0 in a cell without trials.
    log_likelihood
        Of the responses, in nats, without the penalty.
    """

    beta: Float[np.ndarray, " element"]
    se: Float[np.ndarray, " element"]
    intercept: Float[np.ndarray, " cell"]
    log_likelihood: float


def probit_vector(trials: TrialDesign, penalty: float) -> Float[np.ndarray, " element"]:
    """Return the ridge-penalised probit kernel, decision SDs per noise SD.

    Raises
    ------
    ValueError
        If `penalty` is 0 and the noise separates the responses.

    """
    x, _ = standardised(trials.noise, trials.cell)
    return decision_units(_beta(x, trials, penalty), x)


def ridge_vector(trials: TrialDesign, penalty: float) -> Float[np.ndarray, " element"]:
    """Return the ridge-regression kernel, decision SDs per noise SD.

    Responses, 0 or 1, are regressed on the noise, with a mean for each cell; the slope
    is divided by the mean of phi at the cells' rates. Without penalty it needs fewer
    elements than trials.

    """
    x, _ = standardised(trials.noise, trials.cell)
    n, p = x.shape
    check_penalty(penalty, n, p)
    size = np.maximum(np.bincount(trials.cell), 1)
    rate = np.bincount(trials.cell, trials.response) / size
    residual = (trials.response - rate[trials.cell]).astype(x.dtype)
    if p <= n:
        gram = (x.T @ x).astype(np.float64) + penalty * np.eye(p)
        slope = np.linalg.solve(gram, (residual @ x).astype(np.float64))
    else:
        gram = (x @ x.T).astype(np.float64) + penalty * np.eye(n)
        slope = x.T.astype(np.float64) @ np.linalg.solve(gram, residual)
    z = ndtri(loglinear_rate(rate * size, size))
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return slope / float(np.average(density, weights=np.bincount(trials.cell)))


def fit_probit(trials: TrialDesign, penalty: float = 0.0) -> ProbitFit:
    """Fit the probit model with a ridge penalty, or by maximum likelihood.

    Parameters
    ----------
    penalty
        Precision of the prior on beta x noise SD; 0 for maximum likelihood.

    Raises
    ------
    ValueError
        If the penalty is negative; or if it is 0 and the noise separates the responses,
        or has as many elements as there are trials.

    """
    x, scale = standardised(trials.noise, trials.cell)
    axes = Coordinates.of(x)
    responses, solution = solve(axes, trials, penalty)
    spread = influence(axes, responses, solution, penalty, trials.cluster) @ axes.back.T
    is_certain = responses.by_cell(np.ones(len(trials))) > responses.by_cell(
        responses.weight
    )
    certain = np.where(responses.by_cell(1.0 * trials.response) > 0, np.inf, -np.inf)
    return ProbitFit(
        beta=axes.back @ solution.theta / scale,
        se=np.sqrt((spread**2).sum(0)) / scale,
        intercept=np.where(is_certain, certain, solution.intercept),
        log_likelihood=log_likelihood(responses, solution),
    )


def _beta(
    x: np.ndarray, trials: TrialDesign, penalty: float
) -> Float[np.ndarray, " element"]:
    axes = Coordinates.of(x)
    return axes.back @ solve(axes, trials, penalty)[1].theta
