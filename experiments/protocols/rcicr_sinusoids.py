"""Sinusoids as rcicr and rcpyci lay them out, whole numbers and as they were shown.

Both packages for reverse correlation with faces [1]_ make one image a layer: a scale,
an orientation and a phase. A layer is a patch that is repeated 2^s x 2^s times, and
every patch of it has a coefficient: by scale, orientation, phase, column and row. The
wave begins in the patch's corner, and its last pixel is a whole number of cycles away.

References
----------
.. [1] Dotsch & Todorov (2012), Reverse correlating social face perception. Social
   Psychol. Pers. Sci. 3, 562-571. Packages rcicr (R) and rcpyci (Python).
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from .basis import Sinusoids
from .checks import ProtocolError
from .images import Collected, Images, Shape, quantised


def orientations(basis: Sinusoids) -> Iterator[tuple[float, float]]:
    """Give the angle and phase of each sinusoid of a patch, in degrees."""
    angles = [180 * o / basis.n_orientations for o in range(basis.n_orientations)]
    return itertools.product(angles, (0.0, 90.0))


def patch_size(basis: Sinusoids, grid: Shape, scale: int) -> tuple[int, int]:
    """Give rows and columns of a patch of one scale.

    Raises
    ------
    ProtocolError
        If the grid cannot be cut into so many.
    """
    height, width = grid[1] // 2**scale, grid[2] // 2**scale
    if (height * 2**scale, width * 2**scale) != grid[1:]:
        rule = f"a grid that divides by {2 ** (basis.n_scales - 1)}"
        raise ProtocolError(
            [f"noise.grid must be {rule} with so many scales, got {list(grid)}"]
        )
    return height, width


def layers(
    basis: Sinusoids, grid: Shape
) -> Iterator[tuple[int, Float[np.ndarray, " row column"]]]:
    """Give the scale and the patch of each layer, in order, as floats.

    Examples
    --------
    >>> basis = Sinusoids("sinusoids", n_scales=2, layout="rcicr")
    >>> [(scale, *patch.shape) for scale, patch in layers(basis, (1, 16, 16))][11:13]
    [(0, 16, 16), (1, 8, 8)]
    """
    for scale in range(basis.n_scales):
        height, width = patch_size(basis, grid, scale)
        x = np.linspace(0, basis.cycles, width)[None, :]
        y = np.linspace(0, basis.cycles, height)[:, None]
        for degrees, phase in orientations(basis):
            angle = np.deg2rad(degrees)
            turns = x * np.cos(angle) + y * np.sin(angle)
            yield scale, np.sin(2 * np.pi * turns + np.deg2rad(phase))


def rcicr_images(
    basis: Sinusoids, grid: Shape
) -> Iterator[tuple[np.ndarray, tuple[int, int], int]]:
    """Give the images in order: int8, where each begins, and which weight it has."""
    for scale, patch in layers(basis, grid):
        image = quantised(patch)[None]
        for column, row in itertools.product(range(2**scale), repeat=2):
            height, width = patch.shape
            yield image, (row * height, column * width), scale


def as_shown(basis: Sinusoids, grid: Shape, images: Images) -> Images:
    """Give the images of a basis in this layout with what they were in a picture.

    A sum of them is then what rcicr and rcpyci have shown, without any rounding.
    """
    fine, known = [], Collected((1, *grid[1:]))
    for _, patch in layers(basis, grid):
        whole = quantised(patch)
        rows, columns = (np.flatnonzero(whole.any(axis=axis)) for axis in (1, 0))
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        known.add(whole[None])
        if len(known.images().atoms) > len(fine):
            fine.append(np.ascontiguousarray(patch[part])[None])
    return replace(images, fine=tuple(fine))
