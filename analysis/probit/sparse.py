"""The probit model with few coefficients: the penalty is the sum of their sizes.

Minimises - sum of weight x log likelihood + penalty x sum |theta|. The likelihood is
replaced by a parabola whose curvature is the mean one, scaled until it lies above; the
penalised parabola is solved by FISTA [1]_, and the next parabola touches there.

References
----------
.. [1] Beck & Teboulle (2009), SIAM J. Imaging Sci. 2, 183-202.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from .newton import BinaryResponses, Coordinates, Solution, log_likelihoods, slopes

MAX_PARABOLAS = 200
MAX_INNER = 150
LEAST_CURVATURE = 1e-3  # of a trial; an observer without internal noise has none


@dataclass(frozen=True, eq=False)
class SparseProblem:
    """Noise in a basis, its products, and the responses to be explained."""

    coordinates: Coordinates

    @cached_property
    def gram(self) -> Float[np.ndarray, " coefficient coefficient"]:
        """Products of the coordinates, summed over trials."""
        x = self.coordinates.x
        return x.T @ x

    @cached_property
    def largest(self) -> float:
        """Largest eigenvalue of the products, found by the power method."""
        v = np.ones(self.gram.shape[0], self.gram.dtype)
        size = 1.0
        for _ in range(50):
            v = self.gram @ v
            size = float(np.linalg.norm(v))
            v /= size
        return 1.02 * size


def largest_penalty(problem: SparseProblem, responses: BinaryResponses) -> float:
    """Return the penalty from which on every coefficient is zero."""
    from .newton import fit

    x = problem.coordinates.x
    none = Coordinates(x[:, :0], problem.coordinates.back[:, :0])
    slope, _ = slopes(fit(none, responses, 1.0).predictor, responses.response)
    return float(np.abs((responses.weight * slope).astype(x.dtype) @ x).max())


def fit_sparse(
    problem: SparseProblem,
    responses: BinaryResponses,
    penalty: float,
    start: Solution | None = None,
    tolerance: float = 1e-3,
) -> Solution:
    """Fit the probit model with the sum of absolute coefficients as penalty.

    Parameters
    ----------
    penalty
        Above 0; from `largest_penalty` downwards.
    start
        A fit of the same coordinates to begin at.
    tolerance
        The fit ends when a parabola lowers the loss by less, in nats.
    """
    x = problem.coordinates.x
    a = np.zeros(responses.n_cells) if start is None else start.intercept
    theta = np.zeros(x.shape[1]) if start is None else start.theta
    noise = (x @ theta.astype(x.dtype)).astype(np.float64)
    a = _intercepts(a, noise, responses)
    loss = _loss(a, noise, theta, responses, penalty)
    share = float(responses.weight.mean())
    raise_by = 1.0
    for _ in range(MAX_PARABOLAS):
        slope, curvature = slopes(a[responses.cell] + noise, responses.response)
        gradient = -((responses.weight * slope).astype(x.dtype) @ x)
        mean = float(responses.weight @ curvature) / float(responses.weight.sum())
        bend = share * max(mean, LEAST_CURVATURE)
        while True:
            new = _parabola(problem, gradient, theta, raise_by * bend, penalty)
            new_noise = (x @ new.astype(x.dtype)).astype(np.float64)
            new_a = _intercepts(a, new_noise, responses)
            new_loss = _loss(new_a, new_noise, new, responses, penalty)
            if new_loss <= loss or raise_by > 1e4:
                break
            raise_by *= 2
        gain = loss - new_loss
        if gain > 0:
            theta, noise, a, loss = new, new_noise, new_a, new_loss
        if gain < tolerance:
            return Solution(theta, a, a[responses.cell] + noise, True)
        raise_by = max(raise_by / 1.4, 1.0)
    return Solution(theta, a, a[responses.cell] + noise, False)


def _loss(
    a: np.ndarray,
    noise: np.ndarray,
    theta: np.ndarray,
    responses: BinaryResponses,
    penalty: float,
) -> float:
    fits = responses.weight @ log_likelihoods(
        a[responses.cell] + noise, responses.response
    )
    return float(penalty * np.abs(theta).sum() - fits)


def _intercepts(
    a: np.ndarray, noise: np.ndarray, responses: BinaryResponses
) -> np.ndarray:
    """Move the intercepts one Newton step towards their best, the noise held."""
    slope, curvature = slopes(a[responses.cell] + noise, responses.response)
    slope, curvature = (
        responses.by_cell(responses.weight * part) for part in (slope, curvature)
    )
    step = (slope - 0.01 * a) / (curvature + 0.01)
    return a + np.clip(step, -1, 1)


def _parabola(
    problem: SparseProblem,
    gradient: np.ndarray,
    theta: np.ndarray,
    bend: float,
    penalty: float,
) -> Float[np.ndarray, " coefficient"]:
    """Minimise gradient . d + bend d' gram d / 2 + penalty |theta + d|, by FISTA.

    Coefficients that are zero and not about to leave it stay out; the next parabola
    lets in whatever its gradient asks for.
    """
    working = np.flatnonzero((theta != 0) | (np.abs(gradient) > 0.9 * penalty))
    kind = problem.gram.dtype
    gram = kind.type(bend) * problem.gram[np.ix_(working, working)]
    rate = 1 / (bend * problem.largest)
    least = kind.type(rate * penalty)
    centre = theta[working].astype(kind)
    here = ahead = centre
    downhill, rate, momentum = gradient[working], kind.type(rate), 1.0
    for _ in range(MAX_INNER):
        moved = ahead - rate * (downhill + gram @ (ahead - centre))
        new = np.sign(moved) * np.maximum(np.abs(moved) - least, kind.type(0))
        change = new - here
        if float((ahead - new) @ change) > 0:  # gone too far: start the momentum anew
            momentum = 1.0
        grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + kind.type((momentum - 1) / grown) * change
        here, momentum = new, grown
        if np.abs(change).max(initial=0) <= 1e-4 * np.abs(new).max(initial=1e-12):
            break
    result = np.zeros(len(theta))
    result[working] = here
    return result
