"""The values of all elements of all fields, counted into bins, with Numba: one pass."""

import typing

import numpy as np

from ...experiments.compiled import compiled


@compiled(nogil=True)
@typing.no_type_check
def ends_and_cubes(x):
    """Return the least and the largest value, and the sum of cubes."""
    low, high, cubes = x[0], x[0], 0.0
    for value in x:
        low, high = min(low, value), max(high, value)
        cubes += np.float64(value) * value * value
    return low, high, cubes


@compiled(nogil=True)
@typing.no_type_check
def into_bins(x, low, high, n_bins, is_mirrored):
    """Count values, and add them up, in equal bins; with their negatives if mirrored.

    Returns
    -------
    n, total
        Of each bin.
    """
    n, total = np.zeros(n_bins), np.zeros(n_bins)
    scale = n_bins / (high - low)
    for one in x:
        value = np.float64(one)
        at = min(int((value - low) * scale), n_bins - 1)
        n[at] += 1
        total[at] += value
        if is_mirrored:
            at = min(int((-value - low) * scale), n_bins - 1)
            n[at] += 1
            total[at] -= value
    return n, total
