"""The linear share of the decision: what a kernel explains of what is consistent.

A double pass gives r, the share of the decision variance that returns with the same
noise, however the observer computes it. The first-order kernel gives the part of it
that is linear in the noise, its squared length in decision SDs,

    alpha^2 = |k|^2 = SNR pq / (N phi^2),

SNR the kernel's squared length over the variance of an element, less the number of
elements [1]_. What is left, r - alpha^2, is consistent and not linear. If nothing is,
gamma_CI = sqrt(1 / alpha^2 - 1) is the internal noise without a double pass.

Instead of taking off the expected squared length of the sampling noise, products of a
stimulus with itself are left out of |U|^2 (`score.py`): the same on average, and right
for any distribution of the noise.

All that rests on a normal decision variable. Where its law is far from normal
(`decision_law.py`), the share is that of single responses given their noise, and r that
of the exact law; with more elements than a tenth of the trials those that count have
their noise given, and the rest a score (`few_share.py`).

References
----------
.. [1] Murray, Bennett & Sekuler (2002), J. Vision 2(1):6, 79-104, eqs 4, A15.
.. [2] Zou & Donner (2008), Stat. Med. 27, 1693-1702 (interval of a difference).
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..double_pass.bivariate_probit import (
    fit_bivariate_probit,
    informative,
    response_kind,
)
from ..double_pass.internal_noise import gamma_from_r, pair_responses
from ..double_pass.showings import Showings
from ..double_pass.smooth_thresholds import smooth_showings
from ..trials.design import TrialDesign
from ..trials.estimate import Estimate, mapped
from ..trials.held import Held
from ..trials.responses import Responses, SessionLike
from ..trials.result import Result
from ..trials.score import score, why_not_white
from .decision import Decision, decision_of
from .few_share import FewShare, share_given_few
from .given_noise import threshold_columns, why_not_by_trials

LINEAR_SHARE = "linear-share-kernel/1"
GAMMA = "gamma-kernel-implied/1"
GAMMA_GIVEN_NOISE = "gamma-given-noise/1"
NONLINEAR = "nonlinear-consistent-share/2"
NONE_LINEAR = "the kernel is no larger than its sampling noise"


@dataclass(frozen=True)
class LinearShare(Result):
    """Shares of the decision variance.

    Attributes
    ----------
    linear
        alpha^2, explained by a linear kernel; its estimate may fall outside 0 to 1.
    gamma
        Internal / external SD of a linear observer with this kernel.
    consistent
        r of the double pass: linear or not.
    nonlinear
        consistent - linear.
    """

    linear: Estimate
    gamma: Estimate
    consistent: Estimate
    nonlinear: Estimate


def linear_share(session: SessionLike, decision: Decision | None = None) -> LinearShare:
    """Estimate the linear and the other consistent share of a session's decisions.

    Both are by the law of the decision variable: normal, or as the kernel and the noise
    have it.

    Parameters
    ----------
    decision
        That law, where it is known already.

    Raises
    ------
    ValueError
        If there are more than two alternatives, or no class has both responses.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")  # linear, no internal noise
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> share = linear_share(session)
    >>> share.consistent.value, share.nonlinear.low < 0 < share.nonlinear.high
    (1.0, True)
    """
    held = Held.of(session)
    counted, trials = held.responses, held.design
    decision = decision or decision_of(counted, trials)
    if decision.law.law == "exact":
        return _by_law(decision, counted, trials)
    r, influence = decision.law.consistent, _influence_on_r(counted)
    if influence is not None:
        influence = influence[np.isin(np.unique(counted.cluster), trials.cluster)]
    return shares_of_trials(trials, r, influence)


def _by_law(decision: Decision, counted: Responses, trials: TrialDesign) -> LinearShare:
    """Take the shares of a decision variable that is not normal."""
    law, n = decision.law, len(trials)
    linear, r, influence = law.given_noise, law.consistent, decision.influence_on_share
    if linear.value is None and linear.note == why_not_by_trials(trials):
        few = _of_few(counted, trials)
        linear, influence = few.estimate, few.influence
    if linear.value is None:
        note = linear.note or r.note or ""
        high = law.gamma.high if law.gamma.value is None else None
        gamma = Estimate(None, None, None, high, n, GAMMA_GIVEN_NOISE, note)
        return LinearShare(linear, gamma, r, Estimate.missing(NONLINEAR, note, r.n))
    together = 0.0
    if decision.influence_on_r is not None and influence is not None:
        together = _correlation(influence, decision.influence_on_r)
    gamma = _gamma(linear, GAMMA_GIVEN_NOISE)
    return LinearShare(linear, gamma, r, _difference(r, linear, together))


def _of_few(counted: Responses, trials: TrialDesign) -> FewShare:
    """Take the share of few elements among more than have a fit."""
    same = counted.where(np.isin(counted.cluster, trials.cluster))
    _, thresholds, _ = smooth_showings(same)
    return share_given_few(trials, threshold_columns(Showings.of(same, thresholds)))


def shares_of_trials(
    trials: TrialDesign,
    r: Estimate,
    influence_on_r: Float[np.ndarray, " stimulus"] | None = None,
) -> LinearShare:
    """Estimate the linear share from trials, and the rest of a consistent share.

    Parameters
    ----------
    trials
        In white noise; otherwise the share is missing and says why.
    r
        Consistent share, as from a double pass; may be without a value.
    influence_on_r
        What each stimulus adds to r, in the order of its cluster; None takes r as
        independent of these trials.

    Notes
    -----
    The SE of alpha^2 has the part that is linear in the score and the part that is
    quadratic (it alone is left where there is no kernel). The interval of the
    difference combines both intervals' own arms [2]_, since that of r is not symmetric,
    with the correlation of their influences: a session whose responses follow the noise
    by chance looks more consistent and more linear.

    Raises
    ------
    ValueError
        If no class has both responses.
    """
    reason = why_not_white(trials)
    if reason:
        missing = (
            Estimate.missing(name, reason, len(trials))
            for name in (LINEAR_SHARE, GAMMA, NONLINEAR)
        )
        linear, gamma, nonlinear = missing
        return LinearShare(linear, gamma, r, nonlinear)
    linear, influence = _linear(trials)
    together = 0.0
    if influence_on_r is not None:
        together = _correlation(influence, influence_on_r)
    return LinearShare(linear, _gamma(linear), r, _difference(r, linear, together))


def _linear(trials: TrialDesign) -> tuple[Estimate, Float[np.ndarray, " stimulus"]]:
    """Estimate alpha^2, and what each stimulus adds to it."""
    found, noise = score(trials), trials.noise
    _, first = np.unique(found.cluster, return_index=True)
    together = np.bincount(found.cluster, found.coefficient)
    length = np.einsum("te,te->t", noise, noise, dtype=np.float64)[first]
    own = together**2 * length  # |u_f|^2
    along = noise @ found.total.astype(np.float32)
    size = float(np.linalg.norm(found.total))
    scale = (found.sd * found.information) ** 2
    value = (size**2 - own.sum()) / scale
    by_rates = found.rate_influence(along / size) * size / math.sqrt(scale)
    relative = length / (noise.shape[1] * found.sd**2) - 1
    by_sd = value * relative / (2 * len(length))
    influence = 2 * ((together * along[first] - own) / scale + by_rates - by_sd)
    influence = influence - influence.mean()
    # The variance of a sum over pairs of stimuli: that of its linear part, of which
    # `influence` has 4 times the quadratic part as well, and twice the quadratic part.
    quadratic = noise.shape[1] * (found.sd**2 * found.spread / scale) ** 2
    linear_part = float(influence @ influence) - 4 * quadratic
    se = math.sqrt(max(linear_part, 0.0) + 2 * quadratic)
    return Estimate.normal(value, se, found.n, LINEAR_SHARE), influence


def _gamma(linear: Estimate, formula: str = GAMMA) -> Estimate:
    assert linear.value is not None
    if linear.value <= 0:
        return Estimate.missing(formula, NONE_LINEAR, linear.n)

    def gamma(share: float) -> float:
        return gamma_from_r(min(max(share, 0.0), 1.0))

    share = linear.value
    inside = 0 < share < 1
    slope = -1 / (2 * share**2 * gamma(share)) if inside else None
    found = mapped(linear, gamma, formula, slope)
    return found.with_note(None if inside else "the linear share is 1 or more")


def _influence_on_r(counted: Responses) -> Float[np.ndarray, " stimulus"] | None:
    """What each stimulus adds to r; None without a double pass that varied."""
    cell, first, second = pair_responses(counted)
    if not len(cell):
        return None
    tables = np.zeros((int(cell.max()) + 1, 4))
    kind = response_kind(first, second)
    np.add.at(tables, (cell, kind), 1)
    tables[:, 1:3] = tables[:, 1:3].mean(1, keepdims=True)  # passes have one threshold
    useful = informative(tables)
    if not useful.any():
        return None
    influence = np.zeros_like(tables)
    influence[useful] = fit_bivariate_probit(tables[useful]).influence()
    _, cluster = np.unique(counted.cluster, return_inverse=True)
    found = np.zeros(int(cluster.max()) + 1)
    found[cluster[counted.second_rows]] = influence[cell, kind]
    return found


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else 0.0


def _difference(r: Estimate, linear: Estimate, together: float) -> Estimate:
    """Return r - alpha^2; arms combine as SDs of estimates that correlate."""
    if r.value is None or r.low is None or r.high is None or linear.se is None:
        return Estimate.missing(NONLINEAR, r.note or "no consistent share", r.n)
    assert linear.value is not None
    assert linear.low is not None
    assert linear.high is not None

    def combined(one: float, other: float) -> float:
        return math.sqrt(max(one**2 + other**2 - 2 * together * one * other, 0.0))

    value = r.value - linear.value
    low = value - combined(r.value - r.low, linear.high - linear.value)
    high = value + combined(r.high - r.value, linear.value - linear.low)
    se = combined(r.se, linear.se) if r.se is not None else None
    return Estimate(value, se, low, high, min(r.n, linear.n), NONLINEAR)
