"""Bipolar cells: ON and OFF, with a surround; and their synapse, which rectifies."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .cell_types import CellType
from .horizontal import Horizontal
from .places import Axis, across_frame, from_cells, from_pixels, pooled
from .stage import Stage
from .steps import delay_kernel, filtered


class Bipolar(Stage):
    """Takes the horizontal cells' signal from the cones': centre less surround.

    x(t) = polarity [ (G_sub * p)(t - d) - surround_gain (G_contact * h)(t - d) ]

    The delay d is what the published latency has beyond the cone's.

    Parameters
    ----------
    cell_type
        Whose bipolar cells.
    horizontal
        The horizontal cells of its pathway.
    pixels
        The frame's axes (y, x).
    delay_ms
        Delay from cones to ganglion cell.
    step_ms
        Duration of a step.
    learnable
        Whether its constants are parameters.
    """

    def __init__(
        self,
        cell_type: CellType,
        horizontal: Horizontal,
        pixels: tuple[Axis, Axis],
        delay_ms: float,
        step_ms: float,
        learnable: bool = False,
    ) -> None:
        super().__init__()
        self.step_ms = step_ms
        self.pixels = pixels
        self.polarity = cell_type.polarity
        self.contact_deg = horizontal.contact_deg
        self.inputs = horizontal.axes
        sigma = cell_type.subunit_deg / math.sqrt(2)
        self.axes = across_frame(pixels, cell_type.spacing_sd * sigma)
        positive = {"sigma_deg": sigma, "delay_ms": delay_ms}
        self.keep(learnable, positive, {"surround_gain": cell_type.surround_gain})

    def forward(
        self,
        cones: Float[Tensor, " image step y x"],
        horizontal: Float[Tensor, " image step h_row h_column"],
    ) -> Float[Tensor, " image step row column"]:
        """Give the membrane's signal in units of contrast."""
        sigma = self.constant("sigma_deg")
        contact = sigma.new_tensor(self.contact_deg)
        centre_y, centre_x = (
            from_pixels(cells, pixels, sigma)
            for cells, pixels in zip(self.axes, self.pixels, strict=True)
        )
        around_y, around_x = (
            from_cells(cells, inputs, contact)
            for cells, inputs in zip(self.axes, self.inputs, strict=True)
        )
        around_y = -self.constant("surround_gain") * around_y
        signal = pooled(centre_y, cones, centre_x)
        signal = signal + pooled(around_y, horizontal, around_x)
        delay = delay_kernel(cones.shape[1], self.step_ms, self.constant("delay_ms"))
        return filtered(self.polarity * delay, signal)


class Synapse(Stage):
    """Releases transmitter: the more for the cell's preferred sign.

    f(y) = (1 - rho) y + 2 rho relu(y), where y is the membrane's signal less the
    amacrine cells'. rho 0 is linear and 1 rectifies; the fundamental of the response to
    a sinusoid is the same for every rho, so rho changes no published gain.

    Parameters
    ----------
    cell_type
        Whose synapse.
    learnable
        Whether rho is a parameter.
    """

    def __init__(self, cell_type: CellType, learnable: bool = False) -> None:
        super().__init__()
        self.rectifies = nn.ReLU()
        self.keep(learnable, {}, {"rectification": cell_type.rectification})

    def forward(
        self,
        bipolar: Float[Tensor, " image step row column"],
        inhibition: Float[Tensor, " image step row column"],
    ) -> Float[Tensor, " image step row column"]:
        """Give the release in units of contrast, about that at rest."""
        signal = bipolar - inhibition
        rho = self.constant("rectification")
        return torch.addcmul((1 - rho) * signal, 2 * rho, self.rectifies(signal))
