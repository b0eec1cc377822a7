"""Noise of the stimulus contract `yoked-1`: the readable reference, in NumPy.

Every draw is a pure function of (seed, id, stream): Philox4x32-10 with the seed as key
and (block, stream, id) as counter. Four 32-bit words a block make eight 16-bit draws,
low half first. A table of 65,536 entries turns a draw into a contrast level, so that
everything after the table is integer and equal on every machine.

References
----------
.. [1] Salmon, Moraes, Dror & Shaw (2011), Parallel random numbers: as easy as 1, 2, 3.
   SC '11. Constants and test vectors of Philox4x32-10 are from its Random123 library.
"""

from functools import cache

import numpy as np
from jaxtyping import Int8, Int64, UInt8, UInt16, UInt32, UInt64

from ..protocols.deviates import N_DRAWS, normal_table
from ..protocols.parts import BACKGROUND, FULL_CONTRAST
from .philox import KEY_STEPS, MULTIPLIERS, N_ROUNDS, WORD, key_of
from .seeds import require_seed

SCHEDULE_STREAM = 0
OBSERVER_STREAM = 1
REPEATABLE_STREAM = 2
FIRST_NOISE_STREAM = 16
DRAWS_PER_BLOCK = 8

_MULTIPLIERS = tuple(np.uint64(word) for word in MULTIPLIERS)
_KEY_STEPS = tuple(np.uint64(word) for word in KEY_STEPS)
_LOW = np.uint64(WORD)
_HALF = np.uint64(32)


def philox4x32(
    counter: UInt32[np.ndarray, " *block 4"], key: tuple[int, int]
) -> UInt32[np.ndarray, " *block 4"]:
    """Encrypt counters with Philox4x32-10.

    Parameters
    ----------
    counter
        Four 32-bit words per block.
    key
        Two 32-bit words.

    Returns
    -------
    ndarray
        Four random words per block.

    Examples
    --------
    >>> words = philox4x32(np.zeros(4, np.uint32), (0, 0))
    >>> [f"{word:08x}" for word in words]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    a, b, c, d = (counter[..., i].astype(np.uint64) for i in range(4))
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    for _ in range(N_ROUNDS):
        first, second = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, c = (second >> _HALF) ^ b ^ k0, (first >> _HALF) ^ d ^ k1
        b, d = second & _LOW, first & _LOW
        k0, k1 = (k0 + _KEY_STEPS[0]) & _LOW, (k1 + _KEY_STEPS[1]) & _LOW
    return np.stack([a, b, c, d], axis=-1).astype(np.uint32)


def draws_u16(
    seed: int, ids: Int64[np.ndarray, " id"], stream: int, n: int, first: int = 0
) -> UInt16[np.ndarray, " id {n}"]:
    """Draw 16-bit numbers, each a pure function of (seed, id, stream, position).

    Parameters
    ----------
    seed
        Key; an integer in [0, 2^63).
    ids
        Stimulus ids or trial numbers, in [0, 2^63).
    stream
        0 schedule, 1 observer noise, 2 the part of it that a stimulus brings back at
        each showing, 16 + k the noise field of interval k.
    n
        Draws per id.
    first
        Position of the first draw; a whole number of blocks of eight.

    Returns
    -------
    ndarray
        One row of draws per id.

    Raises
    ------
    ValueError
        If the seed or an id is out of range, or `first` starts inside a block.

    Examples
    --------
    >>> draws_u16(20261120, np.array([7]), 16, 3).tolist()
    [[48049, 37505, 47504]]
    """
    require_seed("seed", seed)
    ids = np.asarray(ids, np.int64)
    if ids.size and ids.min() < 0:
        raise ValueError(f"an id must be in [0, 2^63), got {ids.min()}")
    if first % DRAWS_PER_BLOCK:
        raise ValueError(f"first must be a multiple of 8, got {first}")
    words = philox4x32(_counters(ids, stream, n, first), key_of(seed))
    return (
        words.astype("<u4").view("<u2").reshape(len(ids), -1)[:, :n].astype(np.uint16)
    )


def _counters(ids: np.ndarray, stream: int, n: int, first: int) -> np.ndarray:
    n_blocks = -(-n // DRAWS_PER_BLOCK)
    counter = np.empty((len(ids), n_blocks, 4), np.uint32)
    unsigned: UInt64[np.ndarray, " id"] = ids.astype(np.uint64)
    counter[..., 0] = first // DRAWS_PER_BLOCK + np.arange(n_blocks, dtype=np.uint32)
    counter[..., 1] = stream
    counter[..., 2] = (unsigned & _LOW).astype(np.uint32)[:, None]
    counter[..., 3] = (unsigned >> _HALF).astype(np.uint32)[:, None]
    return counter


@cache
def level_table(kind: str, sd: float) -> Int8[np.ndarray, " 65536"]:
    """Give the contrast level, in -127 to 127, of every 16-bit draw.

    Parameters
    ----------
    kind
        'gaussian', rint(127 clip(sd z, -1, 1)), or 'binary', +-rint(127 sd) by the
        draw's top bit.
    sd
        Standard deviation in units of contrast.
    """
    if kind == "gaussian":
        levels = np.rint(FULL_CONTRAST * np.clip(sd * normal_table(), -1, 1))
    elif kind == "binary":
        sign = np.where(np.arange(N_DRAWS) >= N_DRAWS // 2, 1, -1)
        levels = sign * np.rint(FULL_CONTRAST * sd)
    else:
        raise ValueError(f"noise.kind must be gaussian or binary, got {kind!r}")
    table = levels.astype(np.int8)
    table.setflags(write=False)
    return table


@cache
def pixel_table(kind: str, sd: float) -> UInt8[np.ndarray, " 65536"]:
    """Give the pixel of every 16-bit draw, 128 + level; arguments as `level_table`.

    Made once: to add 128 to 65,536 levels takes as long as a small trial's noise.
    """
    return as_pixels(level_table(kind, sd))


def as_pixels(levels: Int8[np.ndarray, " *any"]) -> UInt8[np.ndarray, " *any"]:
    """Give 128 + level, read-only."""
    pixels = (BACKGROUND + levels.astype(np.int16)).astype(np.uint8)
    pixels.setflags(write=False)
    return pixels


def noise_levels(
    table: Int8[np.ndarray, " 65536"] | UInt8[np.ndarray, " 65536"],
    grid: tuple[int, int, int],
    seed: int,
    ids: Int64[np.ndarray, " trial"],
    interval: int,
) -> (
    Int8[np.ndarray, " trial frame row column"]
    | UInt8[np.ndarray, " trial frame row column"]
):
    """Generate the noise field of one interval of every trial.

    Parameters
    ----------
    table
        Level of each draw, from `level_table`, or its pixel, from `pixel_table`.
    grid
        Frames, rows and columns of the field, in elements.
    seed
        The session's seed.
    ids
        Stimulus id of each trial.
    interval
        Which interval, counted from 0.

    Examples
    --------
    >>> table = level_table("gaussian", 0.1)
    >>> noise_levels(table, (1, 1, 5), 20261120, np.array([0]), 0).ravel().tolist()
    [-1, 8, -9, 0, -6]
    """
    n = grid[0] * grid[1] * grid[2]
    draws = draws_u16(seed, ids, FIRST_NOISE_STREAM + interval, n)
    return table[draws].reshape(len(ids), *grid)
