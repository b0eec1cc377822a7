"""A basis cut into tiles: each keeps what of the images reaches it, as a matrix.

An element of a lattice or of patches is reached by a few images of many. Where most
images reach everywhere, tiles are strips that have all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Int64

from ..protocols.images import Images

_SIDE, _LARGE_SIDE = 16, 32  # elements of a tile; the larger from a field of
_LARGE_FIELD = 256  # rows or columns on
_STRIP = 1024  # elements of a tile where all images reach everywhere
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
    is_all
        Whether these are all images, in order.
    """

    box: Box
    images: Int64[np.ndarray, " reaching"]
    values: Float32[np.ndarray, " reaching element"]
    is_all: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows and columns."""
        frames, rows, columns = (part.stop - part.start for part in self.box)
        return frames, rows, columns


@dataclass(frozen=True, eq=False)
class Packed:
    """All tiles in flat arrays, as a compiled loop takes them.

    Attributes
    ----------
    values
        Those of every tile, one after the other; the tiles' own are views of it.
    images
        The numbers of the images that reach each tile, one after the other.
    starts
        (tile + 1, 2), where each begins in `images` and in `values`.
    boxes
        (tile, 6), first and last + 1 of frames, rows and columns.
    """

    values: Float32[np.ndarray, " value"]
    images: Int64[np.ndarray, " reaching"]
    starts: Int64[np.ndarray, " edge 2"]
    boxes: Int64[np.ndarray, " tile 6"]


@lru_cache(maxsize=4)
def packed_tiles(images: Images) -> tuple[tuple[Tile, ...], Packed]:
    """Give the tiles of images, and the same as flat arrays without a copy."""
    tiles = _cut(images)
    sizes = np.array([(0, 0), *((len(t.images), t.values.size) for t in tiles)])
    starts = np.cumsum(sizes, axis=0)
    values = np.empty(starts[-1, 1], np.float32)
    views = []
    for (_, first), tile in zip(starts[:-1], tiles, strict=True):
        view = values[first : first + tile.values.size].reshape(tile.values.shape)
        view[:] = tile.values
        views.append(replace(tile, values=view))
    boxes = [[end for p in t.box for end in (p.start, p.stop)] for t in tiles]
    which = np.concatenate([tile.images for tile in tiles])
    packed = Packed(values, which, starts, np.array(boxes))
    return tuple(views), packed


def tiles_of(images: Images) -> tuple[Tile, ...]:
    """Cut images into tiles; those of an `Images` are made once.

    Examples
    --------
    >>> two = Images.of_array(np.array([[[[0, 127]]], [[[127, 0]]]], np.int8))
    >>> [tile.values.tolist() for tile in tiles_of(two)]
    [[[0.0, 127.0], [127.0, 0.0]]]
    """
    return packed_tiles(images)[0]


def _cut(images: Images) -> list[Tile]:
    first, last = _edges(images)
    boxes = list(_boxes(images.shape))
    reaching = [_reaching(box, first, last) for box in boxes]
    n_products = sum(
        len(which) * _size(box) for box, which in zip(boxes, reaching, strict=True)
    )
    if n_products > _WORTH * images.n * int(np.prod(images.shape)):
        return _strips(images)
    return [
        _tile(images, box, which) for box, which in zip(boxes, reaching, strict=True)
    ]


def _strips(images: Images) -> list[Tile]:
    """Cut the field into strips that all images are taken to reach."""
    values = images.dense().reshape(images.n, *images.shape)
    every, (frames, rows, columns) = np.arange(images.n), images.shape
    high = max(1, _STRIP // columns)
    return [
        Tile(
            (slice(f, f + 1), slice(r, min(r + high, rows)), slice(0, columns)),
            every,
            values[:, f, r : r + high].reshape(images.n, -1).astype(np.float32),
            is_all=True,
        )
        for f in range(frames)
        for r in range(0, rows, high)
    ]


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
