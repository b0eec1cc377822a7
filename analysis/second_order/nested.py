"""Eigenvalues tested one by one, each without those that were found before it.

The most extreme eigenvalue is compared with the most extreme of kernels in which there
is nothing; if it is significant its eigenvector is taken out of both, and the next is
compared in the dimensions that remain, until one is not [1]_.

References
----------
.. [1] Schwartz, Pillow, Rust & Simoncelli (2006), J. Vision 6(4):13.
"""

from dataclasses import dataclass
from typing import Protocol as Interface
from typing import runtime_checkable

import numpy as np
from jaxtyping import Float

from ..trials.chance import counted_p


@runtime_checkable
class Null(Interface):
    """Kernels in which there is nothing, beside the one that is tested."""

    def extremes(self, rank: int) -> tuple[float, Float[np.ndarray, " replicate"]]:
        """Give the most extreme eigenvalue without the first few, and theirs."""
        ...


@dataclass(frozen=True, eq=False)
class FormedNull:
    """Kernels that are there as matrices, in the basis of the tested eigenvectors.

    Attributes
    ----------
    values
        Eigenvalues that are tested, by falling size.
    turned
        The kernels.
    """

    values: Float[np.ndarray, " rank"]
    turned: Float[np.ndarray, " replicate rank rank"]

    def band(self) -> Float[np.ndarray, " 2 rank"]:
        """Give the 95 % band of eigenvalues, rank by rank."""
        every = eigenvalues(self.turned)[:, ::-1]
        return np.quantile(every, (0.025, 0.975), axis=0)

    def extremes(self, rank: int) -> tuple[float, Float[np.ndarray, " replicate"]]:
        """Give the most extreme eigenvalue without the first few, and theirs.

        All are in the basis of the eigenvectors, so what is left is a block of it.
        """
        left = eigenvalues(self.turned[:, rank:, rank:])
        return abs(float(self.values[rank])), np.abs(left[:, [0, -1]]).max(axis=1)


def nested(null: Null, n: int, alpha: float) -> tuple[float, ...]:
    """Return p of the most extreme eigenvalue, then of the next without it.

    Until one is above alpha; at most n.

    Examples
    --------
    >>> nothing = np.tile(np.eye(2) / 2, (99, 1, 1))
    >>> nested(FormedNull(np.array([3.0, 0.1]), nothing), 2, alpha=0.05)
    (0.01, 1.0)
    """
    p: list[float] = []
    for rank in range(n):
        value, extreme = null.extremes(rank)
        p.append(counted_p(int(np.sum(extreme >= value)), len(extreme)))
        if p[-1] > alpha:
            break
    return tuple(p)


def sorted_eigen(
    matrix: Float[np.ndarray, " rank rank"],
) -> tuple[Float[np.ndarray, " rank"], Float[np.ndarray, " rank rank"]]:
    """Return eigenvalues by falling size, with their sign, and their vectors."""
    values, vectors = np.linalg.eigh(matrix)
    order = np.argsort(-np.abs(values), kind="stable")
    return values[order], vectors[:, order]


def eigenvalues(
    matrices: Float[np.ndarray, " replicate rank rank"],
) -> Float[np.ndarray, " replicate rank"]:
    """Return the rising eigenvalues of each symmetric matrix."""
    return np.linalg.eigvalsh((matrices + matrices.transpose(0, 2, 1)) / 2)


def without(
    direction: Float[np.ndarray, " element"],
) -> Float[np.ndarray, " element rest"]:
    """Return an orthonormal basis of all that is orthogonal to a direction."""
    rotation, _ = np.linalg.qr(direction[:, None], mode="complete")
    return rotation[:, 1:]
