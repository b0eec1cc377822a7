"""Noise on a basis in torch, for any device, equal to the reference in `basis.py`.

Sums are whole numbers that the precision holds exactly, so it matters neither how a
device orders a sum nor whether it fuses multiply and add; but TensorFloat-32 must be
off, and each device is tried on a golden frame before it is believed.
"""

import contextlib
import typing
import warnings
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch

from ..protocols.images import Images
from ..protocols.noise_and_signal import FULL_CONTRAST
from ..protocols.parts import BACKGROUND
from .basis import finished, rounded, summed
from .basis_tiles import tiles_of


@contextlib.contextmanager
def _without_tf32() -> Iterator[None]:
    """Take float32 products at their word, whatever the user set."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@typing.no_type_check
def torch_pixels(images, units, fineness, added, precision, device):
    """Sum images, round, clip and give pixels, (field, frame, row, column) uint8.

    Parameters
    ----------
    images
        The basis.
    units
        (field, K), the whole number of every image in every field.
    fineness
        Units in a level.
    added
        (field, frame, row, column), levels that come after the rounding; or None.
    precision
        In which sums and rounding are exact, `np.float32` or `np.float64`.
    device
        Where the result lies. One that cannot sum exactly in single precision gets
        double precision, with a warning.
    """
    device = torch.device(device)
    is_single = precision is np.float32 and _sums_exactly(device)
    dtype = torch.float32 if is_single else torch.float64
    return _pixels(images, units, fineness, added, dtype, device)


@typing.no_type_check
def _pixels(images, units, fineness, added, dtype, device):
    values = torch.as_tensor(np.asarray(units), device=device).to(dtype)
    out = torch.empty((len(units), *images.shape), dtype=torch.uint8, device=device)
    levels = None if added is None else torch.as_tensor(added, device=device).to(dtype)
    tiles = zip(tiles_of(images), _tiles_on(images, device), strict=True)
    with _without_tf32():
        for tile, (reaching, matrix) in tiles:
            sums = values[:, reaching] @ matrix.to(dtype)
            own = (sums * (1 / (FULL_CONTRAST * fineness))).round()
            own = own.reshape(len(units), *tile.shape)
            if levels is not None:
                own += levels[:, *tile.box]
            own = own.clamp(-FULL_CONTRAST, FULL_CONTRAST) + BACKGROUND
            out[:, *tile.box] = own.to(torch.uint8)
    return out


@lru_cache(maxsize=4)
@typing.no_type_check
def _tiles_on(images, device):
    """Give (numbers of images, matrix) of every tile on a device."""
    return [
        (
            torch.as_tensor(tile.images, device=device),
            torch.as_tensor(tile.values, device=device),
        )
        for tile in tiles_of(images)
    ]


@lru_cache(maxsize=16)
def _sums_exactly(device: torch.device) -> bool:
    """Say whether a device makes the golden frame in single precision."""
    images, units = _golden()
    expected = finished(rounded(summed(images, units), 15))
    found = _pixels(images, units, 15, None, torch.float32, device)
    if np.array_equal(found.cpu().numpy(), expected):
        return True
    warnings.warn(
        f"{device} does not sum whole numbers exactly in single precision: noise on a "
        "basis is made there in double precision",
        stacklevel=2,
    )
    return False


def _golden() -> tuple[Images, np.ndarray]:
    """Give images and whole numbers whose sums come near 2^24, of both signs."""
    numbers = np.arange(256 * 16 * 16, dtype=np.int64)
    values = (numbers * 7919 + numbers // 251) % 255 - 127
    images = Images.of_array(values.reshape(256, 1, 16, 16).astype(np.int8))
    units = (np.arange(32 * 256, dtype=np.int64) * 104729) % 1021 - 510
    return images, units.reshape(32, 256)
