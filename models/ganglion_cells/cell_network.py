"""What every network of cells has: how far it looks back, its penalties, its start."""

import math
from abc import abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

_ONE = math.log(math.e - 1)  # softplus makes 1 of it


class CellNetwork(nn.Module):
    """From (sequence, bin, y, x) to rates in spikes/s, from bin `history` on.

    Attributes
    ----------
    history
        Bins that the first rate is foretold from.
    l2
        Penalty on squared weights.
    activity_l1
        Penalty on rates.
    """

    history: ClassVar[int]
    l2: ClassVar[float]
    activity_l1: ClassVar[float]

    @abstractmethod
    def start_at(self, rates: Float[Tensor, " cell"]) -> None:
        """Begin at the mean rates, in spikes/s."""


class InMeanRates(nn.Module):
    """A softplus in units of each cell's mean rate: weights before it are near 1.

    Parameters
    ----------
    n_cells
        How many.

    Examples
    --------
    >>> output = InMeanRates(2)
    >>> output.start_at(torch.tensor([5.0, 20.0]))
    >>> output(torch.zeros(1, 2))
    tensor([[ 5., 20.]])
    """

    mean_per_s: Tensor

    def __init__(self, n_cells: int) -> None:
        super().__init__()
        self.register_buffer("mean_per_s", torch.ones(n_cells))

    def start_at(self, rates: Float[Tensor, " cell"]) -> None:
        """Take the mean rates, in spikes/s."""
        self.mean_per_s.copy_(rates.clamp(min=1e-3))

    def forward(self, x: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
        """Give rates in spikes/s: the mean ones at 0."""
        return self.mean_per_s * nn.functional.softplus(x + _ONE)


def before_softplus(rates: Float[Tensor, " cell"]) -> Float[Tensor, " cell"]:
    """Give what softplus makes these rates of.

    Examples
    --------
    >>> nn.functional.softplus(before_softplus(torch.tensor([7.0]))).round().item()
    7.0
    """
    rates = rates.clamp(min=1e-3)
    return rates + torch.log(-torch.expm1(-rates))
