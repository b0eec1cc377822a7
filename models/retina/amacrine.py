"""Amacrine cells: inhibition of bipolar synapses, and contrast gain control.

The high-pass stage of Victor's model, as fitted to primate ganglion cells by Benardete
& Kaplan (1997, 1999): the synapse sees y = x - H_S a, where a follows the bipolar
cell's signal x with time constant T_S. In parasol cells contrast shortens it,

    T_S = T_0 / (1 + (C / c_half)^2),

so that at higher contrast slow signals lose, fast ones keep their gain, and the
response comes earlier. What controls it comes "from a broadly distributed network of
small subunits in the surround" (1999): here C^2 is twice the mean square of y, which is
a sinusoid's contrast squared, over the bipolar cells of a field as wide as the
surround, through a leaky integrator. That C is measured behind the high-pass stage
makes the control a feedback, after Shapley & Victor (1981, J. Physiol. 318, 161-179);
the formula was fitted with the stimulus's contrast instead, so c_half is not a whole
cell's half contrast.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from .cell_types import CellType
from .places import Axis, from_cells, pooled
from .stage import Stage
from .steps import filtered, gamma_kernel


class Amacrine(Stage):
    """Gives what amacrine cells take away from every bipolar synapse.

    Parameters
    ----------
    cell_type
        Whose amacrine cells.
    axes
        The bipolar cells' axes (y, x).
    step_ms
        Duration of a step.
    learnable
        Whether its constants are parameters.
    """

    def __init__(
        self,
        cell_type: CellType,
        axes: tuple[Axis, Axis],
        step_ms: float,
        learnable: bool = False,
    ) -> None:
        super().__init__()
        self.step_ms = step_ms
        self.axes = axes
        self.has_gain_control = cell_type.has_gain_control
        positive = {"tau_ms": cell_type.inhibition_ms}
        if self.has_gain_control:
            positive["gain_contrast"] = cell_type.gain_contrast
            positive["gain_ms"] = cell_type.gain_ms
            positive["gain_deg"] = cell_type.surround_deg / math.sqrt(2)
        self.keep(learnable, positive, {"strength": cell_type.inhibition})

    def forward(
        self, bipolar: Float[Tensor, " image step row column"]
    ) -> Float[Tensor, " image step row column"]:
        """Give the inhibition in units of contrast."""
        if self.has_gain_control:
            return self._controlled(bipolar)
        n = bipolar.shape[1]
        lowpass = gamma_kernel(n, self.step_ms, self.constant("tau_ms"), 0)
        return filtered(self.constant("strength") * lowpass, bipolar)

    def _controlled(self, bipolar: Tensor) -> Tensor:
        """Walk through the steps: each has the time constant that the last one left."""
        rest_ms, strength = self.constant("tau_ms"), self.constant("strength")
        half = self.constant("gain_contrast") ** 2
        share = -torch.expm1(-self.step_ms / self.constant("gain_ms"))
        along_y, along_x = (self._pool(axis) for axis in self.axes)
        before = behind = contrast = torch.zeros_like(bipolar[:, 0])
        found = []
        for now in bipolar.unbind(1):
            tau = rest_ms / (1 + contrast / half) / self.step_ms  # in steps
            kept = torch.exp(-1 / tau)
            behind = (now - before) * tau * (1 - kept) + behind * kept
            before = now
            inhibition = strength * (now - behind)
            seen = pooled(along_y, (now - inhibition) ** 2, along_x)
            contrast = contrast + share * (2 * seen - contrast)
            found.append(inhibition)
        return torch.stack(found, dim=1)

    def _pool(self, axis: Axis) -> Tensor:
        """Give the field's weights along an axis; at the edge, of those there are."""
        weights = from_cells(axis, axis, self.constant("gain_deg"))
        return weights / weights.sum(dim=1, keepdim=True)
