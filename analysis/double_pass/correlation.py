"""Correlations of decision variables from pairs of responses, thresholds held.

The response of a showing is "yes" where a standard normal variable is below its
threshold m (`showings.py`). Thresholds are those of a probit fit to all of an
observer's trials, whether anything is paired with them or not; held there, the
correlation r of the variables behind pairs of showings is one number that is left to
fit. Pairs may be the two showings of one observer, or showings of two observers; those
of a stimulus may be several, so the likelihood is a composite one, and its variance is
that of the influence of each stimulus,

    I_r = [scores of r of the stimulus' pairs, added] / h - c' H^-1 u / h,

with h the information about r, c that about r and the thresholds' parameters, u the
stimulus' probit score and H its information: how much r owes to the stimulus, by its
pairs and by what it does to the thresholds. Where every pair agrees r is 1 and no
stimulus has influence.

References
----------
.. [1] Pearson (1900), Phil. Trans. R. Soc. A 195, 1-47 (the tetrachoric correlation);
   Olsson (1979), Psychometrika 44, 443-460 (in two steps, thresholds first).
.. [2] Varin, Reid & Firth (2011), Statistica Sinica 21, 5-42 (composite likelihoods).
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int
from scipy.special import log_ndtr
from scipy.stats import chi2

from ..trials.responses import Responses
from .consistency import ShowingsFit, maximise
from .correlation_numba import MOST, ascend, evaluate
from .showings import Showings, bends, natural_spline
from .showings_numba import place

COURSE_KNOTS = 5
REFUSED = 0.01  # p of the power law below which thresholds are splines
_LIMIT = float(chi2.ppf(0.95, 1)) / 2


def session_showings(
    responses: Responses,
    stimulus: Int[np.ndarray, " trial"],
    course: Float[np.ndarray, " trial column"] | None = None,
) -> Showings:
    """Take a session's trials, each alone, with thresholds that its responses allow.

    Thresholds are a power of contrast (of each cell, with one or two contrasts), or
    splines in log contrast where these fit better beyond chance (p < .01).

    Parameters
    ----------
    stimulus
        Number of the stimulus of every trial, from 0.
    course
        Columns, such as of trial time, that thresholds follow besides.

    Raises
    ------
    CannotTell
        If the task has more than two alternatives.
    """
    found = _by_contrast(responses, stimulus)
    return found if course is None else found.with_columns(course)


def _by_contrast(responses: Responses, stimulus: np.ndarray) -> Showings:
    alone = _alone(Showings.of(responses), stimulus)
    if not alone.power.shape[1]:
        return alone
    bent = alone.with_columns(bends(responses))
    n_more = bent.n_theta - alone.n_theta
    if not n_more:
        return alone
    plain, other = maximise(alone, r=0.0), maximise(bent, r=0.0)
    gain = 2 * (other.log_likelihood - plain.log_likelihood)
    if float(chi2.sf(gain, n_more)) >= REFUSED:
        return alone
    return _alone(Showings.of(responses, "spline"), stimulus)


def drift_p(responses: Responses, showings: Showings) -> float:
    """Return p of a criterion that stays where it is, against a spline in trial time.

    By the likelihood ratio, all trials taken as independent given their thresholds.
    """
    moving = showings.with_columns(course_of(responses))
    plain, other = maximise(showings, r=0.0), maximise(moving, r=0.0)
    gain = 2 * (other.log_likelihood - plain.log_likelihood)
    return float(chi2.sf(gain, moving.n_theta - showings.n_theta))


def course_of(responses: Responses) -> Float[np.ndarray, " trial column"]:
    """Return the columns of a natural spline with 5 knots in trial time."""
    return natural_spline(responses.trial.astype(np.float64), COURSE_KNOTS)


def _alone(showings: Showings, stimulus: np.ndarray) -> Showings:
    none, n = np.zeros(0, np.int64), len(showings.yes)
    return replace(
        showings,
        first=none,
        second=none,
        pair_weight=np.zeros(0),
        single=np.arange(n),
        single_weight=np.ones(n),
        stimulus=stimulus,
    )


@dataclass(frozen=True, eq=False)
class Thresholds:
    """Thresholds of all showings of an observer by a probit fit.

    Attributes
    ----------
    showings
        What was fitted.
    m
        Threshold of each showing, decision SDs.
    fit
        Parameters and information.
    """

    showings: Showings
    m: Float[np.ndarray, " showing"]
    fit: ShowingsFit = field(repr=False)
    _jacobian: Float[np.ndarray, " showing parameter"] = field(repr=False)

    @classmethod
    def of(cls, showings: Showings, start: "Thresholds | None" = None) -> "Thresholds":
        """Fit thresholds to showings that stand alone, from a fit near by."""
        fit = maximise(showings, r=0.0, start=start.fit if start else None)
        n, k = len(showings.yes), showings.n_theta
        m, jacobian = np.empty(n), np.empty((n, k))
        place(
            showings.base, showings.power, showings.log_contrast, fit.theta, m, jacobian
        )
        return cls(showings, m, fit, jacobian)

    def influence(self, n_stimuli: int) -> Float[np.ndarray, " stimulus parameter"]:
        """Give what each stimulus adds to the parameters: H^-1 u."""
        m, yes = self.m, self.showings.yes
        # y's score by m: phi / Phi for "yes", -phi / (1 - Phi) else.
        sign = np.where(yes, 1.0, -1.0)
        log_density = -(m**2) / 2 - math.log(2 * math.pi) / 2
        score = sign * np.exp(log_density - log_ndtr(sign * m))
        score = score * self.showings.single_weight
        k = self.showings.n_theta
        u = np.zeros((n_stimuli, k))
        np.add.at(u, self.showings.stimulus, score[:, None] * self._jacobian)
        return u @ np.linalg.pinv(self.fit.information[:k, :k])

    def along(
        self, row: Int[np.ndarray, " pair"], weight: Float[np.ndarray, " pair"]
    ) -> Float[np.ndarray, " parameter"]:
        """Add up derivatives of thresholds by the parameters."""
        return weight @ self._jacobian[row]


@dataclass(frozen=True, eq=False)
class Correlation:
    """The correlation behind pairs of responses.

    Attributes
    ----------
    r
        -1 to 1.
    influence
        What each stimulus adds to r; 0 where r is 1 or -1. Squares add up to its
        variance.
    n_pairs
        Pairs of showings.
    n_stimuli
        Stimuli that have a pair.
    """

    r: float
    influence: Float[np.ndarray, " stimulus"]
    n_pairs: int
    n_stimuli: int
    pairs: "Pairs" = field(repr=False)

    @property
    def variance(self) -> float:
        """Sampling variance; at the edge, of the profile likelihood's one limit."""
        if abs(self.r) == 1:
            low, high = self.interval()
            return (max(1 - low, 0) if self.r > 0 else max(1 + high, 0)) ** 2 / (
                2 * _LIMIT
            )
        n = max(self.n_stimuli, 2)
        return float(self.influence @ self.influence) * n / (n - 1)

    def interval(self) -> tuple[float, float]:
        """Give the 95 % interval: on atanh r by the influence, or by the profile."""
        if abs(self.r) == 1:
            end = self.pairs.edge(self.r)
            return (end, 1.0) if self.r > 0 else (-1.0, end)
        reach = math.sqrt(2 * _LIMIT * self.variance) / (1 - self.r**2)
        at = math.atanh(self.r)
        return math.tanh(at - reach), math.tanh(at + reach)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of showings: a row of one observer with a row of the other, or its own."""

    one: Thresholds
    other: Thresholds
    a: Int[np.ndarray, " pair"]
    b: Int[np.ndarray, " pair"]
    stimulus: Int[np.ndarray, " pair"]
    weight: Float[np.ndarray, " pair"]

    @property
    def _arguments(self) -> tuple[np.ndarray, ...]:
        one, other = self.one, self.other
        return (
            one.m,
            one.showings.yes,
            other.m,
            other.showings.yes,
            self.a,
            self.b,
            self.weight,
        )

    @property
    def _agreeing(self) -> float:
        same = self.one.showings.yes[self.a] == self.other.showings.yes[self.b]
        return float(same @ self.weight)

    def fit(self, start: float = 0.3) -> float:
        """Return r of the highest likelihood; -1 or 1 where no pair says less."""
        agreeing, n = self._agreeing, float(self.weight.sum())
        if agreeing == n:
            return 1.0
        if agreeing == 0:
            return -1.0
        zeta = ascend(*self._arguments, math.atanh(np.clip(start, -0.99, 0.99)))
        return math.tanh(zeta) if abs(zeta) < MOST else math.copysign(1.0, zeta)

    def correlate(self, n_stimuli: int) -> Correlation:
        """Fit r, and the influence of each of the stimuli."""
        r = self.fit()
        influence = np.zeros(n_stimuli)
        if abs(r) < 1:
            each, found = np.zeros((len(self.a), 3)), np.empty(3)
            evaluate(*self._arguments, r, each, found)
            np.add.at(influence, self.stimulus, each[:, 0])
            by_one = self.one.along(self.a, each[:, 1])
            by_other = self.other.along(self.b, each[:, 2])
            influence -= self.one.influence(n_stimuli) @ by_one
            influence -= self.other.influence(n_stimuli) @ by_other
            influence /= found[2]
        n = len(np.unique(self.stimulus[self.weight > 0]))
        return Correlation(r, influence, int((self.weight > 0).sum()), n, self)

    def edge(self, end: float) -> float:
        """Return how far from an r of -1 or 1 the likelihood is 1.92 lower.

        Pairs of one stimulus count as one.
        """
        n = len(np.unique(self.stimulus[self.weight > 0]))
        share = n / float(self.weight.sum())
        each, found = np.empty((0, 3)), np.empty(3)

        def value(zeta: float) -> float:
            evaluate(*self._arguments, math.tanh(zeta), each, found)
            return float(found[0]) * share

        top, near, far = value(end * MOST), MOST, -MOST
        if value(end * far) >= top - _LIMIT:
            return -end
        for _ in range(40):
            middle = (near + far) / 2
            if value(end * middle) >= top - _LIMIT:
                near = middle
            else:
                far = middle
        return math.tanh(end * near)
