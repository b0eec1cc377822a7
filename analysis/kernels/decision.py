"""Whether the decision variable is normal, and what is said where it is not.

The closed forms of internal noise and of the linear share rest on a normal decision
variable. Its excess kurtosis follows from the kernel and the noise that was shown
(`variable_law.py`). Within -.25 and .25 the normal formulas are within 3 %. Beyond,
gamma is by the exact law (`double_pass/law.py`) and the linear share from single
responses given their noise (`given_noise.py`), neither of which needs normal noise.

Where the law has few levels and responses are certain at one of them, the share is not
identified (separation) and is refused; of gamma the upper limit remains.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..double_pass.law import LawFit, fit_law, influence_on_r
from ..double_pass.smooth_thresholds import why_no_gamma
from ..trials.design import TrialDesign
from ..trials.estimate import Estimate
from ..trials.responses import Responses
from ..trials.result import short
from ..trials.score import why_not_white
from .decision_basis import (
    LOOSE,
    LOOSE_NEAR,
    SHARE,
    DecisionBasis,
)
from .decision_law import DecisionLaw
from .variable_law import (
    STEP,
    KernelParts,
    kurtosis_of_sum,
    law_of,
    n_levels,
)

GAMMA_EXACT = "gamma-exact-law/1"
R_EXACT = "r-exact-law/1"
NEAR_NORMAL = 0.25  # excess kurtosis, up to which normal formulas are within 3 %
FEW_LEVELS = 4
LEAST_CONTRARY = 5.0
CERTAIN = "answers are certain at one of the noise's few levels"
IS_NORMAL = "the decision variable is near normal"
BLIND = (
    "the kernel is no larger than its sampling noise, the law of the decision "
    "variable is unknown"
)
BLIND_LINK = "without a kernel there is nothing to test the link by"
CHOICES = (
    "choices alone can say no more of the internal noise than the test of the link"
)
LINEAR_ONLY = "the exact law is that of a linear observer"


@dataclass(frozen=True, eq=False)
class Decision:
    """What a decision law rests on, for whoever combines it further.

    Attributes
    ----------
    law
        The result.
    influence_on_r, influence_on_share
        Of each noise field, by rising cluster; None where there is none.
    """

    law: DecisionLaw
    influence_on_r: Float[np.ndarray, " field"] | None = None
    influence_on_share: Float[np.ndarray, " field"] | None = None


def decision_of(counted: Responses, trials: TrialDesign, seed: int = 0) -> Decision:
    """Return the decision law of trials, with the influences of noise fields.

    Parameters
    ----------
    counted
        All trials that count.
    trials
        Those of them whose noise can be compared, which alone enter.
    seed
        Of jackknife groups and folds.

    Raises
    ------
    CannotTell
        If there are more than two alternatives, or no class has both responses.

    Examples
    --------
    Many elements, or normal noise, make it normal.

    >>> import yoked
    >>> from yoked.analysis.trials.held import Held
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(
    ...     protocol, observer, seed=1, trials=300, contrast=0.15, internal_noise=1.0
    ... )
    >>> held = Held.of(session)
    >>> decision_of(held.responses, held.design).law.law
    'normal'
    """
    known = DecisionBasis.of(counted, trials, seed)
    reason = why_not_white(trials)
    if reason:
        return _not_white(known, reason)
    kurtosis = kurtosis_of_sum(known.parts, known.element_kurtosis)
    is_normal = abs(known.element_kurtosis) <= NEAR_NORMAL
    if known.is_blind and not is_normal:
        return _blind(known)
    if abs(kurtosis) <= NEAR_NORMAL:
        return _near_normal(known, kurtosis)
    return _exact(known, kurtosis)


def _not_white(known: DecisionBasis, reason: str) -> Decision:
    is_normal = abs(known.element_kurtosis) <= NEAR_NORMAL
    law = DecisionLaw(
        kurtosis=None,
        element_kurtosis=known.element_kurtosis,
        n_elements=0,
        n_levels=None,
        law="normal" if is_normal else "unknown",
        gamma_normal=known.gamma_normal,
        gamma=Estimate.missing(GAMMA_EXACT, reason, known.n),
        consistent=known.r_normal,
        given_noise=Estimate.missing(SHARE, reason, len(known.trials)),
        link=None,
        note=reason,
    )
    return Decision(law)


def _near_normal(known: DecisionBasis, kurtosis: float) -> Decision:
    law = DecisionLaw(
        kurtosis=kurtosis,
        element_kurtosis=known.element_kurtosis,
        n_elements=len(known.parts.weights),
        n_levels=None,
        law="normal",
        gamma_normal=known.gamma_normal,
        gamma=Estimate.missing(GAMMA_EXACT, IS_NORMAL, known.n),
        consistent=known.r_normal,
        given_noise=known.share(),
        link=None if known.is_blind else known.link(),
        note=BLIND_LINK if known.is_blind else CHOICES,
    )
    return Decision(law)


def _blind(known: DecisionBasis) -> Decision:
    """Bound gamma by the normal law and by that of a single element."""
    one = KernelParts(np.ones(1), np.ones(1, bool), 0.0)
    law = law_of(one, known.levels, known.trials.is_forced_choice)
    if not known.has_pairs:
        gamma = known.without(GAMMA_EXACT)
    else:
        fit, normal = fit_law(known.double_pass, law), known.gamma_normal
        note = f"{BLIND}; {short(normal.value)} by a normal law, "
        note += f"{short(fit.gamma)} if one element decides"
        ends = [(fit.low, fit.high)]
        if normal.low is not None and normal.high is not None:
            ends.append((normal.low, normal.high))
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        gamma = Estimate(None, None, low, high, known.n, GAMMA_EXACT, note)
    found = DecisionLaw(
        kurtosis=None,
        element_kurtosis=known.element_kurtosis,
        n_elements=0,
        n_levels=None,
        law="unknown",
        gamma_normal=known.gamma_normal,
        gamma=gamma,
        consistent=Estimate.missing(R_EXACT, BLIND, known.n),
        given_noise=known.share(),
        link=None,
        note=f"{BLIND}; {BLIND_LINK}",
    )
    return Decision(found)


def _exact(known: DecisionBasis, kurtosis: float) -> Decision:
    trials = known.trials
    law = law_of(known.parts, known.levels, trials.is_forced_choice, _step(known))
    levels = n_levels(
        law_of(known.parts.without_little, known.levels, trials.is_forced_choice)
    )
    is_certain = _is_certain(known, levels)
    share, fit, influence = known.share(), None, None
    if is_certain:
        share = Estimate.missing(SHARE, CERTAIN, len(trials))
    if known.has_pairs:
        fit = fit_law(known.double_pass, law)
        if not is_certain:
            by_stimulus = influence_on_r(known.showings, law, fit)
            influence = by_stimulus[np.unique(known.showings.stimulus)]
    gamma, r = _by_law(known, fit, is_certain)
    notes, link = [], None
    if levels <= FEW_LEVELS:
        rule = f"more than {FEW_LEVELS} for a test of the link"
        notes.append(f"levels of the decision variable must be {rule}, got {levels}")
    elif not is_certain:
        notes.append(CHOICES)
        link = known.link()
    if not is_certain:
        notes.append(LINEAR_ONLY)
    found = DecisionLaw(
        kurtosis=kurtosis,
        element_kurtosis=known.element_kurtosis,
        n_elements=len(known.parts.weights),
        n_levels=levels,
        law="exact",
        gamma_normal=known.gamma_normal,
        gamma=gamma,
        consistent=r,
        given_noise=share,
        link=link,
        note="; ".join(notes),
    )
    on_share = known.given.influence if known.given is not None else None
    return Decision(found, influence, on_share)


def _by_law(
    known: DecisionBasis, fit: LawFit | None, is_certain: bool
) -> tuple[Estimate, Estimate]:
    """Return gamma and r by the exact law; where all is certain, one limit of each."""
    n = known.n
    if fit is None:
        return known.without(GAMMA_EXACT), known.without(R_EXACT)
    low, value, high = (1 / (1 + g**2) for g in (fit.high, fit.gamma, fit.low))
    if is_certain:
        return (
            Estimate(None, None, None, fit.high, n, GAMMA_EXACT, CERTAIN),
            Estimate(None, None, low, None, n, R_EXACT, CERTAIN),
        )
    se = 2 * value * (1 - value) * fit.se_log
    r = Estimate(value, se if math.isfinite(se) else None, low, high, n, R_EXACT)
    if reason := why_no_gamma(n, se):
        return Estimate.missing(GAMMA_EXACT, reason, n), r
    return Estimate(fit.gamma, None, fit.low, fit.high, n, GAMMA_EXACT), r


def _step(known: DecisionBasis) -> float:
    """Step of the law's grid: coarser with hundreds of thresholds, for time."""
    return STEP * min(max(len(known.double_pass.yes) / 100, 1.0), 4.0)


def _is_certain(known: DecisionBasis, levels: int) -> bool:
    """Whether responses are certain at one of few levels, so that none tells its size.

    They are where the fit is separated or nearly so; or where the length of the kernel
    would rest on fewer than five responses that are contrary to a near certain one.
    """
    given = known.given or known.of_few
    if given is None:
        return levels <= FEW_LEVELS
    if given.loose > LOOSE:
        return True
    is_near = given.loose_near <= LOOSE_NEAR
    return levels <= FEW_LEVELS and not is_near and given.contrary < LEAST_CONTRARY
