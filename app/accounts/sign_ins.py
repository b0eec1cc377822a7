"""Sign-ins: who is here, by a random token in a cookie of which the hash is stored."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...experiments.store.connection import Connection
from . import audit
from .accounts import COLUMNS, Account, account_of
from .schema import stamp
from .tokens import new_token, token_hash

PASSWORD, PROXY = "password", "single sign-on"
LONGEST = timedelta(days=7)
IDLE = timedelta(hours=12)
FOR_A_CODE = timedelta(minutes=5)  # between password and code
SEEN_EVERY = timedelta(minutes=5)  # how often it is written down


@dataclass(frozen=True)
class SignIn:
    """A browser in which somebody signed in.

    Attributes
    ----------
    key
        Its number.
    account
        Who.
    means
        `PASSWORD` or `PROXY`.
    awaits_code
        Whether the password was right and the code is still asked for.
    made_at, seen_at, expires_at
        UTC.
    """

    key: int
    account: Account
    means: str
    awaits_code: bool
    made_at: str
    seen_at: str
    expires_at: str


_COLUMNS = (
    "s.key, s.means, s.awaits_code, s.made_at, s.seen_at, s.expires_at, " + COLUMNS
)


def begin(
    connection: Connection,
    account: Account,
    at: datetime,
    means: str = PASSWORD,
    awaits_code: bool = False,
) -> str:
    """Give the token of a new sign-in, for a cookie; what has expired is swept away."""
    token = new_token()
    connection.execute("DELETE FROM sign_ins WHERE expires_at <= ?", [stamp(at)])
    until = at + (FOR_A_CODE if awaits_code else LONGEST)
    connection.execute(
        "INSERT INTO sign_ins (token_hash, account, means, awaits_code, made_at, "
        "seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            token_hash(token),
            account.key,
            means,
            int(awaits_code),
            stamp(at),
            stamp(at),
            stamp(until),
        ],
    )
    if not awaits_code:
        _seen(connection, account, at)
        audit.note(connection, account, "signed in", at, account, detail=means)
    return token


def find(connection: Connection, token: str, at: datetime) -> SignIn | None:
    """Give the sign-in of a token; None if it is over, or the account is disabled."""
    query = (
        f"SELECT {_COLUMNS} FROM sign_ins s JOIN accounts a ON a.key = s.account "
        "WHERE s.token_hash = ? AND s.expires_at > ? AND s.seen_at > ? "
        "AND NOT a.is_disabled"
    )
    known = [token_hash(token), stamp(at), stamp(at - IDLE)]
    row = connection.execute(query, known).fetchone()
    return None if row is None else _sign_in(row)


def every(connection: Connection, account: Account, at: datetime) -> list[SignIn]:
    """List the sign-ins of an account that go on, the latest first."""
    query = (
        f"SELECT {_COLUMNS} FROM sign_ins s JOIN accounts a ON a.key = s.account "
        "WHERE a.key = ? AND s.expires_at > ? AND s.seen_at > ? AND NOT s.awaits_code "
        "ORDER BY s.seen_at DESC, s.key DESC"
    )
    known = [account.key, stamp(at), stamp(at - IDLE)]
    return [_sign_in(row) for row in connection.execute(query, known)]


def is_to_be_noted(sign_in: SignIn, at: datetime) -> bool:
    """Say whether it is time to write down that a sign-in is used."""
    return sign_in.seen_at <= stamp(at - SEEN_EVERY)


def seen(connection: Connection, sign_in: SignIn, at: datetime) -> None:
    """Write down that a sign-in is used: it goes on."""
    query = "UPDATE sign_ins SET seen_at = ? WHERE key = ?"
    connection.execute(query, [stamp(at), sign_in.key])
    _seen(connection, sign_in.account, at)


def _seen(connection: Connection, account: Account, at: datetime) -> None:
    query = "UPDATE accounts SET last_seen_at = ? WHERE key = ?"
    connection.execute(query, [stamp(at), account.key])


def end(connection: Connection, token: str) -> None:
    """End the sign-in of a token."""
    connection.execute("DELETE FROM sign_ins WHERE token_hash = ?", [token_hash(token)])


def end_all(
    connection: Connection, by: Account | None, account: Account, at: datetime
) -> None:
    """End all sign-ins of an account."""
    connection.execute("DELETE FROM sign_ins WHERE account = ?", [account.key])
    audit.note(connection, by, "signed out everywhere", at, account)


def form_token(token: str) -> str:
    """Give what the forms of a sign-in carry: no other site knows it.

    It follows from the token and does not lead to it.
    """
    return hmac.new(token.encode(), b"yoked form", hashlib.sha256).hexdigest()


def _sign_in(row: tuple) -> SignIn:
    key, means, awaits_code, made_at, seen_at, expires_at, *account = row
    who = account_of(tuple(account))
    return SignIn(key, who, means, bool(awaits_code), made_at, seen_at, expires_at)
