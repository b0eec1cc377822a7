"""Noise and frames of `yoked-1`, fused for the CPU with Numba.

One pass makes the draws, looks up their levels, adds the signal and writes the result:
no float noise, and never more than a 4 KB buffer beside the output. `noise.py` is the
reference that it equals bit for bit.
"""

import typing

import numba
import numpy as np

_CHUNK = 256  # blocks of eight draws made together, over trials: the loop vectorises
_MIN_BLOCKS_A_SLICE = (
    32_768  # .4 ms of work: below it threads cost more than they bring
)


@numba.njit(inline="always")
@typing.no_type_check
def _round(a, b, c, d, k0, k1):
    half = np.uint64(32)
    first = np.uint64(a) * np.uint64(0xD2511F53)
    second = np.uint64(c) * np.uint64(0xCD9E8D57)
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
def _look_up(words, i, table, signal, at, n, out):
    """Write up to eight elements from one block: level of the draw plus signal."""
    if at + 8 <= n:
        for word in range(4):
            both = words[word, i]
            k = at + 2 * word
            out[k] = table[both & np.uint32(0xFFFF)] + signal[k]
            out[k + 1] = table[both >> np.uint32(16)] + signal[k + 1]
    else:
        for k in range(at, n):
            both = words[(k - at) >> 1, i]
            draw = (both >> np.uint32(16)) if k & 1 else (both & np.uint32(0xFFFF))
            out[k] = table[draw] + signal[k]


@numba.njit(nogil=True, cache=True)
@typing.no_type_check
def fill_part(table, keys, streams, ids, signals, which, first, last, out):
    """Fill the flat blocks from `first` to before `last`; see `fill`."""
    n = out.shape[1]
    n_blocks = (n + 7) // 8
    words = np.empty((4, _CHUNK), np.uint32)
    jobs = np.empty(_CHUNK, np.int64)
    starts = np.empty(_CHUNK, np.int64)
    for start in range(first, last, _CHUNK):
        count = min(_CHUNK, last - start)
        _set_counters(words, jobs, starts, start, count, n_blocks, ids, streams)
        _encrypt(words, count, keys)
        for i in range(count):
            job = jobs[i]
            _look_up(words, i, table, signals[which[job]], starts[i], n, out[job])


@numba.njit(nogil=True, parallel=True, cache=True)
@typing.no_type_check
def fill_parallel(table, keys, streams, ids, signals, which, n_slices, out):
    """Fill `out` in slices that threads share; see `fill`."""
    total = out.shape[0] * ((out.shape[1] + 7) // 8)
    size = (total + n_slices - 1) // n_slices
    for part in numba.prange(n_slices):
        last = min(total, (part + 1) * size)
        fill_part(table, keys, streams, ids, signals, which, part * size, last, out)


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
        (trial * interval, element), uint8 or int8; arithmetic wraps, so 128 + level
        may be given as uint8 throughout.
    """
    total = out.shape[0] * -(-out.shape[1] // 8)
    slices = min(total // _MIN_BLOCKS_A_SLICE, 4 * numba.get_num_threads())
    arguments = (table, keys, streams, ids, signals, which)
    if slices > 1:
        fill_parallel(*arguments, slices, out)
    else:
        fill_part(*arguments, 0, total, out)
