"""What the operator says before a session: a dialog, or a form in the terminal."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ..protocols.checks import suggestion

LABELS = {
    "participant": "Participant code",
    "session": "Session number",
    "monitor": "Monitor",
    "distance_cm": "Viewing distance (cm)",
}
REQUIRED = ("participant", "session")
TIPS = {
    "participant": "A code, never a name: 1 to 32 letters, digits, - or _",
    "session": "1 for the first time this participant sits here",
    "monitor": "A monitor that `yoked calibrate` has stored",
    "distance_cm": "From the eye to the middle of the screen",
}
QT_PACKAGES = "libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1"
_CODE = re.compile(r"[A-Za-z0-9_-]{1,32}")


def _centimetres(text: str) -> float | None:
    """Read a distance; nothing typed is the monitor's own distance."""
    return float(text) if text else None


_KINDS = {
    "participant": (str, "a code"),
    "session": (int, "a whole number"),
    "monitor": (str, "a name"),
    "distance_cm": (_centimetres, "a number, or empty for the monitor's own"),
}
_DEFAULTS = {"participant": "", "session": 1, "monitor": "", "distance_cm": None}
# Qt ends the whole process, past any `except`, where one of its libraries is missing:
# somebody else has to try first.
_TRY_QT = "from PyQt6.QtWidgets import QApplication; QApplication([])"

Prompt = Callable[[str, str], str]  # from a label and a default to what was typed
Say = Callable[[str], None]


@dataclass(frozen=True)
class OperatorAnswers:
    """Who sits where: what the operator says before a session.

    Attributes
    ----------
    participant
        Code of the participant, never a name.
    session
        How often this participant has sat here, this time included.
    monitor
        Name of a calibrated monitor; "" for one that was never calibrated.
    distance_cm
        From the eye to the middle of the screen; None: as the monitor was calibrated.

    Raises
    ------
    ValueError
        With one sentence a line for every fault.

    Examples
    --------
    >>> OperatorAnswers("p01", 1, "lab-1", 57.0).participant
    'p01'
    """

    participant: str
    session: int = 1
    monitor: str = ""
    distance_cm: float | None = None

    def __post_init__(self) -> None:
        faults = _faults(**vars(self))
        if faults:
            raise ValueError("\n".join(faults))


def _faults(
    participant: str, session: int, monitor: str, distance_cm: float | None
) -> list[str]:
    """Give one sentence for every rule that a sitting breaks."""
    found = []
    if not _CODE.fullmatch(participant):
        rule = "1 to 32 letters, digits, - or _"
        found.append(f"participant must be {rule}, got {participant!r}")
    if not 1 <= session <= 999:
        found.append(f"session must be from 1 to 999, got {session}")
    if distance_cm is not None and not 10 <= distance_cm <= 1000:
        found.append(f"distance_cm must be from 10 to 1000, got {distance_cm:g}")
    return found


def answers_from(
    texts: Mapping[str, object], monitors: Sequence[str] = ()
) -> OperatorAnswers:
    """Make a sitting of what was typed.

    Parameters
    ----------
    texts
        By the names of a sitting's fields; those left out keep their default.
    monitors
        Monitors that there are; any other is refused. None: any name will do.

    Raises
    ------
    ValueError
        With one sentence a line for every fault.

    Examples
    --------
    >>> answers_from({"participant": "p01", "distance_cm": "70"}).distance_cm
    70.0
    """
    found, values = [], {}
    for name, (kind, rule) in _KINDS.items():
        text = _shown(texts, name).strip()
        try:
            values[name] = kind(text)
        except ValueError:
            found.append(f"{name} must be {rule}, got {text!r}")
            values[name] = _DEFAULTS[name]
    name = values["monitor"]
    if monitors and name and name not in monitors:
        known = f"one of {', '.join(monitors)}"
        near = suggestion(name, monitors)
        found.append(f"monitor must be {known}, got {name!r}{near}")
    found += _faults(**values)
    if found:
        raise ValueError("\n".join(found))
    return OperatorAnswers(**values)


def ask_operator(
    texts: Mapping[str, object], monitors: Sequence[str], prompt: Prompt, say: Say
) -> OperatorAnswers | None:
    """Ask until the answers can be used; None if the operator cancelled.

    A dialog in this process, before PsychoPy's window is made; a form in the terminal
    where Qt or a display is missing.

    Parameters
    ----------
    texts
        What the form shows at first, by the names of a sitting's fields.
    monitors
        Monitors to choose from.
    prompt
        Asks a question in the terminal, from a label and a default.
    say
        Prints a sentence in the terminal.
    """
    missing = why_no_dialog()
    if missing is None:
        return _until_usable(dialog, texts, monitors)

    def form(
        values: Mapping[str, object], monitors: Sequence[str], faults: Sequence[str]
    ) -> Mapping[str, object]:
        for fault in faults:
            say(fault)
        return terminal_form(values, monitors, prompt)

    say(f"No dialog here, since {missing}; please type the answers.")
    return _until_usable(form, texts, monitors)


_Ask = Callable[
    [Mapping[str, object], Sequence[str], Sequence[str]], Mapping[str, object] | None
]


def _until_usable(
    ask: _Ask, texts: Mapping[str, object], monitors: Sequence[str]
) -> OperatorAnswers | None:
    """Ask again, with the faults on show, until there is none."""
    faults: list[str] = []
    values: Mapping[str, object] | None = texts
    while True:
        values = ask(values, monitors, faults)
        if values is None:
            return None
        try:
            return answers_from(values, monitors)
        except ValueError as error:
            faults = str(error).splitlines()


def dialog(
    texts: Mapping[str, object], monitors: Sequence[str], faults: Sequence[str] = ()
) -> Mapping[str, object] | None:
    """Show PsychoPy's dialog; None if it was cancelled.

    Parameters
    ----------
    texts
        What the fields hold at first.
    monitors
        The choice of monitors; none: the name is typed.
    faults
        Sentences in red above the fields.
    """
    from psychopy import gui  # pyright: ignore[reportMissingImports]

    dialogs: Any = gui  # which toolkit stands behind it is settled when it is imported
    box = dialogs.Dlg(title="Yoked: lab session", alwaysOnTop=True)
    for fault in faults:
        box.addText(fault, color="firebrick")
    for name, label in LABELS.items():
        # First none: PsychoPy's list would choose the first monitor unasked.
        choices = ["", *monitors] if name == "monitor" and monitors else None
        box.addField(
            name,
            initial=_shown(texts, name),
            choices=choices or None,
            tip=TIPS[name],
            required=name in REQUIRED,
            label=f"{label} *" if name in REQUIRED else label,
        )
    box.validate()
    answers = box.show()
    return dict(answers) if box.OK and answers is not None else None


def terminal_form(
    texts: Mapping[str, object], monitors: Sequence[str], prompt: Prompt
) -> Mapping[str, object]:
    """Ask the same in the terminal, line by line."""
    answers = {}
    for name, label in LABELS.items():
        more = f" [{', '.join(monitors)}]" if name == "monitor" and monitors else ""
        more = " (required)" if name in REQUIRED else more
        answers[name] = prompt(f"{label}{more}", _shown(texts, name))
    return answers


def _shown(texts: Mapping[str, object], name: str) -> str:
    """Give what a field holds at first."""
    value = texts.get(name, _DEFAULTS[name])
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def why_no_dialog() -> str | None:
    """Say why no dialog can be shown here; None if one can."""
    if find_spec("psychopy") is None:
        return "PsychoPy is not installed"
    if find_spec("PyQt6") is None:
        return "PyQt6 is not installed (pip install PyQt6)"
    if not sys.platform.startswith("linux"):
        return None  # macOS and Windows: Qt brings all it needs
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no display"
    attempt = subprocess.run([sys.executable, "-c", _TRY_QT], capture_output=True)
    if attempt.returncode == 0:
        return None
    return f"Qt cannot start (on Debian and Ubuntu: apt install {QT_PACKAGES})"
