"""Is the internal noise normal: the link tested on held-out predictions.

In a probit model a response depends on a predictor eta by Phi(eta). Predictions of
responses that the fit did not see are put in as a straight line, and then with their
squares and cubes besides; thresholds by class in both. Without a bend the likelihood
ratio is chi-squared on 2 degrees of freedom.

That is the kind of test of a link [1]_, [2]_. Lapses, internal noise with heavy
tails, and a compressive transducer before the noise bend the line. Choices alone can
say no more than that: a monotone transducer with all noise before it leaves them as
they were.

References
----------
.. [1] Pregibon (1980), Appl. Stat. 29, 15-24.
.. [2] Ramsey (1969), J. R. Stat. Soc. B 31, 350-371.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2

from ..probit.newton import BinaryResponses, Coordinates, fit, log_likelihoods
from ..trials.design import TrialDesign
from ..trials.resample import folds
from ..trials.result import Result
from ..trials.score import score
from .given_noise import newton

LINK = "link-held-out-powers/1"
FOLDS = 5
LARGE = 2_000_000  # noise elements, from which on predictions are weighted sums
FREE = 30.0  # by which thresholds' columns are multiplied: next to no penalty on them


@dataclass(frozen=True)
class LinkTest(Result):
    """A test of the normal internal noise.

    Attributes
    ----------
    statistic
        Twice the gain in log likelihood of squares and cubes of the predictor.
    df
        2.
    p
        Chance of a larger one under normal internal noise.
    formula
        Name and version.
    """

    statistic: float
    df: int
    p: float
    formula: str = LINK


def link_test(
    trials: TrialDesign,
    columns: Float[np.ndarray, " trial column"],
    sd: float,
    share: float,
    seed: int = 0,
) -> LinkTest:
    """Test the link by held-out predictions.

    Parameters
    ----------
    columns
        Of the thresholds.
    sd
        Of the noise.
    share
        About the linear share: it sets the penalty of the predictions.
    """
    predict = held_out if trials.noise.size <= LARGE else held_out_by_score
    eta = predict(trials, columns, sd, share, seed)
    spread = float(np.std(eta)) or 1.0
    z = np.clip((eta - eta.mean()) / spread, -4, 4)
    smaller = np.column_stack([columns, z])
    larger = np.column_stack([smaller, z**2, z**3])
    values = [_log_likelihood(trials, x) for x in (smaller, larger)]
    statistic = max(2 * (values[1] - values[0]), 0.0)
    return LinkTest(statistic, 2, float(chi2.sf(statistic, 2)))


def held_out(
    trials: TrialDesign,
    columns: Float[np.ndarray, " trial column"],
    sd: float,
    share: float,
    seed: int,
) -> Float[np.ndarray, " trial"]:
    """Return each response's predictor from the other four fifths of the fields."""
    share = min(max(share, 0.05), 0.95)
    p, k = trials.noise.shape[1], columns.shape[1]
    # Ridge regression whose prior has the length that the share says.
    penalty = p * (1 - share) / share
    kind = np.float32 if trials.noise.size > 500_000 else np.float64
    x = np.hstack([FREE * columns, trials.noise / sd]).astype(kind)
    axes = Coordinates(x, np.eye(k + p))
    fold = folds(trials.cluster, trials.cell, FOLDS, np.random.default_rng(seed))
    eta = np.empty(len(x))
    together = np.zeros(len(x), np.int64)
    start = None
    for number in range(FOLDS):
        out = fold == number
        responses = BinaryResponses(trials.response, together, (~out).astype(float))
        start = fit(axes, responses, penalty, start)
        eta[out] = start.predictor[out]
    return eta


def held_out_by_score(
    trials: TrialDesign,
    columns: Float[np.ndarray, " trial column"],
    sd: float,
    share: float,
    seed: int,
) -> Float[np.ndarray, " trial"]:
    """Return the same from weighted sums of the noise: two products in all.

    A kernel of thousands of weights predicts worse so, but its predictions are held
    out, and that is all the test needs.
    """
    found, noise = score(trials), trials.noise
    share = min(max(share, 0.05), 0.95)
    scale = 1 / (sd * sd * found.information * math.sqrt(1 - share))
    fold = folds(trials.cluster, trials.cell, FOLDS, np.random.default_rng(seed))
    coefficient = found.coefficient.astype(np.float32)
    totals = [coefficient[fold == k] @ noise[fold == k] for k in range(FOLDS)]
    theta = newton(columns, trials.response, np.full(columns.shape[1], 1e-6))
    eta = (columns @ theta) / math.sqrt(1 - share)
    for k in range(FOLDS):
        others = found.total - totals[k]
        eta[fold == k] += scale * (noise[fold == k] @ others.astype(np.float32))
    return eta


def _log_likelihood(trials: TrialDesign, x: np.ndarray) -> float:
    theta = newton(x, trials.response, np.full(x.shape[1], 1e-6))
    return float(log_likelihoods(x @ theta, trials.response).sum())
