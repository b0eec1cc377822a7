"""A kernel fitted under one prior with one penalty, and its standard errors."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ..probit.newton import BinaryResponses, Solution
from ..probit.trials import influence
from ..trials.design import TrialDesign
from .search import PriorProblem, without_each_fold


@dataclass(frozen=True, eq=False)
class PenalisedFit:
    """A fit to all trials, with what its standard errors come from.

    Attributes
    ----------
    spread
        Quadratic penalties: what each noise field added to the coefficients.
    parts
        Sparse prior: the fits that left one fold out.
    """

    problem: PriorProblem
    responses: BinaryResponses
    solution: Solution
    spread: Float[np.ndarray, " field coefficient"] | None
    parts: list[Solution]

    @classmethod
    def of(
        cls,
        trials: TrialDesign,
        problem: PriorProblem,
        penalty: float,
        fold: Int[np.ndarray, " trial"],
    ) -> "PenalisedFit":
        """Fit."""
        responses = BinaryResponses(trials.response, trials.cell, np.ones(len(trials)))
        solution = problem.fit(responses, penalty)
        spread, parts = None, []
        if problem.prior.is_sparse:
            parts = [
                problem.fit(part, penalty, solution)
                for part in without_each_fold(responses, fold)
            ]
        else:
            spread = influence(
                problem.coordinates, responses, solution, penalty, trials.cluster
            )
        return cls(problem, responses, solution, spread, parts)

    def kernel(
        self, rows: Bool[np.ndarray, " trial"]
    ) -> tuple[Float[np.ndarray, " element"], Float[np.ndarray, " element"]]:
        """Return the kernel and its SE, in SDs of the decisions of these trials."""
        kernel = self._in_decision_units(self.solution, rows)
        if self.spread is None:
            others = [self._in_decision_units(part, rows) for part in self.parts]
            variance = (len(others) - 1) * np.var(others, axis=0)
            # Few folds, and none of them with anything at most places: an element's own
            # variance is drawn half-way to that of all.
            return kernel, np.sqrt((variance + variance.mean()) / 2)
        axes, size = self.problem.coordinates, self._decision_sd(self.solution, rows)
        predictor = self._predictor(self.solution, rows).astype(axes.x.dtype)
        # d kernel = (d beta - kernel (d predictor . predictor) / (n size)) / size
        slope = (predictor @ axes.x[rows]) / rows.sum()
        moved = (self.spread @ axes.back.astype(self.spread.dtype).T) / size
        moved -= np.outer(self.spread @ slope, kernel / size**2)
        return kernel, np.sqrt(np.einsum("ij,ij->j", moved, moved, dtype=np.float64))

    def _in_decision_units(self, solution: Solution, rows: np.ndarray) -> np.ndarray:
        return self.problem.beta(solution) / self._decision_sd(solution, rows)

    def _decision_sd(self, solution: Solution, rows: np.ndarray) -> float:
        return math.sqrt(1 + float(np.mean(self._predictor(solution, rows) ** 2)))

    def _predictor(self, solution: Solution, rows: np.ndarray) -> np.ndarray:
        """The noise's part of the decision variable, in internal-noise SDs."""
        return (solution.predictor - solution.intercept[self.responses.cell])[rows]
