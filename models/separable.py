"""Separable weighted sums of images, the same at any place in a batch."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_ALIGNED = 16  # single-precision numbers in a cache line


class SeparableSums:
    """Gives rows @ image @ columns' for a batch of images.

    A matrix product takes rows that begin inside a cache line along another path, with
    other last digits, and where an image begins depends on its place in the batch. So
    rows are padded with zeros to whole cache lines.

    Parameters
    ----------
    rows, columns
        (out, in) weights along y and along x.

    Examples
    --------
    >>> import torch
    >>> sums = SeparableSums(torch.ones(1, 3), torch.eye(2))
    >>> sums(torch.ones(4, 3, 2)).tolist()[0]
    [[3.0, 3.0]]
    """

    def __init__(
        self, rows: Float[Tensor, " row y"], columns: Float[Tensor, " column x"]
    ) -> None:
        self.rows = rows
        self.n_columns = len(columns)
        wide = functional.pad(columns, (0, _missing(columns.shape[1])))
        self.columns = functional.pad(wide, (0, 0, 0, _missing(len(columns)))).T

    def __call__(
        self, images: Float[Tensor, " *image y x"]
    ) -> Float[Tensor, " *image row column"]:
        """Give the sums."""
        padded = functional.pad(images, (0, _missing(images.shape[-1])))
        return (self.rows @ padded @ self.columns)[..., : self.n_columns]


def _missing(n: int) -> int:
    return -n % _ALIGNED
