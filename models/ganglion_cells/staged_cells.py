"""Recorded cells as sums over our own retina's, whose constants are learnt with it.

    u = r softplus(sum_c sum_x w_c(x) r_c(x, t) + b)

r is the recorded cell's mean rate; r_c are the rates of the four cell types of
`models.retina` above the maintained ones, at the places of the grid; a frame of one row
is of bars. What is learnt
beside the weights are the constants of photoreceptors, horizontal, bipolar and amacrine
cells, synapses and ganglion cells: sizes, times, gains, rectification.

A recorded retina is of another eye at another place: `ELEMENT_DEG` says how many of our
retina's degrees an element is, and sizes are learnt from there.
"""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..retina.ganglion import Ganglion
from ..retina.staged import STAGES, StagedRetina, StagedRetinaConfig
from .binned import BIN_MS
from .cell_network import CellNetwork, InMeanRates
from .deep_retina import HISTORY

ELEMENT_DEG = 0.05
CONTRAST = 0.3  # of one SD of the stimulus; -1 is black
_TYPICAL_PER_S = 20.0  # brings rates to the order of 1


class StagedCells(CellNetwork):
    """Recorded cells that weigh those of our retina.

    Parameters
    ----------
    shape
        Elements of a frame, (y, x).
    n_cells
        How many.
    bin_ms
        Duration of a bin: a step of the retina.

    Examples
    --------
    >>> cells = StagedCells((1, 31), 6)
    >>> cells(torch.zeros(1, 45, 1, 31)).shape
    torch.Size([1, 6, 6])
    """

    history = HISTORY  # bins in which the retina comes to its state
    l2, activity_l1 = 1e-3, 0.0

    def __init__(
        self, shape: tuple[int, int], n_cells: int, bin_ms: float = BIN_MS
    ) -> None:
        super().__init__()
        learnt = tuple(stage for stage in STAGES if stage != "noise")
        config = StagedRetinaConfig(
            noise="none", step_ms=bin_ms, tail_ms=0.0, learnable=learnt
        )
        self.retina = StagedRetina(
            config, ELEMENT_DEG, shape, frame_ms=bin_ms, is_bar=shape[0] == 1
        )
        rows, columns = self.retina.n_cells
        n = self.retina.n_channels * rows * columns
        self.read = nn.Linear(n, n_cells)
        self.output = InMeanRates(n_cells)
        with torch.no_grad():
            self.read.weight.mul_(0.1)

    def start_at(self, rates: Float[Tensor, " cell"]) -> None:
        """Begin at the mean rates, in spikes/s."""
        self.output.start_at(rates)

    def forward(
        self, stimulus: Float[Tensor, " sequence bin y x"]
    ) -> Float[Tensor, " sequence answered cell"]:
        """Give rates in spikes/s from the 40th bin on."""
        contrast = (CONTRAST * stimulus).clamp(min=-1.0)
        rates = self.retina(contrast)[:, self.history - 1 :]
        above = (rates - self._at_rest()) / _TYPICAL_PER_S
        return self.output(self.read(above.flatten(2)))

    def _at_rest(self) -> Float[Tensor, " channel 1 1"]:
        """Give the maintained rates of every channel."""
        found = [
            cast(Ganglion, self.retina.ganglion[name]).constant("maintained_per_s")
            for name in self.retina.channels
        ]
        return torch.stack(found).view(-1, 1, 1)
