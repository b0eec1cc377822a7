"""The lab presenter: from what the operator asked for to a session in the trial log."""

import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..protocols.keys import require_keys
from ..protocols.protocol import Protocol
from ..session.session import Session
from ..session.sittings import Due
from ..store.rows import ObserverInfo, SessionRow
from ..store.sqlite import Store, StoreError, open_store
from .earlier import due_sitting, protocol_of, require_decided, screen_px, to_resume
from .keys import BoxKeys, Keys, Say, open_keyboard
from .lock import session_lock
from .refresh import Flips
from .request import Outcome, Request
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
from .showing import Play, Showing
from .sitting import Sitting
from .stage import Stage

_NOT_WRITABLE = ("readonly", "read-only", "unable to open")  # SQLite's words
MAX_REFRESH_CHANGE = 0.02  # of a session's refresh rate, before it is worth a sentence


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


@dataclass(frozen=True)
class Desk:
    """A session that is in the log and held, with what it is shown on.

    Attributes
    ----------
    session
        Started or resumed.
    showing
        Shows its trials.
    screen, keys
        Where they are shown and answered.
    """

    session: Session
    showing: Showing
    screen: Screen
    keys: Keys


def run_lab(
    db_path: str | Path,
    request: Request,
    say: Say,
    screen: OpenScreen = open_screen,
    keys: OpenKeys = open_keys,
    began: Callable[[str], None] = lambda session_id: None,
) -> Outcome:
    """Run a session in the lab, or the rest of one; arguments as for `at_desk`.

    Parameters
    ----------
    db_path, request, say, screen, keys
        See there.
    began
        Called with the session's id as soon as it is in the log and held.
    """
    with at_desk(db_path, request, say, screen, keys) as desk:
        began(desk.session.id)
        say(f"Session {desk.session.id}, {desk.session.n_recorded} trials done.")
        sitting = Sitting(
            desk.session, desk.showing, desk.screen, desk.keys,
            request.language, request.absent_after, say,
        )  # fmt: skip
        return Outcome(desk.session.id, sitting.run())


@contextmanager
def at_desk(
    db_path: str | Path,
    request: Request,
    say: Say,
    screen: OpenScreen = open_screen,
    keys: OpenKeys = open_keys,
) -> Iterator[Desk]:
    """Start or resume a session, and hold it with its window and keys.

    All that can be refused is refused before a window opens, and what the window must
    tell (its size, its refresh) before the session is in the log.

    Parameters
    ----------
    db_path
        The trial log; made if there is none, unless an earlier session is needed.
        ':memory:' keeps it for as long as the session is held.
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
    Unfinished
        If the participant's last session could go on, and nobody said which it is.
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
        row = None if request.resume is None else to_resume(store, request)
        sitting = due_sitting(store, request)
        protocol = protocol_of(store, request, row, sitting)
        if request.box is None:
            require_keys(protocol)
        if row is None:
            require_decided(store, request, protocol)
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
            session = _started(
                store, request, protocol, sitting, setup, window, pressed
            )
            stack.enter_context(session_lock(db_path, session.id))
        else:
            stack.enter_context(session_lock(db_path, row.id))
            session = _resumed(store, row, window)
        _log_irregular(store, session.id, window.refresh, request.accept_irregular)
        if sitting is not None:
            say(f"Sitting {sitting.number} of {sitting.n_sittings}.")
        showing = Showing(
            session, store, window, pressed, setup.stage, request.read_back,
            request.language, _tones(session, store, say),
        )  # fmt: skip
        yield Desk(session, showing, window, pressed)


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


def _setup(request: Request, protocol: Protocol, row: SessionRow | None) -> Setup:
    """Give the stage: a session that goes on keeps its table and scale."""
    if row is not None and row.display is not None:
        display = row.display
        monitor = Monitor(size_px=screen_px(row, display))
        return Setup(Stage.of(protocol, display["lut"], display["scale"]), monitor)
    monitor = find_monitor(request.monitor, request.distance_cm)
    return set_up(protocol, monitor, choose_lut(request.lut, monitor), request.scale)


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


def _started(
    store: Store,
    request: Request,
    protocol: Protocol,
    sitting: Due | None,
    setup: Setup,
    window: Screen,
    keys: Keys,
) -> Session:
    plan, number = request.plan, request.sitting
    planned = None
    if plan is not None and sitting is not None:
        planned, number = sitting.planned(plan, request.early), sitting.number
    return Session.start(
        store,
        protocol,
        ObserverInfo("person", request.participant),
        "lab",
        seed=request.seed,
        yoked_to=request.yoke_to,
        sitting=planned,
        display=_display(setup, protocol, window, request.accept_irregular),
        device={
            "system": platform.platform(),
            "psychopy": _version("psychopy"),
            "keys": keys.backend,
            "sitting": number,
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


def _tones(session: Session, store: Store, say: Say) -> Play | None:
    """Give what plays the protocol's tones; None without tones, or without sound."""
    if not session.protocol.feedback.has_tones:
        return None
    from .tones import NO_SOUND, Tones

    try:
        return Tones(session.protocol.feedback).play
    except OSError as error:
        say(NO_SOUND.format(error))
        store.add_event(session.id, "no_sound", {"reason": str(error)})
        return None


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
