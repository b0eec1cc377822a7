"""Sessions that were there before: gone on with, yoked to, or left unfinished."""

from datetime import datetime
from typing import Any

from ..clock import utc_now
from ..protocols.protocol import Protocol
from ..session.sittings import Due, due, sittings_of
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


def due_sitting(store: Store, request: Request) -> Due | None:
    """Give the sitting that is due by the request's plan; None where there is no plan.

    Raises
    ------
    ValueError
        If no sitting is left, or it may not begin yet and nobody said why it may.
    """
    plan, participant = request.plan, request.participant
    if plan is None:
        return None
    found = due(plan, participant, sittings_of(store, participant), utc_now())
    if found.protocol is None:
        rule, n = f"somebody with a sitting of {plan.name} left", plan.n_sittings
        raise ValueError(f"participant must be {rule}, got {participant}: all {n} done")
    if not found.is_ready and request.early is None:
        at = datetime.fromisoformat(str(found.ready_at)).astimezone()
        rule = f"{plan.min_gap_hours:g} h or more after the one before it"
        raise ValueError(
            f"sitting {found.number} of {plan.name} must begin {rule}, got "
            f"{found.gap_hours:.1f} h; it may from {at:%Y-%m-%d %H:%M %Z}, or now with "
            "--early REASON"
        )
    return found


def protocol_of(
    store: Store, request: Request, row: SessionRow | None, sitting: Due | None
) -> Protocol:
    """Give the protocol of the session, sitting, request, or whom it is yoked to."""
    if sitting is not None and sitting.protocol is not None:
        return sitting.protocol
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
