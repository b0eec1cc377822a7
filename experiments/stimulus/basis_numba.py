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


@compiled(nogil=True)
@typing.no_type_check
def few_to_pixels(units, values, images, starts, boxes, scale, half_way, added, out):
    """Sum the tiles of a few fields and write them as pixels, in one call.

    What BLAS gains with many fields is lost in its calls with one or two.

    Parameters
    ----------
    units
        (field, image), whole numbers in float32 or float64.
    values, images, starts, boxes
        Of `basis_tiles.Packed`.
    scale, half_way, added, out
        As of `to_pixels`, of the whole fields.
    """
    for tile in range(boxes.shape[0]):
        f0, f1, r0, r1, c0, c1 = boxes[tile]
        n = (f1 - f0) * (r1 - r0) * (c1 - c0)
        sums = np.empty((1, n), units.dtype)
        for i in range(units.shape[0]):
            _sum(units[i], values, images, starts[tile], starts[tile + 1, 0], sums[0])
            here = added
            if added.size:
                here = added[i : i + 1, f0:f1, r0:r1, c0:c1]
            there = out[i : i + 1, f0:f1, r0:r1, c0:c1]
            to_pixels(sums, scale, half_way, here, there)


@numba.njit(inline="always")
@typing.no_type_check
def _sum(units, values, images, start, last, sums):
    """Sum the images of one tile, four at a time."""
    n = sums.size
    sums[:] = 0
    at = start[1]
    k = start[0]
    while k + 4 <= last:
        a, b = units[images[k]], units[images[k + 1]]
        c, d = units[images[k + 2]], units[images[k + 3]]
        of_a, of_b = values[at : at + n], values[at + n : at + 2 * n]
        of_c, of_d = values[at + 2 * n : at + 3 * n], values[at + 3 * n : at + 4 * n]
        for e in range(n):
            sums[e] += a * of_a[e] + b * of_b[e] + c * of_c[e] + d * of_d[e]
        at += 4 * n
        k += 4
    while k < last:
        a = units[images[k]]
        of_a = values[at : at + n]
        for e in range(n):
            sums[e] += a * of_a[e]
        at += n
        k += 1
