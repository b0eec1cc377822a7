"""The stages that circuits are built of, as modules that can be read by a hook."""

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

# Weights are whole multiples of this, and levels are integers: their sums are exact in
# float64 in any order, so that no decision depends on the other trials of its batch.
_STEP = 2.0**-20


class Weights(nn.Module):
    """Weighs levels by templates: (row, element) to (row, template).

    Parameters
    ----------
    templates
        (template, frame, row, column).
    unit
        What a level counts.
    """

    def __init__(
        self, templates: Float64[np.ndarray, " template f r c"], unit: float
    ) -> None:
        super().__init__()
        exact = _STEP * np.rint(templates.reshape(len(templates), -1) / _STEP)
        self.templates: Tensor
        self.register_buffer("templates", torch.from_numpy(exact.T.copy()))
        self.unit = unit

    def forward(
        self, levels: Float[Tensor, " row element"]
    ) -> Float[Tensor, " row template"]:
        """Give the sums."""
        return (levels @ self.templates.to(levels.dtype)) * self.unit


class Power(nn.Module):
    """Raises to a power."""

    def __init__(self, exponent: float) -> None:
        super().__init__()
        self.exponent = exponent

    def forward(self, x: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
        """Give the powers."""
        return x if self.exponent == 1 else x**self.exponent


class Sum(nn.Module):
    """Sums the parts of every row."""

    def forward(self, x: Float[Tensor, " row part"]) -> Float[Tensor, " row"]:
        """Give the sums."""
        return x.sum(-1)


class Largest(nn.Module):
    """Takes the largest part of every row."""

    def forward(self, x: Float[Tensor, " row part"]) -> Float[Tensor, " row"]:
        """Give the largest."""
        return x.amax(-1)


class Divided(nn.Module):
    """Divides what a template sees by the energy around it."""

    def __init__(self, drive: Weights, pool: Weights, constant: float) -> None:
        super().__init__()
        self.drive, self.pool, self.constant = drive, pool, constant

    def forward(self, levels: Float[Tensor, " row element"]) -> Float[Tensor, " row"]:
        """Give the quotients."""
        energy = self.pool(levels**2)[:, 0]
        return self.drive(levels)[:, 0] / (self.constant + energy)
