"""MATLAB 5's random numbers, compiled: the fast forms of `matlab5.py`.

Words of 32 bits are kept in int64 and masked, so that Python's and Numba's rules for
integers say the same.
"""

import math
import typing

import numba
import numpy as np

from ..compiled import compiled

# The list of `matlab5.py` again: two forms of one generator need the same constants.
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


@numba.njit(inline="always")
@typing.no_type_check
def _shr3(word):
    word ^= (word << 13) & WORD
    word ^= word >> 17
    return word ^ ((word << 5) & WORD)


@numba.njit(inline="always")
@typing.no_type_check
def _fill_lags(word, lags):
    for lag in range(N_LAGS):
        mantissa = 0
        for _ in range(53):
            word = _shr3(word)
            mantissa = mantissa << 1 | (word >> 19 & 1)
        lags[lag] = mantissa * 2.0**-53


@compiled(nogil=True)
@typing.no_type_check
def fill_uniform(seeds, out, bits):
    """Fill `out` (trial, draw) with `rand`; `bits` is its view as int64."""
    lags = np.empty(N_LAGS)
    for trial in range(seeds.size):
        word = seeds[trial] if seeds[trial] else 2**31
        _fill_lags(word, lags)
        borrow = 0.0
        for k in range(out.shape[1]):
            i = k % N_LAGS
            value = lags[(i + 20) % N_LAGS] - lags[(i + 5) % N_LAGS] - borrow
            borrow = 0.0
            if value < 0:
                value += 1
                borrow = 2.0**-53
            lags[i] = value
            step = _shr3(word)
            out[trial, k] = value
            bits[trial, k] ^= (step & MANTISSA_HIGH) << 32 | word
            word = step


@numba.njit(inline="always")
@typing.no_type_check
def _word(state):
    """Step both of randn's generators; their sum, as a signed 32-bit integer."""
    state[0] = (69069 * state[0] + 1234567) & WORD
    state[1] = _shr3(state[1])
    word = (state[0] + state[1]) & WORD
    return word - 2**32 if word >= 2**31 else word


@numba.njit(inline="always")
@typing.no_type_check
def _unit(state):
    return 0.5 + _word(state) * 2.0**-32


@numba.njit
@typing.no_type_check
def _beyond_strip(state, value, inner, outer):
    """Settle the few draws that fall outside their strip's rectangle."""
    x = (abs(value) - inner) / (outer - inner)
    y = _unit(state)
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
    while True:
        x = math.log(_unit(state)) / TAIL_START
        if -2.0 * math.log(_unit(state)) > x * x:
            return math.copysign(TAIL_START - x, value)


@compiled(nogil=True)
@typing.no_type_check
def fill_normal(seeds, out):
    """Fill `out` (trial, draw) with `randn`."""
    state = np.empty(2, np.int64)
    for trial in range(seeds.size):
        state[0] = CONGRUENTIAL_START
        state[1] = seeds[trial] if seeds[trial] else SHIFT_REGISTER_START
        for k in range(out.shape[1]):
            word = _word(state)
            strip = word & 63
            value = word * 2.0**-31 * STRIP_EDGES[strip + 1]
            if abs(value) > STRIP_EDGES[strip]:
                value = _beyond_strip(
                    state, value, STRIP_EDGES[strip], STRIP_EDGES[strip + 1]
                )
            out[trial, k] = value
