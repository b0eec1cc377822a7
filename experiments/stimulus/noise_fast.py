"""Noise of `yoked-1` at full speed on the CPU; Numba is imported at the first call."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Int64

from ..protocols.deviates import normal_table
from .noise import (
    DRAWS_PER_BLOCK,
    FIRST_NOISE_STREAM,
    OBSERVER_STREAM,
)
from .philox import KEY_STEPS, N_ROUNDS, WORD, key_of


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


def fast_normal(
    seed: int,
    ids: Int64[np.ndarray, " trial"],
    n: int,
    first: int,
    stream: int = OBSERVER_STREAM,
) -> Float32[np.ndarray, " trial draw"]:
    """Give `n` standard normal numbers of an observer's stream for every trial.

    Equal to `deviates.normal_table` at `noise.draws_u16`, in single precision.

    Parameters
    ----------
    seed
        Of the observer.
    ids
        Number of each trial, or of its stimulus.
    first
        Number of the first draw; it begins a block.
    stream
        Which of the observer's streams; that of its trials by default.
    """
    from .noise_numba import fill_one_stream

    out = np.empty((len(ids), n), np.float32)
    block, counters = first // DRAWS_PER_BLOCK, ids.astype(np.uint64)
    keys = round_keys(seed)
    fill_one_stream(_normal_table(), keys, np.uint32(stream), counters, block, out)
    return out


@lru_cache(maxsize=1)
def _normal_table() -> Float32[np.ndarray, " 65536"]:
    return normal_table().astype(np.float32)


@lru_cache(maxsize=1024)  # of sessions at once: each trial of one has the same keys
def round_keys(seed: int) -> np.ndarray:
    """Give the Philox key of each of the ten rounds, (10, 2) uint32."""
    steps = np.arange(N_ROUNDS, dtype=np.uint64)[:, None]
    key = np.array(key_of(seed), np.uint64)
    weyl = np.array(KEY_STEPS, np.uint64)
    keys = ((key + steps * weyl) & np.uint64(WORD)).astype(np.uint32)
    keys.setflags(write=False)
    return keys
