"""What a session's decision law rests on: double pass, kernel, levels, thresholds."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from ..double_pass.showings import Showings
from ..double_pass.smooth_thresholds import (
    ConsistentShare,
    consistent_share,
    from_share,
)
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

SHARE = "linear-share-given-noise/1"
LOOSE, LOOSE_NEAR = 0.5, 0.25  # standard errors of log |b|: of all, of near trials


@dataclass(frozen=True, eq=False)
class DecisionBasis:
    """What every law of a session's decision variable rests on."""

    trials: TrialDesign
    showings: Showings
    double_pass: Showings
    consistent: ConsistentShare
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
        consistent = consistent_share(same)
        showings = Showings.of(same, consistent.thresholds)
        double_pass, columns = showings.counted(), threshold_columns(showings)
        found, given = score(trials), None
        why = why_not_by_trials(trials)
        if why is None:
            try:
                given = given_noise(trials, columns, found.sd, seed)
            except CannotTell as error:
                why = str(error)
        levels = ElementLevels.of(trials)
        return cls(
            trials,
            showings,
            double_pass,
            consistent,
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
    def has_pairs(self) -> bool:
        """Whether the double pass tells how much of the decision variable repeats."""
        return self.consistent.fit is not None

    @property
    def gamma_normal(self) -> Estimate:
        """Gamma by the normal formula."""
        return from_share(self.r_normal).gamma

    @property
    def r_normal(self) -> Estimate:
        """Consistent share by the normal formula."""
        return self.consistent.r

    def without(self, formula: str) -> Estimate:
        """Return the reason why the pairs tell nothing, as an estimate."""
        return Estimate.missing(formula, self.r_normal.note or "", self.n)

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
    return replace(trials, halves=halves, shape=shape, basis=None)
