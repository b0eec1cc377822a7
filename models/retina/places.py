"""Places in degrees: square mosaics, and Gaussian pooling by a matrix along each axis.

A pixel is a square of constant light and is weighed by what the Gaussian has over it,
so a field finer than a pixel is still right. Beyond the frame is the background. An
axis of one place whose spacing is endless is one along which all is the same, as it is
along a bar.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Axis:
    """Equally spaced places along one side of a frame, centred on it.

    Examples
    --------
    >>> Axis.across(length_deg=1.0, spacing_deg=0.4).n
    2
    """

    n: int
    spacing_deg: float

    @classmethod
    def across(
        cls, length_deg: float, spacing_deg: float, margin_deg: float = 0.0
    ) -> "Axis":
        """Fill a length, and a margin on both sides, with places."""
        if math.isinf(length_deg):
            return cls(1, math.inf)
        n = math.floor((length_deg + 2 * margin_deg) / spacing_deg + 1e-6)
        return cls(max(1, n), spacing_deg)

    def places(self, like: Tensor) -> Float[Tensor, " place"]:
        """Give the places in degrees from the frame's middle, of the kind of `like`."""
        index = torch.arange(self.n, device=like.device).to(like.dtype)
        if self.n == 1:  # in the middle, however far the next would be
            return torch.zeros_like(index)
        return (index - (self.n - 1) / 2) * self.spacing_deg


def across_frame(
    frame: tuple[Axis, Axis], spacing_deg: float, margin_deg: float = 0.0
) -> tuple[Axis, Axis]:
    """Fill a frame (its rows and columns), and a margin around it, with places."""
    rows, columns = (
        Axis.across(axis.n * axis.spacing_deg, spacing_deg, margin_deg)
        for axis in frame
    )
    return rows, columns


def from_pixels(cells: Axis, pixels: Axis, sigma_deg: Tensor) -> Tensor:
    """Give each cell's Gaussian weights of the pixels along an axis: (cell, px)."""
    if math.isinf(pixels.spacing_deg):
        return torch.ones(cells.n, 1).to(sigma_deg)
    edges = Axis(pixels.n + 1, pixels.spacing_deg).places(sigma_deg)
    distances = edges - cells.places(sigma_deg)[:, None]
    return torch.special.ndtr(distances / sigma_deg).diff(dim=1)


def from_cells(cells: Axis, inputs: Axis, sigma_deg: Tensor) -> Tensor:
    """Give each cell's Gaussian weights of other cells along an axis: (cell, input).

    The sum stands for the integral, so it holds for a Gaussian as wide as the inputs'
    spacing or wider (to 1e-8; .6 of it: to 2e-3).
    """
    if math.isinf(inputs.spacing_deg):
        return torch.ones(cells.n, 1).to(sigma_deg)
    distances = inputs.places(sigma_deg) - cells.places(sigma_deg)[:, None]
    density = torch.exp(-0.5 * (distances / sigma_deg) ** 2)
    return density * (inputs.spacing_deg / math.sqrt(2 * math.pi)) / sigma_deg


def onto(grid: Axis, cells: Axis, like: Tensor) -> Float[Tensor, " place cell"]:
    """Give the weights that bring a mosaic onto a grid along an axis: (place, cell).

    A triangle as wide as the coarser of the two spacings: a finer mosaic is averaged,
    a coarser one is interpolated. Weights add up to 1, at the edge too.
    """
    wide = max(grid.spacing_deg, cells.spacing_deg)
    distances = cells.places(like) - grid.places(like)[:, None]
    weights = (1 - distances.abs() / wide).clamp(min=0)
    nearest = torch.nn.functional.one_hot(distances.abs().argmin(dim=1), cells.n)
    alone = (
        weights.sum(dim=1, keepdim=True) == 0
    )  # a grid that is wider than the mosaic
    weights = torch.where(alone, nearest.to(weights.dtype), weights)
    return weights / weights.sum(dim=1, keepdim=True)


def pooled(
    along_y: Float[Tensor, " row y"],
    signal: Float[Tensor, " *image y x"],
    along_x: Float[Tensor, " column x"],
) -> Float[Tensor, " *image row column"]:
    """Pool over both axes."""
    return (along_y @ signal) @ along_x.T
