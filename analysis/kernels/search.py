"""Which prior, and how strong: chosen by how well a kernel predicts responses held out.

The trials are split into folds (a pair of showings is never split); every candidate is
fitted to all folds but one and judged by the log likelihood of the responses in that
one. From the strongest penalty on, each is weaker by half a decade, until two in a row
predict worse than the best before them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from ..probit.newton import BinaryResponses, Coordinates, Solution, fit, log_likelihoods
from ..probit.sparse import SparseProblem, fit_sparse, largest_penalty
from .priors import Prior

STRONGEST = 3.0  # ridge: this many times the number of trials
STEP = 10**0.5
N_PENALTIES = 14
PATIENCE = 2


@dataclass(frozen=True, eq=False)
class Candidate:
    """A prior with a penalty, and what it predicts.

    Attributes
    ----------
    held_out
        Log likelihood of each response, nats, by the fit that did not know it.
    """

    problem: "PriorProblem"
    penalty: float
    held_out: Float[np.ndarray, " trial"]


@dataclass(frozen=True, eq=False)
class PriorProblem:
    """Noise seen through a prior, ready to be fitted."""

    prior: Prior
    coordinates: Coordinates

    @classmethod
    def of(cls, x: Float[np.ndarray, " trial element"], prior: Prior) -> "PriorProblem":
        """Express `standardised` noise in the basis of a prior."""
        # Coefficients that are to be few must stay what they are.
        return cls(prior, Coordinates.of(x, prior.basis, turned=not prior.is_sparse))

    @cached_property
    def sparse(self) -> SparseProblem:
        """The same, with the products that the sparse fit needs."""
        return SparseProblem(self.coordinates)

    def fit(
        self, responses: BinaryResponses, penalty: float, start: Solution | None = None
    ) -> Solution:
        """Fit with this prior's kind of penalty."""
        if self.prior.is_sparse:
            return fit_sparse(self.sparse, responses, penalty, start)
        return fit(self.coordinates, responses, penalty, start)

    def beta(self, solution: Solution) -> Float[np.ndarray, " element"]:
        """Return the slope of each element."""
        return self.coordinates.back @ solution.theta

    def penalties(self, responses: BinaryResponses) -> Iterator[float]:
        """Give penalties to try, from one that allows next to no kernel downwards."""
        strongest = STRONGEST * len(responses.response)
        if self.prior.is_sparse:
            strongest = largest_penalty(self.sparse, responses) / STEP**0.5
        # The sum of sizes needs finer steps than the sum of squares.
        step = STEP**0.5 if self.prior.is_sparse else STEP
        return (strongest / step**i for i in range(N_PENALTIES))


def search(
    problem: PriorProblem, responses: BinaryResponses, fold: Int[np.ndarray, " trial"]
) -> list[Candidate]:
    """Return the penalties that were tried, with their predictions."""
    parts = without_each_fold(responses, fold)
    starts: list[Solution | None] = [None] * len(parts)
    found: list[Candidate] = []
    best, worse = -np.inf, 0
    for penalty in problem.penalties(responses):
        solutions = [
            problem.fit(part, penalty, start)
            for part, start in zip(parts, starts, strict=True)
        ]
        starts = list(solutions)
        held_out = predicted(solutions, responses, fold)
        found.append(Candidate(problem, penalty, held_out))
        total = float(held_out.sum())
        worse = 0 if total > best else worse + 1
        best = max(best, total)
        if worse == PATIENCE:
            break
    return found


def without_each_fold(
    responses: BinaryResponses, fold: Int[np.ndarray, " trial"]
) -> list[BinaryResponses]:
    """Return the responses without the first fold, without the second, and so on."""
    return [
        replace(responses, weight=responses.weight * (fold != k))
        for k in range(fold.max() + 1)
    ]


def predicted(
    solutions: list[Solution],
    responses: BinaryResponses,
    fold: Int[np.ndarray, " trial"],
) -> Float[np.ndarray, " trial"]:
    """Return each response's log likelihood under the fit that left its fold out."""
    predictors = np.stack([solution.predictor for solution in solutions])
    own = predictors[fold, np.arange(len(fold))]
    return log_likelihoods(own, responses.response)


def without_kernel(
    responses: BinaryResponses, fold: Int[np.ndarray, " trial"]
) -> Float[np.ndarray, " trial"]:
    """Return each response's log likelihood from the rates of its cell alone."""
    nothing = Coordinates(np.zeros((len(fold), 0)), np.zeros((0, 0)))
    solutions = [fit(nothing, part, 1.0) for part in without_each_fold(responses, fold)]
    return predicted(solutions, responses, fold)
