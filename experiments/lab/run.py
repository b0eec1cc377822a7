"""The lab presenter: from what the operator asked for to a session in the trial log."""

import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..protocols.protocol import Protocol
from ..session.session import Session
from ..store.rows import ObserverInfo, SessionRow
from ..store.sqlite import Store, StoreError, open_store
from .flips import Flips
from .keys import BoxKeys, Keys, Say, open_keyboard
from .lock import session_lock
from .screen import Screen
from .setup import (
    Monitor,
    Setup,
    choose_lut,
    find_monitor,
    require_monitor,
    require_screen,
    require_steady,
    set_up,
)
from .sitting import Sitting
from .stage import Stage

_NOT_WRITABLE = ("readonly", "read-only", "unable to open")  # SQLite's words
MAX_REFRESH_CHANGE = 0.02  # of a session's refresh rate, before it is worth a sentence


@dataclass(frozen=True)
class Request:
    """What the operator asked for.

    Attributes
    ----------
    protocol
        What is to be run. Not needed to resume a session or to be yoked to one.
    participant
        Code of the participant.
    sitting
        How often the participant has sat here, this time included.
    monitor
        Name of a monitor that we or PsychoPy know; "" for an unknown one.
    distance_cm
        From the eye to the screen; by default the monitor's.
    lut
        'auto', 'identity' or 'calibration'; see `lab_setup.choose_lut`.
    scale
        Screen px for each stimulus px; by default the nearest to the protocol's size.
    seed
        Of the session; by default one that cannot be guessed.
    yoke_to
        Finished session whose trials are shown.
    resume
        Session that is to go on.
    screen, full_screen, size_px, refresh_hz
        The window; see `lab_window.open_window`.
    accept_irregular
        Why a screen with an irregular refresh will do; None: it is refused.
    keyboard
        'auto', 'ptb' or 'event'.
    box, box_map
        Serial port of a response box and what its buttons mean; see `lab_boxes`.
    language, read_back
        See `lab_sitting.Sitting`.
    """

    protocol: Protocol | None = None
    participant: str = ""
    sitting: int = 1
    monitor: str = ""
    distance_cm: float | None = None
    lut: str = "auto"
    scale: int | None = None
    seed: int | None = None
    yoke_to: str | None = None
    resume: str | None = None
    screen: int = 0
    full_screen: bool = True
    size_px: tuple[int, int] | None = None
    refresh_hz: float | None = None
    accept_irregular: str | None = None
    keyboard: str = "auto"
    box: str | None = None
    box_map: str = ""
    language: str = "en"
    read_back: str = "block"

    def __post_init__(self) -> None:
        if self.resume is None and not self.participant:
            raise ValueError("participant must be a code, got ''")
        if self.resume is None and self.yoke_to is None and self.protocol is None:
            raise ValueError("a protocol must be given, got none")
        if self.resume is not None and self.yoke_to is not None:
            raise ValueError("a session must be resumed or yoked, got both")
        if self.refresh_hz is not None and not 1 <= self.refresh_hz <= 1000:
            rule = "from 1 to 1000 Hz"
            raise ValueError(f"refresh must be {rule}, got {self.refresh_hz:g}")
        reason = self.accept_irregular
        if reason is not None and not reason.strip():
            raise ValueError(f"accept_irregular must be a reason, got {reason!r}")


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Attributes
    ----------
    session_id
        Id of the session in the trial log.
    is_finished
        Whether no trial is left.
    """

    session_id: str
    is_finished: bool


OpenScreen = Callable[[Request, int], Screen]
OpenKeys = Callable[[Request, Screen, Protocol, Say], Keys]


def open_screen(request: Request, background: int) -> Screen:
    """Open PsychoPy's window as the operator asked for."""
    from .window import open_window

    return open_window(
        background=background,
        screen=request.screen,
        full_screen=request.full_screen,
        size_px=request.size_px,
        refresh_hz=request.refresh_hz,
    )


def open_keys(request: Request, screen: Screen, protocol: Protocol, say: Say) -> Keys:
    """Open the keyboard, and a response box if there is one."""
    keyboard = open_keyboard(request.keyboard, say)
    if request.box is None:
        return keyboard
    from .boxes import SerialBox, parse_map

    names = protocol.task.keys
    buttons = request.box_map or ",".join(f"{name}={i}" for i, name in enumerate(names))
    box_map = parse_map(buttons, protocol.n_responses)
    return BoxKeys(SerialBox(request.box, box_map, screen.now), keyboard, names)


def run_lab(
    db_path: str | Path,
    request: Request,
    say: Say,
    screen: OpenScreen = open_screen,
    keys: OpenKeys = open_keys,
) -> Outcome:
    """Run a session in the lab, or the rest of one.

    All that can be refused is refused before a window opens, and what the window must
    tell (its size, its refresh) before the session is in the log.

    Parameters
    ----------
    db_path
        The trial log; made if there is none, unless an earlier session is needed.
    request
        What the operator asked for.
    say
        Takes sentences for the operator.
    screen, keys
        Open the window and what is pressed.

    Raises
    ------
    LookupError
        If there is no such session or monitor.
    ValueError
        If the protocol does not fit the screen, the session cannot go on or is on
        already, or the database cannot be written.
    OSError
        Without a display, a keyboard or a response box.
    ModuleNotFoundError
        Without PsychoPy.
    """
    with ExitStack() as stack:
        store = stack.enter_context(_opened(db_path, request))
        row = None if request.resume is None else _to_resume(store, request)
        protocol = _protocol(store, request, row)
        setup = _setup(request, protocol, row)
        window = screen(request, setup.stage.background)
        stack.callback(window.close)
        require_screen(protocol, setup.stage, window.size_px, window.refresh_hz)
        require_monitor(setup.monitor, window.screen_px)
        require_steady(window.refresh, request.accept_irregular)
        pressed = keys(request, window, protocol, say)
        stack.callback(pressed.close)
        _tell(say, setup, row, window, request.accept_irregular)
        if row is None:
            _tell_of_unfinished(say, store, request.participant, protocol)
        if row is None:
            session = _started(store, request, protocol, setup, window, pressed)
            stack.enter_context(session_lock(db_path, session.id))
        else:
            stack.enter_context(session_lock(db_path, row.id))
            session = _resumed(store, row, window)
        _log_irregular(store, session.id, window.refresh, request.accept_irregular)
        say(f"Session {session.id}, {session.n_recorded} trials done.")
        sitting = Sitting(
            session, store, window, pressed, setup.stage,
            request.language, request.read_back,
        )  # fmt: skip
        return Outcome(session.id, sitting.run())


@contextmanager
def _opened(db_path: str | Path, request: Request) -> Iterator[Store]:
    """Open the trial log, and make sure that it can be written."""
    needs_earlier = request.resume is not None or request.yoke_to is not None
    try:
        store = open_store(db_path, create=not needs_earlier)
    except Exception as error:
        if not any(words in str(error) for words in _NOT_WRITABLE):
            raise
        raise StoreError(_cannot_write(db_path, error)) from error
    try:
        try:
            with store.transaction():
                pass
        except Exception as error:
            raise StoreError(_cannot_write(db_path, error)) from error
        yield store
    finally:
        store.close()


def _cannot_write(db_path: str | Path, error: Exception) -> str:
    return f"{str(db_path)!r} must be a database that can be written, got: {error}"


def _to_resume(store: Store, request: Request) -> SessionRow:
    row = store.session(str(request.resume))
    if row.presenter != "lab":
        rule = "a session of the lab to go on here"
        raise ValueError(
            f"{row.id} must be {rule}, got one of presenter {row.presenter}"
        )
    if row.status != "unfinished":
        raise ValueError(f"session {row.id} must be unfinished, got {row.status}")
    if request.participant and request.participant != row.observer.name:
        rule = f"{row.observer.name}, whose session {row.id} is"
        raise ValueError(f"participant must be {rule}, got {request.participant}")
    return row


def _protocol(store: Store, request: Request, row: SessionRow | None) -> Protocol:
    """Give the session's protocol, the request's, or that of whom it is yoked to."""
    if row is None and request.protocol is not None:
        return request.protocol
    earlier = row or store.session(str(request.yoke_to))
    protocol = store.protocol(earlier.protocol_hash)
    given = request.protocol
    if given is not None and given.hash != protocol.hash:
        rule = f"the one that session {earlier.id} is pinned to"
        raise ValueError(f"the protocol must be {rule}, got another: {given.name}")
    return protocol


def _setup(request: Request, protocol: Protocol, row: SessionRow | None) -> Setup:
    """Give the stage: a session that goes on keeps its table and scale."""
    if row is not None and row.display is not None:
        display = row.display
        monitor = Monitor(size_px=_screen_px(row, display))
        return Setup(Stage.of(protocol, display["lut"], display["scale"]), monitor)
    monitor = find_monitor(request.monitor, request.distance_cm)
    return set_up(protocol, monitor, choose_lut(request.lut, monitor), request.scale)


def _screen_px(row: SessionRow, display: dict[str, Any]) -> tuple[int, int] | None:
    """Give the screen's size when a session began; None if it was not stored.

    Earlier versions stored the window's, which was the screen's if it filled it.
    """
    fills = (row.device or {}).get("full_screen", False)
    size = display.get("screen_px", display["size_px"] if fills else None)
    return None if size is None else (int(size[0]), int(size[1]))


def _tell(
    say: Say, setup: Setup, row: SessionRow | None, window: Screen, reason: str | None
) -> None:
    """Say what the operator should know before the participant sits down."""
    stage, per_degree = setup.stage, setup.monitor.px_per_degree
    width, height = window.size_px
    rate = f"{window.refresh_hz:.2f} Hz"
    rate += " (as given, not measured)" if window.refresh is None else ""
    say(f"Screen: {width} x {height} px at {rate}.")
    if window.refresh is not None and not window.refresh.is_steady:
        say(f"Irregular ({window.refresh.found()}); accepted: {reason}")
    say(f"Scale: {stage.scale} screen px for each px of the stimulus.")
    if row is None and per_degree is None:
        say("The size in degrees is not known: name a --monitor and a --distance.")
    if row is None and setup.monitor.calibration is None:
        say(
            "Luminance is not calibrated: contrast levels go to the screen as they are."
        )
    before = None if row is None else (row.display or {}).get("refresh_hz")
    if before and abs(window.refresh_hz / before - 1) > MAX_REFRESH_CHANGE:
        say(f"The session began at {before:g} Hz: durations in ms may differ.")


def _tell_of_unfinished(
    say: Say, store: Store, participant: str, protocol: Protocol
) -> None:
    """Say if the participant has a session that could go on instead."""
    for row in store.sessions():
        same = (row.presenter, row.observer.name, row.protocol_hash, row.status)
        if same == ("lab", participant, protocol.hash, "unfinished"):
            say(f"{participant} has an unfinished session: --resume {row.id} goes on.")


def _started(
    store: Store,
    request: Request,
    protocol: Protocol,
    setup: Setup,
    window: Screen,
    keys: Keys,
) -> Session:
    return Session.start(
        store,
        protocol,
        ObserverInfo("person", request.participant),
        "lab",
        seed=request.seed,
        yoked_to=request.yoke_to,
        display=_display(setup, protocol, window, request.accept_irregular),
        device={
            "system": platform.platform(),
            "psychopy": _version("psychopy"),
            "keys": keys.backend,
            "sitting": request.sitting,
            "screen": request.screen,
            "full_screen": request.full_screen,
        },
    )


def _display(
    setup: Setup, protocol: Protocol, window: Screen, reason: str | None
) -> dict[str, Any]:
    measured = window.refresh
    is_steady = measured is None or measured.is_steady
    return {
        **setup.display(protocol, window),
        "refresh_is": "given" if measured is None else "measured",
        "refresh_mad_ms": None if measured is None else measured.mad_ms,
        "refresh_dropped": None if measured is None else measured.n_dropped,
        "refresh_accepted": None if is_steady else reason,
    }


def _log_irregular(
    store: Store, session_id: str, refresh: Flips | None, reason: str | None
) -> None:
    """Log why a screen was used whose refresh is irregular."""
    if refresh is None or refresh.is_steady:
        return
    detail = {
        "reason": reason,
        "median_ms": round(refresh.median_ms, 3),
        "mad_ms": round(refresh.mad_ms, 3),
        "n_late": refresh.n_dropped,
        "n": refresh.n,
    }
    store.add_event(session_id, "irregular_refresh", detail)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _resumed(store: Store, row: SessionRow, window: Screen) -> Session:
    """Take the session up; its next trial may have been seen when it broke off."""
    session = Session.resume(store, row.id)
    detail = {
        "next_trial": session.n_recorded,
        "size_px": list(window.size_px),
        "refresh_hz": round(window.refresh_hz, 3),
    }
    store.add_event(row.id, "resumed", detail)
    return session
