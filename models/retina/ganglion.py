"""Ganglion cells: midgets have one bipolar cell, parasols sum many rectified ones."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .cell_types import CellType
from .places import Axis, across_frame, from_cells, pooled
from .stage import Stage


class Ganglion(Stage):
    """Sums bipolar release and fires.

    rate = relu(maintained + gain (G_pool * f))

    Parameters
    ----------
    cell_type
        Which one.
    inputs
        The bipolar cells' axes (y, x).
    pixels
        The frame's axes (y, x).
    learnable
        Whether its constants are parameters.
    """

    def __init__(
        self,
        cell_type: CellType,
        inputs: tuple[Axis, Axis],
        pixels: tuple[Axis, Axis],
        learnable: bool = False,
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.pools = cell_type.pool_deg > 0
        self.axes = inputs
        self.fires: nn.Module = nn.ReLU()
        rates = {
            "gain_per_s": cell_type.gain_per_s,
            "maintained_per_s": cell_type.maintained_per_s,
        }
        if self.pools:
            rates["sigma_deg"] = cell_type.pool_deg / math.sqrt(2)
            self.axes = across_frame(pixels, cell_type.spacing_deg)
        self.keep(learnable, rates)

    def forward(
        self, release: Float[Tensor, " image step b_row b_column"]
    ) -> Float[Tensor, " image step row column"]:
        """Give the firing rates in spikes/s on the type's own mosaic."""
        if self.pools:
            sigma = self.constant("sigma_deg")
            along_y, along_x = (
                from_cells(*axes, sigma)
                for axes in zip(self.axes, self.inputs, strict=True)
            )
            release = pooled(along_y, release, along_x)
        drive = torch.addcmul(
            self.constant("maintained_per_s"), self.constant("gain_per_s"), release
        )
        return self.fires(drive)
