"""Tokens that cannot be guessed, and those that programs sign in with.

A token is 256 random bits: its SHA-256, which is all that is stored, leads to nothing.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...experiments.store.connection import Connection
from . import audit
from .audit import Named
from .schema import stamp

_BYTES = 32
API_BEGINS = "yoked_"  # so that scanners of published code know one when they see it
MOST_DAYS = 366
LONGEST_NAME = 100


@dataclass(frozen=True)
class ApiToken:
    """A token of an account, without what is secret.

    Attributes
    ----------
    key
        Its number.
    name
        What its owner calls it.
    made_at, expires_at
        UTC.
    used_on
        Date of its last use, in UTC; None if never.
    """

    key: int
    name: str
    made_at: str
    expires_at: str
    used_on: str | None


def new_token() -> str:
    """Make a token; nothing is stored."""
    return secrets.token_urlsafe(_BYTES)


def token_hash(token: str) -> str:
    """Give what is stored of a token: its SHA-256, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def make(
    connection: Connection, account: Named, name: str, days: int, at: datetime
) -> str:
    """Give a new token for programs of an account; it is shown once.

    Raises
    ------
    ValueError
        If it has no name, or would not end within a year.
    """
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        rule = f"1 to {LONGEST_NAME} characters, got {len(name)}"
        raise ValueError(f"the name of a token must be {rule}")
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"a token must end in 1 to {MOST_DAYS} days, got {days}")
    token = API_BEGINS + new_token()
    until = stamp(at + timedelta(days=days))
    connection.execute(
        "INSERT INTO api_tokens (token_hash, account, name, made_at, expires_at) "
        "VALUES (?, ?, ?, ?, ?)",
        [token_hash(token), account.key, name, stamp(at), until],
    )
    audit.note(connection, account, "made an API token", at, account, detail=name)
    return token


def every(connection: Connection, account: Named) -> list[ApiToken]:
    """List the tokens of an account, those that have expired too."""
    query = (
        "SELECT key, name, made_at, expires_at, used_on FROM api_tokens "
        "WHERE account = ? ORDER BY key"
    )
    return [ApiToken(*row) for row in connection.execute(query, [account.key])]


def find(
    connection: Connection, token: str, at: datetime
) -> tuple[int, ApiToken] | None:
    """Give the key of a token's account, and the token; None if it is none."""
    query = (
        "SELECT account, key, name, made_at, expires_at, used_on FROM api_tokens "
        "WHERE token_hash = ? AND expires_at > ?"
    )
    row = connection.execute(query, [token_hash(token), stamp(at)]).fetchone()
    return None if row is None else (row[0], ApiToken(*row[1:]))


def used(connection: Connection, token: ApiToken, at: datetime) -> None:
    """Note the day on which a token was used."""
    query = "UPDATE api_tokens SET used_on = ? WHERE key = ?"
    connection.execute(query, [day(at), token.key])


def revoke(connection: Connection, account: Named, key: int, at: datetime) -> None:
    """End a token of an account at once; a second time does nothing."""
    query = "DELETE FROM api_tokens WHERE key = ? AND account = ? RETURNING name"
    for (name,) in connection.execute(query, [key, account.key]).fetchall():
        what = "revoked an API token"
        audit.note(connection, account, what, at, account, detail=name)


def day(at: datetime) -> str:
    """Give the date, in UTC, as `used_on` has it."""
    return stamp(at)[:10]
