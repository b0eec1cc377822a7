"""Images and pictures of one's own, known by the SHA-256 of what they are.

A protocol has the SHA-256 alone. The bytes come from files when it is loaded, and from
the trial log's table `noise` ever after; in a process they are kept here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Int8

from .checks import ProtocolError
from .images import Images, Shape

PICTURE = "the picture of noise.picture"
OWN_IMAGES = "the images of noise.basis"
OWN_SIGNAL = "the array of signal"
OWN_PATTERN = "the array of signal.patterns"
_KEPT: dict[str, Images] = {}


def keep(images: Images) -> str:
    """Keep images for the protocols that name them; give their SHA-256."""
    _KEPT.setdefault(images.sha256, images)
    return images.sha256


def is_kept(sha256: str) -> bool:
    """Say whether images of a SHA-256 have been read."""
    return sha256 in _KEPT


def kept(sha256: str, what: str) -> Images:
    """Give the images of a SHA-256; `what` is said of those that are missing.

    Raises
    ------
    ProtocolError
        If nobody has read them.
    """
    if sha256 not in _KEPT:
        rule = "read from their file or the trial log, by their SHA-256"
        raise ProtocolError([f"{what} must be {rule}, got none of {sha256[:12]!r}"])
    return _KEPT[sha256]


def kept_on_grid(
    sha256: str, what: str, grid: Shape
) -> Int8[np.ndarray, " frame row column"]:
    """Give the one image of a SHA-256, which must be of the grid's size.

    Raises
    ------
    ProtocolError
        If nobody has read it, or it is of another size.
    """
    image = kept(sha256, what)
    if image.shape != grid or image.n != 1:
        rule, got = f"of the grid {list(grid)}", list(image.shape)
        raise ProtocolError([f"{what} must be {rule}, got {got}"])
    return image.dense()[0]


def contents_of(plain: Mapping[str, Any]) -> dict[str, str]:
    """Give what a protocol's plain data names by SHA-256 alone, and what each is.

    Examples
    --------
    >>> contents_of({"noise": {"picture_sha256": "ab12"}})
    {'ab12': 'the picture of noise.picture'}
    """
    noise = plain.get("noise", {})
    named = {noise.get("picture_sha256", ""): PICTURE}
    basis = noise.get("basis") or {}
    if basis.get("kind") == "array":
        named[basis.get("sha256", "")] = OWN_IMAGES
    signal = plain.get("signal", {})
    named[signal.get("sha256", "")] = OWN_SIGNAL
    for pattern in signal.get("patterns", ()):
        named[pattern.get("sha256", "")] = OWN_PATTERN
    return {sha256: what for sha256, what in named.items() if sha256}
