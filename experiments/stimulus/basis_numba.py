"""Noise on a basis, compiled: coefficients from draws, and sums of images into pixels.

`basis.py` is the reference that these equal bit for bit.
"""

import typing

import numba
import numpy as np

from ..compiled import compiled


@compiled(nogil=True)
@typing.no_type_check
def look_up_rows(draws, tables, row, out):
    """Fill `out`, (field, image), with tables[row, draw]."""
    for i in range(draws.shape[0]):
        for k in range(draws.shape[1]):
            out[i, k] = tables[row[k], draws[i, k]]


@numba.njit(inline="always")
@typing.no_type_check
def _pixel(level):
    most = np.float32(127)
    return np.uint8(np.int32(min(max(level, -most), most)) + np.int32(128))


@compiled(nogil=True)
@typing.no_type_check
def to_pixels(sums, scale, half_way, added, out):
    """Round the sums of one tile to levels, add, clip once and write them as pixels.

    Parameters
    ----------
    sums
        (field, element of the tile), float32 or float64, exact.
    scale
        1 / (127 fineness), of the type of `sums`.
    half_way
        1.5 * 2^23, or 2^52: added and taken away it leaves the nearest whole number.
        There is no half, since 127 times an odd number is odd.
    added
        Levels that come after the rounding, of the shape of `out`; or none at all.
    out
        (field, frame, row, column) of the tile, uint8: a view into the fields.
    """
    n_fields, n_frames, n_rows, n_columns = out.shape
    for i in range(n_fields):
        for f in range(n_frames):
            for r in range(n_rows):
                at = (f * n_rows + r) * n_columns
                if added.size:
                    for c in range(n_columns):
                        level = (sums[i, at + c] * scale + half_way) - half_way
                        both = np.float32(level) + np.float32(added[i, f, r, c])
                        out[i, f, r, c] = _pixel(both)
                else:
                    for c in range(n_columns):
                        level = (sums[i, at + c] * scale + half_way) - half_way
                        out[i, f, r, c] = _pixel(np.float32(level))
