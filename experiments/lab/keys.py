"""What the observer presses: keyboard or response box, on the screen's clock."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, runtime_checkable
from typing import Protocol as Interface

from .places import name_by_places, place_on_windows

if TYPE_CHECKING:
    from .boxes import SerialBox

PAUSE_KEY = "escape"
GO_ON_KEYS = ("space", "return", "num_enter")
QUIT_KEY = "q"
BACKENDS = ("auto", "ptb", "event")
NO_PTB = (
    "Psychtoolbox's keyboard cannot be used here ({}); key times come from the window "
    "and are some ms late"
)

BY_LETTERS = (
    "The window names keys by what the layout has there, not by their places: set a US "
    "layout for the session."
)

Say = Callable[[str], None]


@dataclass(frozen=True)
class KeyPress:
    """A key went down: its name, as a protocol has it, and when, in ms."""

    name: str
    time_ms: float


@runtime_checkable
class Keys(Interface):
    """Anything that can be pressed."""

    backend: str

    def presses(self) -> list[KeyPress]:
        """Give the presses since the last call, in order."""
        ...

    def clear(self) -> None:
        """Forget the presses so far."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class PtbKeyboard:
    """The keyboard through Psychtoolbox: presses are stamped as they happen.

    Raises
    ------
    OSError
        If Psychtoolbox cannot be loaded or finds no keyboard.
    """

    backend = "ptb"

    def __init__(self) -> None:
        from psychopy.hardware import keyboard  # pyright: ignore[reportMissingImports]

        if not keyboard.havePTB:
            raise OSError("the package psychtoolbox cannot be loaded")
        try:
            self._keyboard: Any = keyboard.Keyboard(backend="ptb")
        except Exception as error:  # whatever a driver complains of
            raise OSError(str(error).strip() or type(error).__name__) from error
        if keyboard.KeyboardDevice.getBackend() != "ptb":
            raise OSError("PsychoPy has chosen another backend before")
        self._seen: set[tuple[Any, float]] = set()

    def presses(self) -> list[KeyPress]:
        """Give the presses since the last call, in order.

        PsychoPy hands out either keys that are down or keys that were let go; a short
        press would be lost by asking for one of them only.
        """
        down = self._keyboard.getKeys(waitRelease=False)
        found = []
        for key in [*down, *self._keyboard.getKeys(waitRelease=True)]:
            if (key.code, key.tDown) not in self._seen:
                self._seen.add((key.code, key.tDown))
                found.append(KeyPress(self._name(key), 1000 * key.tDown))
        return sorted(found, key=lambda press: press.time_ms)

    def _name(self, key: Any) -> str:
        if sys.platform != "win32":
            return key.name
        import ctypes

        scan_code = ctypes.windll.user32.MapVirtualKeyW
        return place_on_windows(key.code, key.name, lambda code: scan_code(code, 0))

    def clear(self) -> None:
        """Forget the presses so far."""
        self.presses()

    def close(self) -> None:
        """Forget the presses so far.

        PsychoPy has one keyboard in a process, which hears nothing more after a stop.
        """
        self.clear()


class WindowKeyboard:
    """The keyboard through the window's events: stamped when they are looked at.

    Attributes
    ----------
    by_place
        Whether the windows that are open name keys by their places.
    """

    backend = "event"

    def __init__(self) -> None:
        import pyglet.app  # pyright: ignore[reportMissingImports]
        from psychopy import event, logging  # pyright: ignore[reportMissingImports]

        self._event: Any = event
        self._logging: Any = logging  # whose clock a script may exchange
        windows: Any = pyglet.app.windows
        self.by_place = all([name_by_places(window) for window in windows])
        self.clear()

    def presses(self) -> list[KeyPress]:
        """Give the presses since the last call, in order."""
        found = self._event.getKeys(timeStamped=self._logging.defaultClock)
        return [KeyPress(name, 1000 * time) for name, time in found]

    def clear(self) -> None:
        """Forget the presses so far."""
        self._event.clearEvents("keyboard")

    def close(self) -> None:
        """Stop listening: the window does."""


class BoxKeys:
    """A response box beside the keyboard: a button is the key of its response.

    Parameters
    ----------
    box
        Of `lab_boxes`.
    keyboard
        For pages and the pause key.
    names
        Key of each response.
    """

    def __init__(self, box: "SerialBox", keyboard: Keys, names: Sequence[str]) -> None:
        self._box, self._keyboard, self._names = box, keyboard, tuple(names)
        self.backend = f"box, {keyboard.backend}"

    def presses(self) -> list[KeyPress]:
        """Give the presses since the last call, in order."""
        buttons = [
            KeyPress(self._names[press.response], press.time_ms)
            for press in self._box.presses()
        ]
        both = [*buttons, *self._keyboard.presses()]
        return sorted(both, key=lambda press: press.time_ms)

    def clear(self) -> None:
        """Forget the presses so far."""
        self._box.clear()
        self._keyboard.clear()

    def close(self) -> None:
        """Stop listening."""
        self._box.close()
        self._keyboard.close()


def open_keyboard(backend: str, say: Say) -> Keys:
    """Open the keyboard; what is worse than asked for is said.

    Parameters
    ----------
    backend
        'ptb', 'event', or 'auto': the first that can be had.
    say
        Takes the sentence about it.

    Raises
    ------
    OSError
        If it must be Psychtoolbox's and cannot be.
    """
    if backend not in BACKENDS:
        raise ValueError(
            f"keyboard must be one of {', '.join(BACKENDS)}, got {backend!r}"
        )
    if backend != "event":
        try:
            return PtbKeyboard()
        except OSError as error:
            if backend == "ptb":
                raise OSError(NO_PTB.format(error)) from error
            say(NO_PTB.format(error))
    keyboard = WindowKeyboard()
    if not keyboard.by_place:
        say(BY_LETTERS)
    return keyboard


def wait_for_key(
    keys: Keys, names: Sequence[str], pause: Callable[[], None]
) -> KeyPress:
    """Wait until one of some keys is pressed, however long that takes."""
    keys.clear()
    while True:
        for press in keys.presses():
            if press.name in names:
                return press
        pause()
