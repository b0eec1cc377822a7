"""The sum of pixels times a template, in integers: one pass over the frames."""

import typing

import numpy as np
from jaxtyping import Int64, UInt8

from ...experiments.compiled import compiled


@compiled(nogil=True)
@typing.no_type_check
def weighted_sums(
    frames: UInt8[np.ndarray, " image frame y x"],
    background: int,
    weights: Int64[np.ndarray, " frame row column"],
    element_px: tuple[int, int],
) -> Int64[np.ndarray, " image"]:
    """Give the sum over pixels of weight times level difference from the background.

    Parameters
    ----------
    frames
        Of any presenter.
    background
        The level that counts as 0.
    weights
        One for each element.
    element_px
        Pixels of an element, (rows, columns).
    """
    n_images, n_frames, height, width = frames.shape
    rows, columns = element_px
    out = np.zeros(n_images, np.int64)
    sums = np.empty(width, np.int32)
    for image in range(n_images):
        for frame in range(n_frames):
            for row in range(height // rows):
                sums[:] = -background * rows
                for y in range(row * rows, (row + 1) * rows):
                    line = frames[image, frame, y]
                    for x in range(width):  # this loop vectorises
                        sums[x] += np.int32(line[x])
                for column in range(width // columns):
                    element = 0
                    for x in range(column * columns, (column + 1) * columns):
                        element += sums[x]
                    out[image] += weights[frame, row, column] * element
    return out
