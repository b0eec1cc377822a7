"""A quadratic observer fitted to single responses, to ask if the second order is real.

The probability of "yes" is

    P = Phi(a_cell + b_T . x_T + b_N . x_N + q),

x_T and x_N the halves of the noise (of the target, of the other; signed as they speak
for "yes") and q a quadratic form of low rank in the noise itself,

    2AFC     q = sum_r e_r [(u_r . n_2)^2 - (u_r . n_1)^2] / 2,   intervals 2 and 1
    yes/no   q = sum_r e_r (u_r . n)^2 / 2,

e_r = +-1. The signal is in the intercept of its cell, and in the halves' weights, which
may differ as the signal makes them. The linear model has all of it but q, so what the
quadratic one predicts better, on trials that it was not fitted to, only a second order
can explain.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize
from scipy.special import log_ndtr

from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.resample import folds
from ..trials.result import Result
from .eigen_observer import FORMULA as BY_EIGENVECTORS
from .eigen_observer import cross_fitted
from .replicates import LEAST_FIELDS, noise_sd, observed, well_filled

FORMULA = "quadratic-probit-cross-validated-gain/1"
PENALTIES = (1e4, 3e3, 1e3, 300.0, 100.0, 20.0)  # 1 / prior variance of a weight
N_INNER_FOLDS = 4
MAX_ITERATIONS = 100
LARGE = 2e9  # trials x elements^2, from which on the filters are eigenvectors
# Of the loss: where a penalty drives the vectors to zero, steps get ever smaller.
FTOL = 1e-6
LOG_ROOT_TWO_PI = 0.5 * np.log(2 * np.pi)

_Start = tuple[np.ndarray, np.ndarray]  # vectors and signs


@dataclass(frozen=True, eq=False)
class QuadraticFit:
    """A fitted observer; weights per noise SD, in SDs of the internal noise.

    Attributes
    ----------
    intercept
        Of each cell that the trials have, in the order of their numbers.
    weights
        Of the target's half and of the other's.
    vectors
        u_r of the quadratic part, not of unit length; none for the linear model.
    signs
        e_r of each.
    penalty, quadratic_penalty
        Ridge on the weights, and on the elements of sum_r e_r u_r u_r'.
    """

    intercept: Float[np.ndarray, " cell"]
    weights: Float[np.ndarray, " 2 element"]
    vectors: Float[np.ndarray, " rank element"]
    signs: Float[np.ndarray, " rank"]
    penalty: float
    quadratic_penalty: float

    @property
    def matrix(self) -> Float[np.ndarray, " element element"]:
        """The quadratic part K = sum_r e_r u_r u_r'."""
        return (self.vectors.T * self.signs) @ self.vectors


@dataclass(frozen=True, eq=False)
class QuadraticGain(Result):
    """What a second order adds to the prediction of responses, in bits per trial.

    Attributes
    ----------
    gain
        Of the rank asked for, over the linear model; SE over noise fields.
    by_rank
        The same for every rank from 1 to it.
    fit
        The observer of the rank asked for, fitted to all trials.
    """

    gain: Estimate
    by_rank: tuple[Estimate, ...]
    fit: QuadraticFit
    n_folds: int
    seed: int

    @property
    def rank(self) -> int:
        """Rank of the quadratic part."""
        return len(self.by_rank)

    def parts(self) -> dict[str, Any]:
        """Give the gains, without the fit that has a weight for every element."""
        return {**self._fields_but("fit"), "rank": self.rank}


def quadratic_gain(
    trials: TrialDesign, rank: int = 1, n_folds: int = 5, seed: int = 0
) -> QuadraticGain:
    """Return how much better a quadratic observer predicts unseen responses.

    Each fold is predicted by the linear and the quadratic model fitted to the others.
    Penalties are chosen by cross-validation within those others, so nothing of a fold
    is used to predict it. Both showings of a double pass are in one fold.

    Where trials x elements^2 are more than 2e9 the filters are not fitted but are
    eigenvectors of the second-order kernel, their strength cross-fitted
    (`eigen_observer.py`); the estimate's formula says so.

    Parameters
    ----------
    rank
        Dimensions of the quadratic part, started from the extreme eigenvectors of the
        second-order kernel. A second order that is spread over many needs more: the
        number of significant eigenvalues is a guide.
    seed
        Of the folds.

    Returns
    -------
    QuadraticGain
        Its gain is > 0 if the second order predicts; about 0, or slightly below by what
        was fitted to chance, if there is none.

    Raises
    ------
    ValueError
        If there are fewer than two folds.
    CannotTell
        If `rank` is not between 1 and the number of elements, a contrast lacks a class
        in the trials that are fitted, or responses do not vary in any stimulus class.

    References
    ----------
    .. [1] Knoblauch & Maloney (2008), J. Vision 8(16):10: quadratic terms in a GLM.
    .. [2] Park & Pillow (2011), NIPS 24: quadratic models of low rank.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> noise, target = rng.normal(size=(600, 3)).astype(np.float32), np.arange(600) % 2
    >>> has_signal = (target == 1)[:, None]
    >>> trials = TrialDesign(
    ...     response=noise[:, 1] ** 2 + rng.normal(size=600) > 1, target=target,
    ...     cell=target, contrast=np.ones(600), cluster=np.arange(600), stratum=target,
    ...     halves=np.stack([noise * has_signal, noise * ~has_signal]),
    ...     shape=(1, 1, 3), is_forced_choice=False)
    >>> quadratic_gain(trials, n_folds=2).gain.low > 0.05
    True
    """
    _check(trials, rank, n_folds)
    trials = well_filled(trials)
    if len(trials) * trials.halves.shape[2] ** 2 > LARGE and n_folds > 2:
        return _by_eigenvectors(trials, rank, n_folds, seed)
    # A class must be in what is fitted without a fold, and without one within that.
    least = LEAST_FIELDS + (n_folds == 2)
    trials = trials.of_classes(trials.fields_by_cell >= least, least)
    data = _Data.of(trials)
    rng = np.random.default_rng(seed)
    fold = folds(trials.cluster, trials.cell, n_folds, rng)
    bits = np.zeros((rank + 1, len(trials)))
    for number in range(n_folds):
        here = fold == number
        models = _models(trials.where(~here), data.where(~here), rank, rng)
        for place, model in enumerate(models):
            bits[place, here] = _log_likelihood(model, data.where(here)) / np.log(2)
    by_rank = tuple(
        _gain(bits[each] - bits[0], trials, each) for each in range(1, rank + 1)
    )
    fit = _models(trials, data, rank, rng)[-1]
    return QuadraticGain(by_rank[-1], by_rank, fit, n_folds, seed)


def _check(trials: TrialDesign, rank: int, n_folds: int) -> None:
    e = trials.halves.shape[2]
    if not 1 <= rank <= e:
        raise CannotTell(f"rank must be from 1 to {e}, the elements, got {rank}")
    if n_folds < 2:
        raise ValueError(f"n_folds must be >= 2, got {n_folds}")


def _by_eigenvectors(
    trials: TrialDesign, rank: int, n_folds: int, seed: int
) -> QuadraticGain:
    """The same question where a fit of all elements would take hours."""
    # A class must be in what is fitted without two folds.
    trials = trials.of_classes(trials.fields_by_cell >= LEAST_FIELDS, LEAST_FIELDS)
    rng = np.random.default_rng(seed)
    fold = folds(trials.cluster, trials.cell, n_folds, rng)
    found = cross_fitted(trials, rank, fold, seed)
    bits = found.log_likelihood / np.log(2)
    gains = [_gain(each - bits[0], trials, r) for r, each in enumerate(bits)]
    by_rank = tuple(replace(gain, formula=BY_EIGENVECTORS) for gain in gains[1:])
    of_all = (found.intercept, found.weights, found.vectors, found.signs)
    fit = QuadraticFit(*of_all, found.penalty, 0.0)
    return QuadraticGain(by_rank[-1], by_rank, fit, n_folds, seed)


def _gain(bits: np.ndarray, trials: TrialDesign, rank: int) -> Estimate:
    """Mean over trials; SE from sums over noise fields."""
    mean = float(bits.mean())
    together = trials.by_field(bits - mean)
    se = float(np.sqrt((together**2).sum())) / len(bits)
    note = f"rank {rank}, bits per trial over a linear observer"
    return Estimate.normal(mean, se, len(bits), FORMULA, note)


@dataclass(frozen=True, eq=False)
class _Data:
    """What the fit needs of the trials; noise in units of its SD."""

    response: np.ndarray
    cell: np.ndarray
    linear: np.ndarray  # (trial, 2 x element)
    second: np.ndarray  # noise whose square speaks for "yes" (trial, element)
    first: np.ndarray | None  # and whose square speaks against it

    @classmethod
    def of(cls, trials: TrialDesign) -> "_Data":
        halves = (trials.halves / noise_sd(trials)).astype(np.float64)
        _, cell = np.unique(trials.cell, return_inverse=True)
        linear = np.concatenate([halves[0], halves[1]], axis=1)
        if not trials.is_forced_choice:
            return cls(trials.response, cell, linear, halves.sum(0), None)
        is_second = (trials.target == 1)[:, None]
        second = np.where(is_second, halves[0], halves[1])
        first = np.where(is_second, halves[1], halves[0])
        return cls(trials.response, cell, linear, second, first)

    def where(self, rows: Bool[np.ndarray, " trial"]) -> "_Data":
        first = None if self.first is None else self.first[rows]
        response, cell, linear, second = (
            part[rows] for part in (self.response, self.cell, self.linear, self.second)
        )
        return _Data(response, cell, linear, second, first)


def _models(
    trials: TrialDesign, data: _Data, rank: int, rng: np.random.Generator
) -> list[QuadraticFit]:
    """The linear model and those of rank 1 to `rank`, penalties chosen within."""
    fold = folds(trials.cluster, trials.cell, N_INNER_FOLDS, rng)
    parts = [
        (
            data.where(fold != f),
            data.where(fold == f),
            _starts(trials.where(fold != f), rank),
        )
        for f in range(N_INNER_FOLDS)
    ]
    paths = [_linear_path(fitted) for fitted, _, _ in parts]
    best = _best(paths, parts)
    penalty = PENALTIES[best]
    models = [_linear_path(data, best + 1)[-1]]
    start = _starts(trials, rank)
    for each in range(1, rank + 1):
        tried = [
            _quadratic_path(fitted, path[best], first, each)
            for (fitted, _, first), path in zip(parts, paths, strict=True)
        ]
        chosen = PENALTIES[_best(tried, parts)]
        begin = _with_quadratic(models[0], start, each)
        models.append(_fit(data, penalty, chosen, begin))
    return models


def _linear_path(data: _Data, n: int = len(PENALTIES)) -> list[QuadraticFit]:
    """Linear fits, each started from the more penalised one before it."""
    path: list[QuadraticFit] = []
    for penalty in PENALTIES[:n]:
        path.append(_fit(data, penalty, start=path[-1] if path else None))
    return path


def _quadratic_path(
    data: _Data, linear: QuadraticFit, first: _Start, rank: int
) -> list[QuadraticFit]:
    """Quadratic fits from the weakest penalty on, each started from the one before."""
    path = [_with_quadratic(linear, first, rank)]
    for penalty in reversed(PENALTIES):
        path.append(_fit(data, linear.penalty, penalty, path[-1]))
    return path[:0:-1]


def _best(
    paths: list[list[QuadraticFit]], parts: list[tuple[_Data, _Data, _Start]]
) -> int:
    """Which penalty predicts the trials left out best, all folds together."""
    total = np.zeros(len(PENALTIES))
    for path, (_, held, _) in zip(paths, parts, strict=True):
        total += [float(_log_likelihood(model, held).sum()) for model in path]
    return int(total.argmax())


def _starts(trials: TrialDesign, rank: int) -> _Start:
    """Vectors and signs from the extreme eigenvalues of the second-order kernel."""
    matrix = observed(trials).second[0].astype(np.float64) / noise_sd(trials) ** 2
    values, vectors = np.linalg.eigh(matrix)
    order = np.argsort(-np.abs(values))[:rank]
    size = np.sqrt(np.abs(values[order]) / 2)
    return size[:, None] * vectors[:, order].T, np.sign(values[order])


def _with_quadratic(linear: QuadraticFit, first: _Start, rank: int) -> QuadraticFit:
    vectors, signs = first[0][:rank], first[1][:rank]
    return replace(linear, vectors=vectors, signs=signs)


def _fit(
    data: _Data,
    penalty: float,
    quadratic_penalty: float = 0.0,
    start: QuadraticFit | None = None,
) -> QuadraticFit:
    """Maximise the penalised likelihood from a start, whose signs are kept."""
    n_cells, e = int(data.cell.max()) + 1, data.second.shape[1]
    start = start or QuadraticFit(
        np.zeros(n_cells), np.zeros((2, e)), np.zeros((0, e)), np.zeros(0), penalty, 0.0
    )
    parts = (start.intercept, start.weights, start.vectors)
    found = minimize(
        _loss,
        np.concatenate([part.ravel() for part in parts]),
        args=(data, start.signs, n_cells, penalty, quadratic_penalty),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MAX_ITERATIONS, "ftol": FTOL},
    )
    intercept, weights, vectors = _split(found.x, n_cells, e)
    of_fit = (intercept, weights.reshape(2, e), vectors, start.signs)
    return QuadraticFit(*of_fit, penalty, quadratic_penalty)


def _split(x: np.ndarray, n_cells: int, e: int) -> tuple[np.ndarray, ...]:
    intercept, weights = x[:n_cells], x[n_cells : n_cells + 2 * e]
    return intercept, weights, x[n_cells + 2 * e :].reshape(-1, e)


def _loss(
    x: np.ndarray,
    data: _Data,
    signs: np.ndarray,
    n_cells: int,
    penalty: float,
    quadratic_penalty: float,
) -> tuple[float, np.ndarray]:
    """Penalised minus log likelihood, and its gradient."""
    intercept, weights, vectors = _split(x, n_cells, data.second.shape[1])
    along = [
        noise @ vectors.T for noise in (data.second, data.first) if noise is not None
    ]
    drive = intercept[data.cell] + data.linear @ weights
    drive += sum(
        s * ((part**2) @ signs) for s, part in zip((0.5, -0.5), along, strict=False)
    )
    side = np.where(data.response, drive, -drive)
    log_p = log_ndtr(side)
    slope = np.exp(-(side**2) / 2 - LOG_ROOT_TWO_PI - log_p)
    slope = np.where(data.response, slope, -slope)
    inner = (vectors @ vectors.T) * np.outer(signs, signs)
    loss = -log_p.sum() + penalty / 2 * (weights @ weights)
    loss += quadratic_penalty / 2 * float(np.sum(inner * (vectors @ vectors.T)))
    of_vectors = (along[0] * slope[:, None]).T @ data.second
    if data.first is not None:
        of_vectors = of_vectors - (along[1] * slope[:, None]).T @ data.first
    gradient = np.concatenate(
        [
            -np.bincount(data.cell, slope, minlength=n_cells),
            penalty * weights - slope @ data.linear,
            (
                2 * quadratic_penalty * inner @ vectors - signs[:, None] * of_vectors
            ).ravel(),
        ]
    )
    return float(loss), gradient


def _log_likelihood(model: QuadraticFit, data: _Data) -> Float[np.ndarray, " trial"]:
    """Log probability of each response."""
    drive = model.intercept[data.cell] + data.linear @ model.weights.ravel()
    for s, noise in ((0.5, data.second), (-0.5, data.first)):
        if noise is not None:
            drive = drive + s * ((noise @ model.vectors.T) ** 2 @ model.signs)
    return log_ndtr(np.where(data.response, drive, -drive))
