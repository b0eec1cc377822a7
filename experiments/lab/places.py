"""Keys by their places on the keyboard, whatever the system's layout makes of them.

Psychtoolbox names keys by their places on Linux and macOS. On Windows it has virtual
keys, and a window of X11 has letters: both are brought back to places here.
"""

from collections.abc import Callable
from string import ascii_letters, digits
from typing import Any

_ROWS = ((2, "1234567890"), (16, "qwertyuiop"), (30, "asdfghjkl"), (44, "zxcvbnm"))
_PAD = {7: 71, 8: 72, 9: 73, 4: 75, 5: 76, 6: 77, 1: 79, 2: 80, 3: 81, 0: 82}
# Linux's number of each place. Windows' scan codes of letters and digits are the same;
# X11 adds 8.
EVDEV = {
    **{key: first + i for first, row in _ROWS for i, key in enumerate(row)},
    **{f"num_{digit}": code for digit, code in _PAD.items()},
    "up": 103,
    "left": 105,
    "right": 106,
    "down": 108,
    "space": 57,
    "return": 28,
}
_X11 = {code + 8: name for name, code in EVDEV.items()}
_SCAN_CODES = {code: name for name, code in EVDEV.items() if len(name) == 1}


def place_on_windows(
    virtual_key: int, name: str, scan_code: Callable[[int], int | None]
) -> str:
    """Give the place of a key that Windows calls by what is printed on it.

    Parameters
    ----------
    virtual_key, name
        As Psychtoolbox gives them.
    scan_code
        Of a virtual key, by the layout that is on: `MapVirtualKeyW(key, 0)`.
    """
    if name not in ascii_letters + digits:
        return name
    return _SCAN_CODES.get(scan_code(virtual_key) or 0, name)


def name_by_places(window: Any) -> bool:
    """Let a pyglet window of X11 report places; False where it is none.

    Its events hold a keycode, which is a place, and it looks up what the layout has
    there; PsychoPy gets the name of the key that a US keyboard has.
    """
    from pyglet.window import key  # pyright: ignore[reportMissingImports]

    look_up = getattr(window, "_event_text_symbol", None)
    if look_up is None:
        return False
    names = {name: f"_{name}" if name in digits else name.upper() for name in EVDEV}

    def by_place(event: Any) -> tuple[str | None, Any]:
        text, symbol = look_up(event)
        name = _X11.get(event.xkey.keycode)
        return text, symbol if name is None else getattr(key, names[name])

    window._event_text_symbol = by_place
    return True
