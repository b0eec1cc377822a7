"""What every network of cells has: how far it looks back, its penalties, its start."""

from abc import abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn


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


def before_softplus(rates: Float[Tensor, " cell"]) -> Float[Tensor, " cell"]:
    """Give what softplus makes these rates of.

    Examples
    --------
    >>> nn.functional.softplus(before_softplus(torch.tensor([7.0]))).round().item()
    7.0
    """
    rates = rates.clamp(min=1e-3)
    return rates + torch.log(-torch.expm1(-rates))
