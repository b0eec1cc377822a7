"""Is the decision variable normal? Internal noise and linear share where it is not.

The formulas of a double pass, and the share from a kernel's squared length, take the
decision variable as normal. Its law is known wherever the noise is
(`variable_law.py`): up to an excess kurtosis of .25 the normal formulas are right
within 3 %; beyond it gamma comes from the exact law,

    P("yes" | v) = Phi((m + sqrt(r) v) / sqrt(1 - r)),

the pairs' likelihood being the mean over v, and the linear share from the probit given
the noise (`given_noise.py`). That is for a linear observer: where r exceeds the share,
the law of the rest is unknown.

The link between decision variable and response is tested on predictions that did not
know the response: probit on eta, eta^2 and eta^3, eta the held-out predictor, against
eta alone, by likelihood ratio on 2 df. It finds lapses, heavy-tailed internal noise and
saturation alike; choices alone cannot say which.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy.special import log_ndtr
from scipy.stats import chi2

from ..double_pass.consistency import fit_consistency
from ..double_pass.internal_noise import NO_PAIRS, InternalNoise
from ..double_pass.showings import Showings
from ..double_pass.smooth_thresholds import from_share
from ..probit.trials import standardised
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.held import Held
from ..trials.responses import Responses, SessionLike
from ..trials.result import Result
from ..trials.score import score, why_not_white
from .given_noise import TOO_CERTAIN, GivenNoise, fit_given_noise, newton
from .variable_law import VariableLaw, decision_law

EXACT = "likelihood-exact-law/1"
SHARE = "linear-share-probit-jackknife/1"
LINK = "link-held-out-cubic/1"
NORMAL = 0.25  # excess kurtosis up to which the normal formulas hold within 3 %
TRIALS_PER_ELEMENT = 10
NO_KERNEL = "no element of the kernel is beyond its sampling noise"
_FOLDS, _LEAST_LEVELS = 5, 4
_STUDENT = 2.093  # 97.5 % point on 19 degrees of freedom: 20 groups


@dataclass(frozen=True)
class LinkTest(Result):
    """Whether responses follow the held-out predictor by a normal link.

    Attributes
    ----------
    statistic, p
        Likelihood ratio of the square and the cube, on 2 df; None if not tested.
    note
        Why not.
    """

    statistic: float | None
    p: float | None
    formula: str = LINK
    note: str | None = None


@dataclass(frozen=True)
class DecisionLaw(Result):
    """The decision variable's law under the fitted kernel, and what rests on it.

    Attributes
    ----------
    excess_kurtosis
        Of the decision variable's repeating part; None without a kernel.
    n_elements
        Elements that count one by one.
    is_normal
        Whether the normal formulas hold: excess kurtosis within -+.25.
    internal_noise
        By the exact law, whether or not the normal one would do.
    share
        Linear share by the probit given the noise.
    link
        Of the responses to the decision variable.
    note
        Why there is no law, or None.
    """

    excess_kurtosis: float | None
    n_elements: int
    is_normal: bool
    internal_noise: InternalNoise
    share: Estimate
    link: LinkTest
    note: str | None = None


def law_of_decision(session: SessionLike) -> DecisionLaw:
    """Tell the law of a session's decision variable, and what rests on it.

    Raises
    ------
    CannotTell
        If the noise is not white, never varied, or the task has more than two
        alternatives.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")  # Gaussian noise
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(
    ...     protocol, observer, seed=1, trials=600, contrast=0.15, internal_noise=1.0
    ... )
    >>> law_of_decision(session).is_normal
    True
    """
    held = Held.of(session)
    return law_of_trials(held.responses, held.design)


def law_of_trials(counted: Responses, trials: TrialDesign) -> DecisionLaw:
    """Tell the law of trials, and what rests on it; see `law_of_decision`."""
    if reason := why_not_white(trials):
        raise CannotTell(reason)
    x, _ = standardised(trials.noise, trials.cell)
    intercepts = _intercepts(counted, trials)
    n, p = x.shape
    fit, share = None, Estimate.missing(SHARE, TOO_CERTAIN, n)
    if n < TRIALS_PER_ELEMENT * p:
        rule = f"{TRIALS_PER_ELEMENT} or more for each of {p} elements"
        share = Estimate.missing(SHARE, f"trials must be {rule}, got {n}", n)
    else:
        fit, share = _share(x, intercepts, trials, share)
    law = _law(trials, fit)
    if law is None:
        missing = InternalNoise.missing(EXACT, NO_KERNEL, len(counted.second_rows))
        link = _link(x, intercepts, trials)
        return DecisionLaw(None, 0, True, missing, share, link, NO_KERNEL)
    noise = _internal_noise(counted, law)
    if share.value is None and share.note == TOO_CERTAIN:
        noise = _upper_limit(noise)
    return DecisionLaw(
        excess_kurtosis=law.excess_kurtosis,
        n_elements=law.n_elements,
        is_normal=abs(law.excess_kurtosis) <= NORMAL,
        internal_noise=noise,
        share=share,
        link=_link(x, intercepts, trials),
    )


def _intercepts(
    counted: Responses, trials: TrialDesign
) -> Float[np.ndarray, " trial column"]:
    """Give what thresholds are made of, smooth in contrast with three or more."""
    thresholds = "cells" if len(counted.contrasts) <= 2 else "spline"
    columns = Showings.of(counted, thresholds).base
    return columns[np.isin(np.arange(len(counted)), _rows(counted, trials))]


def _rows(counted: Responses, trials: TrialDesign) -> Int[np.ndarray, " trial"]:
    """Rows of the counted trials that the design kept: all but rare classes."""
    if len(counted) == len(trials):
        return np.arange(len(counted))
    kept = np.isin(counted.cluster, trials.cluster)
    return np.flatnonzero(kept)


def _share(
    x: np.ndarray, intercepts: np.ndarray, trials: TrialDesign, refused: Estimate
) -> tuple[GivenNoise | None, Estimate]:
    try:
        fit = fit_given_noise(x, intercepts, trials.response, trials.cluster)
    except CannotTell:
        return None, refused
    if fit.is_certain(trials.cell):
        return None, refused
    arm = _STUDENT * fit.share_se
    ends = fit.share - arm, fit.share + arm
    return fit, Estimate(fit.share, fit.share_se, *ends, len(trials), SHARE)


def _law(trials: TrialDesign, fit: GivenNoise | None) -> VariableLaw | None:
    if fit is not None:
        return decision_law(trials, fit.slope, fit.se)
    found = score(trials)
    return decision_law(trials, found.kernel, np.full(len(found.kernel), found.se))


def _internal_noise(counted: Responses, law: VariableLaw) -> InternalNoise:
    n, name = len(counted.second_rows), f"r-{EXACT}"
    if not n:
        return InternalNoise.missing(EXACT, NO_PAIRS, n)
    showings = replace(Showings.of(counted).counted(), law=law.as_rows)
    fit = fit_consistency(showings)
    low, value, high = (min(max(r, 0.0), 1.0) for r in (fit.low, fit.r, fit.high))
    se = fit.se if 0 < value < 1 else None
    return from_share(Estimate(value, se, low, high, n, name), EXACT)


def _upper_limit(noise: InternalNoise) -> InternalNoise:
    """Keep of gamma its upper limit, which covers where answers are certain."""

    def opened(estimate: Estimate, low: float, high: float) -> Estimate:
        if estimate.value is None:
            return estimate
        known = replace(estimate, se=None, low=low, high=high)
        return known.with_note(f"{TOO_CERTAIN}: only its limit is known")

    gamma, squared, r = noise.gamma, noise.gamma_squared, noise.r
    if gamma.value is None or gamma.high is None or r.low is None:
        return noise
    return InternalNoise(
        r=opened(r, r.low, 1.0),
        gamma=opened(gamma, 0.0, gamma.high),
        gamma_squared=opened(squared, 0.0, gamma.high**2),
    )


def _link(
    x: Float[np.ndarray, " trial element"],
    intercepts: Float[np.ndarray, " trial column"],
    trials: TrialDesign,
) -> LinkTest:
    """Test the link on predictions of fields that the fit did not know."""
    fields, number = np.unique(trials.cluster, return_inverse=True)
    fold = np.random.default_rng(0).permutation(len(fields)) % _FOLDS
    design, eta = np.hstack([intercepts, x]).astype(float), np.zeros(len(x))
    q = intercepts.shape[1]
    try:
        for k in range(_FOLDS):
            out = fold[number] == k
            kept = 1.0 * ~out
            theta, _ = newton(design, trials.response, kept, ridge=1.0)
            eta[out] = x[out] @ theta[q:]
        levels = len(np.unique(np.round(eta / max(eta.std(), 1e-12), 1)))
        if levels < _LEAST_LEVELS:
            reason = f"predictions must have {_LEAST_LEVELS} levels, got {levels}"
            return LinkTest(None, None, note=reason)
        eta = eta / eta.std()
        plain = _fitted(np.column_stack([intercepts, eta]), trials)
        powers = [intercepts, eta, eta**2, eta**3]
        gain = _fitted(np.column_stack(powers), trials) - plain
    except CannotTell as cannot:
        return LinkTest(None, None, note=str(cannot))
    statistic = max(2 * gain, 0.0)
    return LinkTest(statistic, float(chi2.sf(statistic, 2)))


def _fitted(design: Float[np.ndarray, " trial column"], trials: TrialDesign) -> float:
    theta, _ = newton(design, trials.response, np.ones(len(trials)))
    sign = np.where(trials.response, 1.0, -1.0)
    return float(log_ndtr(sign * (design @ theta)).sum())
