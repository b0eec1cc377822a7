"""A quadratic observer with many elements: its filters are eigenvectors, cross-fitted.

Fitting a filter of a thousand elements by maximum likelihood, penalty by penalty and
fold within fold, takes hours. In white noise the second-order kernel is, up to a
factor, the score of the quadratic part at none, so its extreme eigenvectors are the
filters, and only their strengths are left to be fitted:

    P = Phi(linear observer + sum_r b_r e_r q_r),    b_r >= 0,

q_r the square of the noise along the eigenvector, about its mean in the cell, of the
target's interval less the other's as they speak for "yes", and e_r the sign of its
eigenvalue. Of noise, too, an eigenvector is extreme in the trials that it comes from;
so strengths are fitted to trials that took no part in it.

To predict a fold, kernels are made of all trials but those of two folds: each other
fold in turn is held out as well, and the strengths are those that predict the others
best by the linear observers and eigenvectors that knew neither. Then the observer of
all trials but those of the fold, with these strengths, predicts it. Penalties of the
linear observer are chosen in the same way. Leaving out folds f and g serves both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize
from scipy.special import log_ndtr

from ..probit.newton import BinaryResponses, Solution, centred, slopes
from ..probit.penalised import Through, Wanted, fit_each
from ..trials.design import TrialDesign
from .lanczos import Krylov
from .operators import Operators
from .replicates import noise_sd

FORMULA = "quadratic-eigenvector-cross-validated-gain/1"
PENALTIES = (1e4, 3e3, 1e3, 300.0, 100.0, 20.0)  # 1 / prior variance of a weight
AT_ONCE = 2
ALL = -1  # as a fold: none is left out


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """What observers predict that did not know, and the observer of all trials.

    Attributes
    ----------
    log_likelihood
        Of each response, nats: without a quadratic part, with one eigenvector, ...
    intercept, weights, vectors, signs, penalty
        As in `QuadraticFit`.
    """

    log_likelihood: Float[np.ndarray, " ranks trial"]
    intercept: Float[np.ndarray, " cell"]
    weights: Float[np.ndarray, " 2 element"]
    vectors: Float[np.ndarray, " rank element"]
    signs: Float[np.ndarray, " rank"]
    penalty: float


def cross_fitted(
    trials: TrialDesign, rank: int, fold: Int[np.ndarray, " trial"], seed: int
) -> CrossFitted:
    """Predict every fold by observers that did not know it.

    Parameters
    ----------
    rank
        Eigenvectors.
    fold
        Of each trial; three or more.
    """
    observers = _Observers(trials, rank, fold, seed)
    log_likelihood = np.zeros((rank + 1, len(trials)))
    for number in range(fold.max() + 1):
        penalty = observers.penalty(number)
        here = fold == number
        linear = observers.linear(penalty, number)[here]
        for each in range(rank + 1):
            strength = observers.strengths(penalty, number, each)
            quadratic = strength @ observers.squares(number)[:each, here]
            side = np.where(trials.response[here], 1, -1) * (linear + quadratic)
            log_likelihood[each, here] = log_ndtr(side)
    penalty = observers.penalty(ALL)
    strength = observers.strengths(penalty, ALL, rank)
    place, solution = observers.place(ALL), observers.solution(penalty, ALL)
    size = np.sqrt(2 * strength)[:, None]
    return CrossFitted(
        log_likelihood=log_likelihood,
        intercept=solution.intercept,
        weights=solution.theta.reshape(2, -1),
        vectors=size * observers.vectors[place].astype(np.float64),
        signs=observers.signs[place],
        penalty=penalty,
    )


class _Observers:
    """Observers of all trials, of those without a fold, of those without two."""

    def __init__(
        self, trials: TrialDesign, rank: int, fold: np.ndarray, seed: int
    ) -> None:
        self._trials, self._fold = trials, fold
        self._n_folds = int(fold.max()) + 1
        pairs = list(combinations(range(self._n_folds), 2))
        singles = [(f, f) for f in range(self._n_folds)]
        self._sets = [*pairs, *singles, (ALL, ALL)]
        self._inside = np.stack([~np.isin(fold, left) for left in self._sets])
        _, self._cell = np.unique(trials.cell, return_inverse=True)
        self._start_linear()
        kernels = Operators.sampled(trials, self._inside.astype(np.uint8))
        values, self.vectors = Krylov.of(kernels, seed=seed).top(rank)
        self.signs = np.sign(values)
        self._squares = self._all_squares()
        self._paths: dict[float, list[Solution]] = {}
        self._walk()

    def place(self, left_out: int, other: int | None = None) -> int:
        """Give the number of the set without a fold, or without two of them."""
        other = left_out if other is None else other
        if ALL in (left_out, other):
            left_out = other = max(left_out, other)
        return self._sets.index((min(left_out, other), max(left_out, other)))

    def penalty(self, left_out: int) -> float:
        """Choose by the folds that are held out besides."""

        def fits(penalty: float) -> float:
            return sum(
                float(log_ndtr(self._sign[here] * predictor[here]).sum())
                for here, predictor, _ in self._held_out(penalty, left_out)
            )

        return max(self._paths, key=fits)

    def linear(self, penalty: float, left_out: int) -> np.ndarray:
        """Give the linear observer's decision variable in every trial."""
        return self.solution(penalty, left_out).predictor

    def solution(self, penalty: float, left_out: int) -> Solution:
        """Give the linear observer of all trials but those of a fold."""
        return self._paths[penalty][self.place(left_out)]

    def squares(self, left_out: int) -> np.ndarray:
        """Give e q of every trial along each eigenvector of the set without a fold."""
        return self._squares[self.place(left_out)]

    def strengths(self, penalty: float, left_out: int, rank: int) -> np.ndarray:
        """Fit b of the first eigenvectors to the folds that are held out besides."""
        if not rank:
            return np.zeros(0)
        parts = [
            (self._sign[here], predictor[here], squares[:rank, here])
            for here, predictor, squares in self._held_out(penalty, left_out)
        ]
        sign, linear, squares = (
            np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)
        )

        def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
            predictor = linear + b @ squares
            slope, _ = slopes(predictor, sign > 0)
            return -float(log_ndtr(sign * predictor).sum()), -(squares @ slope)

        found = minimize(
            loss,
            np.zeros(rank),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, None)] * rank,
        )
        return found.x

    def _held_out(
        self, penalty: float, left_out: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield the trials of each other fold, and what did not know them says."""
        for other in range(self._n_folds):
            if other == left_out:
                continue
            here = self._fold == other
            place = self.place(left_out, other)
            predictor = self._paths[penalty][place].predictor
            yield here, predictor, self._squares[place]

    def _start_linear(self) -> None:
        trials, sd = self._trials, np.float32(noise_sd(self._trials))
        width = trials.halves.shape[2]
        x = np.empty((len(trials), 2 * width), np.float32)
        for number, half in enumerate(trials.halves):
            x[:, number * width : (number + 1) * width] = centred(half, self._cell)
        x /= sd
        # Of white noise; the solver only needs to know about how large they are.
        share = 1.0 if trials.is_forced_choice else 0.5
        self._seen = Through.of(x, np.eye(width), share * len(x) * np.eye(width), 2)
        self._sign = np.where(trials.response, 1.0, -1.0)

    def _weighted(self, place: int) -> BinaryResponses:
        weight = self._inside[place].astype(np.float64)
        return BinaryResponses(self._trials.response, self._cell, weight)

    def _walk(self) -> None:
        """Fit linear observers from the strongest penalty on, till it is too weak.

        Penalties are left where the folds held out are predicted worse twice in a row,
        whichever fold is left out besides.
        """
        starts: list[Solution | None] = [None] * len(self._sets)
        for first in range(0, len(PENALTIES), AT_ONCE):
            chosen = PENALTIES[first : first + AT_ONCE]
            wanted = [
                Wanted(self._seen, self._weighted(place), penalty, starts[place])
                for penalty in chosen
                for place in range(len(self._sets))
            ]
            found = fit_each(wanted)
            for number, penalty in enumerate(chosen):
                start = number * len(self._sets)
                self._paths[penalty] = found[start : start + len(self._sets)]
            starts = list(self._paths[chosen[-1]])
            if all(self._is_past(f) for f in (*range(self._n_folds), ALL)):
                break

    def _is_past(self, left_out: int) -> bool:
        tried = list(self._paths)
        return tried.index(self.penalty(left_out)) < len(tried) - AT_ONCE

    def _all_squares(self) -> np.ndarray:
        """Squares along the eigenvectors of each set, about their means in the cell."""
        trials, sd = self._trials, noise_sd(self._trials)
        n_sets, rank, width = self.vectors.shape
        vectors = self.vectors.reshape(-1, width).astype(np.float32)
        first = np.square(vectors @ trials.halves[0].T)
        other = np.square(vectors @ trials.halves[1].T)
        if trials.is_forced_choice:
            squares = np.where(trials.target == 1, 1, -1) * (first - other)
        else:
            squares = first + other
        squares = (squares / sd**2).reshape(n_sets, rank, -1).astype(np.float64)
        for number, inside in enumerate(self._inside):
            n = np.bincount(self._cell, inside)
            for row in squares[number]:
                mean = np.bincount(self._cell, row * inside) / np.maximum(n, 1)
                row -= mean[self._cell]
        return squares * self.signs[:, :, None]
