"""Ganglion cells with two features: one that is linear, and one that is not.

    u = r softplus(K s + sum_x m(x) relu(+-k_x s) + c)

r is the cell's mean rate; K s is a filter over space and time.
The second feature is one temporal filter k that looks at every element by itself,
rectified before it is summed over space with the weights m, of which none is negative:
it tells that something moves there, whichever way. The fast OFF cells of the rat [1]_
do both, the second far from their centre.

References
----------
.. [1] Deny, Ferrari, Mace, Yger, Caplette, Picaud, Tkacik & Marre (2017), Multiplexed
   computations in retinal ganglion cells of a single type. Nature Communications 8,
   1964. The form here is ours; no number is taken.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .cell_network import CellNetwork, InMeanRates
from .deep_retina import HISTORY
from .temporal_basis import Cosines

_BASIS = Cosines(n=6, first=0.5, last=28, stretch=8, length=HISTORY)


class Multiplexed(CellNetwork):
    """Cells with a linear and a rectified feature.

    Parameters
    ----------
    shape
        Elements of a frame, (y, x).
    n_cells
        How many.

    Examples
    --------
    >>> cells = Multiplexed((1, 31), 6)
    >>> cells(torch.zeros(2, 45, 1, 31)).shape
    torch.Size([2, 6, 6])
    """

    basis: Tensor
    history = HISTORY
    l2, activity_l1 = 1e-3, 0.0

    def __init__(self, shape: tuple[int, int], n_cells: int) -> None:
        super().__init__()
        self.register_buffer(
            "basis", torch.from_numpy(_BASIS.weights()).float(), persistent=False
        )
        n = shape[0] * shape[1]
        self.linear = nn.Parameter(0.05 * torch.randn(n_cells, _BASIS.n, n))
        self.temporal = nn.Parameter(0.5 * torch.randn(n_cells, _BASIS.n))
        self.weights = nn.Parameter(0.05 * torch.rand(n_cells, 2, n))
        self.bias = nn.Parameter(torch.zeros(n_cells))
        self.output = InMeanRates(n_cells)

    def start_at(self, rates: Float[Tensor, " cell"]) -> None:
        """Begin at the mean rates, in spikes/s."""
        self.output.start_at(rates)

    def features(
        self, stimulus: Float[Tensor, " sequence bin y x"]
    ) -> tuple[
        Float[Tensor, " sequence answered cell"],
        Float[Tensor, " sequence answered cell"],
    ]:
        """Give the linear and the rectified feature of every cell."""
        flat = stimulus.flatten(2)
        basis = self.basis.flip(1)[:, None]  # the last bin of a window is lag 0
        n_sequences, _, n = flat.shape
        lines = flat.transpose(1, 2).reshape(n_sequences * n, 1, -1)
        found = nn.functional.conv1d(lines, basis).unflatten(0, (n_sequences, n))
        linear = torch.einsum("snbt,cbn->stc", found, self.linear)
        local = torch.einsum("snbt,cb->sctn", found, self.temporal)
        up, down = self.weights.abs().unbind(1)  # (cell, element)
        rectified = torch.einsum("sctn,cn->stc", local.relu(), up)
        return linear, rectified + torch.einsum("sctn,cn->stc", (-local).relu(), down)

    def forward(
        self, stimulus: Float[Tensor, " sequence bin y x"]
    ) -> Float[Tensor, " sequence answered cell"]:
        """Give rates in spikes/s from the 40th bin on."""
        linear, rectified = self.features(stimulus)
        return self.output(linear + rectified + self.bias)
