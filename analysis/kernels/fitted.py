"""The first-order kernel as a regularised probit fit: the default estimate.

The weighted sum of class means (`weighted_sum.py`) is what the literature reports; it
throws away a third of what the responses of a typical observer tell, and nearly all for
an observer without internal noise [1]_. Here the probit model of single responses is
fitted under a prior, and the prior and its strength are those that predict held-out
responses best. Kernels are in decision SDs per noise SD: with white noise their squares
add up to the share of the decision variable that this kernel predicts.

A prior pulls towards itself, so that no error bar about the picture that it makes
covers the kernel. The intervals are those of an estimate without that pull
(`augmented.py`), which leans on a fit like this one: they hold the kernel, and need not
contain the picture.

References
----------
.. [1] Murray (2011), J. Vis. 11(5):2, section on generalised linear models.
.. [2] Mineault, Barthelme & Pack (2009), J. Vis. 9(10):17 (choice by cross-validation).
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..probit.newton import IN_DOUBLE, BinaryResponses, Solution, centred
from ..probit.sandwich import sandwich
from ..probit.trials import standardised
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.held import as_design
from ..trials.resample import folds
from ..trials.responses import SessionLike
from ..trials.shown import OfNoise, Shape, classification_image
from .augmented import AugmentedKernel, augmented_kernel
from .influence import require_folds
from .information import EFFICIENCY, share_of_bound
from .priors import PRIORS, Prior, has_neighbours
from .priors import prior as prior_of
from .search import PriorProblem, search, without_kernel

FORMULA = "kernel-penalised-probit/2"
GAIN = "log-likelihood-gain-cross-validated/1"
SMOOTH_LENGTHS = (1.0, 3.0)
LARGE = 2_000_000  # noise elements, from which on there are fewer folds
FOLDS_OF_LARGE = 5
CLOSELY = 1e-8  # nats, of the fit to all trials

Field = Float[np.ndarray, " *shape"]


@dataclass(frozen=True, eq=False)
class FittedKernel(OfNoise):
    """A first-order kernel fitted under a prior, in decision SDs per noise SD.

    Attributes
    ----------
    kernel
        Of the noise that speaks for "yes" (in 2AFC the second interval's less the
        first's). The squares of a white-noise kernel add up to at most 1. It is pulled
        towards its prior.
    target_half, nontarget_half
        The same from the noise with and without the target, in one fit with a kernel
        for each and the same prior. A linear observer has the same kernel twice. None
        in yes/no without a correct answer, which has one kind of noise.
    unshrunken
        The kernel without that pull, with the intervals that cover it; None where it
        cannot be had, and then `note` says why.
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
    basis
        What a kernel in coefficients is drawn in; None in white noise.
    """

    kernel: Field
    target_half: Field | None
    nontarget_half: Field | None
    unshrunken: AugmentedKernel | None
    prior: str
    length: float
    penalty: float
    log_likelihood_gain: Estimate
    efficiency: Estimate
    n_trials: int
    order: int = 1
    formula: str = FORMULA
    note: str | None = None

    def drawn(self) -> dict[str, np.ndarray]:
        """Give the classification image of a kernel in coefficients."""
        return classification_image(self.basis, self.kernel)


def fitted_kernel(
    source: SessionLike | TrialDesign,
    prior: str = "auto",
    seed: int = 0,
    n_folds: int = 10,
    lapse_rate: float | Estimate = 0.0,
) -> FittedKernel:
    """Fit the first-order kernel under the prior that predicts best.

    Parameters
    ----------
    source
        A session, or trials with their noise.
    prior
        'auto' tries ridge, smooth (lengths 1 and 3) and sparse; in noise on a basis,
        whose coefficients have no neighbours, ridge alone.
    seed
        Of the split into folds.
    n_folds
        Parts that are held out in turn; at most 5 of them where there are more than two
        million noise elements.
    lapse_rate
        That the unshrunken kernel allows for, as for `augmented_kernel`.

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
    require_folds(trials, n_folds)
    if trials.halves[0].size > LARGE:
        n_folds = min(n_folds, FOLDS_OF_LARGE)
    responses = BinaryResponses(trials.response, trials.cell, np.ones(len(trials)))
    rng = np.random.default_rng(seed)
    fold = folds(trials.cluster, trials.cell, n_folds, rng)
    x, scale = standardised(trials.noise, trials.cell)
    products = x.T @ x
    tried = _priors(prior, trials.shape)
    problems = [PriorProblem.of(x, candidate, products) for candidate in tried]
    found = search(problems, responses, fold)
    best = max(found, key=lambda one: float(one.held_out.sum()))
    fitted = PenalisedFit.of(trials, best.problem, best.penalty)
    kernel = fitted.kernel(np.ones(len(trials), bool))
    chosen = best.problem.prior
    held_out, penalty = best.held_out, best.penalty
    efficiency = _efficiency(trials, fitted, kernel)
    del x, problems, found, best, fitted  # their noise is as large as that of a half
    halves = [None, None]
    if trials.has_halves:
        halves = _halves(trials, scale, chosen, penalty, products)
    shape = trials.shape
    gain = _gain(held_out - without_kernel(responses, fold), trials)
    unshrunken, why_not = _unshrunken(trials, lapse_rate, seed)
    return FittedKernel(
        kernel.reshape(shape),
        *(half if half is None else half.reshape(shape) for half in halves),
        unshrunken=unshrunken,
        prior=chosen.name,
        length=chosen.length,
        penalty=penalty,
        log_likelihood_gain=gain,
        efficiency=efficiency,
        n_trials=len(trials),
        note=_note(gain, why_not),
        basis=trials.basis,
    )


def _unshrunken(
    trials: TrialDesign, lapse_rate: float | Estimate, seed: int
) -> tuple[AugmentedKernel | None, str | None]:
    """The estimate with its intervals, or why there is none."""
    try:
        return augmented_kernel(trials, lapse_rate, seed=seed), None
    except CannotTell as reason:
        return None, f"no intervals: {reason}"


def _priors(name: str, shape: Shape) -> list[Prior]:
    tried = []
    every = PRIORS if has_neighbours(shape) else PRIORS[:1]
    for one in every if name == "auto" else (name,):
        lengths = SMOOTH_LENGTHS if one == "smooth" else SMOOTH_LENGTHS[:1]
        tried += [prior_of(one, shape, length) for length in lengths]
    return tried


def _halves(
    trials: TrialDesign,
    scale: float,
    prior: Prior,
    penalty: float,
    products: Float[np.ndarray, " element element"],
) -> list[np.ndarray]:
    """Target half and other half: one fit with a kernel for each."""
    p = len(prior.basis)
    kind = np.float32 if trials.halves[0].size > IN_DOUBLE else np.float64
    x = np.empty((len(trials), 2 * p), kind)
    for place, half in zip((slice(p), slice(p, None)), trials.halves, strict=True):
        x[:, place] = centred(half, trials.cell)
    x /= scale
    # The sparse fit rests on the products of all coefficients.
    products = x.T @ x if prior.is_sparse else products / 2
    problem = PriorProblem.of(x, prior, products, n_parts=2)
    fitted = PenalisedFit.of(trials, problem, penalty)
    parts = []
    for half in (0, 1):
        # In yes/no a half is the kernel of its own class, in that class's decision SDs.
        own = trials.is_forced_choice | (trials.target == 1 - half)
        parts.append(fitted.kernel(own).reshape(2, p)[half])
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
    trials: TrialDesign, fitted: "PenalisedFit", kernel: np.ndarray
) -> Estimate:
    if fitted.problem.prior.is_sparse:
        reason = "the standard errors of a sparse kernel have no Fisher bound"
        return Estimate.missing(EFFICIENCY, reason, len(trials))
    return share_of_bound(trials, kernel, fitted.scatter(trials, kernel))


def _note(gain: Estimate, why_not: str | None) -> str | None:
    assert gain.value is not None
    assert gain.se is not None
    is_blind = gain.value < 2 * gain.se
    blind = "held-out responses are predicted no better than without it"
    return "; ".join(filter(None, [blind * is_blind, why_not])) or None


@dataclass(frozen=True, eq=False)
class PenalisedFit:
    """A fit to all trials."""

    problem: PriorProblem
    responses: BinaryResponses
    solution: Solution
    penalty: float

    @classmethod
    def of(
        cls, trials: TrialDesign, problem: PriorProblem, penalty: float
    ) -> "PenalisedFit":
        """Fit."""
        responses = BinaryResponses(trials.response, trials.cell, np.ones(len(trials)))
        tolerance = None if problem.prior.is_sparse else CLOSELY
        (solution,) = problem.fit([responses], penalty, tolerance=tolerance)
        return cls(problem, responses, solution, penalty)

    def kernel(self, rows: Bool[np.ndarray, " trial"]) -> Float[np.ndarray, " element"]:
        """Return the kernel, in SDs of the decisions of these trials."""
        return self.problem.beta(self.solution) / self._decision_sd(rows)

    def scatter(
        self, trials: TrialDesign, kernel: Float[np.ndarray, " element"]
    ) -> Float[np.ndarray, " element"]:
        """Return the standard error of a quadratic prior's kernel about its own mean.

        By the sandwich: what sampling adds, and nothing of the prior's pull.
        """
        seen, everywhere = self.problem.seen, np.ones(len(trials), bool)
        spread = sandwich(
            seen, self.responses, self.solution, self.penalty, trials.cluster
        )
        size = self._decision_sd(everywhere)
        predictor = self._predictor(everywhere).astype(seen.x.dtype)
        # d kernel = (d beta - kernel (d predictor . predictor) / (n size)) / size
        slope = (predictor @ seen.x).astype(np.float64) / len(trials)
        along = spread.times(slope)
        across = along if seen.back is None else seen.back @ along
        share = kernel / size
        own = spread.variances(seen.back)
        variance = own - 2 * across * share + (slope @ along) * share**2
        return np.sqrt(np.maximum(variance, 0)) / size

    def _decision_sd(self, rows: np.ndarray) -> float:
        return math.sqrt(1 + float(np.mean(self._predictor(rows) ** 2)))

    def _predictor(self, rows: np.ndarray) -> np.ndarray:
        """The noise's part of the decision variable, in internal-noise SDs."""
        solution = self.solution
        return (solution.predictor - solution.intercept[self.responses.cell])[rows]
