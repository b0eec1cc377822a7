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
    store: Store,
    db_path: str | Path,
    name: str,
    to: Path,
    pilots: bool,
    models: bool = False,
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
    pilots, models
        Whether pilot runs are in it, and models that took part.

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
        found = sessions_of(connection, kept, pilots, models)
        sessions = [each.session for each in found]
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
    is_pilot, is_model
        Whether it is a person's that counts for nothing, or a model's.
    """

    session: str
    arm: str
    sitting: int
    is_pilot: bool
    is_model: bool


def sessions_of(
    connection: Connection,
    kept: KeptStudy,
    pilots: bool = False,
    models: bool = False,
) -> list[OfStudy]:
    """List a study's sessions in the order in which they began.

    Parameters
    ----------
    pilots, models
        Whether people's pilot runs, and models that took part, are in the list.
    """
    query = (
        "SELECT s.id, e.arm, p.sitting, e.is_pilot, l.model FROM enrolments e "
        "JOIN participations p ON p.token_hash = e.token_hash "
        "JOIN sessions s ON s.id = p.session LEFT JOIN links l ON l.key = e.link "
        "WHERE e.study = ? ORDER BY s.key"
    )
    arms, found = kept.study.arms, []
    for session, arm, sitting, uncounted, model in connection.execute(
        query, [kept.key]
    ).fetchall():
        is_model = model is not None
        is_pilot = bool(uncounted) and not is_model
        if (pilots or not is_pilot) and (models or not is_model):
            name = arms[arm].name
            found.append(OfStudy(session, name, sitting, is_pilot, is_model))
    return found


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
