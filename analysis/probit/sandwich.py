"""The covariance of a penalised probit fit: a sandwich, without a matrix of influence.

Bread is the inverse of the penalised Hessian, the filling the products of the scores of
noise fields, each divided by one less its leverage: what `influence` gives for each
field, added up a few trials at a time.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import get_blas_funcs, get_lapack_funcs

from .newton import BinaryResponses, Solution, slopes
from .penalised import Through

ROWS = 1024  # of the noise that are multiplied at once
ROWS_OF_SQUARE = 128  # of a matrix that is made symmetric
POTRF, POTRI = get_lapack_funcs(("potrf", "potri"), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Sandwich:
    """The covariance of the slopes of x, bread x filling x bread, both symmetric."""

    bread: Float[np.ndarray, " column column"]
    filling: Float[np.ndarray, " column column"]

    def times(
        self, vector: Float[np.ndarray, " column"]
    ) -> Float[np.ndarray, " column"]:
        """Multiply the covariance with a vector."""
        inside = self.filling @ (self.bread @ vector.astype(self.bread.dtype))
        return (self.bread @ inside).astype(np.float64)

    def variances(
        self, back: Float[np.ndarray, " element column"] | None
    ) -> Float[np.ndarray, " element"]:
        """Return the variance of the slope of each element."""
        outside = self.bread
        if back is not None:
            outside = back.astype(outside.dtype) @ outside
        spread = outside @ self.filling
        return np.einsum("ij,ij->i", spread, outside, dtype=np.float64)


def sandwich(
    seen: Through,
    responses: BinaryResponses,
    solution: Solution,
    penalty: float,
    cluster: Int[np.ndarray, " trial"],
) -> Sandwich:
    """Return the covariance of the slopes of x, without a matrix of influence.

    That of `influence`: H^-1 times the score of each trial, showings of one noise field
    added, each divided by one less its leverage.
    """
    x, kind = seen.x, seen.x.dtype
    slope, bend = slopes(solution.predictor, responses.response)
    slope, bend = responses.weight * slope, responses.weight * bend
    of_cell = np.maximum(responses.by_cell(bend), 1e-12)
    mean = _cell_means(x, responses.cell, bend) / of_cell[:, None].astype(kind)
    hessian = np.zeros((x.shape[1], x.shape[1]), kind)
    for rows in _blocks(len(x)):
        part = x[rows] - mean[responses.cell[rows]]
        part *= np.sqrt(bend[rows]).astype(kind)[:, None]
        hessian += part.T @ part
    spread = _inverse(seen, hessian.astype(np.float64), penalty)
    del hessian
    bread = spread.astype(kind)
    root = _root(spread, bread)
    del spread
    leverage = np.empty(len(x))
    for rows in _blocks(len(x)):
        part = x[rows] - mean[responses.cell[rows]]
        seen_by = _times_root(root, part)
        leverage[rows] = np.einsum("ij,ij->j", seen_by, seen_by, dtype=np.float64)
    del root
    leverage = bend * (leverage + 1 / of_cell[responses.cell])
    each = (slope / np.clip(1 - leverage, 0.1, 1)).astype(kind)
    total = np.zeros_like(bread)
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=cluster[order[0]] - 1))
    for first in range(0, len(starts), ROWS):
        edges = starts[first : first + ROWS]
        stop = starts[first + ROWS] if first + ROWS < len(starts) else len(order)
        rows = order[edges[0] : stop]
        part = (x[rows] - mean[responses.cell[rows]]) * each[rows, None]
        if len(edges) < len(rows):
            part = np.add.reduceat(part, edges - edges[0], axis=0)
        total += part.T @ part
    return Sandwich(bread, total)


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + ROWS) for start in range(0, n, ROWS)]


def _cell_means(x: np.ndarray, cell: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sum weight x noise of each cell."""
    total = np.zeros((int(cell.max()) + 1, x.shape[1]), x.dtype)
    for c in np.unique(cell):
        rows = np.flatnonzero(cell == c)
        total[c] = weight[rows].astype(x.dtype) @ x[rows]
    return total


def _inverse(seen: Through, hessian: np.ndarray, penalty: float) -> np.ndarray:
    """Return the inverse of hessian + penalty x (basis basis')^-1."""
    of_basis = np.eye(len(hessian) // seen.n_parts)
    if seen.basis is not None:
        of_basis = np.linalg.inv(seen.basis @ seen.basis.T)
    for part in range(seen.n_parts):
        place = slice(part * len(of_basis), (part + 1) * len(of_basis))
        hessian[place, place] += penalty * of_basis
    factor, failed = POTRF(hessian.T, lower=1, overwrite_a=1)
    if failed:  # by the rounding of float32
        return np.linalg.inv(hessian)
    inverse, _ = POTRI(factor, lower=1, overwrite_c=1)
    inverse = inverse.T  # in C order, its upper part
    for start in range(0, len(inverse), ROWS_OF_SQUARE):
        stop = start + ROWS_OF_SQUARE
        inverse[stop:, start:stop] = inverse[start:stop, stop:].T
        corner = inverse[start:stop, start:stop]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
    return inverse


def _root(spread: np.ndarray, bread: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return L of L L' = spread, lower triangular; or any root, where it is flat."""
    root, failed = POTRF(spread.T, lower=1, clean=1, overwrite_a=1)
    if not failed:
        return np.asfortranarray(root.astype(bread.dtype)), True
    values, vectors = np.linalg.eigh(bread.astype(np.float64))
    root = vectors * np.sqrt(np.maximum(values, 0))
    return root.astype(bread.dtype), False


def _times_root(root: tuple[np.ndarray, bool], x: np.ndarray) -> np.ndarray:
    """Return L' x' of some rows."""
    matrix, is_triangular = root
    if not is_triangular:
        return matrix.T @ x.T
    (multiply,) = get_blas_funcs(("trmm",), (matrix,))
    return multiply(1.0, matrix, x.T, lower=1, trans_a=1)
