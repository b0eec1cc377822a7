"""Bipolar cells that amacrine cells inhibit, bin after bin: a recurrent network.

    b_t = relu(K * s_t - F a_{t-1})        8 types of bipolar cells at every place
    a_t = (1 - m) a_{t-1} + m relu(G b_t)  4 types of amacrine cells; m one for each
    u_t = r softplus(W b_t - V a_t + c)    ganglion cells, r their mean rates

(biases of K and G are left out).

K is a filter over the last 20 bins and a neighbourhood of 15, F and G over
neighbourhoods of 9, without negative weights: amacrine cells only inhibit bipolar
cells, which only excite them. W and V are of either sign. It is ours, in the manner of
the amacrine networks of torch-deep-retina, and learns how long amacrine cells
integrate.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .cell_network import CellNetwork, InMeanRates
from .deep_retina import kernel_of

_BIPOLAR, _AMACRINE = 8, 4
_FILTER = 20  # bins that a bipolar cell's filter reaches over
_START_MS = 50.0  # of amacrine integration, for bins of 10 ms


class AmacrineFeedback(CellNetwork):
    """The network.

    Parameters
    ----------
    shape
        Elements of a frame, (y, x).
    n_cells
        How many ganglion cells.

    Examples
    --------
    >>> network = AmacrineFeedback((1, 31), 6)
    >>> network(torch.zeros(2, 45, 1, 31)).shape
    torch.Size([2, 6, 6])
    """

    history = 40  # bins of which the first only bring amacrine cells to their state
    l2, activity_l1 = 1e-3, 0.0

    def __init__(self, shape: tuple[int, int], n_cells: int) -> None:
        super().__init__()
        kernel, left = kernel_of(15, shape)
        self.filters = nn.Conv2d(_FILTER, _BIPOLAR, kernel)
        padding = min(9, left[0]) // 2, min(9, left[1]) // 2
        around = 1 + 2 * padding[0], 1 + 2 * padding[1]
        self.excites = nn.Conv2d(_BIPOLAR, _AMACRINE, around, padding=padding)
        self.inhibits = nn.Conv2d(
            _AMACRINE, _BIPOLAR, around, padding=padding, bias=False
        )
        share = 10.0 / _START_MS
        self.leak = nn.Parameter(torch.full((_AMACRINE,), share).logit())
        n = left[0] * left[1]
        self.from_bipolar = nn.Linear(_BIPOLAR * n, n_cells)
        self.from_amacrine = nn.Linear(_AMACRINE * n, n_cells, bias=False)
        self.output = InMeanRates(n_cells)
        with torch.no_grad():
            for layer in (self.excites, self.inhibits):
                layer.weight.abs_().mul_(0.3)

    def start_at(self, rates: Float[Tensor, " cell"]) -> None:
        """Begin at the mean rates, in spikes/s."""
        self.output.start_at(rates)

    def forward(
        self, stimulus: Float[Tensor, " sequence bin y x"]
    ) -> Float[Tensor, " sequence answered cell"]:
        """Give rates in spikes/s from the 40th bin on."""
        windows = stimulus.unfold(1, _FILTER, 1).movedim(-1, 2)
        n_sequences, n_bins = windows.shape[:2]
        driven = self.filters(windows.flatten(0, 1)).unflatten(0, (n_sequences, n_bins))
        inhibits, excites = self.inhibits.weight.abs(), self.excites.weight.abs()
        padding, leak = self.excites.padding, self.leak.sigmoid().view(-1, 1, 1)
        amacrine = driven.new_zeros(n_sequences, _AMACRINE, *driven.shape[3:])
        rates = []
        for t in range(n_bins):
            inhibition = nn.functional.conv2d(amacrine, inhibits, padding=padding)
            bipolar = (driven[:, t] - inhibition).relu()
            excited = nn.functional.conv2d(
                bipolar, excites, self.excites.bias, padding=padding
            ).relu()
            amacrine = amacrine + leak * (excited - amacrine)
            if t >= n_bins - (stimulus.shape[1] - self.history + 1):
                drive = self.from_bipolar(bipolar.flatten(1))
                rates.append(drive - self.from_amacrine(amacrine.flatten(1)))
        return self.output(torch.stack(rates, dim=1))
