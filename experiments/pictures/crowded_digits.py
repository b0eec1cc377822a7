"""Digits that are occluded by debris or stand in clutter, at declared levels.

After the tasks for which recurrence was found to help [1]_; sizes and numbers are ours.

References
----------
.. [1] Spoerer, McClure & Kriegeskorte (2017), Recurrent convolutional neural networks:
   a better model of biological object recognition, Frontiers in Psychology 8, 1551.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from .digits import SIZE_PX, Digits, part_of

PICTURE_PX = 2 * SIZE_PX
# Of each kind the usual levels: fragments over a picture, or other digits around one.
LEVELS = {"occluded": (0, 10, 30, 50), "cluttered": (0, 2, 4, 8)}
FRAGMENT_PX = 9
_NEAR_PX, _FAR_PX = 14.0, 24.0  # of the middle of another digit from that of the target
_INK_CONTRAST = 0.9
_INK = 0.3  # from which a pixel is of the digit


@dataclass(frozen=True, eq=False)
class CrowdedDigit:
    """A picture.

    Attributes
    ----------
    contrast
        In [-1, 1]: 0 is the background, ink is bright.
    digit
        What stands in the middle.
    level
        Fragments, or other digits; 0 is the digit by itself.
    """

    contrast: Float[np.ndarray, " y x"]
    digit: int
    level: int


def crowded_digits(
    digits: Digits,
    part: str,
    n: int,
    kind: str,
    levels: Sequence[int] | None = None,
    seed: int = 0,
) -> Iterator[CrowdedDigit]:
    """Yield pictures of a part, each digit at every level in turn.

    A digit of 28 px stands in the middle of 56 px. 'occluded': fragments of other
    digits, squares of 9 px with ink and ground, cover whatever is there, anywhere.
    'cluttered': other digits stand around it, 14 to 24 px away, and their ink adds to
    its own.

    Parameters
    ----------
    digits
        Of which the first four fifths of each kind are for 'fit', the others for
        'test'.
    part
        'fit' or 'test'.
    n
        How many digits; all ten are in balance.
    kind
        'occluded' or 'cluttered'.
    levels
        How many fragments, or other digits; by default those of `LEVELS`.
    seed
        Of everything that is drawn; parts differ for one seed.

    Raises
    ------
    ValueError
        If a part, kind, level or number is out of range.

    Examples
    --------
    >>> ink = np.zeros((20, 28, 28), np.float32)
    >>> ink[:, 8:20, 12:16] = 1
    >>> strokes = Digits(ink, np.arange(20) % 10)
    >>> made = crowded_digits(strokes, "fit", 1, "cluttered", (0, 3))
    >>> [(one.level, int((one.contrast > 0).sum())) for one in made][0]
    (0, 48)
    """
    if kind not in LEVELS:
        raise ValueError(f"kind must be one of {', '.join(LEVELS)}, got {kind!r}")
    chosen = LEVELS[kind] if levels is None else tuple(levels)
    if not chosen or len(set(chosen)) < len(chosen) or min(chosen) < 0:
        rule = "different whole numbers, 0 or more"
        raise ValueError(f"levels must be {rule}, got {chosen}")
    if n < 1:
        raise ValueError(f"n must be 1 or more, got {n}")
    own = part_of(digits, part)
    rng = np.random.default_rng([seed, part == "test"])
    add = _occluded if kind == "occluded" else _cluttered
    for digit in rng.permutation(np.arange(n) % 10):
        target = own.ink[rng.choice(np.flatnonzero(own.labels == digit))]
        others = own.ink[own.labels != digit]
        for level in chosen:
            ink = add(_in_the_middle(target), others, level, rng)
            yield CrowdedDigit(_INK_CONTRAST * ink, int(digit), level)


def _in_the_middle(
    digit: Float32[np.ndarray, " y x"],
) -> Float32[np.ndarray, " row column"]:
    return np.pad(digit, (PICTURE_PX - SIZE_PX) // 2)


def _occluded(
    picture: np.ndarray, others: np.ndarray, level: int, rng: np.random.Generator
) -> np.ndarray:
    """Put fragments of other digits over a picture, wherever they fall."""
    half = FRAGMENT_PX // 2
    found = np.pad(picture, half)  # a fragment's middle is anywhere in the picture
    for _ in range(level):
        other = np.pad(others[rng.integers(len(others))], half)
        y, x = rng.choice(np.argwhere(other > _INK)) - half
        fragment = other[y : y + FRAGMENT_PX, x : x + FRAGMENT_PX]
        row, column = rng.integers(PICTURE_PX, size=2)
        found[row : row + FRAGMENT_PX, column : column + FRAGMENT_PX] = fragment
    return found[half:-half, half:-half]


def _cluttered(
    picture: np.ndarray, others: np.ndarray, level: int, rng: np.random.Generator
) -> np.ndarray:
    """Put other digits around the one in the middle, their angles evenly apart."""
    found = picture.copy()
    turn = rng.uniform(0, 2 * np.pi)
    for number in range(level):
        angle = turn + 2 * np.pi * number / level
        away = rng.uniform(_NEAR_PX, _FAR_PX)
        down, along = np.rint(away * np.array([np.sin(angle), np.cos(angle)]))
        other = _in_the_middle(others[rng.integers(len(others))])
        found = np.maximum(found, _moved(other, int(down), int(along)))
    return found


def _moved(picture: np.ndarray, down: int, along: int) -> np.ndarray:
    """Move a picture; what leaves it is lost, and what comes in is ground."""
    wide = np.pad(picture, PICTURE_PX)
    top, left = PICTURE_PX - down, PICTURE_PX - along
    return wide[top : top + PICTURE_PX, left : left + PICTURE_PX]
