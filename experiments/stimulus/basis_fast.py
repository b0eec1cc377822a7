"""Frames of noise on a basis at full speed on the CPU: tiles, BLAS, one pass."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int, Int8, Int16, Int64, UInt8

from ..protocols.coefficients import Coefficients
from ..protocols.deviates import N_DRAWS
from ..protocols.images import Images
from ..protocols.noise_and_signal import FULL_CONTRAST
from .basis import FIRST_FLOOR_STREAM
from .basis_tiles import Tile, tiles_of
from .noise import FIRST_NOISE_STREAM
from .noise_fast import fast_levels

Precision = type[np.float32] | type[np.float64]
FIELDS = 64  # summed together
# Added and taken away they leave a number rounded, in single and double precision.
_HALF_WAY = {np.float32: 1.5 * 2**23, np.float64: 1.5 * 2**52}
_NOTHING = np.zeros((0, 0, 0, 0), np.int16)


def fast_coefficients(
    own: Coefficients, seed: int, ids: Int64[np.ndarray, " trial"], interval: int
) -> Int16[np.ndarray, " trial image"]:
    """Draw coefficients with Numba, equal to `basis.drawn_coefficients`."""
    from .basis_numba import look_up_rows

    which, zero = np.zeros(len(ids), np.int32), np.zeros((1, len(own.row)), np.int16)
    if len(own.tables) == 1:
        return fast_levels(own.tables[0], seed, ids, [interval], zero, which)[:, 0]
    every = np.arange(N_DRAWS, dtype=np.uint16)
    zero = zero.astype(np.uint16)
    draws = fast_levels(every, seed, ids, [interval], zero, which)[:, 0]
    drawn = np.empty(draws.shape, np.int16)
    look_up_rows(draws, own.tables, own.row, drawn)
    return drawn


def fast_floor(
    lookup: Int8[np.ndarray, " 65536"],
    seed: int,
    ids: Int64[np.ndarray, " trial"],
    interval: int,
    n: int,
) -> Int8[np.ndarray, " trial element"]:
    """Draw the white noise that is added to noise on a basis, with Numba."""
    which, zero = np.zeros(len(ids), np.int32), np.zeros((1, n), np.int8)
    stream = FIRST_FLOOR_STREAM - FIRST_NOISE_STREAM + interval
    return fast_levels(lookup, seed, ids, [stream], zero, which)[:, 0]


def fast_pixels(
    images: Images,
    units: Int[np.ndarray, " field image"],
    fineness: int,
    added: Int16[np.ndarray, " field frame row column"] | None,
    precision: Precision,
) -> UInt8[np.ndarray, " field frame row column"]:
    """Sum images and round, clip and write them, equal to the reference in `basis.py`.

    Parameters
    ----------
    images
        The basis.
    units
        The whole number of every image in every field.
    fineness
        Units in a level.
    added
        Levels that come after the rounding.
    precision
        In which the sums and their rounding are exact.
    """
    out = np.empty((len(units), *images.shape), np.uint8)
    tiles = tiles_of(images)
    for first in range(0, len(units), FIELDS):
        fields = slice(first, first + FIELDS)
        values = units[fields].astype(precision)
        levels = _NOTHING if added is None else added[fields]
        for tile, sums in _sums(tiles, values):
            _write(tile, sums, fineness, levels, out[fields])
    return out


def _sums(
    tiles: Sequence[Tile], values: Float[np.ndarray, " field image"]
) -> Iterator[tuple[Tile, Float[np.ndarray, " field element"]]]:
    """Give the exact sums of every tile; the array is used again for the next."""
    for tile in tiles:
        is_all = len(tile.images) == values.shape[1]
        reaching = values if is_all else values[:, tile.images]
        yield tile, reaching @ tile.values.astype(values.dtype, copy=False)


def _write(
    tile: Tile, sums: np.ndarray, fineness: int, added: np.ndarray, out: np.ndarray
) -> None:
    from .basis_numba import to_pixels

    kind = sums.dtype.type
    scale, half_way = kind(1 / (FULL_CONTRAST * fineness)), kind(_HALF_WAY[kind])
    here = added[:, *tile.box] if added.size else added
    to_pixels(sums, scale, half_way, here, out[:, *tile.box])
