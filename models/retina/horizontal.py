"""Horizontal cells: the surround, before bipolar cells.

A mosaic of wide Gaussian pools of cones, followed by a leaky integrator. Their sizes
are set so that a ganglion cell *measures* the published surround: what pooling comes
after them, by bipolar contacts and by the ganglion cell, is taken off (variances add).
The extent published for parasol cells is far wider than for midgets; a horizontal
network of its own stands for the part that wide amacrine cells have in it. Cones are
not fed back to. That the surround acts on subunits before they rectify follows Turner,
Schwartz & Rieke (2018), eLife 7, e38841.
"""

import math

from jaxtyping import Float
from torch import Tensor

from .cell_types import CellType
from .places import Axis, across_frame, from_pixels, pooled
from .stage import Stage
from .steps import filtered, gamma_kernel

MARGIN = 3  # places beyond the frame: bipolar cells at its edge have all their contacts


class Horizontal(Stage):
    """Pools cones widely and a little later.

    Parameters
    ----------
    cell_type
        A type of the pathway.
    pixels
        The frame's axes (y, x).
    step_ms
        Duration of a step.
    learnable
        Whether its constants are parameters.
    """

    def __init__(
        self,
        cell_type: CellType,
        pixels: tuple[Axis, Axis],
        step_ms: float,
        learnable: bool = False,
    ) -> None:
        super().__init__()
        self.step_ms = step_ms
        self.pixels = pixels
        wide = cell_type.surround_deg / math.sqrt(2)
        self.contact_deg = wide / 2  # SD of a bipolar cell's contacts, and the spacing
        later = self.contact_deg**2 + cell_type.pool_deg**2 / 2
        margin = MARGIN * self.contact_deg
        self.axes = across_frame(pixels, self.contact_deg, margin)
        sigma = math.sqrt(wide**2 - later)
        self.keep(learnable, {"sigma_deg": sigma, "tau_ms": cell_type.surround_ms})

    def forward(
        self, cones: Float[Tensor, " image step y x"]
    ) -> Float[Tensor, " image step row column"]:
        """Give the mean cone signal around every horizontal cell."""
        sigma = self.constant("sigma_deg")
        along_y, along_x = (
            from_pixels(cells, pixels, sigma)
            for cells, pixels in zip(self.axes, self.pixels, strict=True)
        )
        tau = self.constant("tau_ms")
        lowpass = gamma_kernel(cones.shape[1], self.step_ms, tau, 0)
        return filtered(lowpass, pooled(along_y, cones, along_x))
