"""Separable weighted sums of images, the same at any place in a batch."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

_ALIGNED = 16  # single-precision numbers in a cache line


class SeparableSums(nn.Module):
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

    _rows: Tensor
    _columns: Tensor

    def __init__(
        self, rows: Float[Tensor, " row y"], columns: Float[Tensor, " column x"]
    ) -> None:
        super().__init__()
        self.n_rows, self.n_columns = len(rows), len(columns)
        missing = (0, _missing(columns.shape[1]), 0, _missing(len(columns)))
        # Not persistent: they follow from settings, and are no weights.
        self.register_buffer("_rows", rows, persistent=False)
        padded = functional.pad(columns, missing)
        self.register_buffer("_columns", padded.T, persistent=False)

    def forward(
        self, images: Float[Tensor, " *image y x"]
    ) -> Float[Tensor, " *image row column"]:
        """Give the sums."""
        padded = functional.pad(images, (0, _missing(images.shape[-1])))
        return (self._rows @ padded @ self._columns)[..., : self.n_columns]


def _missing(n: int) -> int:
    return -n % _ALIGNED
