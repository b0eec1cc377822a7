"""The images of a basis, kept as what is distinct of them and where each lies.

An atom is a small int8 image without empty borders; image k is atom `which[k]` put at
`places[k]`. Thousands of images of a lattice or of patches are a few atoms.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, Int8, Int32

from .basis import MOST_BYTES, MOST_IMAGES
from .checks import ProtocolError

Shape = tuple[int, int, int]
PEAK = 127  # of every image: b = B / 127
_HEADER = b"yoked-basis-1\n"


@dataclass(frozen=True, eq=False)
class Images:
    """K images on a grid of frames, rows and columns.

    Attributes
    ----------
    shape
        Frames, rows and columns of the grid.
    atoms
        The distinct images without their empty borders, (frame, row, column) int8.
    which
        (K), the atom of each image.
    places
        (K, 3), where an image's atom begins: frame, row and column.
    entries
        (K), which of the basis's weights is that of each image.
    fine
        The atoms as they were before they were whole numbers, scaled to peak 1: of
        noise that others have shown. None where they are what was shown.

    Examples
    --------
    >>> two = Images.of_array(np.array([[[[0, 127]]], [[[127, 0]]]], np.int8))
    >>> two.n, len(two.atoms), two.places.tolist()
    (2, 1, [[0, 0, 1], [0, 0, 0]])
    """

    shape: Shape
    atoms: tuple[np.ndarray, ...]
    which: Int32[np.ndarray, " image"]
    places: Int32[np.ndarray, " image 3"]
    entries: Int32[np.ndarray, " image"]
    fine: tuple[np.ndarray, ...] | None = None

    @classmethod
    def of_array(cls, images: Int8[np.ndarray, " image frame row column"]) -> "Images":
        """Keep whole images by their boxes."""
        collected = Collected(images.shape[1:])
        for image in images:
            collected.add(image)
        return collected.images()

    @property
    def n(self) -> int:
        """How many images, K."""
        return len(self.which)

    def boxes(self) -> Iterator[tuple[np.ndarray, tuple[slice, slice, slice]]]:
        """Give the atom of each image and where it lies, in order."""
        for atom, place in zip(self.which, self.places, strict=True):
            own = self.atoms[atom]
            f, r, c = (
                slice(int(at), int(at) + size)
                for at, size in zip(place, own.shape, strict=True)
            )
            yield own, (f, r, c)

    def dense(self) -> Int8[np.ndarray, " image frame row column"]:
        """Give whole images; K times the grid in bytes."""
        whole = np.zeros((self.n, *self.shape), np.int8)
        for image, (atom, box) in zip(whole, self.boxes(), strict=True):
            image[box] = atom
        return whole

    def total(
        self, weights: np.ndarray, of: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Give the sum over images of weight times of(image), of integers exactly.

        Parameters
        ----------
        weights
            (K), int64 or float64: the type of the sum.
        of
            What is done with the values of an atom first, such as `np.abs`.
        """
        return self._summed(weights, [of(a.astype(weights.dtype)) for a in self.atoms])

    def _summed(self, weights: np.ndarray, done: Sequence[np.ndarray]) -> np.ndarray:
        sums = np.zeros(self.shape, weights.dtype)
        for weight, kind, (_, box) in zip(
            weights, self.which, self.boxes(), strict=True
        ):
            sums[box] += weight * done[kind]
        return sums

    def drawn(
        self, weights: Float[np.ndarray, " image"]
    ) -> Float[np.ndarray, " frame row column"]:
        """Give the sum of weight times b, the images scaled to peak 1."""
        weights = np.asarray(weights, np.float64)
        if self.fine is not None:
            return self._summed(weights, self.fine)
        return self.total(weights, _unit)

    def products(
        self, field: Float[np.ndarray, " frame row column"]
    ) -> Float[np.ndarray, " image"]:
        """Give the inner product of a field with each image scaled to peak 1."""
        floats = [atom.astype(np.float64).ravel() / PEAK for atom in self.atoms]
        each = zip(self.which, self.boxes(), strict=True)
        return np.array([floats[k] @ field[box].ravel() for k, (_, box) in each])

    @cached_property
    def plain(self) -> bytes:
        """All of it as bytes, the same for every way of keeping the images."""
        parts = [_HEADER, np.array([self.n, *self.shape], "<i4").tobytes()]
        for atom, box in self.boxes():
            edges = [edge for part in box for edge in (part.start, part.stop)]
            parts += [np.array(edges, "<i4").tobytes(), atom.tobytes()]
        return b"".join(parts)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of `plain`: which images these are."""
        return hashlib.sha256(self.plain).hexdigest()

    @classmethod
    def of_plain(cls, plain: bytes) -> "Images":
        """Give the images of `plain` bytes.

        Raises
        ------
        ValueError
            If the bytes are none of ours.
        """
        start = len(_HEADER)
        if plain[:start] != _HEADER:
            raise ValueError(f"images must begin with {_HEADER!r}, got {plain[:14]!r}")
        n, *shape = np.frombuffer(plain, "<i4", 4, start).tolist()
        collected, at = Collected((shape[0], shape[1], shape[2])), start + 16
        for _ in range(n):
            first, last = np.frombuffer(plain, "<i4", 6, at).reshape(3, 2).T
            size = tuple((last - first).tolist())
            n_bytes = int(np.prod(size))
            atom = np.frombuffer(plain, np.int8, n_bytes, at + 24).reshape(size)
            collected.add(atom, tuple(first.tolist()))
            at += 24 + n_bytes
        return collected.images()


def _unit(values: np.ndarray) -> np.ndarray:
    return values / PEAK


class Collected:
    """Images one after the other, of which what is equal is kept once."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._atoms: list[np.ndarray] = []
        self._number: dict[tuple, int] = {}
        self._which: list[int] = []
        self._places: list[Shape] = []
        self._entries: list[int] = []
        self._n_bytes = 0

    def add(
        self, image: np.ndarray, place: Shape = (0, 0, 0), entry: int | None = None
    ) -> None:
        """Add an image, or the part of it that begins at a place of the grid.

        `entry` is the number of its weight, by default its own.

        Raises
        ------
        ProtocolError
            If it is zero everywhere, or too much.
        """
        number = len(self._which)
        used = np.argwhere(image)
        if not len(used):
            fault = "other than 0 somewhere, each of them"
            raise ProtocolError(
                [f"the images of noise.basis must be {fault}, got 0 as number {number}"]
            )
        first, last = used.min(axis=0), used.max(axis=0) + 1
        f, r, c = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
        box = np.ascontiguousarray(image[f, r, c])
        frame, row, column = (first + place).tolist()
        self._places.append((frame, row, column))
        self._which.append(self._numbered(box))
        self._entries.append(number if entry is None else entry)
        self._n_bytes += box.size
        self._require_room()

    def _numbered(self, box: np.ndarray) -> int:
        key = (box.shape, box.tobytes())
        if key not in self._number:
            self._number[key] = len(self._atoms)
            box.setflags(write=False)
            self._atoms.append(box)
        return self._number[key]

    def _require_room(self) -> None:
        n = len(self._which)
        if n > MOST_IMAGES:
            raise ProtocolError(
                [f"noise.basis must be at most {MOST_IMAGES} images, got more"]
            )
        if self._n_bytes > MOST_BYTES:
            rule = f"at most {MOST_BYTES >> 20} MB of images"
            raise ProtocolError(
                [f"noise.basis must be {rule}, got more from image {n}"]
            )

    def images(self) -> Images:
        """Give what was added."""
        which = np.array(self._which, np.int32)
        places = np.array(self._places, np.int32).reshape(-1, 3)
        entries = np.array(self._entries, np.int32)
        return Images(self.shape, tuple(self._atoms), which, places, entries)


def scaled(values: Float[np.ndarray, " *any"]) -> Int[np.ndarray, " *any"]:
    """Give an image as int8, scaled to peak 1 first."""
    peak = np.abs(values).max()
    return quantised(values / peak if peak > 0 else values)


def quantised(values: Float[np.ndarray, " *any"]) -> Int[np.ndarray, " *any"]:
    """Give an image of a peak up to 1 as int8: nine decimals, then rint(127 x).

    Nine decimals make every machine's mathematics library agree.
    """
    return np.rint(PEAK * np.round(values, 9)).astype(np.int8)
