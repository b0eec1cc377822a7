"""Which pixels of a picture units of a layer see: those that their gradient is of."""

import math
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..networks.layers import Layer
from ..noise import without_noise
from .pictures import PictureReader

MOST_UNITS = 256  # of a layer without maps, the first ones


def middle_units(shape: tuple[int, ...]) -> Int[Tensor, " unit"]:
    """Give numbers of the units in the middle of a layer's maps, one a channel.

    Of maps, (…, channel, row, column); of any other layer the first 256 units.

    Examples
    --------
    >>> middle_units((3, 4, 4)).tolist(), len(middle_units((1000,)))
    ([10, 26, 42], 256)
    """
    every = torch.arange(math.prod(shape)).reshape(shape)
    if len(shape) < 3:
        return every.flatten()[:MOST_UNITS]
    return every[..., shape[-2] // 2, shape[-1] // 2].flatten()


def seen_window(
    reader: PictureReader,
    layer: str,
    units: Int[Tensor, " unit"],
    contrast: Float[Tensor, " picture 1 y x"],
) -> tuple[slice, slice]:
    """Find the rectangle of pixels that units see.

    Parameters
    ----------
    reader
        Of the network.
    layer
        Name of the module.
    units
        Their numbers among all of the layer.
    contrast
        Pictures; what a unit sees of none of them, as where it is rectified, does not
        count.

    Returns
    -------
    tuple
        Rows and columns.

    Raises
    ------
    ValueError
        If no pixel of these pictures changes any of the units.
    """
    network: Any = Layer(reader.network, layer)
    total = torch.zeros(contrast.shape[-2:])
    weights = torch.randn(len(units), generator=torch.Generator().manual_seed(0))
    for start in range(0, len(contrast), reader.batch):
        x = contrast[start : start + reader.batch].clone().requires_grad_()
        with without_noise(), torch.enable_grad():
            rows = network.read(reader.input_of(x)).flatten(1)
            read = rows[:, units.to(rows.device)]
            (read * weights.to(read)).sum().backward()
        if x.grad is not None:
            total += x.grad.abs().sum(dim=(0, 1)).cpu()
    seen = total > 0
    if not seen.any():
        rule = "changed by some pixel of the pictures"
        raise ValueError(f"units of layer {layer!r} must be {rule}, got none that are")
    return _span(seen.any(dim=1)), _span(seen.any(dim=0))


def _span(seen: Tensor) -> slice:
    places = torch.nonzero(seen).flatten()
    return slice(int(places[0]), int(places[-1]) + 1)
