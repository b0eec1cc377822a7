"""What leaves a study: its trial log alone, and who is paid, each in its own file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...experiments.store.connection import Connection
from ...experiments.store.copying import copy_sessions
from ...experiments.store.merge import merge
from ...experiments.store.trial_log import Store
from ...experiments.store.url import is_url
from .kept import KeptStudy, find_study
from .participations import COMPLETE, Participation


def write_log(
    store: Store, db_path: str | Path, name: str, to: Path, pilots: bool
) -> int:
    """Write the sessions of a study to a trial log of their own; give how many.

    The tables of the log alone: no link, no code, no consent, no name, no account, and
    nothing of other studies.

    Parameters
    ----------
    store, db_path
        The database, open, and its place.
    name
        Of the study.
    to
        The file that is made.
    pilots
        Whether pilot runs are in it.

    Raises
    ------
    FileExistsError
        If there is a file already.
    LookupError
        If there is no such study.
    """
    if to.exists():
        raise FileExistsError(f"an export must be a new file, got {str(to)!r}")
    kept = find_study(store, name)
    with store.beside() as connection:
        sessions = [each.session for each in sessions_of(connection, kept, pilots)]
        if is_url(db_path):
            copy_sessions(connection, sessions, to)
            return len(sessions)
    merge(to, [db_path], sessions)
    return len(sessions)


@dataclass(frozen=True)
class OfStudy:
    """One session of a study, as its exports name it.

    Attributes
    ----------
    session, arm, sitting
        Its id, the name of its arm, and from 1.
    is_pilot
        Whether it counts for nothing.
    """

    session: str
    arm: str
    sitting: int
    is_pilot: bool


def sessions_of(
    connection: Connection, kept: KeptStudy, pilots: bool = False
) -> list[OfStudy]:
    """List a study's sessions in the order in which they began."""
    query = (
        "SELECT s.id, e.arm, p.sitting, e.is_pilot FROM enrolments e "
        "JOIN participations p ON p.token_hash = e.token_hash "
        "JOIN sessions s ON s.id = p.session "
        "WHERE e.study = ? AND e.is_pilot <= ? ORDER BY s.key"
    )
    arms = kept.study.arms
    return [
        OfStudy(session, arms[arm].name, sitting, bool(pilot))
        for session, arm, sitting, pilot in connection.execute(
            query, [kept.key, int(pilots)]
        ).fetchall()
    ]


@dataclass(frozen=True)
class Payable:
    """One session, for whoever pays or credits its participant.

    Attributes
    ----------
    session, sitting
        Which one.
    code
        Completion code as it was shown; None while the session has not ended.
    outcome
        'complete' or 'screened out'; None while it is not known.
    external_id
        The recruiter's name for the participant; None where there is none, or it was
        erased.
    detail
        What else the recruiter's link said.
    """

    session: str
    sitting: int
    code: str | None
    outcome: str | None
    external_id: str | None
    detail: dict[str, Any]


_PAYABLE = """
SELECT p.session, p.sitting, p.language, p.consent_version, p.completion_code,
    p.outcome, s.status, x.id, x.detail
FROM enrolments e
JOIN participations p ON p.token_hash = e.token_hash
JOIN sessions s ON s.id = p.session
LEFT JOIN external_ids x ON x.enrolment = e.key
WHERE e.study = ? AND e.is_pilot = 0 ORDER BY s.key
"""


def payable(connection: Connection, kept: KeptStudy) -> list[Payable]:
    """List the sessions of a study with their codes and the recruiter's names."""
    found = []
    for row in connection.execute(_PAYABLE, [kept.key]).fetchall():
        *own, status, external, detail = row
        participation = Participation(*own)
        outcome = participation.outcome
        if outcome is None and status == "finished":
            outcome = COMPLETE
        found.append(
            Payable(
                session=participation.session,
                sitting=participation.sitting,
                code=None if outcome is None else participation.code,
                outcome=outcome,
                external_id=external,
                detail={} if detail is None else json.loads(detail),
            )
        )
    return found
