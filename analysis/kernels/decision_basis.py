"""What a session's decision law rests on: double pass, kernel, levels, thresholds."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from ..double_pass.consistency import ConsistencyFit, fit_consistency
from ..double_pass.internal_noise import NO_PAIRS, gamma_from_r
from ..double_pass.showings import Showings
from ..probit.trials import SEPARABLE
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.responses import Responses
from ..trials.score import Score, score
from .given_noise import (
    GivenNoise,
    given_noise,
    threshold_columns,
    why_not_by_trials,
)
from .link_test import LinkTest, link_test
from .variable_law import ElementLevels, KernelParts

GAMMA_NORMAL = "gamma-smooth-thresholds/1"
R_NORMAL = "r-smooth-thresholds/1"
SHARE = "linear-share-given-noise/1"
LOOSE, LOOSE_NEAR = 0.5, 0.25  # standard errors of log |b|: of all, of near trials
MOST_SE = 0.25  # of r, from which on there is no gamma
FEW_PAIRS = "SE of the consistent share must be at most 0.25 for gamma, got"


@dataclass(frozen=True, eq=False)
class DecisionBasis:
    """What every law of a session's decision variable rests on."""

    trials: TrialDesign
    showings: Showings
    double_pass: Showings
    normal: ConsistencyFit | None
    levels: ElementLevels
    score: Score
    columns: Float[np.ndarray, " trial column"]
    given: GivenNoise | None
    why: str | None
    seed: int

    @classmethod
    def of(cls, counted: Responses, trials: TrialDesign, seed: int) -> "DecisionBasis":
        """Fit what can be fitted; `why` says what single responses have no fit for."""
        # The same trials for both: a rare contrast, whose noise can be compared with
        # nothing, moves neither the thresholds nor r.
        same = counted.where(np.isin(counted.cluster, trials.cluster))
        showings = Showings.of(same)
        double_pass, columns = showings.counted(), threshold_columns(showings)
        found, given = score(trials), None
        why = why_not_by_trials(trials)
        if why is None:
            try:
                given = given_noise(trials, columns, found.sd, seed)
            except CannotTell as error:
                why = str(error)
        normal = fit_consistency(double_pass) if showings.n_pairs else None
        levels = ElementLevels.of(trials)
        return cls(
            trials,
            showings,
            double_pass,
            normal,
            levels,
            found,
            columns,
            given,
            why,
            seed,
        )

    @property
    def n(self) -> int:
        """Pairs."""
        return self.showings.n_pairs

    @property
    def element_kurtosis(self) -> float:
        """Of the noise that speaks for "yes": of a difference it is half."""
        return self.levels.kurtosis / (2 if self.trials.is_forced_choice else 1)

    @cached_property
    def parts(self) -> KernelParts:
        """The kernel, of single responses; by the score where those are separated."""
        given = self.given
        if given is None or given.loose > LOOSE:
            kernel = self.score.kernel
            return KernelParts.of(kernel, np.full(len(kernel), self.score.se))
        return KernelParts.of(given.slope, given.se)

    @cached_property
    def of_few(self) -> GivenNoise | None:
        """The fit of the few elements that count; None if that is separated, too."""
        few = few_elements(self.trials, self.parts)
        if why_not_by_trials(few) is not None:
            return None
        try:
            return given_noise(few, self.columns, self.score.sd, self.seed)
        except CannotTell:
            return None

    @property
    def is_blind(self) -> bool:
        """Whether the kernel may be all noise: p chi-squared variables at .05."""
        if len(self.parts.weights):
            return False
        p, ratio = len(self.score.kernel), self.score.kernel / self.score.se
        return float(ratio @ ratio) < p + 1.645 * math.sqrt(2 * p)

    @property
    def gamma_normal(self) -> Estimate:
        """Gamma by the normal formula."""
        fit = self.normal
        if fit is None:
            return Estimate.missing(GAMMA_NORMAL, NO_PAIRS)
        if fit.se is not None and fit.se > MOST_SE:
            return Estimate.missing(GAMMA_NORMAL, f"{FEW_PAIRS} {fit.se:.2f}", self.n)
        low, value, high = (
            gamma_from_r(min(max(r, 0.0), 1.0)) for r in (fit.high, fit.r, fit.low)
        )
        return Estimate(value, None, low, high, self.n, GAMMA_NORMAL)

    @property
    def r_normal(self) -> Estimate:
        """Consistent share by the normal formula, cut to 0 to 1."""
        fit = self.normal
        if fit is None:
            return Estimate.missing(R_NORMAL, NO_PAIRS)
        low, value, high = (min(max(r, 0.0), 1.0) for r in (fit.low, fit.r, fit.high))
        return Estimate(value, fit.se, low, high, self.n, R_NORMAL)

    def share(self) -> Estimate:
        """Linear share given the noise, where single responses have a fit."""
        if self.given is None or self.given.loose > LOOSE:
            n, why = len(self.trials), self.why or SEPARABLE
            return Estimate.missing(SHARE, why, n)
        return self.given.estimate(SHARE, len(self.trials))

    def link(self) -> LinkTest:
        """Test the link by predictions about as long as the kernel.

        Where few elements decide, by these alone: the noise of the other weights in the
        predictor of few levels would look like a bend.
        """
        trials, share = self.trials, self.parts.energy
        if self.given is not None:
            share = self.given.share
        if self.parts.are_few:
            trials = few_elements(trials, self.parts)
        return link_test(trials, self.columns, self.score.sd, share, self.seed)


def few_elements(trials: TrialDesign, parts: KernelParts) -> TrialDesign:
    """Return trials with the noise of those elements alone that are beyond 2.5 SE."""
    chosen = parts.chosen
    halves, shape = trials.halves[:, :, chosen], (1, 1, int(chosen.sum()))
    return replace(trials, halves=halves, shape=shape)
