"""Who takes part: links to sessions, consent, completion codes. The app's own table.

It lives in the file of the trial log, under its own migrations; the trial log's schema
knows nothing of it. A link's token is stored as its SHA-256 only, so that whoever reads
the file cannot go on with somebody's session.
"""

import hashlib
import secrets
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from ...experiments.clock import utc_now

_TOKEN_BYTES = 24  # 192 bits, 32 characters of a link
# Read aloud and typed by people: no letter here looks like another or like a digit.
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH = 10

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


@dataclass(frozen=True)
class Participation:
    """One person's way into one session.

    Attributes
    ----------
    session
        Id of the session.
    language
        Of the texts that were read.
    consent_version
        SHA-256 of the consent text that was agreed to.
    completion_code
        Made at the start, so that showing it changes nothing; nobody may see it before
        the session is complete.
    """

    session: str
    language: str
    consent_version: str
    completion_code: str


class Participations:
    """The table; threads may share it."""

    def __init__(self, db_path: str | Path) -> None:
        connection = sqlite3.connect(str(db_path), timeout=30, check_same_thread=False)
        self._db = Database(connection)
        self._lock = threading.Lock()
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        with connection:
            migrations.apply(self._db)

    def add(self, session: str, language: str, consent_version: str) -> str:
        """Record a consent; return the token of the link to the session."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        code = "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH))
        row = (_hash(token), session, language, consent_version, utc_now(), code)
        insert = "INSERT INTO participations VALUES (?, ?, ?, ?, ?, ?)"
        with self._lock, self._db.conn:
            self._db.execute(insert, row)
        return token

    def find(self, token: str) -> Participation | None:
        """Give the participation that a link leads to; None if there is none."""
        query = (
            "SELECT session, language, consent_version, completion_code "
            "FROM participations WHERE token_hash = ?"
        )
        with self._lock:
            row = self._db.execute(query, [_hash(token)]).fetchone()
        return None if row is None else Participation(*row)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
