"""The first-order kernel as a regularised probit fit: the default estimate.

The weighted sum of class means (`weighted_sum.py`) is what the literature reports; it
throws away a third of what the responses of a typical observer tell, and nearly all for
an observer without internal noise [1]_. Here the probit model of single responses is
fitted under a prior, and the prior and its strength are those that predict held-out
responses best. Kernels are in decision SDs per noise SD: with white noise their squares
add up to the share of the decision variable that this kernel predicts.

A prior pulls towards itself: the standard errors are those of the penalised estimate
about its own expectation, and say nothing of that pull. Where a test or an unbiased
length is wanted, take the weighted sum (`significance.py`, `closed_forms.py`).

References
----------
.. [1] Murray (2011), J. Vis. 11(5):2, section on generalised linear models.
.. [2] Mineault, Barthelme & Pack (2009), J. Vis. 9(10):17 (choice by cross-validation).
.. [3] Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 11 (jackknife).
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from ..probit.newton import IN_DOUBLE, BinaryResponses, Solution, centred
from ..probit.sandwich import Sandwich, sandwich
from ..probit.trials import standardised
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.held import as_design
from ..trials.resample import folds
from ..trials.responses import SessionLike
from ..trials.result import Result
from ..trials.score import ONE_KIND
from .information import EFFICIENCY, share_of_bound
from .priors import PRIORS, Prior
from .priors import prior as prior_of
from .search import PriorProblem, search, without_each_fold, without_kernel

FORMULA = "kernel-penalised-probit/2"
GAIN = "log-likelihood-gain-cross-validated/1"
SMOOTH_LENGTHS = (1.0, 3.0)
LARGE = 2_000_000  # noise elements, from which on there are fewer folds
FOLDS_OF_LARGE = 5
CLOSELY = 1e-8  # nats, of the fit to all trials

Field = Float[np.ndarray, " frame row column"]


@dataclass(frozen=True, eq=False)
class FittedKernel(Result):
    """A first-order kernel fitted under a prior, in decision SDs per noise SD.

    Attributes
    ----------
    kernel
        Of the noise that speaks for "yes" (in 2AFC the second interval's less the
        first's). The squares of a white-noise kernel add up to at most 1.
    se
        Standard error of each element about the mean of the penalised estimate. Ridge
        and smooth: sandwich. Sparse: jackknife over the folds [3]_, each variance
        averaged with the mean of all elements'.
    target_half, nontarget_half
        The same from the noise with and without the target, in one fit with a kernel
        for each and the same prior. A linear observer has the same kernel twice.
    target_half_se, nontarget_half_se
        Their standard errors.
    prior, length, penalty
        'ridge', 'smooth' (with its length in elements) or 'sparse', and how strong.
    log_likelihood_gain
        Bits per trial by which the kernel predicts responses held out, over their
        cells' rates. Its SE counts noise fields, and not that the best of several was
        chosen.
    efficiency
        Signal-to-noise ratio of the kernel over the Fisher bound's for a linear
        observer of this linear share; its note has the weighted sum's.
    n_trials
        Trials that entered.
    order
        1.
    formula
        Name and version.
    note
        Sentences about what was done, or None.
    """

    kernel: Field
    se: Field
    target_half: Field
    target_half_se: Field
    nontarget_half: Field
    nontarget_half_se: Field
    prior: str
    length: float
    penalty: float
    log_likelihood_gain: Estimate
    efficiency: Estimate
    n_trials: int
    order: int = 1
    formula: str = FORMULA
    note: str | None = None


def fitted_kernel(
    source: SessionLike | TrialDesign,
    prior: str = "auto",
    seed: int = 0,
    n_folds: int = 10,
) -> FittedKernel:
    """Fit the first-order kernel under the prior that predicts best.

    Parameters
    ----------
    source
        A session, or trials with their noise.
    prior
        'auto' tries ridge, smooth (lengths 1 and 3) and sparse.
    seed
        Of the split into folds.
    n_folds
        Parts that are held out in turn; at most 5 of them where there are more than two
        million noise elements.

    Raises
    ------
    ValueError
        If there is no such prior, or fewer than two folds.
    CannotTell
        If there are fewer than two noise fields a fold, no stimulus class has both
        responses, or in yes/no one of the two classes was never shown.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")  # 13 bars, the signal in bar 6
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> int(fitted_kernel(session, prior="ridge").kernel[0, 0].argmax())
    6
    """
    trials = as_design(source)
    _check(trials, n_folds)
    if trials.halves[0].size > LARGE:
        n_folds = min(n_folds, FOLDS_OF_LARGE)
    responses = BinaryResponses(trials.response, trials.cell, np.ones(len(trials)))
    rng = np.random.default_rng(seed)
    fold = folds(trials.cluster, trials.cell, n_folds, rng)
    x, scale = standardised(trials.noise, trials.cell)
    products = (x.T @ x).astype(np.float64)
    tried = _priors(prior, trials.shape)
    problems = [PriorProblem.of(x, candidate, products) for candidate in tried]
    found = search(problems, responses, fold)
    best = max(found, key=lambda one: float(one.held_out.sum()))
    fitted = PenalisedFit.of(trials, best.problem, best.penalty, fold)
    kernel, se = fitted.kernel(np.ones(len(trials), bool))
    chosen = best.problem.prior
    held_out, penalty = best.held_out, best.penalty
    del x, problems, found, best, fitted  # their noise is as large as that of a half
    halves = _halves(trials, scale, chosen, penalty, fold, products)
    shaped = [part.reshape(trials.shape) for part in (kernel, se, *halves)]
    gain = _gain(held_out - without_kernel(responses, fold), trials)
    return FittedKernel(
        *shaped,
        prior=chosen.name,
        length=chosen.length,
        penalty=penalty,
        log_likelihood_gain=gain,
        efficiency=_efficiency(trials, chosen, kernel, se),
        n_trials=len(trials),
        note=_note(gain),
    )


def _check(trials: TrialDesign, n_folds: int) -> None:
    n_fields = len(np.unique(trials.cluster))
    if n_folds < 2:
        raise ValueError(f"n_folds must be 2 or more, got {n_folds}")
    if n_fields < 2 * n_folds:
        rule = f"{2 * n_folds} or more, to predict a part of them by the others"
        raise CannotTell(f"noise fields must be {rule}, got {n_fields}")
    if not trials.is_forced_choice and len(np.unique(trials.target)) < 2:
        rule = "with and without the signal, for a half of the kernel from either"
        got = "with" if trials.target[0] == 1 else "without"
        raise CannotTell(f"noise must be shown {rule}, got it only {got}")
    yes, n = np.bincount(trials.cell, trials.response), np.bincount(trials.cell)
    if not np.any((yes > 0) & (yes < n)):
        raise CannotTell(ONE_KIND)


def _priors(name: str, shape: tuple[int, int, int]) -> list[Prior]:
    tried = []
    for one in PRIORS if name == "auto" else (name,):
        lengths = SMOOTH_LENGTHS if one == "smooth" else SMOOTH_LENGTHS[:1]
        tried += [prior_of(one, shape, length) for length in lengths]
    return tried


def _halves(
    trials: TrialDesign,
    scale: float,
    prior: Prior,
    penalty: float,
    fold: Int[np.ndarray, " trial"],
    products: Float[np.ndarray, " element element"],
) -> list[np.ndarray]:
    """Target half, its SE, other half, its SE: one fit with a kernel for each."""
    p = len(prior.basis)
    kind = np.float32 if trials.halves[0].size > IN_DOUBLE else np.float64
    x = np.empty((len(trials), 2 * p), kind)
    for place, half in zip((slice(p), slice(p, None)), trials.halves, strict=True):
        x[:, place] = centred(half, trials.cell)
    x /= scale
    if prior.is_sparse:  # whose fit rests on the products of all coefficients
        prior = replace(prior, basis=np.kron(np.eye(2), prior.basis))
        problem = PriorProblem.of(x, prior, (x.T @ x).astype(np.float64))
    else:
        problem = PriorProblem.of(x, prior, products / 2, n_parts=2)
    fitted = PenalisedFit.of(trials, problem, penalty, fold)
    parts = []
    for half in (0, 1):
        # In yes/no a half is the kernel of its own class, in that class's decision SDs.
        own = trials.is_forced_choice | (trials.target == 1 - half)
        kernel, se = fitted.kernel(own)
        parts += [part.reshape(2, p)[half] for part in (kernel, se)]
    return parts


def _gain(difference: Float[np.ndarray, " trial"], trials: TrialDesign) -> Estimate:
    """Mean gain in bits per trial, its SE over noise fields."""
    bits, n = difference / math.log(2), len(difference)
    mean = float(bits.mean())
    by_field = trials.by_field(bits - mean)
    n_fields = len(by_field)
    se = math.sqrt(n_fields / (n_fields - 1) * float(by_field @ by_field)) / n
    return Estimate.normal(mean, se, n, GAIN)


def _efficiency(
    trials: TrialDesign, prior: Prior, kernel: np.ndarray, se: np.ndarray
) -> Estimate:
    if prior.is_sparse:
        reason = "the standard errors of a sparse kernel have no Fisher bound"
        return Estimate.missing(EFFICIENCY, reason, len(trials))
    return share_of_bound(trials, kernel, se)


def _note(gain: Estimate) -> str | None:
    assert gain.value is not None
    assert gain.se is not None
    is_blind = gain.value < 2 * gain.se
    return (
        "held-out responses are predicted no better than without it" * is_blind or None
    )


@dataclass(frozen=True, eq=False)
class PenalisedFit:
    """A fit to all trials, with what its standard errors come from.

    Attributes
    ----------
    spread
        Quadratic penalties: covariance of the slopes of x.
    parts
        Sparse prior: the fits that left one fold out.
    """

    problem: PriorProblem
    responses: BinaryResponses
    solution: Solution
    spread: Sandwich | None
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
        tolerance = None if problem.prior.is_sparse else CLOSELY
        (solution,) = problem.fit([responses], penalty, tolerance=tolerance)
        spread, parts = None, []
        if problem.prior.is_sparse:
            others = without_each_fold(responses, fold)
            parts = problem.fit(others, penalty, [solution] * len(others))
        else:
            spread = sandwich(
                problem.seen, responses, solution, penalty, trials.cluster
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
        x, back = self.problem.seen.x, self.problem.seen.back
        size = self._decision_sd(self.solution, rows)
        predictor = self._predictor(self.solution, rows).astype(x.dtype)
        # d kernel = (d beta - kernel (d predictor . predictor) / (n size)) / size
        slope = (predictor @ x[rows]).astype(np.float64) / rows.sum()
        across = along = self.spread.times(slope)
        own = self._variances
        if back is not None:
            across = back @ along
        share = kernel / size
        variance = own - 2 * across * share + (slope @ along) * share**2
        return kernel, np.sqrt(np.maximum(variance, 0)) / size

    @cached_property
    def _variances(self) -> Float[np.ndarray, " element"]:
        """Of the slope of each element."""
        assert self.spread is not None
        return self.spread.variances(self.problem.seen.back)

    def _in_decision_units(self, solution: Solution, rows: np.ndarray) -> np.ndarray:
        return self.problem.beta(solution) / self._decision_sd(solution, rows)

    def _decision_sd(self, solution: Solution, rows: np.ndarray) -> float:
        return math.sqrt(1 + float(np.mean(self._predictor(solution, rows) ** 2)))

    def _predictor(self, solution: Solution, rows: np.ndarray) -> np.ndarray:
        """The noise's part of the decision variable, in internal-noise SDs."""
        return (solution.predictor - solution.intercept[self.responses.cell])[rows]
