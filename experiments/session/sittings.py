"""Which sitting of a plan a participant is due for, by what the trial log holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..protocols.protocol import Protocol
from ..protocols.sittings import SittingPlan
from ..store.rows import SessionRow
from ..store.trial_log import Store

EVENT = "sitting"  # kind of the event that a sitting of a plan begins with


@dataclass(frozen=True)
class PlannedSitting:
    """What the trial log says of a sitting that a plan asked for.

    Attributes
    ----------
    plan
        Name of the plan.
    number, n_sittings
        Which sitting it is, from 1, and of how many.
    after
        Id of the session before it; None for the first.
    gap_hours
        From that one's end to this one's start.
    carried
        What the calibration of earlier sittings knew at their end.
    early
        Why the sitting began before its time, if it did.
    """

    plan: str
    number: int
    n_sittings: int
    after: str | None = None
    gap_hours: float | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)
    early: str | None = None

    def detail(self) -> dict[str, Any]:
        """Give what the event holds; what is unknown or empty is left out."""
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Due:
    """The sitting that is due.

    Attributes
    ----------
    number, n_sittings
        Which one, from 1, and of how many; one more than there are when all are done.
    protocol
        Of that sitting; None when all are done.
    last
        The sitting before it, which is finished.
    ready_at
        When it may begin, ISO 8601 in UTC; None for the first.
    gap_hours
        How long ago the last one ended.
    is_ready
        Whether it may begin now.
    """

    number: int
    n_sittings: int
    protocol: Protocol | None
    last: SessionRow | None
    ready_at: str | None
    gap_hours: float | None
    is_ready: bool

    def planned(self, plan: SittingPlan, early: str | None = None) -> PlannedSitting:
        """Give what the log shall say of this sitting when it begins."""
        return PlannedSitting(
            plan=plan.name,
            number=self.number,
            n_sittings=self.n_sittings,
            after=None if self.last is None else self.last.id,
            gap_hours=self.gap_hours,
            early=None if self.is_ready else early,
        )


def planned_sitting(store: Store, session_id: str) -> PlannedSitting | None:
    """Give what the log says of a session's sitting; None if no plan asked for it."""
    for event in store.events(session_id):
        if event["kind"] == EVENT:
            return PlannedSitting(**event["detail"])
    return None


Had = Sequence[tuple[PlannedSitting, SessionRow]]


def sittings_of(store: Store, participant: str) -> Had:
    """List the sittings that a person has begun, of any plan, in order."""
    rows = (row for row in store.sessions() if row.observer.kind == "person")
    own = [row for row in rows if row.observer.name == participant]
    found = [(planned_sitting(store, row.id), row) for row in own]
    return [(sitting, row) for sitting, row in found if sitting is not None]


def due(plan: SittingPlan, participant: str, had: Had, now: str) -> Due:
    """Find which sitting of a plan a participant is due for.

    Withdrawn sessions count for nothing.

    Parameters
    ----------
    plan
        Says the sittings.
    participant
        The observer's name.
    had
        The sittings that the participant has begun.
    now
        ISO 8601, in UTC.

    Raises
    ------
    ValueError
        If the plan does not begin with the sittings that the participant has had.
    """
    done = _finished(plan, had)
    for number, row in done.items():
        _require_planned(plan, participant, number, row)
    number = len(done) + 1
    last = done.get(len(done))
    gap_hours, ready_at = None, None
    if last is not None and last.ended_at is not None:
        ended = datetime.fromisoformat(last.ended_at)
        gap = datetime.fromisoformat(now) - ended
        gap_hours = round(gap / timedelta(hours=1), 3)
        ready = ended + timedelta(hours=plan.min_gap_hours)
        ready_at = ready.isoformat(timespec="milliseconds")
    is_over = number > plan.n_sittings
    return Due(
        number=number,
        n_sittings=plan.n_sittings,
        protocol=None if is_over else plan.protocols[number - 1],
        last=last,
        ready_at=ready_at,
        gap_hours=gap_hours,
        is_ready=not is_over and (ready_at is None or now >= ready_at),
    )


def _finished(plan: SittingPlan, had: Had) -> dict[int, SessionRow]:
    """Give the finished sittings of a plan by number."""
    done = {
        sitting.number: row
        for sitting, row in had
        if sitting.plan == plan.name and row.status == "finished"
    }
    # A sitting that was withdrawn leaves a hole: what came after it does not count.
    hole = next(n for n in range(1, len(done) + 2) if n not in done)
    return {number: row for number, row in done.items() if number < hole}


def _require_planned(
    plan: SittingPlan, participant: str, number: int, row: SessionRow
) -> None:
    """Refuse a plan that was changed where a participant has been already."""
    planned = plan.protocols[number - 1] if number <= plan.n_sittings else None
    if planned is not None and planned.hash == row.protocol_hash:
        return
    got = "none" if planned is None else f"another protocol, {planned.name}"
    rule = f"that of session {row.id}, which {participant} has had"
    raise ValueError(f"sitting {number} of plan {plan.name} must be {rule}, got {got}")
