"""A basis cut into tiles: each keeps what of the images reaches it, as a matrix.

An element of a lattice or of patches is reached by a few images of many. Where most
images reach everywhere, the whole field is one tile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Int64

from ..protocols.images import Images

_SIDE, _LARGE_SIDE = 16, 32  # elements of a tile; the larger from a field of
_LARGE_FIELD = 256  # rows or columns on
_WORTH = 0.7  # of all products: above it, tiles save nothing

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Tile:
    """A part of the field.

    Attributes
    ----------
    box
        Its frames, rows and columns.
    images
        (k), the numbers of the images that reach it.
    values
        (k, element) of the box in C order: whole numbers from -127 to 127.
    """

    box: Box
    images: Int64[np.ndarray, " reaching"]
    values: Float32[np.ndarray, " reaching element"]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows and columns."""
        frames, rows, columns = (part.stop - part.start for part in self.box)
        return frames, rows, columns


@lru_cache(maxsize=4)
def tiles_of(images: Images) -> tuple[Tile, ...]:
    """Cut images into tiles; those of an `Images` are made once.

    Examples
    --------
    >>> two = Images.of_array(np.array([[[[0, 127]]], [[[127, 0]]]], np.int8))
    >>> [tile.values.tolist() for tile in tiles_of(two)]
    [[[0.0, 127.0], [127.0, 0.0]]]
    """
    first, last = _edges(images)
    boxes = list(_boxes(images.shape))
    reaching = [_reaching(box, first, last) for box in boxes]
    n_products = sum(
        len(which) * _size(box) for box, which in zip(boxes, reaching, strict=True)
    )
    if n_products > _WORTH * images.n * int(np.prod(images.shape)):
        boxes = [tuple(slice(0, size) for size in images.shape)]
        reaching = [np.arange(images.n)]
    return tuple(
        _tile(images, box, which) for box, which in zip(boxes, reaching, strict=True)
    )


def _edges(images: Images) -> tuple[np.ndarray, np.ndarray]:
    sizes = np.array([atom.shape for atom in images.atoms])[images.which]
    return images.places, images.places + sizes


def _boxes(shape: tuple[int, int, int]) -> Iterator[Box]:
    side = _LARGE_SIDE if max(shape[1:]) >= _LARGE_FIELD else _SIDE
    for frame in range(shape[0]):
        for row in range(0, shape[1], side):
            for column in range(0, shape[2], side):
                yield (
                    slice(frame, frame + 1),
                    slice(row, min(row + side, shape[1])),
                    slice(column, min(column + side, shape[2])),
                )


def _size(box: Box) -> int:
    return int(np.prod([part.stop - part.start for part in box]))


def _reaching(box: Box, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    start, stop = (
        np.array([getattr(p, end) for p in box]) for end in ("start", "stop")
    )
    return np.flatnonzero(((first < stop) & (last > start)).all(axis=1))


def _tile(images: Images, box: Box, which: np.ndarray) -> Tile:
    shape = tuple(part.stop - part.start for part in box)
    values = np.zeros((len(which), *shape), np.float32)
    for row, k in zip(values, which, strict=True):
        atom, place = images.atoms[images.which[k]], images.places[k]
        own, there = [], []
        for part, at, size in zip(box, place.tolist(), atom.shape, strict=True):
            low, high = max(part.start, at), min(part.stop, at + size)
            own.append(slice(low - at, high - at))
            there.append(slice(low - part.start, high - part.start))
        row[tuple(there)] = atom[tuple(own)]
    return Tile(box, which.astype(np.int64), values.reshape(len(which), -1))
