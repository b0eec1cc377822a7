"""The keys that a protocol may name: places on a keyboard, in browser and lab alike.

A name is that of the key on a US keyboard (PsychoPy's names). Its place stays what it
is on a keyboard of any language; what is printed there may differ.
"""

from collections.abc import Sequence
from string import ascii_lowercase, digits

from .checks import ProtocolError
from .parts import Parts

# What a browser calls the place: `KeyboardEvent.code`.
KEY_CODES = {
    **{letter: f"Key{letter.upper()}" for letter in ascii_lowercase},
    **{digit: f"Digit{digit}" for digit in digits},
    **{f"num_{digit}": f"Numpad{digit}" for digit in digits},
    "left": "ArrowLeft",
    "right": "ArrowRight",
    "up": "ArrowUp",
    "down": "ArrowDown",
    "space": "Space",
    "return": "Enter",
}
KEYS_IN_WORDS = "a to z, 0 to 9, num_0 to num_9, left, right, up, down, space, return"


def require_keys(protocol: Parts) -> None:
    """Raise ProtocolError if a person could not press one of the protocol's keys.

    Protocols that exist in a trial log are read whatever their keys: this is asked
    where a protocol comes from a file, and where a person is to run it.

    Raises
    ------
    ProtocolError
        With the list of the keys that can be pressed.
    """
    _require("task.keys", protocol.task.keys)
    _require("confidence.keys", protocol.confidence.keys)


def _require(what: str, keys: Sequence[str]) -> None:
    unknown = [name for name in keys if name not in KEY_CODES]
    if not unknown:
        return
    near = [name for name in unknown if name.lower() in KEY_CODES]
    hint = "".join(f"; write {name.lower()!r} for {name!r}" for name in near)
    if "escape" in unknown:
        hint += "; 'escape' pauses"
    rule = f"keys that browser and lab can take ({KEYS_IN_WORDS})"
    raise ProtocolError([f"{what} must be {rule}, got {list(keys)}{hint}"])
