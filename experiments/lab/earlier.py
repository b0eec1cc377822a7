"""Sessions that were there before: gone on with, yoked to, or left unfinished."""

from typing import Any

from ..protocols.protocol import Protocol
from ..store.rows import SessionRow
from ..store.trial_log import Store
from .request import Request, Unfinished


def to_resume(store: Store, request: Request) -> SessionRow:
    """Give the session that is to go on, if it can in the lab.

    Raises
    ------
    LookupError
        If there is no such session.
    ValueError
        If it is another presenter's or participant's, or not unfinished.
    """
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


def protocol_of(store: Store, request: Request, row: SessionRow | None) -> Protocol:
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


def require_decided(store: Store, request: Request, protocol: Protocol) -> None:
    """Raise Unfinished if the participant's last session of a protocol could go on.

    Variants of a protocol have its name, and are taken for it. What the operator has
    passed over once, by beginning another session, is not asked about again.
    """
    wanted = ("lab", request.participant, protocol.name)
    last = None
    for row in store.sessions():
        if (row.presenter, row.observer.name, row.protocol_name) == wanted:
            last = row
    if last is None or last.status != "unfinished" or request.is_new:
        return
    raise Unfinished(request.participant, protocol.name, last.id, last.n_trials)


def screen_px(row: SessionRow, display: dict[str, Any]) -> tuple[int, int] | None:
    """Give the screen's size when a session began; None if it was not stored.

    Earlier versions stored the window's, which was the screen's if it filled it.
    """
    fills = (row.device or {}).get("full_screen", False)
    size = display.get("screen_px", display["size_px"] if fills else None)
    return None if size is None else (int(size[0]), int(size[1]))
