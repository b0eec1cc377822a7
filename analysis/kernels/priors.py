"""What a kernel is expected to look like, as a basis and a penalty on its coefficients.

beta = basis @ theta. The penalty is |theta|^2, a normal prior ("ridge", "smooth"), or
the sum of |theta| ("sparse"). The columns of a basis are scaled so that an element's
prior variance is 1 on average; a penalty then means the same under all priors.

- ridge: elements are independent of each other.
- smooth: beta' (I + l^2 L)^2 beta, L the graph Laplacian of the grid of frames, rows
  and columns (second differences, reflecting at the edges, which leave a flat kernel
  free). Structure finer than about l elements is held back.
- sparse: few blobs of a Gaussian pyramid, of all sizes and at all places [1]_.

Coefficients of noise on a basis have a ridge alone.

Choose a prior whose bias is irrelevant to the hypothesis: "smooth" cannot show a sharp
peak, "sparse" cannot show a faint extended one.

References
----------
.. [1] Mineault, Barthelme & Pack (2009), J. Vis. 9(10):17.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.fft import dct

from ..trials.estimate import CannotTell
from ..trials.shown import Shape

PRIORS = ("ridge", "smooth", "sparse")


@dataclass(frozen=True, eq=False)
class Prior:
    """A basis of kernels.

    Attributes
    ----------
    name
        'ridge', 'smooth' or 'sparse'.
    basis
        Columns are the basis functions.
    length
        Of the smooth prior, in elements; 0 for the others.
    """

    name: str
    basis: Float[np.ndarray, " element coefficient"]
    length: float = 0.0

    @property
    def is_sparse(self) -> bool:
        """Whether the penalty is the sum of absolute coefficients."""
        return self.name == "sparse"


def prior(name: str, shape: Shape, length: float = 1.0) -> Prior:
    """Return a prior for fields of a shape.

    Parameters
    ----------
    shape
        (frames, rows, columns), or (coefficients,).
    length
        Of the smooth prior, in elements.

    Raises
    ------
    ValueError
        If there is no such prior, or the length is not positive.
    CannotTell
        If the prior is one of neighbours, and coefficients have none.

    Examples
    --------
    >>> prior("smooth", (1, 1, 13)).basis.shape, prior("sparse", (1, 1, 13)).basis.shape
    ((13, 13), (13, 24))
    """
    if name not in PRIORS:
        raise ValueError(f"prior must be one of {', '.join(PRIORS)}, got {name!r}")
    if name == "ridge":
        return Prior(name, np.eye(int(np.prod(shape))))
    if not has_neighbours(shape):
        rule = "'ridge' for coefficients of images, which have no neighbours"
        raise CannotTell(f"prior must be {rule}, got {name!r}")
    if name == "smooth":
        basis = smooth_basis(shape, length)
        return Prior(name, basis / np.sqrt(np.mean((basis**2).sum(1))), length)
    return Prior(name, pyramid_basis(shape))


def has_neighbours(shape: Shape) -> bool:
    """Whether elements are of a grid; coefficients of images stand in no order."""
    return len(shape) == 3


def smooth_basis(
    shape: Shape, length: float = 1.0
) -> Float[np.ndarray, " element coefficient"]:
    """Return B, scaled cosines of the grid, whose B B' is a smooth prior's covariance.

    The inverse of the penalty (I + length^2 L)^2, L the Laplacian of the grid.

    Examples
    --------
    >>> basis = smooth_basis((1, 2, 3), 2.0)
    >>> basis.shape, bool(np.isclose(basis.T @ basis, np.diag((basis**2).sum(0))).all())
    ((6, 6), True)
    """
    _check_length(length)
    cosines, values = np.ones((1, 1)), np.zeros(1)
    for n in shape:
        # Cosines are the eigenvectors of second differences that reflect at the edges.
        waves = np.asarray(dct(np.eye(n), type=2, norm="ortho", axis=0)).T
        cosines = np.kron(cosines, waves)
        fall = 2 - 2 * np.cos(np.pi * np.arange(n) / n)
        values = np.add.outer(values, fall).ravel()
    return cosines / (1 + length**2 * values)


def pyramid_basis(shape: Shape) -> Float[np.ndarray, " element coefficient"]:
    """Return a Gaussian pyramid: single elements, and blobs of SD 1, 2, 4 ... elements.

    Blobs stand two SDs apart; their SD is at most a quarter of the longest side. Each
    column has norm 1. An axis of length 1 has no blobs along it.
    """
    levels = [np.eye(int(np.prod(shape)))]
    sd = 1
    while 4 * sd <= max(shape):
        columns = np.ones((1, 1))
        for n in shape:
            columns = np.kron(columns, _blobs(n, sd))
        levels.append(columns / np.linalg.norm(columns, axis=0))
        sd *= 2
    return np.hstack(levels)


def _blobs(n: int, sd: int) -> np.ndarray:
    """Gaussians along one axis, their places spread evenly about its middle."""
    n_places = (n - 1) // (2 * sd) + 1
    places = (n - 1) / 2 + 2 * sd * (np.arange(n_places) - (n_places - 1) / 2)
    return np.exp(-((np.arange(n)[:, None] - places) ** 2) / (2 * sd**2))


def _check_length(length: float) -> None:
    if not length > 0:
        raise ValueError(f"length must be > 0 elements, got {length}")
