"""Which session a participant's link leads to, what they agreed to, their codes.

A link's token is stored as its SHA-256 only, so that whoever reads the file cannot go
on with somebody's session.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from ...experiments.clock import utc_now
from ...experiments.store.connection import Connection
from .tokens import hash_of_token, letters, new_code

_CODE_LENGTH = 10
# How a participation ended, and with which letter its code begins.
COMPLETE, SCREENED_OUT, NO_CONSENT = "complete", "screened out", "no consent"
CODE_BEGINS = {COMPLETE: "C-", SCREENED_OUT: "S-", NO_CONSENT: "N-"}


@dataclass(frozen=True)
class Participation:
    """One person's way into one session.

    Attributes
    ----------
    session
        Id of the session.
    sitting
        Which sitting it is, from 1: a link leads to the latest.
    language
        Of the texts that were read.
    consent_version
        SHA-256 of the consent text that was agreed to.
    completion_code
        Made at the start, so that showing it changes nothing; nobody may see it before
        the session is complete.
    outcome
        `COMPLETE` or `SCREENED_OUT`; None until it is known, and in sessions that ended
        before there was screening.
    """

    session: str
    sitting: int
    language: str
    consent_version: str
    completion_code: str
    outcome: str | None

    @property
    def code(self) -> str:
        """The completion code as it is shown, which says how the session ended."""
        return CODE_BEGINS.get(self.outcome or "", "") + self.completion_code


_COLUMNS = "session, sitting, language, consent_version, completion_code, outcome"


def find(connection: Connection, token: str) -> Participation | None:
    """Give the participation that a link leads to; None if there is none."""
    rows = every(connection, token)
    return rows[-1] if rows else None


def every(connection: Connection, token: str) -> list[Participation]:
    """List the participations of a link, one for each sitting, in order."""
    query = f"SELECT {_COLUMNS} FROM participations WHERE token_hash = ? ORDER BY 2"
    return [
        Participation(*row) for row in connection.execute(query, [hash_of_token(token)])
    ]


def keep_consent(connection: Connection, version: str, text: str) -> None:
    """Keep the text that agreements name by its SHA-256, where it is not kept yet."""
    insert = "INSERT INTO consents (version, text) VALUES (?, ?)"
    connection.execute(f"{insert} ON CONFLICT DO NOTHING", [version, text])


def add(
    connection: Connection,
    token: str,
    session: str,
    language: str,
    consent_version: str,
    sitting: int = 1,
) -> None:
    """Record a consent, with the link to the session that began with it.

    A later sitting rests on the consent of the first.
    """
    insert = (
        "INSERT INTO participations (token_hash, session, sitting, language, "
        "consent_version, consented_at, completion_code) VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    code = new_code(_CODE_LENGTH)
    row = (
        hash_of_token(token),
        session,
        sitting,
        language,
        consent_version,
        utc_now(),
        code,
    )
    connection.execute(insert, row)


def token_hash_of(connection: Connection, session: str) -> str | None:
    """Give the hash of the link that leads to a session; None if none does."""
    query = "SELECT token_hash FROM participations WHERE session = ?"
    row = connection.execute(query, [session]).fetchone()
    return None if row is None else row[0]


def set_outcome(connection: Connection, session: str, outcome: str) -> None:
    """Write down how a session ended; its code says it from then on."""
    update = "UPDATE participations SET outcome = ? WHERE session = ?"
    connection.execute(update, [outcome, session])


def set_utc_offset(connection: Connection, token: str, minutes: int) -> None:
    """Write down by how much somebody's clock is before UTC, at their latest session.

    Once: whoever sends the same page again, from elsewhere, changes nothing.
    """
    found = find(connection, token)
    if found is not None:
        connection.execute(
            "UPDATE participations SET utc_offset_min = ? "
            "WHERE session = ? AND utc_offset_min IS NULL",
            [minutes, found.session],
        )


def no_consent_code(protocol_hash: str) -> str:
    """Give the code of whoever declines: one for a protocol, since nothing is stored.

    Examples
    --------
    >>> no_consent_code("ab" * 32)[:2]
    'N-'
    """
    drawn = letters(hashlib.sha256(f"declined {protocol_hash}".encode()).digest())
    return CODE_BEGINS[NO_CONSENT] + drawn[:_CODE_LENGTH]


def codes(connection: Connection) -> list[dict[str, str | int | None]]:
    """List sessions with their codes as they are shown, and how they ended.

    Also of a file that an earlier version wrote, or that no web task wrote to.
    """
    known = _columns_of(connection)
    if not known:
        return []
    outcome = "p.outcome" if "outcome" in known else "NULL"
    sitting = "p.sitting" if "sitting" in known else "1"
    query = (
        f"SELECT p.session, {sitting}, p.language, p.consent_version, "
        f"p.completion_code, {outcome}, s.status, s.ended_at FROM participations p "
        "JOIN sessions s ON s.id = p.session ORDER BY s.key"
    )
    rows: Sequence[tuple] = connection.execute(query).fetchall()
    return [_code_row(Participation(*row[:6]), *row[6:]) for row in rows]


def _columns_of(connection: Connection) -> set[str]:
    """Give the columns that the table has; a server's database has them all."""
    if not isinstance(connection, sqlite3.Connection):
        return {"outcome", "sitting"}
    return {row[1] for row in connection.execute("PRAGMA table_info(participations)")}


def _code_row(
    participation: Participation, status: str, ended_at: str | None
) -> dict[str, str | int | None]:
    """Give a session's code; what ended before there was screening is complete."""
    outcome = participation.outcome or (COMPLETE if status == "finished" else None)
    return {
        "session": participation.session,
        "code": participation.code if outcome else None,
        "outcome": outcome,
        "status": status,
        "ended_at": ended_at,
        "sitting": participation.sitting,
    }
