"""The linear share of few elements among many, where no kernel has a fit of its own.

With more elements than a tenth of the trials there is no fit without a penalty; and
where few of them decide, the decision variable is not normal and the score's share is
not that of the decision. Both have their place then. The elements of the kernel beyond
2.5 SE are fitted by single responses given their noise (`given_noise.py`), whatever the
law of it: they have the share s. The rest are many small weights, so that what they add
is normal, and a score that starts from that fit,

    U = sum over trials of (y - P) phi(eta) / (P Q) x,    I = sum of phi(eta)^2 / (P Q),

P = Phi(eta) of each trial, gives their share of what is left, rho = |U|^2 / I^2 (of
noise SDs), squares of a stimulus with itself left out. Together they have
s + (1 - s) rho.

Which elements are taken to be large is seen in the same responses, but matters little:
noise that one part gets too much of, the other lacks.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtr

from ..trials.design import TrialDesign
from ..trials.estimate import Z95, CannotTell, Estimate
from ..trials.score import Score, score
from .decision import CERTAIN
from .decision_basis import LOOSE, few_elements
from .given_noise import T95, GivenNoise, given_noise, why_not_by_trials
from .variable_law import KernelParts

GIVEN_FEW = "linear-share-given-few/1"
NONE_LARGE = "no element of the kernel is beyond its sampling noise"


@dataclass(frozen=True, eq=False)
class FewShare:
    """The share, and what each noise field, by rising cluster, adds to it."""

    estimate: Estimate
    influence: Float[np.ndarray, " field"] | None = None


def share_given_few(
    trials: TrialDesign, columns: Float[np.ndarray, " trial column"], seed: int = 0
) -> FewShare:
    """Estimate the linear share from the elements that count, and from the rest.

    Parameters
    ----------
    trials
        In white noise.
    columns
        Of the thresholds, from `threshold_columns`.
    seed
        Of jackknife groups.

    Raises
    ------
    CannotTell
        If no class has both responses.
    """
    n, found = len(trials), score(trials)
    parts = KernelParts.of(found.kernel, np.full(len(found.kernel), found.se))
    if not len(parts.weights):
        return FewShare(Estimate.missing(GIVEN_FEW, NONE_LARGE, n))
    few = few_elements(trials, parts)
    if reason := why_not_by_trials(few):
        return FewShare(Estimate.missing(GIVEN_FEW, reason, n))
    try:
        fit = given_noise(few, columns, found.sd, seed)
    except CannotTell as error:
        return FewShare(Estimate.missing(GIVEN_FEW, str(error), n))
    if fit.loose > LOOSE:
        return FewShare(Estimate.missing(GIVEN_FEW, CERTAIN, n))
    large = fit.estimate(GIVEN_FEW, n)
    assert large.value is not None
    assert large.se is not None
    rest = _Rest.of(trials, found, fit, ~parts.chosen)
    left = 1 - large.value
    value = large.value + left * rest.share
    errors = (1 - rest.share) * large.se, left * rest.se
    arm = math.hypot(T95 * errors[0], Z95 * errors[1])
    note = f"{large.value:.3f} of {len(parts.weights)} elements given their noise"
    estimate = Estimate(
        value, math.hypot(*errors), value - arm, value + arm, n, GIVEN_FEW, note
    )
    influence = (1 - rest.share) * fit.influence + left * rest.influence
    return FewShare(estimate, influence)


@dataclass(frozen=True, eq=False)
class _Rest:
    """What the other elements have of the variance that is left."""

    share: float
    se: float
    influence: Float[np.ndarray, " field"]

    @classmethod
    def of(
        cls,
        trials: TrialDesign,
        found: Score,
        fit: GivenNoise,
        rest: Bool[np.ndarray, " element"],
    ) -> "_Rest":
        eta = fit.predictor
        p = np.clip(ndtr(eta), 1e-12, 1 - 1e-12)
        slope = np.exp(-(eta**2) / 2) / math.sqrt(2 * math.pi)
        pull = slope / (p * (1 - p))
        information = float(slope @ pull)
        each = (trials.response - p) * pull / (found.sd * information)
        noise = trials.noise
        kernel = np.where(rest, each.astype(np.float32) @ noise, 0).astype(np.float64)
        _, first = np.unique(found.cluster, return_index=True)
        together = np.bincount(found.cluster, each)
        fields = noise[first]
        length = np.einsum("te,te,e->t", fields, fields, rest, dtype=np.float64)
        own = together**2 * length
        influence = 2 * (together * (fields @ kernel) - own)
        influence = influence - influence.mean()
        quadratic = rest.sum() * (found.sd**2 * (together @ together)) ** 2
        linear = float(influence @ influence) - 4 * quadratic
        se = math.sqrt(max(linear, 0.0) + 2 * quadratic)
        return cls(float(kernel @ kernel - own.sum()), se, influence)
