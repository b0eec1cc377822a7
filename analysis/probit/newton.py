"""The probit model of single responses, fitted by Newton's method.

P(yes) = Phi(a_cell + x . theta), one row per trial, x the noise in some basis. The fit
minimises

    - sum of weight x log likelihood + penalty |theta|^2 / 2 .

The loss is convex, its tails are computed as logarithms, and each Newton step is found
by conjugate gradients, so that the largest product is the noise times a vector: a
thousand elements and ten thousand trials take a tenth of a second.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import log_ndtr

LOG_ROOT_2_PI = 0.9189385332046727
INTERCEPT_PENALTY = 0.01  # a cell in which every response was one keeps a finite rate
ROWS = 2048  # of the noise that are worked on at once
IN_DOUBLE = 500_000  # numbers; larger designs are held as float32
FAR = 1e3  # of a predictor, SDs: the noise separates the responses, nothing is finite
FARTHEST = 1e6  # of a predictor, from where on a difference of squares is all rounding
MAX_STEPS = 100
MAX_PRODUCTS = 300  # of the Hessian with a vector, in one step


@dataclass(frozen=True, eq=False)
class BinaryResponses:
    """What is to be explained: responses, their cells, and how often each counts.

    Attributes
    ----------
    weight
        Times that the trial counts: 0 leaves it out, as in cross-validation.
    """

    response: Bool[np.ndarray, " trial"]
    cell: Int[np.ndarray, " trial"]
    weight: Float[np.ndarray, " trial"]

    @cached_property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self.cell.max()) + 1

    def by_cell(
        self, values: Float[np.ndarray, " trial"]
    ) -> Float[np.ndarray, " cell"]:
        """Add values up within cells."""
        return np.bincount(self.cell, values, minlength=self.n_cells)


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The noise in the basis of a prior, turned to its principal axes.

    Attributes
    ----------
    x
        Coordinates of each trial's noise, the mean of its cell taken off.
    back
        Elements from coordinates: beta = back @ theta.
    squares
        Sum of squares of each coordinate.
    """

    x: Float[np.ndarray, " trial coefficient"]
    back: Float[np.ndarray, " element coefficient"]

    @cached_property
    def squares(self) -> Float[np.ndarray, " coefficient"]:
        """Sum of squares of each coordinate."""
        return np.einsum("ij,ij->j", self.x, self.x).astype(np.float64)

    @classmethod
    def of(
        cls,
        x: Float[np.ndarray, " trial element"],
        basis: Float[np.ndarray, " element coefficient"] | None = None,
        turned: bool = True,
    ) -> "Coordinates":
        """Express noise in a basis.

        Parameters
        ----------
        x
            From `centred`.
        basis
            Columns are the basis functions; None takes the elements themselves.
        turned
            Whether to turn to the principal axes: the penalty |theta|^2 is the same, a
            fit needs fewer steps, and with fewer trials than coefficients there are no
            more axes than trials (the dual form of ridge regression).
        """
        if basis is None:
            basis = np.eye(x.shape[1])
        z = (x @ basis.astype(x.dtype)) if basis.size else x
        if not turned:
            return cls(z, basis)
        n, q = z.shape
        small = z.T @ z if q <= n else z @ z.T
        values, vectors = np.linalg.eigh(small.astype(np.float64))
        kept = values > values[-1] * max(n, q) * np.finfo(x.dtype).eps
        values, vectors = values[kept], vectors[:, kept]
        if q <= n:
            return cls(z @ vectors.astype(x.dtype), basis @ vectors)
        axes = z.T @ (vectors / np.sqrt(values)).astype(x.dtype)
        turned_z = (vectors * np.sqrt(values)).astype(x.dtype)
        return cls(turned_z, basis @ axes.astype(np.float64))


@dataclass(frozen=True, eq=False)
class Solution:
    """The fitted probit model.

    Attributes
    ----------
    theta
        Coefficients.
    intercept
        One for each cell, at the mean noise of that cell.
    predictor
        a_cell + x . theta of every trial, those left out included.
    is_found
        Whether Newton's method came to its end.
    """

    theta: Float[np.ndarray, " coefficient"]
    intercept: Float[np.ndarray, " cell"]
    predictor: Float[np.ndarray, " trial"]
    is_found: bool


def centred(
    x: Float[np.ndarray, " trial element"], cell: Int[np.ndarray, " trial"]
) -> Float[np.ndarray, " trial element"]:
    """Return noise about the mean of its cell, as float64 or, if large, float32."""
    kind = np.float64 if x.size <= IN_DOUBLE else np.float32
    x, n = x.astype(kind), np.bincount(cell)
    total = np.zeros((len(n), x.shape[1]))
    for rows in _blocks(len(x)):
        for c in np.unique(cell[rows]):
            total[c] += x[rows][cell[rows] == c].sum(0, dtype=np.float64)
    mean = (total / np.maximum(n, 1)[:, None]).astype(kind)
    for rows in _blocks(len(x)):
        x[rows] -= mean[cell[rows]]
    return x


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + ROWS) for start in range(0, n, ROWS)]


def log_likelihoods(
    predictor: Float[np.ndarray, " trial"], response: Bool[np.ndarray, " trial"]
) -> Float[np.ndarray, " trial"]:
    """Return the log likelihood of every response, in nats."""
    return log_ndtr(np.where(response, predictor, -predictor))


def slopes(
    predictor: Float[np.ndarray, " trial"], response: Bool[np.ndarray, " trial"]
) -> tuple[Float[np.ndarray, " trial"], Float[np.ndarray, " trial"]]:
    """Return the first derivative of each log likelihood, and less the second."""
    sign = np.where(response, 1.0, -1.0)
    signed = np.maximum(sign * predictor, -FARTHEST)
    mills = np.exp(-(signed**2) / 2 - LOG_ROOT_2_PI - log_ndtr(signed))
    return sign * mills, np.clip(mills * (mills + signed), 0.0, 1.0)


def fit(
    coordinates: Coordinates,
    responses: BinaryResponses,
    penalty: float,
    start: Solution | None = None,
    tolerance: float = 1e-4,
) -> Solution:
    """Fit the probit model with a quadratic penalty.

    Parameters
    ----------
    penalty
        0 for maximum likelihood.
    start
        A fit of the same coordinates to begin at.
    tolerance
        The fit ends when a Newton step promises to change the loss by less, in nats.
    """
    x, squares = coordinates.x, coordinates.squares
    fixed = INTERCEPT_PENALTY * (penalty > 0)
    a = np.zeros(responses.n_cells) if start is None else start.intercept
    theta = np.zeros(x.shape[1]) if start is None else start.theta
    # A cell without counted trials has no intercept to find.
    empty = responses.by_cell(responses.weight) == 0

    def predict(a: np.ndarray, theta: np.ndarray) -> np.ndarray:
        return a[responses.cell] + (x @ theta.astype(x.dtype)).astype(np.float64)

    def loss_at(a: np.ndarray, theta: np.ndarray, predictor: np.ndarray) -> float:
        fits = responses.weight @ log_likelihoods(predictor, responses.response)
        return float(penalty * theta @ theta / 2 + fixed * a @ a / 2 - fits)

    predictor = predict(a, theta)
    loss = loss_at(a, theta, predictor)
    for _ in range(MAX_STEPS):
        if np.abs(predictor).max() > FAR:
            break
        slope, curvature = slopes(predictor, responses.response)
        slope, curvature = responses.weight * slope, responses.weight * curvature
        gradient = _join(
            fixed * a - responses.by_cell(slope),
            penalty * theta - _transposed(x, slope),
        )
        by_cell = responses.by_cell(curvature) + fixed + empty
        mean = curvature.sum() / len(curvature)
        diagonal = _join(
            by_cell, mean * squares + penalty + 1e-12 * squares.max(initial=0.0)
        )

        def times(
            v: np.ndarray,
            curvature: np.ndarray = curvature,
        ) -> np.ndarray:
            of_a, of_theta = v[: responses.n_cells], v[responses.n_cells :]
            moved = curvature * predict(of_a, of_theta)
            return _join(
                responses.by_cell(moved) + (fixed + empty) * of_a,
                _transposed(x, moved) + penalty * of_theta,
            )

        # Where all is certain, curvature is too small to be a number.
        step = _conjugate_gradients(times, -gradient, np.maximum(diagonal, 1e-300))
        promised = -float(gradient @ step)
        for _ in range(40):
            new_a, new_theta = (
                a + step[: responses.n_cells],
                theta + step[responses.n_cells :],
            )
            new_predictor = predict(new_a, new_theta)
            new_loss = loss_at(new_a, new_theta, new_predictor)
            if new_loss <= loss:
                break
            step = step / 2
        else:  # no shorter step is better: rounding is all that is left
            return Solution(theta, a, predictor, True)
        a, theta, predictor, loss = new_a, new_theta, new_predictor, new_loss
        if promised < 2 * tolerance:
            return Solution(theta, a, predictor, True)
    return Solution(theta, a, predictor, False)


def _join(a: np.ndarray, theta: np.ndarray) -> np.ndarray:
    return np.concatenate([a, theta])


def _transposed(x: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (v.astype(x.dtype) @ x).astype(np.float64)


def _conjugate_gradients(times, target: np.ndarray, diagonal: np.ndarray) -> np.ndarray:  # noqa: ANN001
    """Solve H step = target, closely enough for Newton's method to gain speed."""
    step = np.zeros_like(target)
    residual = target.copy()
    scaled = residual / diagonal
    direction, size = scaled, float(residual @ scaled)
    goal = size * min(1e-2, size)
    for _ in range(MAX_PRODUCTS):
        if size <= goal or size == 0:
            break
        image = times(direction)
        bend = float(direction @ image)
        if bend <= 0:
            break
        step = step + size / bend * direction
        residual = residual - size / bend * image
        scaled = residual / diagonal
        previous, size = size, float(residual @ scaled)
        direction = scaled + size / previous * direction
    return step
