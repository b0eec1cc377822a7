"""Who is where in a study: the rows of its monitor."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ...experiments.session.plan import plan_blocks
from ...experiments.store.connection import Connection
from ...experiments.store.trial_log import Store
from .kept import KeptStudy

_QUERY = """
SELECT p.utc_offset_min,
    (SELECT max(a.answered_at) FROM answers a WHERE a.session = s.id),
    s.id, e.arm, e.is_pilot, p.sitting, p.language, s.status, e.outcome,
    s.started_at, s.ended_at, s.protocol,
    count(t.trial), count(t.response), sum(CASE WHEN t.valid = 0 THEN 1 ELSE 0 END),
    avg(CASE WHEN t.block_kind = 'main' AND t.valid = 1
        THEN CAST(t.correct AS DOUBLE PRECISION) END),
    max(t.received_at), (SELECT u.block_kind FROM trials u
        WHERE u.session = s.key ORDER BY u.trial DESC LIMIT 1),
    o.kind, o.name, o.parameters
FROM enrolments e
JOIN participations p ON p.token_hash = e.token_hash
JOIN sessions s ON s.id = p.session
JOIN observers o ON o.id = s.observer
LEFT JOIN trials t ON t.session = s.key
WHERE e.study = ?{of_session}
GROUP BY s.key, e.key, p.session, o.id ORDER BY s.key
"""


@dataclass(frozen=True)
class Attending:
    """One session of somebody in a study.

    Attributes
    ----------
    session, arm, sitting, language
        Which session, the name of the arm, from 1, what texts were read in.
    observer
        Code of the person, or name of the model, with its internal noise.
    is_pilot, is_model
        Whether it is a person's that counts for nothing, or a model's.
    status
        'unfinished', 'finished' or 'withdrawn'.
    outcome
        How the person's part ended: 'complete', 'screened out', 'withdrawn'; None while
        it has not.
    started_at, last_seen
        ISO 8601, in UTC; of the last response or answer, or of the start.
    n_trials, n_planned
        Stored, and as many as the protocol has without repeats.
    block
        Kind of the block of the last trial; None before the first.
    missed, invalid
        Shares of the trials; None before the first.
    correct
        Share of the valid trials of main blocks; None where there are none.
    utc_offset_min
        By how many minutes their clock was before UTC; None where no browser told.
    answered_at
        When they last answered a question before or after the task; None if never.
    """

    session: str
    arm: str
    sitting: int
    language: str
    observer: str
    is_pilot: bool
    is_model: bool
    status: str
    outcome: str | None
    started_at: str
    last_seen: str
    n_trials: int
    n_planned: int
    block: str | None
    missed: float | None
    invalid: float | None
    correct: float | None
    utc_offset_min: int | None
    answered_at: str | None

    @property
    def seen_there(self) -> str | None:
        """When they were last seen by their own clock, with its zone; None if unknown.

        Examples
        --------
        >>> clock_at("2026-01-10T23:30:00+00:00", 330)
        '05:00 (UTC+5:30)'
        """
        if self.utc_offset_min is None:
            return None
        return clock_at(self.last_seen, self.utc_offset_min)


def clock_at(at: str, utc_offset_min: int) -> str:
    """Give the time of day of a moment, ISO 8601, by a clock before UTC.

    Examples
    --------
    >>> clock_at("2026-01-10T09:30:00+00:00", -210), clock_at("2026-01-10T09:30Z", 0)
    ('06:00 (UTC-3:30)', '09:30 (UTC)')
    """
    there = datetime.fromisoformat(at) + timedelta(minutes=utc_offset_min)
    hours, minutes = divmod(abs(utc_offset_min), 60)
    sign = "-" if utc_offset_min < 0 else "+"
    zone = "" if utc_offset_min == 0 else f"{sign}{hours}"
    zone += f":{minutes:02}" if minutes else ""
    return f"{there:%H:%M} (UTC{zone})"


def attending(
    store: Store,
    connection: Connection,
    kept: KeptStudy,
    session: str | None = None,
) -> list[Attending]:
    """List the sessions of a study in the order in which they began, or one of them."""
    planned: dict[str, int] = {}
    found = []
    query = _QUERY.format(of_session="" if session is None else " AND s.id = ?")
    asked = [kept.key] if session is None else [kept.key, session]
    for offset, answered_at, *row in connection.execute(query, asked).fetchall():
        of_protocol = row[9]
        if of_protocol not in planned:
            blocks = plan_blocks(store.protocol(of_protocol), 0)
            planned[of_protocol] = sum(len(block.slots) for block in blocks)
        found.append(_attending(row, kept, planned[of_protocol], offset, answered_at))
    return found


def _attending(
    row: Sequence[Any],
    kept: KeptStudy,
    n_planned: int,
    offset: int | None,
    answered_at: str | None,
) -> Attending:
    session, arm, pilot, sitting, language, status, outcome, started, ended, _ = row[
        :10
    ]
    n, n_responses, n_invalid, correct, received_at, block, kind, name, told = row[10:]
    return Attending(
        session=session,
        arm=kept.study.arms[arm].name,
        sitting=sitting,
        language=language,
        observer=_named(name, json.loads(told)),
        is_pilot=bool(pilot) and kind == "person",
        is_model=kind == "model",
        status=status,
        outcome=outcome,
        started_at=started,
        last_seen=max(filter(None, (received_at, answered_at, ended, started))),
        n_trials=n,
        n_planned=n_planned,
        block=block,
        missed=None if n == 0 else round(1 - n_responses / n, 4),
        invalid=None if n == 0 else round(n_invalid / n, 4),
        correct=None if correct is None else round(correct, 4),
        utc_offset_min=offset,
        answered_at=answered_at,
    )


def _named(name: str, parameters: dict[str, Any]) -> str:
    """Name an observer, and by its internal noise a model that has some."""
    noise = parameters.get("internal_noise")
    return f"{name}, internal noise {noise:g}" if noise else name
