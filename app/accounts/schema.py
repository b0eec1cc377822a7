"""The tables of accounts, in the file of the trial log, under their own migrations.

What lets somebody in is here as a hash only: passwords by Argon2id, tokens and codes by
SHA-256. The secret of an authenticator app is not here at all: see `authenticator`.
"""

from datetime import UTC, datetime

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("yoked-accounts")


@migrations(name="0001_accounts")
def _accounts(db: Database) -> None:
    of_account = "account INTEGER NOT NULL REFERENCES accounts (key) ON DELETE CASCADE"
    # A key is never given twice: the audit log says who it was.
    db.execute(
        """
        CREATE TABLE accounts (
            key INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE COLLATE NOCASE,
            password TEXT,
            is_administrator INTEGER NOT NULL DEFAULT 0,
            is_disabled INTEGER NOT NULL DEFAULT 0,
            authenticator TEXT,
            last_step INTEGER,
            made_at TEXT NOT NULL,
            last_seen_at TEXT
        ) STRICT
        """
    )
    db.execute(
        f"""
        CREATE TABLE account_links (
            token_hash TEXT PRIMARY KEY,
            {of_account},
            made_at TEXT NOT NULL,
            expires_at TEXT NOT NULL
        ) STRICT
        """
    )
    db.execute(
        f"""
        CREATE TABLE sign_ins (
            key INTEGER PRIMARY KEY AUTOINCREMENT,
            token_hash TEXT NOT NULL UNIQUE,
            {of_account},
            means TEXT NOT NULL,
            awaits_code INTEGER NOT NULL,
            made_at TEXT NOT NULL,
            seen_at TEXT NOT NULL,
            expires_at TEXT NOT NULL
        ) STRICT
        """
    )
    db.execute(
        f"""
        CREATE TABLE recovery_codes (
            {of_account},
            code_hash TEXT NOT NULL,
            PRIMARY KEY (account, code_hash)
        ) STRICT
        """
    )
    db.execute(
        f"""
        CREATE TABLE api_tokens (
            key INTEGER PRIMARY KEY AUTOINCREMENT,
            token_hash TEXT NOT NULL UNIQUE,
            {of_account},
            name TEXT NOT NULL,
            made_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            used_on TEXT
        ) STRICT
        """
    )
    # `study` is the key of a row of `studies`, which another room makes.
    db.execute(
        f"""
        CREATE TABLE study_roles (
            {of_account},
            study INTEGER NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
            PRIMARY KEY (account, study)
        ) STRICT
        """
    )
    db.execute(
        "CREATE TABLE account_settings (name TEXT PRIMARY KEY, value TEXT) STRICT"
    )
    db.execute(
        """
        CREATE TABLE audit (
            key INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            by_account INTEGER,
            by_name TEXT,
            what TEXT NOT NULL,
            account INTEGER,
            account_name TEXT,
            study INTEGER,
            detail TEXT
        ) STRICT
        """
    )
    for change in ("UPDATE", "DELETE"):
        db.execute(
            f"""
            CREATE TRIGGER audit_refuses_{change.lower()} BEFORE {change} ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
            """
        )


def now() -> datetime:
    """Give the time, in UTC."""
    return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """Give a time as the tables have it: its texts are in the order of the times.

    Examples
    --------
    >>> stamp(datetime(2026, 1, 10, 9, 30, tzinfo=UTC))
    '2026-01-10T09:30:00.000+00:00'
    """
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
