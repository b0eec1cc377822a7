"""Noise in few dimensions: the means of blocks of a field.

A second-order kernel of D elements has D (D + 1) / 2 numbers, and sampling noise in
each of them: of 31 x 31 elements a person's thousands of trials leave a reliability of
one per cent. In blocks there are few numbers, of what is coarse in the kernel. A
block's mean is scaled to the SD of an element, so that white noise stays white and of
its SD: it is the field along orthonormal directions.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from .design import ROWS, TrialDesign
from .estimate import CannotTell

MOST = 16  # dimensions, unless told otherwise
Shape = tuple[int, ...]


def blocks_of(shape: Shape, most: int = MOST) -> Shape:
    """Give the blocks of a field along each side: the longest is halved until it fits.

    Examples
    --------
    >>> blocks_of((1, 31, 31)), blocks_of((32, 1, 1)), blocks_of((1, 1, 13))
    ((1, 4, 4), (16, 1, 1), (1, 1, 13))
    """
    sides = list(shape)
    while int(np.prod(sides)) > most:
        longest = int(np.argmax(sides))
        sides[longest] = -(-sides[longest] // 2)
    return tuple(sides)


def coarse(trials: TrialDesign, most: int = MOST) -> TrialDesign:
    """Average the noise of trials in blocks, `most` of them or fewer.

    Trials whose fields have no more elements stay as they are.

    Raises
    ------
    CannotTell
        If noise is on a basis of more coefficients: those have no neighbours.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.held import as_design
    >>> protocol = yoked.load_protocol("gabor-in-noise")
    >>> template = yoked.load_observer("template")
    >>> session = yoked.run(protocol, template, seed=1, trials=300)
    >>> fine = as_design(session)
    >>> found = coarse(fine)
    >>> found.shape, bool(abs(found.noise.std() / fine.noise.std() - 1) < 0.1)
    ((1, 4, 4), True)
    """
    blocks = blocks_of(trials.shape, most)
    if blocks == trials.shape:
        return trials
    if trials.basis is not None:
        got = f"{trials.shape[0]} coefficients"
        raise CannotTell(f"dimensions must be at most {most} to be compared, got {got}")
    weights = _weights(trials.shape, blocks)
    halves = np.empty((2, len(trials), weights.shape[1]), np.float32)
    for start in range(0, len(trials), ROWS):
        rows = slice(start, start + ROWS)
        halves[:, rows] = trials.halves[:, rows] @ weights
    found = replace(trials, halves=halves, shape=blocks)
    if "noise_keys" in vars(trials):  # the stimuli are the same
        vars(found)["noise_keys"] = trials.noise_keys
    return found


def _weights(shape: Shape, blocks: Shape) -> Float32[np.ndarray, " element block"]:
    """Give the orthonormal directions of blocks that are as equal as they can be."""
    places = np.indices(shape).reshape(len(shape), -1)
    block = np.zeros(places.shape[1], np.int64)
    for place, side, n in zip(places, shape, blocks, strict=True):
        block = block * n + place * n // side
    size = np.bincount(block)
    weights = np.zeros((len(block), len(size)), np.float32)
    weights[np.arange(len(block)), block] = size[block] ** -0.5
    return weights
