"""Frames of noise on a basis, `yoked-1-basis`: the readable reference, in NumPy.

All that tells the target is a whole number of units added to coefficients; their images
are summed in integers, and the sum is rounded once, to levels, and clipped once.
"""

import numpy as np
from jaxtyping import Int16, Int64, UInt8

from ..protocols.coefficients import Coefficients
from ..protocols.images import Images
from ..protocols.noise_and_signal import FULL_CONTRAST
from ..protocols.parts import BACKGROUND
from .noise import FIRST_NOISE_STREAM, draws_u16

FIRST_FLOOR_STREAM = 1024  # white noise that is added to noise on a basis


def drawn_coefficients(
    own: Coefficients, seed: int, ids: Int64[np.ndarray, " trial"], interval: int
) -> Int16[np.ndarray, " trial image"]:
    """Draw the coefficients of one interval of every trial.

    Parameters
    ----------
    own
        What each draw turns into.
    seed, ids
        The session's seed, and the stimulus id of each trial.
    interval
        Which interval, counted from 0: draw i of its stream belongs to coefficient i.
    """
    draws = draws_u16(seed, ids, FIRST_NOISE_STREAM + interval, len(own.row))
    return own.tables[own.row, draws]


def summed(
    images: Images, units: Int64[np.ndarray, " trial image"]
) -> Int64[np.ndarray, " trial frame row column"]:
    """Give the sum of the images times their whole numbers, exactly."""
    sums = np.zeros((len(units), *images.shape), np.int64)
    for k, (atom, box) in enumerate(images.boxes()):
        sums[:, *box] += units[:, k, None, None, None] * atom.astype(np.int64)
    return sums


def rounded(
    sums: Int64[np.ndarray, " *any"], fineness: int
) -> Int64[np.ndarray, " *any"]:
    """Round sums to whole levels; 127 times an odd fineness has no half.

    Examples
    --------
    >>> rounded(np.array([63, 64, -63, -64]), 1).tolist()
    [0, 1, 0, -1]
    """
    unit = FULL_CONTRAST * fineness
    return (sums + (unit - 1) // 2) // unit


def finished(
    levels: Int64[np.ndarray, " *any"],
) -> UInt8[np.ndarray, " *any"]:
    """Clip whole levels, once, and give them as pixels."""
    clipped = np.clip(levels, -FULL_CONTRAST, FULL_CONTRAST)
    return (BACKGROUND + clipped).astype(np.uint8)
