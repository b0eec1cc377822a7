"""Sums and squares of noise levels by element, with Numba: whole numbers, one pass.

Levels are read once, as they are; sums of a few rows fit 32 bits, where the loop over
elements is vectorised, and are then added to 64-bit totals.
"""

import typing

import numba
import numpy as np

from ...experiments.compiled import compiled

_MIN_ELEMENTS_A_SLICE = 2**18  # below it threads cost more than they bring


@compiled(nogil=True)
@typing.no_type_check
def add_single(x, first, last, n_together, out):
    """Add sum and squares of rows `first` to before `last` to `out` (2, element)."""
    n = x.shape[1]
    total, squares = np.empty(n, np.int32), np.empty(n, np.int32)
    for start in range(first, last, n_together):
        total[:] = 0
        squares[:] = 0
        for i in range(start, min(start + n_together, last)):
            for j in range(n):
                a = np.int32(x[i, j])
                total[j] += a
                squares[j] += a * a
        for j in range(n):
            out[0, j] += total[j]
            out[1, j] += squares[j]


@compiled(nogil=True)
@typing.no_type_check
def add_pair(x, y, first, last, n_together, out):
    """Add sums, squares and products of two channels to `out` (5, element)."""
    n = x.shape[1]
    total_x, total_y = np.empty(n, np.int32), np.empty(n, np.int32)
    squares_x, squares_y = np.empty(n, np.int32), np.empty(n, np.int32)
    products = np.empty(n, np.int32)
    for start in range(first, last, n_together):
        total_x[:] = 0
        total_y[:] = 0
        squares_x[:] = 0
        squares_y[:] = 0
        products[:] = 0
        for i in range(start, min(start + n_together, last)):
            for j in range(n):
                a, b = np.int32(x[i, j]), np.int32(y[i, j])
                total_x[j] += a
                total_y[j] += b
                squares_x[j] += a * a
                squares_y[j] += b * b
                products[j] += a * b
        for j in range(n):
            out[0, j] += total_x[j]
            out[1, j] += squares_x[j]
            out[2, j] += total_y[j]
            out[3, j] += squares_y[j]
            out[4, j] += products[j]


@compiled(nogil=True, parallel=True)
@typing.no_type_check
def add_in_slices(x, y, is_pair, size, n_together, out):
    """Let threads share the rows; `out` is (slice, sum, element)."""
    for part in numba.prange(out.shape[0]):
        first, last = part * size, min((part + 1) * size, x.shape[0])
        if is_pair:
            add_pair(x, y, first, last, n_together, out[part])
        else:
            add_single(x, first, last, n_together, out[part])


@typing.no_type_check
def element_sums(x, y=None, largest=127):
    """Sum x, x^2 and, where there is a second channel, y, y^2 and x y over rows.

    Parameters
    ----------
    x, y
        (row, element), integers of 8 or 16 bits.
    largest
        No value of either is larger or, negated, smaller.

    Returns
    -------
    ndarray
        (sum, element), int64.
    """
    is_pair = y is not None
    n_together = (2**31 - 1) // largest**2
    wanted = min(x.size // _MIN_ELEMENTS_A_SLICE, numba.get_num_threads())
    out = np.zeros((max(wanted, 1), 5 if is_pair else 2, x.shape[1]), np.int64)
    if wanted > 1:
        size = -(-len(x) // wanted)
        add_in_slices(x, y if is_pair else x, is_pair, size, n_together, out)
    elif is_pair:
        add_pair(x, y, 0, len(x), n_together, out[0])
    else:
        add_single(x, 0, len(x), n_together, out[0])
    return out.sum(axis=0)
