"""The most extreme eigenvalues of many second-order kernels, by Lanczos at once.

Every set of responses starts from the same vector, and a step is one product with all
kernels (`operators.py`); vectors are made orthogonal to all before them twice. The
statistic, the larger of the top and minus the bottom Ritz value, is below the
eigenvalue that it nears, by a thousandth or so after 24 steps. But it is the same
function of the responses for those given and for those permuted, so that a permutation
test of it is exact for any number of steps: few cost power only [1]_.

Directions are taken out afterwards: the values of a kernel without them are sought
among the vectors that there are, without their parts along those directions.

References
----------
.. [1] Golub & Van Loan (2013), Matrix Computations, 4th ed., section 10.1 (Lanczos).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from ..trials.attempts import Share
from .operators import Operators

STEPS = 24
INSIDE = 1e-3  # squared length below which a vector lay in what was taken out


@dataclass(frozen=True, eq=False)
class Krylov:
    """Orthonormal vectors that hold the extreme eigenvectors of each kernel nearly.

    Attributes
    ----------
    vectors
        Of each kernel.
    matrix
        Each kernel as these vectors see it.
    """

    operators: Operators
    vectors: Float32[np.ndarray, " replicate step element"]
    matrix: Float[np.ndarray, " replicate step step"]

    @classmethod
    def of(
        cls,
        operators: Operators,
        steps: int = STEPS,
        seed: int = 0,
        basis: Float[np.ndarray, " element rank"] | None = None,
        progress: Share | None = None,
    ) -> "Krylov":
        """Take some steps from one vector, drawn by the seed, with every kernel.

        Parameters
        ----------
        basis
            Orthonormal columns: the kernels are seen in these dimensions only.
        progress
            Called with the steps done and all of them.
        """
        n, e = len(operators), operators.n_elements
        steps = min(steps, e if basis is None else basis.shape[1])
        start = _inside(np.random.default_rng(seed).normal(size=(1, e)), basis)
        new = np.repeat(start / np.linalg.norm(start), n, axis=0).astype(np.float32)
        vectors = np.zeros((n, steps, e), np.float32)
        matrix = np.zeros((n, steps, steps))
        for step in range(steps):
            vectors[:, step] = new
            image = operators.times(new[:1] if step == 0 else new)
            image = _inside(image, basis).astype(np.float32)
            known = vectors[:, : step + 1]
            along = _along(known, image)
            matrix[:, step, : step + 1] = matrix[:, : step + 1, step] = along
            new = image - _sum(along, known)
            new -= _sum(_along(known, new), known)
            size = np.linalg.norm(new, axis=1, keepdims=True)
            # What is left of a kernel of few dimensions is rounding.
            there = size > 1e-5 * np.linalg.norm(image, axis=1, keepdims=True)
            new = np.where(there, new / np.maximum(size, 1e-30), np.float32(0))
            if progress is not None:
                progress(step + 1, steps)
        return cls(operators, vectors, matrix)

    def extremes(self) -> Float[np.ndarray, " replicate"]:
        """Return the larger of the top and minus the bottom value of each kernel."""
        return _extremes(self.matrix)

    def top(
        self, rank: int
    ) -> tuple[
        Float[np.ndarray, " replicate rank"],
        Float[np.ndarray, " replicate rank element"],
    ]:
        """Return the most extreme values of each kernel, and their unit vectors."""
        values, inside = np.linalg.eigh(self.matrix)
        order = np.argsort(-np.abs(values), axis=1)[:, :rank]
        chosen = np.take_along_axis(inside, order[:, None, :], axis=2)
        vectors = chosen.transpose(0, 2, 1) @ self.vectors
        return np.take_along_axis(values, order, axis=1), vectors

    def extremes_without(
        self, directions: Float[np.ndarray, " direction element"]
    ) -> Float[np.ndarray, " replicate"]:
        """Return the same with some orthonormal directions taken out of the noise."""
        out = directions.astype(np.float32)
        images = np.stack([self.operators.times(v[None]) for v in out], axis=1)
        inside = self.vectors @ out.T  # (replicate, step, direction)
        across = self.vectors @ images.transpose(0, 2, 1)
        among = images @ out.T
        inside, across, among = (x.astype(float) for x in (inside, across, among))
        mixed = across @ inside.transpose(0, 2, 1)
        matrix = self.matrix - mixed - mixed.transpose(0, 2, 1)
        matrix += inside @ among @ inside.transpose(0, 2, 1)
        lengths = np.eye(matrix.shape[1]) - inside @ inside.transpose(0, 2, 1)
        size, axes = np.linalg.eigh(lengths)
        is_left = size > INSIDE
        axes = axes * (is_left / np.sqrt(np.where(is_left, size, 1)))[:, None, :]
        return _extremes(axes.transpose(0, 2, 1) @ matrix @ axes)


def _inside(vectors: np.ndarray, basis: np.ndarray | None) -> np.ndarray:
    return vectors if basis is None else (vectors @ basis) @ basis.T


def _along(known: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Products of each replicate's vectors with its new one."""
    return (known @ new[:, :, None])[:, :, 0]


def _sum(weight: np.ndarray, known: np.ndarray) -> np.ndarray:
    return (weight[:, None, :] @ known)[:, 0]


def _extremes(matrix: np.ndarray) -> np.ndarray:
    values = np.linalg.eigvalsh((matrix + matrix.transpose(0, 2, 1)) / 2)
    return np.abs(values[:, [0, -1]]).max(axis=1)
