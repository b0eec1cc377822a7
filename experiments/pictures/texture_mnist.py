"""Texture-MNIST: digits that are one texture on another, with two labels each.

Which digit it is is told by where textures meet; which texture it is made of by what is
inside. After the task that Farahat & Vinck describe [1]_; textures, sizes and numbers
are ours.

References
----------
.. [1] Farahat & Vinck, on neural responses in early visual cortex and random-weight
   CNNs, as told by its authors in a public thread.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from .digits import SIZE_PX, Digits, part_of
from .textures import NAMES, Textures

ZOOM = 2  # px of a picture across one of a digit
_INK = 0.3  # from which a pixel is of the digit
_BRIGHT, _FAINT = 0.6, 0.5  # contrast of bright digits, and of textures behind them


@dataclass(frozen=True, eq=False)
class Textured:
    """A picture.

    Attributes
    ----------
    contrast
        In [-1, 1].
    mask
        Where the digit is.
    digit, texture, ground
        What it shows, of what, on what.
    """

    contrast: Float[np.ndarray, " y x"]
    mask: Bool[np.ndarray, " y x"]
    digit: int
    texture: str
    ground: str


def textured_digits(
    digits: Digits,
    part: str,
    n: int,
    seed: int = 0,
    textures: tuple[str, ...] = NAMES,
    is_bright: bool = False,
) -> Iterator[Textured]:
    """Yield pictures of a part: digits and textures are in balance, and independent.

    Parameters
    ----------
    digits
        Of which the first four fifths of each kind are for 'fit', the others for
        'test'.
    part
        'fit' or 'test'.
    n
        How many.
    seed
        Of everything that is drawn; parts differ for one seed.
    textures
        Two or more of `textures.NAMES`.
    is_bright
        Whether digits are evenly bright, of contrast .6, on textures of half their
        contrast: then `texture` is the ground's. Plain networks learn these; digits
        that differ from their ground in nothing but texture they hardly do.

    Raises
    ------
    ValueError
        If a part, number or texture is out of range.
    """
    if len(set(textures)) < 2:
        raise ValueError(f"textures must be 2 or more, got {', '.join(textures)}")
    if n < 1:
        raise ValueError(f"n must be 1 or more, got {n}")
    made, own_part = Textures(ZOOM * SIZE_PX, part), part_of(digits, part)
    rng = np.random.default_rng([seed, part == "test"])
    kinds = _in_balance(n, 10, rng)
    inside = _in_balance(n, len(textures), rng)
    step = rng.integers(1, len(textures), n)  # to the texture of the ground
    for k in range(n):
        digit = int(kinds[k])
        own, other = inside[k], (inside[k] + step[k]) % len(textures)
        ink = own_part.ink[rng.choice(np.flatnonzero(own_part.labels == digit))]
        mask = np.kron(ink, np.ones((ZOOM, ZOOM))) > _INK
        ground = made.patch(textures[other], rng)
        if is_bright:
            contrast = np.where(mask, _BRIGHT, _FAINT * ground)
            yield Textured(contrast, mask, digit, textures[other], textures[other])
            continue
        contrast = np.where(mask, made.patch(textures[own], rng), ground)
        yield Textured(contrast, mask, digit, textures[own], textures[other])


def _in_balance(n: int, kinds: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(np.arange(n) % kinds)
