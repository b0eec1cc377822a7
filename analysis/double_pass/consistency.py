"""Fit the one likelihood of showings; the adjusted profile interval of r.

Estimated thresholds pull r down (by .01 to .02 with 200 pairs, .045 with 50). The
adjusted profile likelihood [1]_ undoes a third to all of that:

    l_A(r) = max_theta l(theta, r) - 1/2 log det I_theta(theta_r, r)

with I the expected information of the thresholds alone. Its maximum is the estimate,
and r with 2 (max l_A - l_A(r)) <= 3.84 the interval. r may be negative here, as the
maximum of a likelihood should not know of a limit; it is cut to 0 to 1 afterwards.

References
----------
.. [1] Cox & Reid (1987), J. R. Stat. Soc. B 49, 1-39.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.stats import chi2

from .showings import Showings
from .showings_numba import (
    LEAST_ETA,
    LEAST_LOG_BETA,
    LEAST_ZETA,
    MOST_ETA,
    MOST_LOG_BETA,
    MOST_ZETA,
    objective,
)

LIMIT = float(chi2.ppf(0.95, 1)) / 2
NO_LAPSES = -math.inf
_STEPS, _HALVINGS, _LONGEST = 60, 30, 3.0
_ENOUGH = 1e-7  # of log likelihood, expected of a step: less is not worth taking


@dataclass(frozen=True)
class LapseTerm:
    """What is known of the lapse rate beside the showings.

    Attributes
    ----------
    errors, trials
        On catch trials: so easy that an error there is a lapse whose guess missed.
    prior
        (a, b) adds a log lambda + b log(1 - lambda) to the log likelihood.
    """

    errors: float = 0.0
    trials: float = 0.0
    prior: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class ShowingsFit:
    """The maximum of the likelihood.

    Attributes
    ----------
    theta
        Thresholds' parameters, as `Showings` orders them.
    r, lapse_rate
        Correlation of two showings, and lambda; as given where they were.
    log_likelihood
        With the terms of prior and catch trials.
    information
        Expected, by (theta, atanh r, logit lambda), prior and catch trials included.
    """

    theta: Float[np.ndarray, " parameter"]
    r: float
    lapse_rate: float
    log_likelihood: float
    information: Float[np.ndarray, " all all"]
    _start: Float[np.ndarray, " all"] = field(repr=False)

    @property
    def adjustment(self) -> float:
        """Half the log determinant of the thresholds' information, where there is any.

        Thresholds of cells that count for nothing have none.
        """
        known = np.flatnonzero(np.diag(self.information)[: len(self.theta)] > 0)
        inner = self.information[np.ix_(known, known)]
        return float(np.linalg.slogdet(inner)[1]) / 2


def maximise(
    showings: Showings,
    r: float | None = None,
    lapse_rate: float | None = 0.0,
    lapses: LapseTerm | None = None,
    start: ShowingsFit | None = None,
) -> ShowingsFit:
    """Maximise the likelihood of showings.

    Parameters
    ----------
    r
        Correlation to be held; None to fit it. It is between -.9 and 1.
    lapse_rate
        Lambda to be held; None to fit it with what `lapses` tells of it.
    start
        A fit near by, of the same showings.
    """
    free_lapse = lapse_rate is None
    lapses = lapses or LapseTerm()
    starts = _starts(showings) if start is None else [start._start.copy()]
    best = None
    for at in starts:
        k = len(at) - 2
        if r is not None:
            inside = np.clip(r, -1 + 1e-9, 1 - 1e-16)
            at[k] = np.clip(math.atanh(inside), LEAST_ZETA, MOST_ZETA)
        if lapse_rate is not None:
            at[k + 1] = _logit(lapse_rate)
        elif not math.isfinite(at[k + 1]):
            at[k + 1] = _logit(0.03)
        found = _climb(showings, lapses, at, r is None, free_lapse)
        if best is None or found[0] > best[0] + 1e-7:
            best = found
    assert best is not None
    value, at, information = best
    k = len(at) - 2
    return ShowingsFit(
        theta=at[:k].copy(),
        r=math.tanh(at[k]),
        lapse_rate=1 / (1 + math.exp(-at[k + 1])) if at[k + 1] > -700 else 0.0,
        log_likelihood=float(value),
        information=information,
        _start=at,
    )


def _climb(
    showings: Showings,
    lapses: LapseTerm,
    at: np.ndarray,
    frees_zeta: bool,
    frees_eta: bool,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Climb by Fisher scoring, each step halved until the likelihood rises."""
    k = len(at) - 2
    rows = np.array([*range(k), *[k] * frees_zeta, *[k + 1] * frees_eta])
    given = (
        showings.base,
        showings.power,
        showings.log_contrast,
        showings.yes,
        showings.first,
        showings.second,
        showings.pair_weight,
        showings.single,
        showings.single_weight,
        showings.precision,
        np.array([lapses.errors, lapses.trials], float),
        np.array(lapses.prior, float),
    )
    low, high = np.full(k + 2, -np.inf), np.full(k + 2, np.inf)
    if showings.power.shape[1]:
        low[k - 1], high[k - 1] = LEAST_LOG_BETA, MOST_LOG_BETA
    low[k], high[k] = LEAST_ZETA, MOST_ZETA
    if frees_eta:
        low[k + 1], high[k + 1] = LEAST_ETA, MOST_ETA
    m, jacobian = np.empty(len(showings.yes)), np.empty((len(showings.yes), k))

    def here(at: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        score, information = np.empty(k + 2), np.empty((k + 2, k + 2))
        value = objective(*given, at, frees_eta, m, jacobian, score, information)
        return value, score, information

    now, score, information = here(at)
    for _ in range(_STEPS):
        # At an edge of the range a step may go on wanting to leave it; and as r nears 1
        # little is known of it, so its step is long: neither must shorten the others.
        leaves = ((at <= low) & (score < 0)) | ((at >= high) & (score > 0))
        free = rows[~leaves[rows]]
        if not len(free):
            break
        system = information[np.ix_(free, free)]
        system[np.diag_indices_from(system)] *= 1 + 1e-9
        system[np.diag_indices_from(system)] += 1e-10
        step = np.linalg.solve(system, score[free])
        if step @ score[free] < _ENOUGH:
            break
        of_r = free == k
        step[of_r] = np.clip(step[of_r], -_LONGEST, _LONGEST)
        longest = float(np.abs(step[~of_r]).max(initial=0))
        step[~of_r] *= _LONGEST / max(longest, _LONGEST)
        size = 1.0
        for _ in range(_HALVINGS):
            moved = at.copy()
            moved[free] += size * step
            moved = np.clip(moved, low, high)
            after = here(moved)
            if after[0] >= now - 1e-11:
                break
            size /= 2
        else:
            break
        gained = after[0] - now
        at, (now, score, information) = moved, after
        if gained < _ENOUGH / 10:
            break
    return now, at, information


def _logit(rate: float) -> float:
    return math.log(rate / (1 - rate)) if rate > 0 else NO_LAPSES


def _starts(showings: Showings) -> list[np.ndarray]:
    """Start at r .3, no thresholds; where contrast has a power, at 1 and at 3."""
    k = showings.n_theta
    start = np.concatenate([np.zeros(k), [math.atanh(0.3), NO_LAPSES]])
    if not showings.power.shape[1]:
        return [start]
    steep = start.copy()
    steep[k - 1] = math.log(3)
    gains = slice(showings.base.shape[1], k - 1)
    start[gains] = steep[gains] = 1.0 if showings.power.shape[1] == 1 else (-0.5, 0.5)
    return [start, steep]


@dataclass(frozen=True, eq=False)
class ConsistencyFit:
    """r of the adjusted profile likelihood, and its interval.

    Attributes
    ----------
    r
        Of the highest adjusted likelihood; may be negative.
    se
        From the expected information; None at an edge.
    low, high
        Where the adjusted likelihood is 1.92 lower; from -.9 to 1.
    plain
        The maximum without the adjustment: r, thresholds, lapse rate.
    """

    r: float
    se: float | None
    low: float
    high: float
    plain: ShowingsFit


def fit_consistency(
    showings: Showings,
    lapse_rate: float | None = 0.0,
    lapses: LapseTerm | None = None,
    adjusted: bool = True,
) -> ConsistencyFit:
    """Fit r with its interval by the adjusted profile likelihood.

    Parameters
    ----------
    lapse_rate, lapses
        As for `maximise`; a rate that is fitted is profiled too, so its uncertainty is
        in the interval.
    adjusted
        False for the plain profile likelihood.
    """
    plain = maximise(showings, None, lapse_rate, lapses)
    known: dict[float, tuple[float, ShowingsFit]] = {}

    def profile(zeta: float) -> float:
        if zeta not in known:
            near = min(known, key=lambda z: abs(z - zeta), default=None)
            start = plain if near is None else known[near][1]
            fit = maximise(showings, math.tanh(zeta), lapse_rate, lapses, start)
            value = fit.log_likelihood - (fit.adjustment if adjusted else 0.0)
            known[zeta] = value, fit
        return known[zeta][0]

    k = showings.n_theta
    spread = 1 / math.sqrt(max(_about_zeta(plain, lapse_rate is None), 1e-12))
    at = _top(profile, plain._start[k], min(spread, 1.0))
    r, top = math.tanh(at), profile(at)
    low = _end(profile, at, top, LEAST_ZETA, -min(spread, 1.0))
    high = _end(profile, at, top, MOST_ZETA, min(spread, 1.0))
    inside = LEAST_ZETA < at < MOST_ZETA
    se = spread * (1 - r**2) if inside and spread < 1e3 else None
    if at >= MOST_ZETA:
        r = 1.0
    return ConsistencyFit(
        r=r,
        se=se,
        low=math.tanh(low),
        high=1.0 if high >= MOST_ZETA else math.tanh(high),
        plain=plain,
    )


def _about_zeta(fit: ShowingsFit, lapse_is_fitted: bool) -> float:
    """Information about atanh r, everything else that was fitted being unknown."""
    k = len(fit.theta)
    rest = [*range(k)]
    if lapse_is_fitted and fit.information[k + 1, k + 1] > 0:
        rest.append(k + 1)
    crossed = fit.information[rest, k]
    inner = fit.information[np.ix_(rest, rest)]
    return float(fit.information[k, k] - crossed @ np.linalg.pinv(inner) @ crossed)


def _top(profile: Callable[[float], float], at: float, step: float) -> float:
    """Climb to the maximum by parabolas through three points."""
    step = min(step / 2, 0.5)
    for _ in range(40):
        points = np.clip([at - step, at, at + step], LEAST_ZETA, MOST_ZETA)
        below, here, above = (profile(float(x)) for x in points)
        if here >= below and here >= above:
            bend = below - 2 * here + above
            if points[0] < points[1] < points[2] and bend < 0:
                shift = 0.5 * (below - above) / bend * step
                better = float(np.clip(at + shift, points[0], points[2]))
                if profile(better) >= here:
                    at = better
            if step < 0.02 or points[0] == points[1] or points[1] == points[2]:
                return at
            step /= 4
        else:
            at = float(points[0] if below > above else points[2])
    return at


def _end(
    profile: Callable[[float], float], at: float, top: float, edge: float, step: float
) -> float:
    """Return where the profile falls 1.92 below its top, or the edge of the range."""

    def excess(zeta: float) -> float:
        return top - profile(zeta) - LIMIT

    inner, outer = at, at + 2 * step
    while (outer - edge) * step < 0:
        if excess(outer) > 0:
            return float(brentq(excess, inner, outer, xtol=1e-4))  # type: ignore[arg-type]
        inner, step = outer, 1.5 * step
        outer = outer + step
    if inner == edge or excess(edge) <= 0:
        return edge
    return float(brentq(excess, inner, edge, xtol=1e-4))  # type: ignore[arg-type]
