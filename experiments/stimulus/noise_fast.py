"""Noise of `yoked-1` at full speed on the CPU; Numba is imported at the first call."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from .noise import FIRST_NOISE_STREAM


def fast_levels(
    lookup: np.ndarray,
    seed: int,
    ids: Int64[np.ndarray, " trial"],
    intervals: Sequence[int] | range,
    signals: np.ndarray,
    which: np.ndarray,
) -> np.ndarray:
    """Look up draws and add signals with Numba, (trial, interval, element).

    Parameters
    ----------
    lookup
        Level of each draw; its type is that of the result.
    seed, ids
        Key and counter of the draws.
    intervals
        The intervals wanted.
    signals
        (kind, element), of the same type.
    which
        (trial * interval), the kind that each interval holds.
    """
    from .noise_numba import fill

    out = np.empty((len(ids) * len(intervals), signals.shape[1]), lookup.dtype)
    streams = FIRST_NOISE_STREAM + np.array(intervals, np.uint32)
    which = np.ascontiguousarray(which, np.int32)
    keys = round_keys(seed)
    fill(lookup, keys, streams, ids.astype(np.uint64), signals, which, out)
    return out.reshape(len(ids), len(intervals), -1)


def round_keys(seed: int) -> np.ndarray:
    """Give the Philox key of each of the ten rounds, (10, 2) uint32."""
    steps = np.arange(10, dtype=np.uint64)[:, None]
    key = np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint64)
    weyl = np.array([0x9E3779B9, 0xBB67AE85], np.uint64)
    return ((key + steps * weyl) & np.uint64(0xFFFFFFFF)).astype(np.uint32)
