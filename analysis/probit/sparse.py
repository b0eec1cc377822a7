"""The probit model with few coefficients: the penalty is the sum of their sizes.

Minimises - sum of weight x log likelihood + penalty x sum |theta|. The likelihood is
replaced by a parabola whose curvature is the mean one, scaled until it lies above; the
penalised parabola is solved by FISTA [1]_, and the next parabola touches there.

References
----------
.. [1] Beck & Teboulle (2009), SIAM J. Imaging Sci. 2, 183-202.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from .newton import BinaryResponses, Coordinates, Solution, fit, log_likelihoods, slopes
from .penalised import Through

MAX_PARABOLAS = 200
MAX_INNER = 150
LEAST_CURVATURE = 1e-3  # of a trial; an observer without internal noise has none


@dataclass(frozen=True, eq=False)
class SparseProblem:
    """Noise seen through a basis, and the products of its coordinates."""

    seen: Through

    @cached_property
    def gram(self) -> Float[np.ndarray, " coefficient coefficient"]:
        """Products of the coordinates, summed over trials, as exact as the noise."""
        return self.seen.products.astype(self.seen.x.dtype, copy=False)

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
    none = Coordinates(np.zeros((len(problem.seen.x), 0)), np.zeros((0, 0)))
    slope, _ = slopes(fit(none, responses, 1.0).predictor, responses.response)
    return float(np.abs(problem.seen.against((responses.weight * slope)[None])).max())


def fit_sparse(
    problem: SparseProblem,
    responses: Sequence[BinaryResponses],
    penalty: float,
    starts: Sequence[Solution | None] | None = None,
    tolerance: float = 1e-3,
) -> list[Solution]:
    """Fit the probit model with the sum of absolute coefficients as penalty.

    Parameters
    ----------
    responses
        The same responses with several sets of weights: a fit for each, side by side.
    penalty
        Above 0; from `largest_penalty` downwards.
    starts
        Fits of the same coordinates to begin at.
    tolerance
        A fit ends when a parabola lowers the loss by less, in nats.
    """
    starts = starts or [None] * len(responses)
    begun = zip(responses, starts, strict=True)
    fits = [_Fit.at(problem, part, start) for part, start in begun]
    _move(problem, fits, [fit.theta for fit in fits])
    for fit_ in fits:
        fit_.loss = fit_.ahead(penalty)
        fit_.accept()
    live = fits
    for _ in range(MAX_PARABOLAS):
        if not live:
            break
        _one_parabola(problem, live, penalty)
        for each in live:
            each.is_found = each.gain < tolerance
        live = [each for each in live if not each.is_found]
    return [each.solution() for each in fits]


@dataclass(eq=False)
class _Fit:
    """Where a fit has come to, and the point that it tries."""

    responses: BinaryResponses
    theta: np.ndarray
    a: np.ndarray
    noise: np.ndarray
    loss: float = np.inf
    gain: float = np.inf
    raise_by: float = 1.0
    is_found: bool = False
    new: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    @classmethod
    def at(
        cls, problem: SparseProblem, responses: BinaryResponses, start: Solution | None
    ) -> "_Fit":
        a = np.zeros(responses.n_cells) if start is None else start.intercept
        theta = np.zeros(problem.seen.n_coefficients) if start is None else start.theta
        return cls(responses, theta, a, np.zeros(len(responses.response)))

    def solution(self) -> Solution:
        predictor = self.a[self.responses.cell] + self.noise
        return Solution(self.theta, self.a, predictor, self.is_found)

    def ahead(self, penalty: float) -> float:
        """The loss at the point that is tried."""
        assert self.new is not None
        theta, noise, a = self.new
        return _loss(a, noise, theta, self.responses, penalty)

    def accept(self) -> None:
        """Go to the point that is tried."""
        assert self.new is not None
        self.theta, self.noise, self.a = self.new


def _move(
    problem: SparseProblem, fits: Sequence[_Fit], thetas: Sequence[np.ndarray]
) -> None:
    """Let fits try new coefficients, with intercepts a step towards their best."""
    along = problem.seen.along(np.stack(thetas))
    for each, theta, noise in zip(fits, thetas, along, strict=True):
        each.new = theta, noise, _intercepts(each.a, noise, each.responses)


def _one_parabola(problem: SparseProblem, fits: Sequence[_Fit], penalty: float) -> None:
    """Let a parabola lie above each loss, and go to its least point."""
    slope, curvature = zip(
        *(slopes(f.a[f.responses.cell] + f.noise, f.responses.response) for f in fits),
        strict=True,
    )
    weighed = [f.responses.weight * part for f, part in zip(fits, slope, strict=True)]
    gradients = -problem.seen.against(np.stack(weighed)).astype(problem.gram.dtype)
    bends = []
    for each, curved in zip(fits, curvature, strict=True):
        weight = each.responses.weight
        mean = float(weight @ curved) / float(weight.sum())
        bends.append(float(weight.mean()) * max(mean, LEAST_CURVATURE))
    left = list(zip(fits, gradients, bends, strict=True))
    while left:
        tried = [
            _parabola(problem, gradient, f.theta, f.raise_by * bend, penalty)
            for f, gradient, bend in left
        ]
        _move(problem, [f for f, _, _ in left], tried)
        still = []
        for each, gradient, bend in left:
            new_loss = each.ahead(penalty)
            if new_loss > each.loss and each.raise_by <= 1e4:
                each.raise_by *= 2
                still.append((each, gradient, bend))
                continue
            each.gain = each.loss - new_loss
            if each.gain > 0:
                each.accept()
                each.loss = new_loss
            each.raise_by = max(each.raise_by / 1.4, 1.0)
        left = still


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
