"""Bipolar cells: ON and OFF, with a surround; and their synapse, which rectifies."""

import math

from jaxtyping import Float
from torch import Tensor, nn

from .cell_types import CellType
from .horizontal import Horizontal
from .places import Axis, from_cells, from_pixels, pooled
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
        self.axes = tuple(
            Axis.across(axis.n * axis.spacing_deg, cell_type.spacing_sd * sigma)
            for axis in pixels
        )
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
        centre = [
            from_pixels(*axes, sigma)
            for axes in zip(self.axes, self.pixels, strict=True)
        ]
        around = [
            from_cells(*axes, contact)
            for axes in zip(self.axes, self.inputs, strict=True)
        ]
        signal = pooled(centre[0], cones, centre[1])
        surround = pooled(around[0], horizontal, around[1])
        signal = signal - self.constant("surround_gain") * surround
        delay = delay_kernel(cones.shape[1], self.step_ms, self.constant("delay_ms"))
        return self.polarity * filtered(delay, signal)


class Synapse(Stage):
    """Releases transmitter: the more for the cell's preferred sign.

    f(y) = (1 + rho) relu(y) - (1 - rho) relu(-y), where y is the membrane's signal less
    the amacrine cells'. rho 0 is linear and 1 rectifies. The response to a sinusoid has
    a fundamental that does not depend on rho, so rho changes no published gain.

    Parameters
    ----------
    cell_type
        Whose synapse.
    learnable
        Whether rho is a parameter.
    """

    def __init__(self, cell_type: CellType, learnable: bool = False) -> None:
        super().__init__()
        self.preferred = nn.ReLU()
        self.opposite = nn.ReLU()
        self.keep(learnable, {}, {"rectification": cell_type.rectification})

    def forward(
        self,
        bipolar: Float[Tensor, " image step row column"],
        inhibition: Float[Tensor, " image step row column"],
    ) -> Float[Tensor, " image step row column"]:
        """Give the release in units of contrast, about that at rest."""
        signal = bipolar - inhibition
        rho = self.constant("rectification")
        return (1 + rho) * self.preferred(signal) - (1 - rho) * self.opposite(-signal)
