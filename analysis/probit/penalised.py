"""The probit model under a quadratic penalty, for several sets of weights at once.

The folds of a cross-validation and the priors that compete in it are fits to the same
noise. Their Newton steps go side by side, so that a product of the noise with all of
them is one pass over it; and the noise is not multiplied with the basis of a prior, the
coefficients are. Each step is found by conjugate gradients under the Hessian of a mean
trial, factored once for a prior and a penalty: two or three products are enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import get_lapack_funcs
from scipy.special import log_ndtr

from .newton import (
    FAR,
    FARTHEST,
    INTERCEPT_PENALTY,
    LOG_ROOT_2_PI,
    MAX_PRODUCTS,
    MAX_STEPS,
    BinaryResponses,
    Coordinates,
    Solution,
)

POTRF, POTRS = get_lapack_funcs(("potrf", "potrs"), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Through:
    """Noise seen through a basis, with which it is never multiplied.

    Attributes
    ----------
    x
        From `centred`; or, with more coefficients than trials, its principal axes.
    basis
        Columns are the basis functions; None for the columns of x themselves.
    products
        About the products of the coordinates, or of those of each part, summed over
        trials: only the speed of a fit depends on them, but that of `sparse.py`.
    back
        Elements from the columns of x; None where these are the elements.
    n_parts
        Parts of equal width that x has, each seen through the same basis.
    """

    x: Float[np.ndarray, " trial column"]
    basis: Float[np.ndarray, " width coefficient"] | None
    products: Float[np.ndarray, " seen seen"]
    back: Float[np.ndarray, " element column"] | None = None
    n_parts: int = 1

    @classmethod
    def of(
        cls,
        x: Float[np.ndarray, " trial column"],
        basis: Float[np.ndarray, " width coefficient"],
        products: Float[np.ndarray, " columns columns"],
        n_parts: int = 1,
    ) -> "Through":
        """See noise through a basis.

        Parameters
        ----------
        products
            x'x; or, where x has several parts, about that of each.

        Examples
        --------
        >>> x = np.array([[1.0, -1.0], [-1.0, 1.0], [2.0, 2.0]])
        >>> seen = Through.of(x, np.eye(2), x.T @ x)
        >>> seen.along(np.array([[1.0, 1.0]])).tolist()
        [[0.0, 0.0, 4.0]]
        """
        if np.array_equal(basis, np.eye(len(basis))):
            return cls(x, None, products, None, n_parts)
        seen = _seen(products.astype(x.dtype, copy=False), basis.astype(x.dtype))
        return cls(x, basis, seen, None, n_parts)

    @classmethod
    def dual(
        cls,
        x: Float[np.ndarray, " trial column"],
        basis: Float[np.ndarray, " column coefficient"],
    ) -> "Through":
        """See it by no more coordinates than there are trials: the dual form."""
        axes = Coordinates.of(x, basis)
        return cls(axes.x, None, np.diag(axes.squares), axes.back)

    @property
    def n_coefficients(self) -> int:
        """Coefficients of a fit."""
        if self.basis is None:
            return self.x.shape[1]
        return self.n_parts * self.basis.shape[1]

    def slopes(
        self, theta: Float[np.ndarray, " fit coefficient"]
    ) -> Float[np.ndarray, " fit column"]:
        """Return the slope of each column of x."""
        return theta if self.basis is None else self._each_part(theta, self.basis.T)

    def back_to_coefficients(
        self, gradient: Float[np.ndarray, " fit column"]
    ) -> Float[np.ndarray, " fit coefficient"]:
        """Return the gradient by coefficients from that by slopes."""
        return gradient if self.basis is None else self._each_part(gradient, self.basis)

    def along(
        self, theta: Float[np.ndarray, " fit coefficient"]
    ) -> Float[np.ndarray, " fit trial"]:
        """Return x . slope of every trial."""
        return _product(self.slopes(theta), self.x.T)

    def against(
        self, values: Float[np.ndarray, " fit trial"]
    ) -> Float[np.ndarray, " fit coefficient"]:
        """Return the sum over trials of value x coordinates."""
        return self.back_to_coefficients(_product(values, self.x))

    def beta(
        self, theta: Float[np.ndarray, " coefficient"]
    ) -> Float[np.ndarray, " element"]:
        """Return the slope of each element."""
        slope = self.slopes(theta[None])[0]
        return slope if self.back is None else self.back @ slope

    def _each_part(self, rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        parts = rows.reshape(len(rows), self.n_parts, -1)
        return (parts @ matrix).reshape(len(rows), -1)


def _seen(
    products: Float[np.ndarray, " column column"],
    basis: Float[np.ndarray, " width coefficient"],
) -> Float[np.ndarray, " seen seen"]:
    """Return the products of coordinates from those of one part or of all columns."""
    width, n = basis.shape
    if len(products) > width:
        places = [slice(at, at + width) for at in range(0, len(products), width)]
        blocks = [[_seen(products[a, b], basis) for b in places] for a in places]
        return np.block(blocks)
    if n > width and np.array_equal(basis[:, :width], np.eye(width)):
        # A pyramid: its first coordinates are the elements, its blobs are few.
        blobs = basis[:, width:]
        above, below = products @ blobs, blobs.T @ products
        return np.block([[products, above], [below, below @ blobs]])
    return basis.T @ products @ basis


@dataclass(frozen=True, eq=False)
class Wanted:
    """A fit that is wanted: the noise as seen, what is explained, where to begin."""

    seen: Through
    responses: BinaryResponses
    penalty: float
    start: Solution | None = None


def fit_each(wanted: Sequence[Wanted], tolerance: float = 1e-4) -> list[Solution]:
    """Fit the probit model with a quadratic penalty, several times side by side.

    Parameters
    ----------
    wanted
        Fits to the same noise and responses; bases, weights and penalties, which are
        above 0, may differ.
    tolerance
        A fit ends when a Newton step promises to change the loss by less, in nats.
    """
    fits = _Fits(wanted, tolerance)
    found: dict[int, Solution] = {}
    live = np.arange(len(wanted))
    for _ in range(MAX_STEPS):
        ended = np.abs(fits.predictor[live]).max(axis=1) > FAR
        found |= {row: fits.solution(row, False) for row in live[ended].tolist()}
        live = live[~ended]
        if not len(live):
            break
        promised, is_better = fits.step(live)
        ended = ~is_better | (promised < 2 * tolerance)
        found |= {row: fits.solution(row, True) for row in live[ended].tolist()}
        live = live[~ended]
    found |= {row: fits.solution(row, False) for row in live.tolist()}
    return [found[row] for row in range(len(wanted))]


class _Fits:
    """Where the fits have come to: a row each."""

    def __init__(self, wanted: Sequence[Wanted], tolerance: float) -> None:
        first = wanted[0].responses
        self.wanted, self.tolerance, self.x = wanted, tolerance, wanted[0].seen.x
        self.penalty = np.array([one.penalty for one in wanted])
        self.sign = np.where(first.response, 1.0, -1.0)
        self.cell, self.n_cells = first.cell, first.n_cells
        self.weight = np.stack([one.responses.weight for one in wanted])
        n, q = len(wanted), wanted[0].seen.n_coefficients
        self.a, self.theta = np.zeros((n, self.n_cells)), np.zeros((n, q))
        for row, one in enumerate(wanted):
            if one.start is not None:
                self.a[row], self.theta[row] = one.start.intercept, one.start.theta
        self.empty = self._by_cell(self.weight) == 0
        every = np.arange(n)
        if all(one.start is not None for one in wanted):
            self.predictor = np.stack([one.start.predictor for one in wanted])  # type: ignore[union-attr]
        elif any(one.start is not None for one in wanted):
            self.predictor = self._predicted(every, self.a, self.theta)
        else:
            self.predictor = np.zeros((n, len(self.cell)))
        self.log_p = log_ndtr(self.sign * self.predictor)
        self.loss = self._loss(every, self.a, self.theta, self.log_p)
        self._factors: dict[tuple[int, float], np.ndarray] = {}

    def solution(self, row: int, is_found: bool) -> Solution:
        """Give one of them."""
        return Solution(
            self.theta[row].copy(),
            self.a[row].copy(),
            self.predictor[row].copy(),
            is_found,
        )

    def step(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take a Newton step; give what it promised, and whether it was any better."""
        signed = np.maximum(self.sign * self.predictor[rows], -FARTHEST)
        mills = np.exp(-(signed**2) / 2 - LOG_ROOT_2_PI - self.log_p[rows])
        slope = self.weight[rows] * self.sign * mills
        bend = self.weight[rows] * np.clip(mills * (mills + signed), 0.0, 1.0)
        gradient = np.concatenate(
            [
                INTERCEPT_PENALTY * self.a[rows] - self._by_cell(slope),
                self.penalty[rows, None] * self.theta[rows]
                - self._against(rows, slope),
            ],
            axis=1,
        )
        moved, along = self._conjugate_gradients(rows, gradient, bend)
        promised = -np.einsum("ij,ij->i", gradient, moved)
        return promised, self._search(rows, moved, along)

    def _search(
        self, rows: np.ndarray, moved: np.ndarray, along: np.ndarray
    ) -> np.ndarray:
        """Halve the steps that are too long; what was no better stays where it was."""
        is_better = np.zeros(len(rows), bool)
        size = 1.0
        for _ in range(40):
            left = np.flatnonzero(~is_better)
            here = rows[left]
            a = self.a[here] + size * moved[left, : self.n_cells]
            theta = self.theta[here] + size * moved[left, self.n_cells :]
            predictor = self.predictor[here] + size * along[left]
            log_p = log_ndtr(self.sign * predictor)
            loss = self._loss(here, a, theta, log_p)
            good = loss <= self.loss[here]
            to = here[good]
            self.a[to], self.theta[to] = a[good], theta[good]
            self.predictor[to], self.log_p[to] = predictor[good], log_p[good]
            self.loss[to] = loss[good]
            is_better[left[good]] = True
            if is_better.all():
                break
            size /= 2
        return is_better

    def _conjugate_gradients(
        self, rows: np.ndarray, gradient: np.ndarray, bend: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Solve H step = -gradient closely; give the step, and what it adds to each."""
        by_cell = self._by_cell(bend) + INTERCEPT_PENALTY + self.empty[rows]
        step, residual = np.zeros_like(gradient), -gradient
        moved = np.zeros_like(bend)
        direction = scaled = self._scaled(rows, residual, by_cell, bend)
        size = np.einsum("ij,ij->i", residual, scaled)
        goal = np.maximum(size * np.minimum(1e-2, size), self.tolerance / 10)
        for _ in range(MAX_PRODUCTS):
            going = (size > goal) & (size > 0)
            if not going.any():
                break
            here, part = rows[going], direction[going]
            a, theta = part[:, : self.n_cells], part[:, self.n_cells :]
            along = self._predicted(here, a, theta)
            weighed = bend[going] * along
            image = np.concatenate(
                [
                    self._by_cell(weighed) + (INTERCEPT_PENALTY + self.empty[here]) * a,
                    self._against(here, weighed) + self.penalty[here, None] * theta,
                ],
                axis=1,
            )
            curved = np.einsum("ij,ij->i", part, image)
            reach = np.where(curved > 0, size[going] / np.maximum(curved, 1e-300), 0)
            step[going] += reach[:, None] * part
            moved[going] += reach[:, None] * along
            residual[going] -= reach[:, None] * image
            before = size[going]
            scaled = self._scaled(here, residual[going], by_cell[going], bend[going])
            size[going] = np.einsum("ij,ij->i", residual[going], scaled)
            size[going] = np.where(curved > 0, size[going], 0)
            direction = direction.copy()
            direction[going] = scaled + (size[going] / before)[:, None] * part
        return step, moved

    def _scaled(
        self,
        rows: np.ndarray,
        residual: np.ndarray,
        by_cell: np.ndarray,
        bend: np.ndarray,
    ) -> np.ndarray:
        """Divide by the Hessian of a mean trial."""
        scaled = np.empty_like(residual)
        scaled[:, : self.n_cells] = residual[:, : self.n_cells] / by_cell
        penalty = self.penalty[rows]
        groups = [
            (seen, float(each), places[penalty[places] == each])
            for seen, places in self._by_seen(rows)
            for each in np.unique(penalty[places])
        ]
        for seen, each, chosen in groups:
            name = id(seen), each
            if name not in self._factors:
                self._factors[name] = self._factored(seen, each, float(bend.mean()))
            parts = residual[chosen, self.n_cells :].reshape(-1, len(seen.products))
            parts = parts.astype(np.float32).T
            done, _ = POTRS(self._factors[name], parts, lower=1, overwrite_b=1)
            scaled[chosen, self.n_cells :] = done.T.reshape(len(chosen), -1)
        return scaled

    def _factored(self, seen: Through, penalty: float, bend: float) -> np.ndarray:
        mean = (max(bend, 1e-300) * seen.products).astype(np.float32)
        least = 1e-5 * float(np.diag(mean).max(initial=0.0))
        mean[np.diag_indices(len(mean))] += np.float32(penalty + least)
        factor, _ = POTRF(mean.T, lower=1, overwrite_a=1)
        return factor

    def _by_seen(self, rows: np.ndarray) -> list[tuple[Through, np.ndarray]]:
        """Group some rows by what they see the noise through."""
        groups: dict[int, list[int]] = {}
        for place, row in enumerate(rows):
            groups.setdefault(id(self.wanted[row].seen), []).append(place)
        return [
            (self.wanted[rows[places[0]]].seen, np.array(places))
            for places in groups.values()
        ]

    def _predicted(
        self, rows: np.ndarray, a: np.ndarray, theta: np.ndarray
    ) -> np.ndarray:
        slope = np.empty((len(rows), self.x.shape[1]))
        for seen, chosen in self._by_seen(rows):
            slope[chosen] = seen.slopes(theta[chosen])
        return a[:, self.cell] + _product(slope, self.x.T)

    def _against(self, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        gradient = _product(values, self.x)
        found = np.empty((len(rows), self.theta.shape[1]))
        for seen, chosen in self._by_seen(rows):
            found[chosen] = seen.back_to_coefficients(gradient[chosen])
        return found

    def _by_cell(self, values: np.ndarray) -> np.ndarray:
        sums = [np.bincount(self.cell, row, minlength=self.n_cells) for row in values]
        return np.stack(sums)

    def _loss(
        self, rows: np.ndarray, a: np.ndarray, theta: np.ndarray, log_p: np.ndarray
    ) -> np.ndarray:
        fits = np.einsum("ij,ij->i", self.weight[rows], log_p)
        sizes = self.penalty[rows] * np.square(theta).sum(1)
        return (sizes + INTERCEPT_PENALTY * np.square(a).sum(1)) / 2 - fits


def _product(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return (rows.astype(matrix.dtype) @ matrix).astype(np.float64)
