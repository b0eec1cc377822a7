"""Noise and frames of `yoked-1`, fused for the CPU with Numba.

One pass makes the draws, looks up their levels, adds the signal and writes the result:
no float noise, and never more than a 4 KB buffer beside the output. `noise.py` is the
reference that it equals bit for bit.
"""

import typing

import numba
import numpy as np

from ..compiled import compiled
from .philox import MULTIPLIERS

_CHUNK = 256  # blocks of eight draws made together, over trials: the loop vectorises
_MIN_BLOCKS_A_SLICE = (
    32_768  # .25 ms of work: below it threads cost more than they bring
)


@numba.njit(inline="always")
@typing.no_type_check
def _round(a, b, c, d, k0, k1):
    half = np.uint64(32)
    first = np.uint64(a) * np.uint64(MULTIPLIERS[0])
    second = np.uint64(c) * np.uint64(MULTIPLIERS[1])
    return (
        np.uint32(second >> half) ^ b ^ k0,
        np.uint32(second),
        np.uint32(first >> half) ^ d ^ k1,
        np.uint32(first),
    )


@numba.njit(inline="always")
@typing.no_type_check
def _encrypt(words, n_blocks, keys):
    """Replace counters (4, block) by their Philox4x32-10 words."""
    for i in range(n_blocks):
        a, b, c, d = words[0, i], words[1, i], words[2, i], words[3, i]
        a, b, c, d = _round(a, b, c, d, keys[0, 0], keys[0, 1])
        a, b, c, d = _round(a, b, c, d, keys[1, 0], keys[1, 1])
        a, b, c, d = _round(a, b, c, d, keys[2, 0], keys[2, 1])
        a, b, c, d = _round(a, b, c, d, keys[3, 0], keys[3, 1])
        a, b, c, d = _round(a, b, c, d, keys[4, 0], keys[4, 1])
        a, b, c, d = _round(a, b, c, d, keys[5, 0], keys[5, 1])
        a, b, c, d = _round(a, b, c, d, keys[6, 0], keys[6, 1])
        a, b, c, d = _round(a, b, c, d, keys[7, 0], keys[7, 1])
        a, b, c, d = _round(a, b, c, d, keys[8, 0], keys[8, 1])
        a, b, c, d = _round(a, b, c, d, keys[9, 0], keys[9, 1])
        words[0, i], words[1, i], words[2, i], words[3, i] = a, b, c, d


@numba.njit(inline="always")
@typing.no_type_check
def _set_counters(words, jobs, starts, first, count, n_blocks, ids, streams):
    """Write the counters of the flat blocks `first`, ..., and where each belongs."""
    job = first // n_blocks
    block = first - job * n_blocks
    for i in range(count):
        trial = job // streams.size
        words[0, i] = np.uint32(block)
        words[1, i] = streams[job - trial * streams.size]
        words[2, i] = np.uint32(ids[trial])
        words[3, i] = np.uint32(ids[trial] >> np.uint64(32))
        jobs[i] = job
        starts[i] = block * 8
        block += 1
        if block == n_blocks:
            block = 0
            job += 1


@numba.njit(inline="always")
@typing.no_type_check
def _look_up(words, i, table, out, at, left):
    """Write the levels of one block's draws; of the last block of a field `left`.

    Places are unsigned, or Numba would look for negative ones at every element.
    """
    low, half = np.uint32(0xFFFF), np.uint32(16)
    if left >= 8:
        a, b, c, d = words[0, i], words[1, i], words[2, i], words[3, i]
        out[at] = table[a & low]
        out[at + np.uint64(1)] = table[a >> half]
        out[at + np.uint64(2)] = table[b & low]
        out[at + np.uint64(3)] = table[b >> half]
        out[at + np.uint64(4)] = table[c & low]
        out[at + np.uint64(5)] = table[c >> half]
        out[at + np.uint64(6)] = table[d & low]
        out[at + np.uint64(7)] = table[d >> half]
    else:
        for k in range(left):
            both = words[k >> 1, i]
            out[at + np.uint64(k)] = table[both >> half if k & 1 else both & low]


@numba.njit(inline="always")
@typing.no_type_check
def _add_signals(jobs, starts, count, signals, is_zero, which, n, out):
    """Add the signal to what a chunk wrote, field by field: this loop vectorises."""
    i = 0
    while i < count:
        last = i
        while last + 1 < count and jobs[last + 1] == jobs[i]:
            last += 1
        kind = which[jobs[i]]
        if not is_zero[kind]:
            end = min(n, starts[last] + 8)
            to = np.uint64(jobs[i] * n + starts[i])
            of = np.uint64(kind * n + starts[i])
            for k in range(np.uint64(end - starts[i])):
                out[to + k] += signals[of + k]
        i = last + 1


@compiled(nogil=True)
@typing.no_type_check
def fill_part(table, keys, streams, ids, signals, is_zero, which, first, last, out):
    """Fill the flat blocks from `first` to before `last`; see `fill`."""
    n = out.shape[1]
    n_blocks = (n + 7) // 8
    words = np.empty((4, _CHUNK), np.uint32)
    jobs = np.empty(_CHUNK, np.int64)
    starts = np.empty(_CHUNK, np.int64)
    flat, flat_signals = out.reshape(-1), signals.reshape(-1)
    for start in range(first, last, _CHUNK):
        count = min(_CHUNK, last - start)
        _set_counters(words, jobs, starts, start, count, n_blocks, ids, streams)
        _encrypt(words, count, keys)
        for i in range(count):
            at = np.uint64(jobs[i] * n + starts[i])
            _look_up(words, i, table, flat, at, n - starts[i])
        _add_signals(jobs, starts, count, flat_signals, is_zero, which, n, flat)


@compiled(nogil=True)
@typing.no_type_check
def fill_one_stream(table, keys, stream, ids, first_block, out):
    """Fill `out`, (trial, draw), with table[draw] of one stream from a block on."""
    n = out.shape[1]
    n_blocks = (n + 7) // 8
    words = np.empty((4, _CHUNK), np.uint32)
    flat = out.reshape(-1)
    for trial in range(ids.size):
        for start in range(0, n_blocks, _CHUNK):
            count = min(_CHUNK, n_blocks - start)
            for i in range(count):
                words[0, i] = np.uint32(first_block + start + i)
                words[1, i] = stream
                words[2, i] = np.uint32(ids[trial])
                words[3, i] = np.uint32(ids[trial] >> np.uint64(32))
            _encrypt(words, count, keys)
            for i in range(count):
                place = 8 * (start + i)
                _look_up(words, i, table, flat, np.uint64(trial * n + place), n - place)


@compiled(nogil=True, parallel=True)
@typing.no_type_check
def fill_parallel(table, keys, streams, ids, signals, is_zero, which, n_slices, out):
    """Fill `out` in slices that threads share; see `fill`."""
    total = out.shape[0] * ((out.shape[1] + 7) // 8)
    size = (total + n_slices - 1) // n_slices
    for part in numba.prange(n_slices):
        last = min(total, (part + 1) * size)
        first = part * size
        fill_part(table, keys, streams, ids, signals, is_zero, which, first, last, out)


@typing.no_type_check
def fill(table, keys, streams, ids, signals, which, out):
    """Fill `out` with table[draw] + signal.

    Parameters
    ----------
    table
        Level of each 16-bit draw, in the type of `out`.
    keys
        (round, 2) uint32: the Philox key of each round.
    streams
        (interval) uint32.
    ids
        (trial) uint64.
    signals
        (kind, element) in the type of `out`.
    which
        (trial * interval) row of `signals` to add.
    out
        (trial * interval, element), contiguous, uint8 or int8; arithmetic wraps, so
        128 + level may be given as uint8 throughout.
    """
    total = out.shape[0] * -(-out.shape[1] // 8)
    slices = total // _MIN_BLOCKS_A_SLICE
    if slices > 1:  # to count threads takes a tenth of a small trial's time
        slices = min(slices, 4 * numba.get_num_threads())
    is_zero = ~signals.any(axis=1)
    arguments = (table, keys, streams, ids, signals, is_zero, which)
    if slices > 1:
        fill_parallel(*arguments, slices, out)
    else:
        fill_part(*arguments, 0, total, out)
