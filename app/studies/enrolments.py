"""Who may begin a study, and in which arm: quota, leases, repeats.

All of it is decided in one transaction with the session that begins, so that two who
arrive at once never get one place.
"""

import json
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from ...experiments.clock import utc_now
from ...experiments.store.connection import Connection
from ..keyfile import keyed_hash
from .description import DETAILS, LINKS, Study
from .kept import KeptStudy
from .links import Link, find_link
from .participations import COMPLETE
from .tokens import as_typed, hash_of_token, withdrawal_code

WITHDRAWN = "withdrawn"
_NOT_ACCEPTED = "ASSIGNMENT_ID_NOT_AVAILABLE"  # what MTurk sends with a preview
_MOST_ID = 200  # characters of a recruiter's name for somebody


class Refused(ValueError):
    """Somebody may not begin.

    Attributes
    ----------
    reason
        Name of the sentence that tells them, in their language: a state of a study, or
        what else is in the way.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"nobody may begin who is refused: {reason}")


@dataclass(frozen=True)
class Arrival:
    """Somebody who agreed, and how they came.

    Attributes
    ----------
    token
        Of the link to the session that begins.
    language, consent_version
        Of the text that they agreed to.
    link
        Token of the personal link, or of a pilot run's, that they came by.
    external_id
        By which a recruiter knows them.
    details
        What else the recruiter said.
    """

    token: str
    language: str
    consent_version: str
    link: str = ""
    external_id: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Enrolment:
    """Somebody's place in a study.

    Attributes
    ----------
    study, arm
        Numbers; None at a server of one protocol.
    is_pilot
        Whether it counts for nothing.
    """

    study: int | None
    arm: int | None
    is_pilot: bool


def find_enrolment(connection: Connection, token_hash: str) -> Enrolment | None:
    """Give whose link it is; None for links of before there were studies."""
    query = "SELECT study, arm, is_pilot FROM enrolments WHERE token_hash = ?"
    row = connection.execute(query, [token_hash]).fetchone()
    return None if row is None else Enrolment(row[0], row[1], bool(row[2]))


def details_of(
    study: Study, given: Mapping[str, str], is_named: bool = True
) -> tuple[str, dict[str, str]]:
    """Give the name that a recruiter's link has for somebody, and what else it says.

    Parameters
    ----------
    study
        Says the recruiter.
    given
        Parameters of the link.
    is_named
        Whether the recruiter must have named somebody; a personal link need not.

    Raises
    ------
    Refused
        If the link should name somebody, and does not.
    """
    parameter = study.recruitment.id_parameter
    if parameter is None or (not is_named and not given.get(parameter)):
        return "", {}
    if given.get("assignmentId") == _NOT_ACCEPTED:
        raise Refused("preview")
    external = given.get(parameter, "").strip()
    if not external or len(external) > _MOST_ID:
        raise Refused("incomplete")
    names = DETAILS[study.recruitment.source]
    details = {name: given[name][:_MOST_ID] for name in names if given.get(name)}
    return external, details


def require_open(connection: Connection, kept: KeptStudy, link: str) -> None:
    """Say before anything is asked whether somebody may begin, whoever they are.

    Raises
    ------
    Refused
        If the study takes nobody now, or nobody by this link.
    """
    _require_open(kept, _link_of(connection, kept, link))


def enrol(
    connection: Connection,
    key: bytes,
    kept: KeptStudy | None,
    arrival: Arrival,
) -> int:
    """Give somebody a place; part of the transaction in which their session begins.

    Parameters
    ----------
    connection
        Of the trial log, within a transaction.
    key
        Of this server.
    kept
        The study as it is now; None at a server of one protocol.
    arrival
        Somebody who is in no study by that token.

    Returns
    -------
    int
        Number of the arm, from 0.

    Raises
    ------
    Refused
        If it is not open, or full, or the link or the person was here before.
    """
    link, arm, external = None, 0, None
    if kept is not None:
        link = _link_of(connection, kept, arrival.link)
        is_pilot = link is not None and link.is_pilot
        _require_open(kept, link)
        if arrival.external_id and not is_pilot:
            external = keyed_hash(key, f"study {kept.key}", arrival.external_id)
        _require_new(connection, kept, link, external)
        arm = _arm(connection, kept, link)
    row = {
        "token_hash": hash_of_token(arrival.token),
        "study": None if kept is None else kept.key,
        "arm": None if kept is None else arm,
        "is_pilot": int(link is not None and link.is_pilot),
        "link": link.key if link is not None and lets_in_once(link) else None,
        "external_hash": external,
        "begun_at": utc_now(),
        "withdrawal_hash": withdrawal_hash(key, withdrawal_code(key, arrival.token)),
    }
    marks = ", ".join("?" * len(row))
    insert = f"INSERT INTO enrolments ({', '.join(row)}) VALUES ({marks})"
    made = connection.execute(f"{insert} RETURNING key", list(row.values()))
    ((enrolment,),) = made.fetchall()
    if external is not None:
        detail = json.dumps(dict(arrival.details), ensure_ascii=False)
        connection.execute(
            "INSERT INTO external_ids VALUES (?, ?, ?)",
            [enrolment, arrival.external_id, detail],
        )
    return arm


def external_id_of(connection: Connection, token_hash: str) -> str:
    """Give a recruiter's name for whose link it is; empty where there is none."""
    query = (
        "SELECT x.id FROM external_ids x JOIN enrolments e ON e.key = x.enrolment "
        "WHERE e.token_hash = ?"
    )
    row = connection.execute(query, [token_hash]).fetchone()
    return "" if row is None else row[0]


def end(connection: Connection, token_hash: str, outcome: str) -> None:
    """Write down how somebody's part in a study ended; no place is kept any more."""
    connection.execute(
        "UPDATE enrolments SET outcome = ?, ended_at = ? WHERE token_hash = ?",
        [outcome, utc_now(), token_hash],
    )


def withdrawal_hash(key: bytes, code: str) -> str:
    """Give what is stored of a withdrawal code."""
    return keyed_hash(key, "withdrawal", as_typed(code))


def places_taken(
    connection: Connection, kept: KeptStudy, now: datetime
) -> Counter[int]:
    """Count the places of each arm that are taken: done, or kept for somebody."""
    taken: Counter[int] = Counter()
    query = (
        "SELECT arm FROM enrolments WHERE study = ? AND outcome = ? AND is_pilot = 0"
    )
    taken.update(arm for (arm,) in connection.execute(query, [kept.key, COMPLETE]))
    for arm, ends in _leases(connection, kept):
        taken[arm] += ends >= now
    return taken


_IN_PROGRESS = """
SELECT e.arm, s.status, s.ended_at, coalesce(
    (SELECT t.received_at FROM trials t WHERE t.session = s.key
     ORDER BY t.trial DESC LIMIT 1), s.started_at),
    coalesce((SELECT max(a.answered_at) FROM answers a WHERE a.session = s.id), '')
FROM enrolments e
JOIN participations p ON p.token_hash = e.token_hash AND p.sitting =
    (SELECT max(q.sitting) FROM participations q WHERE q.token_hash = e.token_hash)
JOIN sessions s ON s.id = p.session
WHERE e.study = ? AND e.outcome IS NULL AND e.is_pilot = 0
"""


def _leases(connection: Connection, kept: KeptStudy) -> list[tuple[int, datetime]]:
    """List arm and end of the lease of everybody who is not done."""
    study, found = kept.study, []
    rows = connection.execute(_IN_PROGRESS, [kept.key]).fetchall()
    for arm, status, ended_at, responded, answered in rows:
        if status == "unfinished":
            last = datetime.fromisoformat(max(responded, answered))
            ends = last + timedelta(minutes=study.lease_min)
        else:
            plan = study.arms[arm].plan
            hours = 0.0 if plan is None else plan.min_gap_hours
            waits = timedelta(hours=hours, days=study.return_days)
            ends = datetime.fromisoformat(ended_at) + waits
        found.append((arm, ends))
    return found


def _arm(connection: Connection, kept: KeptStudy, link: Link | None) -> int:
    """Give the arm that has the fewest for its weight; one of them by chance."""
    arms = kept.study.arms
    if link is not None and link.model is not None:
        return link.model.arm
    if link is not None and link.is_pilot:
        return secrets.choice(range(len(arms)))
    taken = places_taken(connection, kept, datetime.fromisoformat(utc_now()))
    if kept.study.quota and taken.total() >= kept.study.quota:
        raise Refused("full")
    filled = [Fraction(taken[n] + 1, arm.weight) for n, arm in enumerate(arms)]
    return secrets.choice([n for n, f in enumerate(filled) if f == min(filled)])


def _link_of(connection: Connection, kept: KeptStudy, token: str) -> Link | None:
    if not token:
        if kept.study.recruitment.source == LINKS:
            raise Refused("links_only")
        return None
    link = find_link(connection, token)
    if link is None or link.study != kept.key:
        raise Refused("link")
    return link


def lets_in_once(link: Link) -> bool:
    """Say whether a link leads to one session, wherever it is opened."""
    return link.model is not None or not link.is_pilot


def _require_open(kept: KeptStudy, link: Link | None) -> None:
    """Refuse where a study takes nobody.

    Pilot runs may begin before and between, models whenever they like.
    """
    is_pilot = link is not None and link.is_pilot
    is_model = link is not None and link.model is not None
    if kept.state == "open" or is_model or (is_pilot and kept.state != "closed"):
        return
    raise Refused(kept.state)


def _require_new(
    connection: Connection,
    kept: KeptStudy,
    link: Link | None,
    external: str | None,
) -> None:
    """Refuse whoever was here before; the same link finds its session instead."""
    if link is not None and lets_in_once(link):
        used = "SELECT 1 FROM enrolments WHERE link = ?"
        if connection.execute(used, [link.key]).fetchone():
            raise Refused("used")
    if external is not None:
        known = "SELECT 1 FROM enrolments WHERE study = ? AND external_hash = ?"
        if connection.execute(known, [kept.key, external]).fetchone():
            raise Refused("again")
