"""The images of each kind of basis, made from its parameters."""

import itertools
import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from .basis import Arrays, Bars, Basis, Bumps, Gratings, Sinusoids
from .checks import ProtocolError
from .contents import OWN_IMAGES, kept
from .images import Collected, Images, Shape, quantised, scaled
from .rcicr_sinusoids import orientations, patch_size, rcicr_images
from .template import centred

# The image as int8, where on the grid it begins (row, column), and which weight it has.
_Placed = tuple[np.ndarray, tuple[int, int], int]


@lru_cache(maxsize=16)
def images_of(basis: Basis, grid: Shape) -> Images:
    """Make the images of a basis on a grid.

    Parameters
    ----------
    basis
        The table `[noise.basis]` of a protocol.
    grid
        Frames, rows and columns.

    Raises
    ------
    ProtocolError
        If the grid does not suit, an image is zero everywhere, there are too many, or
        their SHA-256 is not the basis's own.

    Examples
    --------
    >>> images_of(Bumps("bumps", scales=((6.0, 4.0),)), (1, 64, 64)).n
    196
    """
    if isinstance(basis, Arrays):
        images = kept(basis.sha256, OWN_IMAGES)
        if images.shape != grid:
            rule = f"of the grid {list(grid)}"
            raise ProtocolError(
                [f"the images of noise.basis must be {rule}, got {list(images.shape)}"]
            )
        return images
    images = _all_frames(basis, grid)
    if basis.sha256 not in ("", images.sha256):
        rule = f'"{images.sha256}", which is that of its images'
        raise ProtocolError(
            [f"noise.basis.sha256 must be {rule}, got {basis.sha256!r}"]
        )
    return images


def _all_frames(basis: Basis, grid: Shape) -> Images:
    """Lay one set into all frames, or a set into each."""
    collected = Collected(grid)
    if isinstance(basis, Arrays) or not basis.each_frame:
        for image, place, entry in _one_set(basis, grid):
            frames = (1,) if image.shape[0] == grid[0] else (grid[0], 1, 1)
            collected.add(np.tile(image, frames), (0, *place), entry)
        return collected.images()
    for frame in range(grid[0]):
        for image, place, entry in _one_set(basis, grid):
            own = image[frame : frame + 1] if image.shape[0] == grid[0] else image
            collected.add(own, (frame, *place), entry)
    return collected.images()


def _one_set(basis: Basis, grid: Shape) -> Iterator[_Placed]:
    """Give the images in order; of one frame, or of all where they move."""
    if isinstance(basis, Sinusoids):
        if basis.layout == "rcicr":
            return rcicr_images(basis, grid)
        return _sinusoids(basis, grid)
    if isinstance(basis, Gratings):
        return _gratings(basis, grid)
    if isinstance(basis, Bumps):
        return _bumps(basis, grid)
    assert isinstance(basis, Bars)
    return _bars(basis, grid)


def _sinusoids(basis: Sinusoids, grid: Shape) -> Iterator[_Placed]:
    for scale in range(basis.n_scales):
        n = 2**scale
        height, width = patch_size(basis, grid, scale)
        patch = [_sinusoid(basis, height, width, *o) for o in orientations(basis)]
        for row, column in itertools.product(range(n), range(n)):
            for image in patch:
                yield image, (row * height, column * width), scale


def _sinusoid(
    basis: Sinusoids, height: int, width: int, angle: float, phase: float
) -> np.ndarray:
    u, v = centred(width)[None, :] / width, centred(height)[:, None] / height
    along = u * np.cos(np.deg2rad(angle)) + v * np.sin(np.deg2rad(angle))
    image = np.cos(2 * np.pi * basis.cycles * along + np.deg2rad(phase))
    return scaled(image)[None]


def _gratings(basis: Gratings, grid: Shape) -> Iterator[_Placed]:
    for place, (entry, cycles), *turns in itertools.product(
        basis.places,
        enumerate(basis.cycles),
        basis.orientations_deg,
        basis.drifts,
        basis.phases_deg,
    ):
        y = centred(grid[1])[:, None] - place[0]
        x = centred(grid[2])[None, :] - place[1]
        envelope = 1.0
        if basis.sigma:
            envelope = np.exp(-(x**2 + y**2) / (2 * basis.sigma**2))
        yield scaled(_grating(x, y, grid, cycles, *turns) * envelope), (0, 0), entry


def _grating(
    x: np.ndarray,
    y: np.ndarray,
    grid: Shape,
    cycles: float,
    angle: float,
    drift: float,
    phase: float,
) -> np.ndarray:
    """Give a grating in every frame, through which it drifts."""
    angle, frames = np.deg2rad(angle), np.arange(grid[0])[:, None, None]
    along = cycles * (x * np.cos(angle) + y * np.sin(angle)) / grid[2]
    turns = along[None] - drift * frames / grid[0]
    return np.cos(2 * np.pi * turns + np.deg2rad(phase))


def _bumps(basis: Bumps, grid: Shape) -> Iterator[_Placed]:
    for entry, (spacing, sigma) in enumerate(basis.scales):
        reach = math.ceil(4 * sigma)
        rows, columns = (_lattice(size, spacing, sigma) for size in grid[1:])
        for row, column in itertools.product(rows, columns):
            first = math.floor(row) - reach, math.floor(column) - reach
            image = _bump(row - first[0], column - first[1], sigma, 2 * reach + 2)
            yield *_cropped(image, first, grid), entry


def _lattice(size: int, spacing: float, sigma: float) -> np.ndarray:
    """Give the centres along one side, past the edges, counted from element 0."""
    n = math.floor((size - 1 + 4 * sigma) / spacing) + 1
    return centred(n) * spacing + (size - 1) / 2


@lru_cache(maxsize=256)
def _bump(row: float, column: float, sigma: float, size: int) -> np.ndarray:
    y, x = np.arange(size)[:, None] - row, np.arange(size)[None, :] - column
    return quantised(np.exp(-(x**2 + y**2) / (2 * sigma**2)))[None]


def _cropped(
    image: np.ndarray, first: tuple[int, int], grid: Shape
) -> tuple[np.ndarray, tuple[int, int]]:
    """Give what of an image lies on the grid."""
    start = [max(0, -at) for at in first]
    end = [size - at for at, size in zip(first, grid[1:], strict=True)]
    part = image[:, start[0] : max(end[0], 0), start[1] : max(end[1], 0)]
    return part, (first[0] + start[0], first[1] + start[1])


def _bars(basis: Bars, grid: Shape) -> Iterator[_Placed]:
    for place, (entry, degrees) in itertools.product(
        basis.places, enumerate(basis.orientations_deg)
    ):
        y = centred(grid[1])[:, None] - place[0]
        x = centred(grid[2])[None, :] - place[1]
        cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        across = np.abs(np.round(x * cos + y * sin, 9)) <= basis.width / 2
        along = np.abs(np.round(y * cos - x * sin, 9)) <= basis.length / 2
        yield scaled((across & along).astype(np.float64))[None], (0, 0), entry
