"""PsychoPy's window as a `Screen`: every picture is drawn pixel for pixel.

What a window needs for that was tried out: floats of quantised levels with row 0 at the
bottom, no interpolation, whole positions, the parity of the window, no frame buffer
object, no gamma of PsychoPy's own, no dithering.
"""

import os
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from jaxtyping import UInt8

from .flips import measure_refresh
from .refresh import Flips
from .screen import Handle, Region, padded

NO_PSYCHOPY = 'yoked lab needs PsychoPy: pip install "yoked[lab]"'
NO_DISPLAY = (
    "yoked lab needs a display, and DISPLAY names none: run it in a desktop session"
)
NOT_REACHED = "yoked lab needs a display, and {!r} cannot be reached"
NO_VSYNC = (
    "flips must wait for the screen's refresh, got {:.0f} Hz; turn vertical "
    "synchronisation on, or say the rate with {} to pace a screen that has none"
)
WINDOW_PX = (1024, 768)  # of a window that does not fill the screen
_MOST_LINES, _MOST_COLUMNS = 30, 76  # of a page of text


def require_lab() -> None:
    """Refuse at once where no window can be opened.

    Raises
    ------
    ModuleNotFoundError
        Without PsychoPy, with what to install.
    OSError
        Without a display.
    """
    if find_spec("psychopy") is None:
        raise ModuleNotFoundError(NO_PSYCHOPY, name="psychopy")
    has_desktop = sys.platform in ("win32", "darwin")
    if not (has_desktop or os.environ.get("DISPLAY")):
        raise OSError(NO_DISPLAY)


def open_window(
    *,
    background: int = 128,
    screen: int = 0,
    full_screen: bool = True,
    size_px: tuple[int, int] | None = None,
    refresh_hz: float | None = None,
    require_vsync: bool = True,
) -> "LabWindow":
    """Open PsychoPy's window on a screen.

    Parameters
    ----------
    background
        Screen level around the pictures: the look-up table's of zero contrast.
    screen
        Number of the screen.
    full_screen
        Whether the window fills it, as it must for exact timing.
    size_px
        Width and height of a window that does not.
    refresh_hz
        Refresh rate of a screen that cannot be measured, such as a virtual one: flips
        are then paced by the computer's clock. By default it is measured.
    require_vsync
        Whether flips must wait for the screen's refresh.

    Raises
    ------
    ModuleNotFoundError
        Without PsychoPy.
    OSError
        Without a display, or if no window can be opened.
    ValueError
        If there is no such screen, or flips do not wait for the refresh.
    """
    require_lab()
    try:
        window = LabWindow(
            _opened(background, screen, full_screen, size_px), background, screen
        )
    except (ValueError, ImportError):
        raise
    except Exception as error:  # pyglet and drivers have many kinds
        if "NoSuchDisplay" in type(error).__name__:
            raise OSError(NOT_REACHED.format(os.environ.get("DISPLAY"))) from error
        what = str(error).strip() or type(error).__name__
        raise OSError(f"PsychoPy cannot open a window: {what}") from error
    try:
        window.set_refresh(refresh_hz)
        if require_vsync:
            require_synchronised(window, "--refresh")
    except BaseException:
        window.close()
        raise
    return window


def require_synchronised(window: "LabWindow", option: str) -> None:
    """Raise ValueError if a refresh was measured and flips do not wait for it.

    Parameters
    ----------
    window
        Whose refresh is set.
    option
        How to say the rate of a screen that has no refresh.
    """
    if window.refresh is not None and not window.refresh.is_synchronised:
        raise ValueError(NO_VSYNC.format(window.refresh_hz, option))


def _opened(
    background: int, screen: int, full_screen: bool, size_px: tuple[int, int] | None
) -> Any:
    """Open PsychoPy's own window, so that pictures are shown as they are."""
    # A person may have to wait for a disk or a network that PsychoPy asks.
    os.environ.setdefault("PSYCHOPY_LOGLEVEL", "ERROR")
    from psychopy import logging, visual  # pyright: ignore[reportMissingImports]

    logging.console.setLevel(logging.ERROR)
    _size_of(screen)
    window: Any = visual.Window(
        size=size_px or WINDOW_PX,
        fullscr=full_screen,
        screen=screen,
        units="pix",
        color=gray(background),
        colorSpace="rgb",
        checkTiming=False,
        allowGUI=False,
        waitBlanking=True,
        useFBO=False,  # with it the real screen stays gray
        gammaErrorPolicy="ignore",
    )
    window.mouseVisible = False
    return window


def gray(level: int) -> list[float]:
    """Give a screen level as PsychoPy's colour.

    Examples
    --------
    >>> gray(255)
    [1.0, 1.0, 1.0]
    """
    return [2 * level / 255 - 1] * 3


class LabWindow:
    """A window of PsychoPy as a `Screen`; `open_window` makes one.

    Parameters
    ----------
    window
        PsychoPy's, open, of its backend pyglet.
    background
        Screen level around the pictures.
    screen
        Number of the screen that it is on.

    Attributes
    ----------
    screen_px
        Of the frame buffer that would fill the screen: its own pixels, where the
        desktop counts others (Retina).
    refresh
        What was measured of the refresh; None if its rate was given.
    """

    def __init__(self, window: Any, background: int, screen: int) -> None:
        from psychopy import logging, visual  # pyright: ignore[reportMissingImports]

        self._visual = visual
        self._logging: Any = logging  # whose clock a script may exchange
        there = _size_of(screen)
        self.background = background
        self._window = window
        width, height = (int(side) for side in self._window.size)
        self.size_px = (width, height)
        ratio = width / int(self._window.clientSize[0])
        whole = round(ratio * there[0]), round(ratio * there[1])
        self.screen_px = self.size_px if window._isFullScr else whole
        self.refresh_hz = 0.0
        self.refresh: Flips | None = None
        self._period_ms: float | None = None  # of flips that we pace ourselves
        self._due_ms = 0.0
        self._free: dict[tuple[int, int], list[Handle]] = {}  # by height and width

    def set_refresh(self, refresh_hz: float | None) -> None:
        """Take a refresh rate as given, or measure it."""
        if refresh_hz is not None:
            self.refresh_hz, self._period_ms = refresh_hz, 1000 / refresh_hz
            return
        self.refresh = measure_refresh(self)
        self.refresh_hz = self.refresh.hz

    def prepare(
        self, pictures: Sequence[UInt8[np.ndarray, " y x"]]
    ) -> Sequence[Handle]:
        """Take in pictures of screen levels; see `Screen`."""
        handles = [self._image(picture) for picture in pictures]
        for handle in handles:  # the first draw sends the texture to the card
            handle.draw()
        self._window.clearBuffer()
        return handles

    def _image(self, picture: UInt8[np.ndarray, " y x"]) -> Any:
        whole = padded(picture, self.size_px, self.background)
        height, width = whole.shape
        top = (self.size_px[1] - height) // 2  # whole, since the parities are equal
        if top < 0 or width > self.size_px[0]:
            rule = f"at most {self.size_px[0]} x {self.size_px[1]} px"
            raise ValueError(f"a picture must be {rule}, got {width} x {height}")
        # Float64, since 2 * uint8 wraps; row 0 of PsychoPy's arrays is at the bottom.
        values = (2 * whole.astype(float) / 255 - 1)[::-1]
        free = self._free.get(whole.shape)
        if free:
            again = free.pop()
            again.setImage(values, log=False)
            return again
        return self._visual.ImageStim(
            self._window,
            image=values,
            size=(width, height),
            pos=(0, 0),
            units="pix",
            interpolate=False,
            autoLog=False,
        )

    def release(self, handles: Sequence[Handle]) -> None:
        """Keep pictures for others of their size; see `Screen`."""
        for handle in handles:
            width, height = (int(side) for side in handle.size)
            self._free.setdefault((height, width), []).append(handle)

    def draw(self, handle: Handle) -> None:
        """Put a picture into the back buffer."""
        handle.draw()

    def write(self, text: str) -> None:
        """Put a page of text into the back buffer, as large as fits."""
        lines = max(text.count("\n") + 1, _MOST_LINES)
        width, height = self.size_px
        letter = min(0.8 * height / (1.4 * lines), 0.7 * width / (0.55 * _MOST_COLUMNS))
        page = self._visual.TextStim(
            self._window,
            text=text,
            height=max(round(letter), 8),
            wrapWidth=0.75 * width,
            color=-1 if self.background > 90 else 1,
            units="pix",
            alignText="left" if "\n" in text else "center",
            autoLog=False,
        )
        page.draw()

    def flip(self) -> float:
        """Show the back buffer at the next refresh; give the time of that in ms."""
        if self._period_ms is not None:
            self._due_ms = max(self._due_ms + self._period_ms, self.now())
            self._sleep_until(self._due_ms)
        return 1000 * self._window.flip()

    def _sleep_until(self, time_ms: float) -> None:
        left = time_ms - self.now()
        while left > 0:
            time.sleep(left / 1000 if left > 2 else 0)
            left = time_ms - self.now()

    def read_back(self, region: Region | None = None) -> UInt8[np.ndarray, " y x"]:
        """Give the levels in the back buffer, row 0 on top; see `Screen`."""
        width, height = self.size_px
        top, left, n_rows, n_columns = region or (0, 0, height, width)
        bottom = height - top - n_rows
        pixels = self._window._getPixels(
            rect=(left, bottom, n_columns, n_rows), buffer="back", includeAlpha=False
        )
        red, green, blue = np.moveaxis(np.asarray(pixels)[::-1], -1, 0)
        gray = np.ascontiguousarray(red)
        if (green != gray).any() or (blue != gray).any():
            raise ValueError("every pixel must be gray, got colours in the back buffer")
        return gray

    def now(self) -> float:
        """Give the time in ms: the clock of PsychoPy's flips and keys."""
        return 1000 * self._logging.defaultClock.getTime()

    def pause(self) -> None:
        """Let about a millisecond pass."""
        time.sleep(0.001)

    def close(self) -> None:
        """Give the screen back."""
        self._window.close()


def _size_of(number: int) -> tuple[int, int]:
    """Give width and height of a screen, as the desktop counts.

    One that there is not is refused: PsychoPy would take another.
    """
    import pyglet.canvas  # pyright: ignore[reportMissingImports]

    display: Any = pyglet.canvas.get_display()
    screens = display.get_screens()
    if not 0 <= number < len(screens):
        rule = f"from 0 to {len(screens) - 1} on this machine"
        raise ValueError(f"screen must be {rule}, got {number}")
    return int(screens[number].width), int(screens[number].height)
