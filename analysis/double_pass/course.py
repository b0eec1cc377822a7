"""The course of the criterion over a session, as columns of the thresholds.

A criterion that moves makes d' too small, by 1 / sqrt(1 + Var C), and two passes that
saw different criteria agree less, as if by internal noise. So the thresholds of the one
likelihood get columns of time [1]_:

    spline       a natural cubic spline of trial time with five knots
    blocks       a level for each block
    state space  twelve ramps, a random walk of knots, and a level for each block, all
                 drawn from normal distributions with one common size

The last is the default: a spline cannot follow jumps between blocks, levels of blocks
no walk within them. With s the size in decision SDs a ramp has variance s^2 / 12, so
that the walk ends with SD s, and a block's level s^2 / 4; s maximises the evidence
(the coefficients integrated out by Laplace's method) over a grid that begins with 0.
Where nothing drifts s is 0 as a rule, and nothing is lost.

References
----------
.. [1] Fahrmeir & Tutz (2001), Multivariate Statistical Modelling Based on Generalized
   Linear Models, 2nd ed., chapters 5 and 8 (splines and state space models).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..trials.responses import Responses
from .consistency import LapseTerm, ShowingsFit, maximise
from .showings import Showings, natural_spline

KNOTS = 5
RAMPS = 12
SIZES = (0.0, 0.15, 0.3, 0.5, 0.8, 1.2, 1.8, 2.7)  # decision SDs
TRIALS_PER_LEVEL = 20  # for a block to have a level of its own


def trial_time(responses: Responses) -> Float[np.ndarray, " trial"]:
    """Return when each trial was, by its number in the log: 0 the first, 1 the last."""
    number = responses.trial - responses.trial.min(initial=0)
    return number / max(float(number.max(initial=0)), 1.0)


def block_of(responses: Responses) -> Int[np.ndarray, " trial"]:
    """Return each trial's block, numbered from 0; one block if the log has none."""
    if "block" not in responses.table:
        return np.zeros(len(responses), np.int64)
    block = responses.table["block"].fillna(-1).to_numpy(np.int64)
    return np.unique(block, return_inverse=True)[1]


def spline_columns(responses: Responses) -> Float[np.ndarray, " trial column"]:
    """Return the columns of a natural cubic spline of time, but for the constant."""
    return natural_spline(trial_time(responses), KNOTS)


def block_columns(responses: Responses) -> Float[np.ndarray, " trial block"]:
    """Return a column for each block; none where blocks are one, or too short.

    A block has 20 trials or more on average, else its level would be a parameter for
    too few responses.
    """
    block = block_of(responses)
    n_blocks = int(block.max(initial=-1)) + 1
    if n_blocks < 2 or len(block) < TRIALS_PER_LEVEL * n_blocks:
        return np.zeros((len(block), 0))
    return np.eye(n_blocks)[block]


def ramp_columns(responses: Responses) -> Float[np.ndarray, " trial ramp"]:
    """Return twelve ramps, each rising over a twelfth of the session."""
    time = trial_time(responses)[:, None]
    return np.clip(RAMPS * time - np.arange(RAMPS), 0, 1) - 0.5


@dataclass(frozen=True, eq=False)
class StateSpace:
    """Thresholds with the course of the criterion in them.

    Attributes
    ----------
    showings
        With the course's columns last in their base; without, where its size is 0.
    columns
        Of the course.
    size
        Of the most evidence, decision SDs.
    """

    showings: Showings
    columns: Float[np.ndarray, " trial column"]
    size: float

    def course(self, fit: ShowingsFit) -> Float[np.ndarray, " trial"]:
        """Give the course that was fitted, about its mean, decision SDs."""
        course = self.columns @ fit.theta[self._rows]
        return course - course.mean() if len(course) else course

    def course_se(self, fit: ShowingsFit) -> Float[np.ndarray, " trial"]:
        """Give the standard error of the course at each trial, r and lapses held."""
        if not self.columns.shape[1]:
            return np.zeros(len(self.columns))
        k = len(fit.theta)
        covariance = np.linalg.pinv(fit.information[:k, :k])[self._rows, self._rows]
        about = self.columns - self.columns.mean(0)
        variance = np.einsum("tp,pq,tq->t", about, covariance, about)
        return np.sqrt(np.maximum(variance, 0))

    @property
    def _rows(self) -> slice:
        end = self.showings.base.shape[1]
        return slice(end - self.columns.shape[1], end)


def state_space(
    showings: Showings,
    responses: Responses,
    r: float | None = None,
    lapse_rate: float | None = 0.0,
    lapses: LapseTerm | None = None,
) -> StateSpace:
    """Add the course of the criterion, its size by evidence, to thresholds.

    Parameters
    ----------
    showings
        Of `responses`, not yet counted together.
    r, lapse_rate, lapses
        As for `maximise`.
    """
    ramps, blocks = ramp_columns(responses), block_columns(responses)
    columns = np.hstack([ramps, blocks])
    shares = np.concatenate([np.full(RAMPS, 1 / RAMPS), np.full(blocks.shape[1], 0.25)])
    n = showings.base.shape[1]
    rows = slice(n, n + len(shares))
    evidence: dict[int, float] = {}
    near: ShowingsFit | None = None

    def of(index: int) -> float:
        nonlocal near
        if index in evidence:
            return evidence[index]
        if SIZES[index] == 0:
            evidence[index] = maximise(showings, r, lapse_rate, lapses).log_likelihood
            return evidence[index]
        variance = SIZES[index] ** 2 * shares
        with_course = showings.with_columns(columns, 1 / variance)
        near = maximise(with_course, r, lapse_rate, lapses, near)
        inner = near.information[rows, rows]
        evidence[index] = near.log_likelihood - 0.5 * float(
            np.log(variance).sum() + np.linalg.slogdet(inner)[1]
        )
        return evidence[index]

    best = max((0, 2, 3), key=of)
    while True:
        around = [i for i in (best - 1, best, best + 1) if 0 <= i < len(SIZES)]
        better = max(around, key=of)
        if better == best:
            break
        best = better
    if best == 0:
        return StateSpace(showings, np.zeros((len(responses), 0)), 0.0)
    precision = 1 / (SIZES[best] ** 2 * shares)
    return StateSpace(showings.with_columns(columns, precision), columns, SIZES[best])
