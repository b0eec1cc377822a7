"""The screen as the lab presenter sees it: anything that shows gray pictures."""

from collections.abc import Sequence
from typing import Any, runtime_checkable
from typing import Protocol as Interface

import numpy as np
from jaxtyping import UInt8

from .refresh import Flips

Handle = Any  # a picture that a screen has taken in
Region = tuple[int, int, int, int]  # top, left, height, width in px


@runtime_checkable
class Screen(Interface):
    """Shows pictures in its middle, pixel for pixel, on an even background.

    Attributes
    ----------
    size_px
        Width and height.
    screen_px
        Those of the whole screen, where this is a window on it.
    refresh_hz
        Measured, or as given.
    refresh
        What was measured of it; None if the rate was given.
    background
        Screen level (0 to 255) around the pictures.
    """

    size_px: tuple[int, int]
    screen_px: tuple[int, int]
    refresh_hz: float
    refresh: Flips | None
    background: int

    def prepare(
        self, pictures: Sequence[UInt8[np.ndarray, " y x"]]
    ) -> Sequence[Handle]:
        """Take in pictures of screen levels, row 0 on top; this takes its time."""
        ...

    def release(self, handles: Sequence[Handle]) -> None:
        """Take back pictures that will not be drawn again: the next take their place.

        Without it every trial would leave its pictures on the graphics card.
        """
        ...

    def draw(self, handle: Handle) -> None:
        """Put a picture into the back buffer; see `place` for where."""
        ...

    def write(self, text: str) -> None:
        """Put a page of text into the back buffer."""
        ...

    def flip(self) -> float:
        """Show the back buffer at the next refresh; give the time of that in ms."""
        ...

    def read_back(self, region: Region | None = None) -> UInt8[np.ndarray, " y x"]:
        """Give the levels in the back buffer, row 0 on top.

        Raises
        ------
        ValueError
            If a pixel is not gray.
        """
        ...

    def now(self) -> float:
        """Give the time in ms, on the clock of flips and keys."""
        ...

    def pause(self) -> None:
        """Let about a millisecond pass."""
        ...

    def close(self) -> None:
        """Give the screen back."""
        ...


def place(shape: tuple[int, int], size_px: tuple[int, int]) -> Region:
    """Say where on a screen a picture in its middle is: always on whole pixels.

    Parameters
    ----------
    shape
        Height and width of the picture.
    size_px
        Width and height of the screen.

    Examples
    --------
    >>> place((52, 53), (1280, 1024))
    (486, 613, 52, 53)
    """
    height, width = shape
    return (size_px[1] - height) // 2, (size_px[0] - width) // 2, height, width


def padded(
    picture: UInt8[np.ndarray, " y x"], size_px: tuple[int, int], background: int
) -> UInt8[np.ndarray, " y2 x2"]:
    """Add a row below and a column on the right where parity needs it.

    An odd picture in the middle of an even screen would lie on half pixels.

    Examples
    --------
    >>> padded(np.zeros((3, 4), np.uint8), (10, 10), 128).shape
    (4, 4)
    """
    more = [(size_px[1] - picture.shape[0]) % 2, (size_px[0] - picture.shape[1]) % 2]
    width = ((0, more[0]), (0, more[1]))
    return np.pad(picture, width, constant_values=background)
