"""Which prior, and how strong: chosen by how well a kernel predicts responses held out.

The trials are split into folds (a pair of showings is never split); every candidate is
fitted to all folds but one and judged by the log likelihood of the responses in that
one. From the strongest penalty on, each is weaker by half a decade, until two in a row
predict worse than the best before them. Folds, and priors whose penalties are sums of
squares, are fitted side by side.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from ..probit.newton import BinaryResponses, Coordinates, Solution, fit, log_likelihoods
from ..probit.penalised import Through, Wanted, fit_each
from ..probit.sparse import SparseProblem, fit_sparse, largest_penalty
from .priors import Prior

STRONGEST = 3.0  # ridge: this many times the number of trials
STEP = 10**0.5
N_PENALTIES = 14
PATIENCE = 2
AT_ONCE = 3  # penalties of a prior that are tried side by side


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
    seen: Through

    @classmethod
    def of(
        cls,
        x: Float[np.ndarray, " trial column"],
        prior: Prior,
        products: Float[np.ndarray, " columns columns"],
        n_parts: int = 1,
    ) -> "PriorProblem":
        """Express `standardised` noise in the basis of a prior.

        Parameters
        ----------
        products
            x'x, or about that of each of several parts that x has.
        """
        n_coefficients = n_parts * prior.basis.shape[1]
        # Coefficients that are to be few must stay what they are.
        if prior.is_sparse or n_coefficients <= len(x):
            return cls(prior, Through.of(x, prior.basis, products, n_parts))
        return cls(prior, Through.dual(x, np.kron(np.eye(n_parts), prior.basis)))

    @cached_property
    def sparse(self) -> SparseProblem:
        """The same, with the products that the sparse fit needs."""
        return SparseProblem(self.seen)

    def fit(
        self,
        responses: Sequence[BinaryResponses],
        penalty: float,
        starts: Sequence[Solution | None] | None = None,
        tolerance: float | None = None,
    ) -> list[Solution]:
        """Fit with this prior's kind of penalty, once for each set of weights."""
        starts = starts or [None] * len(responses)
        if self.prior.is_sparse:
            return fit_sparse(
                self.sparse, responses, penalty, starts, tolerance or 1e-3
            )
        pairs = zip(responses, starts, strict=True)
        wanted = [Wanted(self.seen, part, penalty, start) for part, start in pairs]
        return fit_each(wanted, tolerance or 1e-4)

    def beta(self, solution: Solution) -> Float[np.ndarray, " element"]:
        """Return the slope of each element."""
        return self.seen.beta(solution.theta)

    def penalties(self, responses: BinaryResponses) -> Iterator[float]:
        """Give penalties to try, from one that allows next to no kernel downwards."""
        strongest = STRONGEST * len(responses.response)
        if self.prior.is_sparse:
            strongest = largest_penalty(self.sparse, responses) / STEP**0.5
        # The sum of sizes needs finer steps than the sum of squares.
        step = STEP**0.5 if self.prior.is_sparse else STEP
        return (strongest / step**i for i in range(N_PENALTIES))


def search(
    problems: Sequence[PriorProblem],
    responses: BinaryResponses,
    fold: Int[np.ndarray, " trial"],
) -> list[Candidate]:
    """Return the penalties that were tried with every prior, and their predictions.

    In the order of the priors.
    """
    paths = [_Path(problem) for problem in problems]
    together = [path for path in paths if path.problem.seen.back is None]
    together = [path for path in together if not path.problem.prior.is_sparse]
    groups = [together] if together else []
    groups += [[path] for path in paths if path not in together]
    for group in groups:
        _follow(group, responses, fold)
    return [one for path in paths for one in path.found]


@dataclass(eq=False)
class _Path:
    """The penalties of one prior, from the strongest downwards."""

    problem: PriorProblem
    found: list[Candidate] = field(default_factory=list)
    starts: list[Solution] = field(default_factory=list)
    best: float = -np.inf
    worse: int = 0

    def add(self, penalty: float, held_out: np.ndarray) -> None:
        """Keep what a penalty predicts."""
        self.found.append(Candidate(self.problem, penalty, held_out))
        total = float(held_out.sum())
        self.worse = 0 if total > self.best else self.worse + 1
        self.best = max(self.best, total)


def _follow(
    paths: Sequence[_Path], responses: BinaryResponses, fold: np.ndarray
) -> None:
    """Go down the paths of priors that have the same penalties, each to its end."""
    parts = without_each_fold(responses, fold)
    several = 1 if paths[0].problem.prior.is_sparse else AT_ONCE
    penalties = list(paths[0].problem.penalties(responses))
    for start in range(0, len(penalties), several):
        paths = [path for path in paths if path.worse < PATIENCE]
        chosen = penalties[start : start + several]
        wanted = [(path, penalty) for path in paths for penalty in chosen]
        solutions = iter(_fitted(wanted, parts))
        for path, penalty in wanted:
            found = [next(solutions) for _ in parts]
            if path.worse < PATIENCE:
                path.starts = found
                path.add(penalty, predicted(found, responses, fold))


def _fitted(
    wanted: Sequence[tuple[_Path, float]], parts: Sequence[BinaryResponses]
) -> list[Solution]:
    """Fit every fold of each path at its penalty, as far as possible at once."""
    if wanted and wanted[0][0].problem.prior.is_sparse:
        ((path, penalty),) = wanted
        return path.problem.fit(parts, penalty, path.starts or None)
    fits = [
        Wanted(path.problem.seen, part, penalty, start)
        for path, penalty in wanted
        for part, start in zip(parts, path.starts or [None] * len(parts), strict=True)
    ]
    return fit_each(fits) if fits else []


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
