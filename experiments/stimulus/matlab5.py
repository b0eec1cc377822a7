"""MATLAB 5's random numbers, `rand('state', s)` and `randn('state', s)`.

Published experiments logged such seeds in place of pixels; with these generators their
noise comes back. Here are the readable references and the noise of Murray, Patel & Yee
(2015) [3]_; `matlab5_numba.py` has the fast forms, which equal them bit for bit.

References
----------
.. [1] Moler (1995), Random thoughts. MATLAB News & Notes: `rand` is a subtract-with-
   borrow generator after Marsaglia & Zaman (1991), with a shift register on top.
.. [2] Marsaglia & Tsang (1984), SIAM J. Sci. Stat. Comput. 5, 349-359: the ziggurat of
   64 strips under `randn`.
.. [3] Murray, Patel & Yee (2015), PLOS Comput. Biol. 11, e1004342.
.. [4] Pritchett & Murray (2015), PNAS 112, 7321-7326.
"""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

from .matlab5_constants import (
    ACCEPT_BELOW,
    CAP,
    CAP_HEIGHT,
    CAP_SCALE,
    CONGRUENTIAL_START,
    FOLD_ABOVE,
    MANTISSA_HIGH,
    N_LAGS,
    SHIFT_REGISTER_START,
    STRIP_EDGES,
    STRIP_HEIGHT,
    TAIL_START,
    WORD,
)

Backend = Literal["numba", "numpy"]

_SD, _CUT_SD = 0.25, 2.0  # of Murray, Patel & Yee's noise: in contrast, and in SD
_TRIALS = 64  # whose noise is made at once
_PRITCHETT_SD, _PRITCHETT_SIZE = 0.2, 38


def rand(
    seeds: Int64[np.ndarray, " trial"], n: int, backend: Backend = "numba"
) -> Float64[np.ndarray, " trial {n}"]:
    """Draw what `rand('state', s); rand(n, 1)` gave in MATLAB 5, for every seed s.

    Parameters
    ----------
    seeds
        Integers in [0, 2^32).
    n
        Draws per seed.
    backend
        'numpy' is the reference, 'numba' the fast form; they are equal bit for bit.

    Returns
    -------
    ndarray
        Uniform in (0, 1), one row per seed.

    Raises
    ------
    ValueError
        If a seed is out of range.

    Examples
    --------
    >>> rand(np.array([0]), 3, backend="numpy").round(5).tolist()
    [[0.95013, 0.23114, 0.60684]]
    """
    seeds = _checked(seeds)
    out = np.empty((len(seeds), n))
    if backend == "numba":
        from .matlab5_numba import fill_uniform

        fill_uniform(seeds, out, out.view(np.int64))
    else:
        for i, draw in zip(range(n), _uniforms(seeds), strict=False):
            out[:, i] = draw
    return out


def randn(
    seeds: Int64[np.ndarray, " trial"], n: int, backend: Backend = "numba"
) -> Float64[np.ndarray, " trial {n}"]:
    """Draw what `randn('state', s); randn(n, 1)` gave in MATLAB 5, for every seed s.

    Parameters
    ----------
    seeds
        Integers in [0, 2^32).
    n
        Draws per seed.
    backend
        'numpy' is the reference (plain Python), 'numba' the fast form.

    Returns
    -------
    ndarray
        Standard normal, one row per seed.

    Raises
    ------
    ValueError
        If a seed is out of range.

    Examples
    --------
    >>> randn(np.array([0]), 3, backend="numpy").round(4).tolist()
    [[-0.4326, -1.6656, 0.1253]]
    """
    seeds = _checked(seeds)
    out = np.empty((len(seeds), n))
    if backend == "numba":
        from .matlab5_numba import fill_normal

        fill_normal(seeds, out)
    else:
        for row, seed in zip(out, seeds.tolist(), strict=True):
            words = _signed_words(seed)
            row[:] = [_normal(words) for _ in range(n)]
    return out


def murray_noise(
    seeds: Int64[np.ndarray, " trial"],
    targets: Int64[np.ndarray, " trial"],
    interval: int,
    grid: tuple[int, int, int] = (1, 31, 31),
) -> Float64[np.ndarray, " trial frame row column"]:
    """Regenerate the noise of one interval of Murray, Patel & Yee (2015).

    A trial drew the noise of its target interval (the white disk) first, then that of
    the other one; each in MATLAB's order, down the columns. So a field depends on which
    interval held the target, and on nothing that the observer did.

    Parameters
    ----------
    seeds
        `randseed` of each trial.
    targets
        Target interval of each trial, 0 or 1.
    interval
        Which interval's noise to give, 0 or 1.
    grid
        Frames, rows and columns, in elements.

    Returns
    -------
    ndarray
        Contrasts, a Gaussian of SD 0.25 cut at 2 SD on both sides.

    Raises
    ------
    ValueError
        If a seed, a target or the interval is out of range.

    Examples
    --------
    >>> noise = murray_noise(np.array([41402990]), np.array([1]), interval=1)
    >>> noise.shape, bool(abs(noise).max() <= 0.5)
    ((1, 1, 31, 31), True)
    """
    from scipy.special import ndtr, ndtri

    if interval not in {0, 1}:
        raise ValueError(f"interval must be 0 or 1, got {interval}")
    outside = targets[(targets != 0) & (targets != 1)]
    if outside.size:
        raise ValueError(f"targets must be 0 or 1 on every trial, got {outside[0]}")
    seeds = _checked(seeds)
    frames, rows, columns = grid
    n = frames * rows * columns
    low, high = ndtr(-_CUT_SD), ndtr(_CUT_SD)
    noise = np.empty((len(seeds), frames, rows, columns))
    for start in range(0, len(seeds), _TRIALS):  # which stay in the cache
        part = slice(start, start + _TRIALS)
        draws = rand(seeds[part], 2 * n).reshape(-1, 2, n)
        second = (targets[part] != interval).astype(int)
        uniform = draws[np.arange(len(draws)), second]
        uniform *= high - low
        uniform += low
        drawn = _SD * ndtri(uniform, out=uniform)
        drawn = drawn.reshape(-1, frames, columns, rows)
        noise[part] = drawn.swapaxes(2, 3)
    return noise


def pritchett_noise(
    seeds: Int64[np.ndarray, " trial"], side: int
) -> Float64[np.ndarray, " trial 1 38 38"]:
    """Regenerate one side of the noise of Pritchett & Murray (2015), experiment 2.

    A field of 38 x 76 elements had a dot in each half. What lay 2 SD or more from the
    mean got the field's first values that did not, in MATLAB's order.

    Parameters
    ----------
    seeds
        `rseed2` of each trial.
    side
        0 is the left half; 1 the right one, turned over as in a mirror, as the right
        dot lies.

    Returns
    -------
    ndarray
        Contrasts, a Gaussian of SD 0.2 without values from 2 SD on.

    Raises
    ------
    ValueError
        If a seed or the side is out of range.

    Examples
    --------
    >>> noise = pritchett_noise(np.array([4270308]), side=1)
    >>> noise.shape, bool(abs(noise).max() < 0.4)
    ((1, 1, 38, 38), True)
    """
    if side not in {0, 1}:
        raise ValueError(f"side must be 0 or 1, got {side}")
    drawn = _PRITCHETT_SD * randn(seeds, 2 * _PRITCHETT_SIZE**2)
    limit = _CUT_SD * _PRITCHETT_SD
    for row in drawn:
        outside = np.abs(row) >= limit
        row[outside] = row[~outside][: outside.sum()]
    columns = drawn.reshape(-1, 2 * _PRITCHETT_SIZE, _PRITCHETT_SIZE)  # column first
    half = columns[:, :_PRITCHETT_SIZE] if side == 0 else columns[:, _PRITCHETT_SIZE:]
    half = half if side == 0 else half[:, ::-1]
    return half.swapaxes(1, 2)[:, None]


def _checked(seeds: np.ndarray) -> np.ndarray:
    """Give the seeds as int64, in which the generators' words do not overflow."""
    outside = seeds[(seeds < 0) | (seeds > WORD)]
    if outside.size:
        raise ValueError(f"a MATLAB 5 seed must be in [0, 2^32), got {outside[0]}")
    return np.ascontiguousarray(seeds, np.int64)


def _shr3(word: np.ndarray) -> np.ndarray:
    """Step Marsaglia's shift register; a word is 32 bits in an int64."""
    word = word ^ (word << 13 & WORD)
    word = word ^ word >> 17
    return word ^ (word << 5 & WORD)


def _uniforms(seeds: np.ndarray) -> Iterator[np.ndarray]:
    """Yield one draw of every seed at a time, without end."""
    start = np.where(seeds == 0, 2**31, seeds)
    lags = _lags(start)  # (lag, trial)
    word, borrow, i = start, np.zeros(len(seeds)), 0
    while True:
        value = lags[(i + 20) % N_LAGS] - lags[(i + 5) % N_LAGS] - borrow
        borrow = np.where(value < 0, 2.0**-53, 0.0)
        value = np.where(value < 0, value + 1, value)
        lags[i] = value
        i = (i + 1) % N_LAGS
        step = _shr3(word)
        mask = (step & MANTISSA_HIGH) << 32 | word
        word = step
        yield (value.view(np.int64) ^ mask).view(np.float64)


def _lags(word: np.ndarray) -> np.ndarray:
    """Fill the table of the subtract-with-borrow generator, bit by bit."""
    lags = np.zeros((N_LAGS, len(word)))
    for lag in lags:
        for place in range(1, 54):
            word = _shr3(word)
            lag += (word >> 19 & 1) * 2.0**-place
    return lags


def _signed_words(seed: int) -> Iterator[int]:
    """Yield randn's 32-bit words, as signed integers: congruential + shift register."""
    congruential, register = CONGRUENTIAL_START, seed or SHIFT_REGISTER_START
    while True:
        congruential = (69069 * congruential + 1234567) & WORD
        register ^= register << 13 & WORD
        register ^= register >> 17
        register ^= register << 5 & WORD
        word = (congruential + register) & WORD
        yield word - 2**32 if word >= 2**31 else word


def _normal(words: Iterator[int]) -> float:
    """Draw one normal deviate by the ziggurat [2]_."""
    word = next(words)
    inner, outer = STRIP_EDGES[word & 63], STRIP_EDGES[(word & 63) + 1]
    value = word * 2.0**-31 * outer
    if abs(value) <= inner:
        return value
    x = (abs(value) - inner) / (outer - inner)
    y = _unit(next(words))
    folded = math.copysign(CAP - CAP * x, value)
    if x + y > FOLD_ABOVE:
        return folded
    if x + y <= ACCEPT_BELOW:
        return value
    if y > CAP_HEIGHT - CAP_SCALE * math.exp(-0.5 * folded * folded):
        return folded
    height = math.exp(-0.5 * outer * outer) + y * STRIP_HEIGHT / outer
    if height <= math.exp(-0.5 * value * value):
        return value
    return math.copysign(_tail(words), value)


def _tail(words: Iterator[int]) -> float:
    while True:
        x = math.log(_unit(next(words))) / TAIL_START
        if -2.0 * math.log(_unit(next(words))) > x * x:
            return TAIL_START - x


def _unit(word: int) -> float:
    return 0.5 + word * 2.0**-32
