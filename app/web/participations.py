"""Who takes part: links to sessions, consent, completion codes. The app's own table.

It lives in the file of the trial log, under its own migrations; the trial log's schema
knows nothing of it. A link's token is stored as its SHA-256 only, so that whoever reads
the file cannot go on with somebody's session.
"""

import hashlib
import re
import secrets
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from ...experiments.clock import utc_now

_TOKEN_BYTES = 24  # 192 bits, 32 characters of a link
_TOKEN = re.compile("[A-Za-z0-9_-]{32}")
# Read aloud and typed by people: no letter here looks like another or like a digit.
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH = 10
# How a participation ended, and with which letter its code begins.
COMPLETE, SCREENED_OUT, NO_CONSENT = "complete", "screened out", "no consent"
CODE_BEGINS = {COMPLETE: "C-", SCREENED_OUT: "S-", NO_CONSENT: "N-"}

migrations = Migrations("yoked-app")


@migrations(name="0001_participations")
def _participations(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE participations (
            token_hash TEXT PRIMARY KEY,
            session TEXT NOT NULL UNIQUE REFERENCES sessions (id),
            language TEXT NOT NULL,
            consent_version TEXT NOT NULL,
            consented_at TEXT NOT NULL,
            completion_code TEXT NOT NULL UNIQUE
        ) STRICT
        """
    )


@migrations(name="0002_outcomes")
def _outcomes(db: Database) -> None:
    db.execute("ALTER TABLE participations ADD COLUMN outcome TEXT")
    db.execute("CREATE TABLE health (checked_at TEXT, filling BLOB) STRICT")


@migrations(name="0003_sittings")
def _sittings(db: Database) -> None:
    """Let one link lead to several sessions, one after the other."""
    db.execute("ALTER TABLE participations RENAME TO participations_2")
    db.execute(
        """
        CREATE TABLE participations (
            session TEXT PRIMARY KEY REFERENCES sessions (id),
            token_hash TEXT NOT NULL,
            sitting INTEGER NOT NULL,
            language TEXT NOT NULL,
            consent_version TEXT NOT NULL,
            consented_at TEXT NOT NULL,
            completion_code TEXT NOT NULL UNIQUE,
            outcome TEXT,
            UNIQUE (token_hash, sitting)
        ) STRICT
        """
    )
    kept = "session, token_hash, 1, language, consent_version, consented_at, "
    kept += "completion_code, outcome"
    db.execute(f"INSERT INTO participations SELECT {kept} FROM participations_2")
    db.execute("DROP TABLE participations_2")


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


class Participations:
    """The table, to read; threads may share it.

    What is written goes through the connection of the trial log, in one transaction
    with the session that it belongs to: `add`, `set_outcome`.
    """

    def __init__(self, db_path: str | Path) -> None:
        connection = sqlite3.connect(str(db_path), timeout=30, check_same_thread=False)
        self._db = Database(connection)
        self._lock = threading.Lock()
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        with connection:
            migrations.apply(self._db)

    def find(self, token: str) -> Participation | None:
        """Give the participation that a link leads to; None if there is none."""
        with self._lock:
            return find(self._db.conn, token)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def new_token() -> str:
    """Make the token of a link; nothing is stored."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def is_token(text: str) -> bool:
    """Say whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def find(connection: sqlite3.Connection, token: str) -> Participation | None:
    """Give the participation that a link leads to; None if there is none."""
    rows = every(connection, token)
    return rows[-1] if rows else None


def every(connection: sqlite3.Connection, token: str) -> list[Participation]:
    """List the participations of a link, one for each sitting, in order."""
    query = f"SELECT {_COLUMNS} FROM participations WHERE token_hash = ? ORDER BY 2"
    return [Participation(*row) for row in connection.execute(query, [_hash(token)])]


def add(
    connection: sqlite3.Connection,
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
    code = _letters(secrets.token_bytes(_CODE_LENGTH))
    row = (_hash(token), session, sitting, language, consent_version, utc_now(), code)
    connection.execute(insert, row)


def set_outcome(connection: sqlite3.Connection, session: str, outcome: str) -> None:
    """Write down how a session ended; its code says it from then on."""
    update = "UPDATE participations SET outcome = ? WHERE session = ?"
    connection.execute(update, [outcome, session])


def no_consent_code(protocol_hash: str) -> str:
    """Give the code of whoever declines: one for a protocol, since nothing is stored.

    Examples
    --------
    >>> no_consent_code("ab" * 32)[:2]
    'N-'
    """
    letters = _letters(hashlib.sha256(f"declined {protocol_hash}".encode()).digest())
    return CODE_BEGINS[NO_CONSENT] + letters[:_CODE_LENGTH]


def codes(connection: sqlite3.Connection) -> list[dict[str, str | int | None]]:
    """List sessions with their codes as they are shown, and how they ended.

    Also of a file that an earlier version wrote, or that no web task wrote to.
    """
    known = {row[1] for row in connection.execute("PRAGMA table_info(participations)")}
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


def _letters(noise: bytes) -> str:
    return "".join(_CODE_LETTERS[byte % len(_CODE_LETTERS)] for byte in noise)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
