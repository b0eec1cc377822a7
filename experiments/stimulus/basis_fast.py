"""Frames of noise on a basis at full speed on the CPU: tiles, BLAS, one pass."""

from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Int, Int8, Int16, Int64, UInt8

from ..protocols.coefficients import Coefficients
from ..protocols.deviates import N_DRAWS
from ..protocols.images import Images
from ..protocols.noise_and_signal import FULL_CONTRAST
from .basis import FIRST_FLOOR_STREAM
from .basis_tiles import packed_tiles
from .noise import FIRST_NOISE_STREAM
from .noise_fast import round_keys

Precision = type[np.float32] | type[np.float64]
_MOST_FIELDS = 1024  # summed together, and fewer where that takes more memory than
_LEAST_BYTES = 2**18  # this or half of what the tiles take, or where a tile is large:
_FEW = 2  # fields of many tiles without BLAS
_MOST_SUMS = 2**18  # 1 MB in single precision
# Added and taken away they leave a number rounded, in single and double precision.
_HALF_WAY = {np.float32: 1.5 * 2**23, np.float64: 1.5 * 2**52}
_NOTHING = np.zeros((0, 0, 0, 0), np.int16)
_EVERY_DRAW = np.arange(N_DRAWS, dtype=np.uint16)


def fast_coefficients(
    own: Coefficients, seed: int, ids: Int64[np.ndarray, " trial"], interval: int
) -> Int16[np.ndarray, " trial image"]:
    """Draw coefficients with Numba, equal to `basis.drawn_coefficients`."""
    stream, n = FIRST_NOISE_STREAM + interval, len(own.row)
    if len(own.tables) == 1:
        return _drawn(own.tables[0], seed, ids, stream, n)
    draws = _drawn(_EVERY_DRAW, seed, ids, stream, n)
    drawn = np.empty(draws.shape, np.int16)
    _loops().look_up_rows(draws, own.tables, own.row, drawn)
    return drawn


def fast_floor(
    lookup: Int8[np.ndarray, " 65536"],
    seed: int,
    ids: Int64[np.ndarray, " trial"],
    interval: int,
    n: int,
) -> Int8[np.ndarray, " trial element"]:
    """Draw the white noise that is added to noise on a basis, with Numba."""
    return _drawn(lookup, seed, ids, FIRST_FLOOR_STREAM + interval, n)


def _drawn(
    lookup: np.ndarray, seed: int, ids: np.ndarray, stream: int, n: int
) -> np.ndarray:
    """Give lookup[draw] for the first n draws of a stream, (trial, n)."""
    out = np.empty((len(ids), n), lookup.dtype)
    which = np.uint32(stream)
    _fill()(lookup, round_keys(seed), which, ids.astype(np.uint64), 0, out)
    return out


@lru_cache(maxsize=1)
def _loops() -> ModuleType:
    """Give the compiled loops: an import statement costs a tenth of a small field."""
    from . import basis_numba

    return basis_numba


@lru_cache(maxsize=1)
def _fill() -> Callable[..., None]:
    from .noise_numba import fill_one_stream

    return fill_one_stream


@lru_cache(maxsize=4)
def fields_together(images: Images) -> int:
    """Give how many fields are best summed at a time.

    Their sums stay in the cache, and what is held beside the frames is half as large as
    the basis, or small.
    """
    tiles, packed = packed_tiles(images)
    largest = max(tile.values.shape[1] for tile in tiles)
    most = max(len(tile.images) for tile in tiles)
    of_a_field = 6 * images.n + 4 * (most + largest)  # int16, and single precision
    room = max(_LEAST_BYTES, packed.values.nbytes // 2)
    return min(_MOST_FIELDS, max(64, _MOST_SUMS // largest), max(8, room // of_a_field))


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
    loops = _loops()
    out = np.empty((len(units), *images.shape), np.uint8)
    scale, half_way = _scale(fineness, precision)
    values, (tiles, packed) = units.astype(precision), packed_tiles(images)
    if len(units) <= _FEW and len(tiles) > 1:
        levels = _NOTHING if added is None else added
        flat = (packed.values, packed.images, packed.starts, packed.boxes)
        loops.few_to_pixels(values, *flat, scale, half_way, levels, out)
        return out
    for tile in tiles:
        reaching = values if tile.is_all else values[:, tile.images]
        sums = reaching @ tile.values.astype(precision, copy=False)
        levels = _NOTHING if added is None else added[:, *tile.box]
        loops.to_pixels(sums, scale, half_way, levels, out[:, *tile.box])
    return out


@lru_cache(maxsize=16)
def _scale(fineness: int, precision: Precision) -> tuple[Any, Any]:
    """Give what sums are multiplied with, and what rounds them."""
    scale = 1 / (FULL_CONTRAST * fineness)
    return precision(scale), precision(_HALF_WAY[precision])
