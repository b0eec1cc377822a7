"""Accounts: who there is, how one begins, and with which password."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...experiments.store.connection import Connection
from . import audit
from .schema import stamp
from .tokens import new_token, token_hash

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
LINK_HOURS = 24


@dataclass(frozen=True)
class Account:
    """A researcher.

    Attributes
    ----------
    key
        Never given twice.
    name
        As it is signed in with; capitals make no difference.
    is_administrator
        Who may do everything, in every study.
    is_disabled
        Who may not sign in, and whose tokens are refused.
    has_password
        False until the one-time link was used.
    has_authenticator
        Whether a sign-in asks for a code as well.
    made_at, last_seen_at
        UTC; None if never.
    """

    key: int
    name: str
    is_administrator: bool
    is_disabled: bool
    has_password: bool
    has_authenticator: bool
    made_at: str
    last_seen_at: str | None


COLUMNS = (
    "a.key, a.name, a.is_administrator, a.is_disabled, a.password IS NOT NULL, "
    "a.authenticator IS NOT NULL, a.made_at, a.last_seen_at"
)


def account_of(row: tuple) -> Account:
    """Give the account of a row of `COLUMNS`."""
    key, name, is_administrator, is_disabled, has_password, has_app, *times = row
    return Account(
        key,
        name,
        bool(is_administrator),
        bool(is_disabled),
        bool(has_password),
        bool(has_app),
        *times,
    )


def require_name(name: str) -> None:
    """Raise ValueError if an account could not be called so.

    Examples
    --------
    >>> require_name("jane.doe@psych.example")
    >>> require_name("Jane Doe")
    Traceback (most recent call last):
    ValueError: the name of an account must be letters a to z, digits and . _ @ + -, \
100 at most and no sign first, got 'Jane Doe'
    """
    if not _NAME.fullmatch(name):
        rule = "letters a to z, digits and . _ @ + -, 100 at most and no sign first"
        raise ValueError(f"the name of an account must be {rule}, got {name!r}")


def create(
    connection: Connection,
    by: Account | None,
    name: str,
    at: datetime,
    is_administrator: bool = False,
    how: str | None = None,
) -> Account:
    """Make an account without a password: a one-time link lets somebody set one.

    Parameters
    ----------
    connection
        In a transaction.
    by
        Who makes it; None for a command on the server.
    name
        Of the account.
    at
        When.
    is_administrator
        Whether they may do everything.
    how
        For the audit log.

    Raises
    ------
    ValueError
        If the name is not one, or there is such an account.
    """
    require_name(name)
    if find(connection, name) is not None:
        raise ValueError(f"the name of an account must be new, got {name!r} again")
    connection.execute(
        "INSERT INTO accounts (name, is_administrator, made_at) VALUES (?, ?, ?)",
        [name, int(is_administrator), stamp(at)],
    )
    made = named(connection, name)
    detail = "administrator" if is_administrator else None
    audit.note(connection, by, "made an account", at, made, detail=how or detail)
    return made


def find(connection: Connection, name: str) -> Account | None:
    """Give the account of a name; None if there is none."""
    query = f"SELECT {COLUMNS} FROM accounts a WHERE a.name = ?"
    row = connection.execute(query, [name]).fetchone()
    return None if row is None else account_of(row)


def named(connection: Connection, name: str) -> Account:
    """Give the account of a name; LookupError if there is none."""
    found = find(connection, name)
    if found is None:
        raise LookupError(f"no account named {name!r}")
    return found


def at_key(connection: Connection, key: int) -> Account | None:
    """Give the account of a key; None if there is none."""
    query = f"SELECT {COLUMNS} FROM accounts a WHERE a.key = ?"
    row = connection.execute(query, [key]).fetchone()
    return None if row is None else account_of(row)


def every(connection: Connection) -> list[Account]:
    """List the accounts by name."""
    query = f"SELECT {COLUMNS} FROM accounts a ORDER BY a.name"
    return [account_of(row) for row in connection.execute(query)]


def remove(
    connection: Connection, by: Account | None, account: Account, at: datetime
) -> None:
    """Delete an account with all that is its own; the audit log keeps its name."""
    audit.note(connection, by, "removed an account", at, account)
    connection.execute("DELETE FROM accounts WHERE key = ?", [account.key])


def set_administrator(
    connection: Connection,
    by: Account | None,
    account: Account,
    is_administrator: bool,
    at: datetime,
) -> None:
    """Let an account do everything, or no longer.

    Raises
    ------
    ValueError
        If no administrator would be left.
    """
    if not is_administrator:
        _require_another(connection, account)
    what = "made an administrator" if is_administrator else "made no administrator"
    _set(connection, account, "is_administrator", is_administrator)
    audit.note(connection, by, what, at, account)


def set_disabled(
    connection: Connection,
    by: Account | None,
    account: Account,
    is_disabled: bool,
    at: datetime,
) -> None:
    """Shut an account out, at once and with its links and sign-ins; or let it in again.

    Raises
    ------
    ValueError
        If no administrator would be left.
    """
    if is_disabled:
        _require_another(connection, account)
        for table in ("sign_ins", "account_links"):
            connection.execute(f"DELETE FROM {table} WHERE account = ?", [account.key])
    _set(connection, account, "is_disabled", is_disabled)
    what = "disabled an account" if is_disabled else "enabled an account"
    audit.note(connection, by, what, at, account)


def _require_another(connection: Connection, account: Account) -> None:
    query = "SELECT count(*) FROM accounts WHERE is_administrator AND NOT is_disabled"
    query += " AND key <> ?"
    (n_others,) = connection.execute(query, [account.key]).fetchone()
    if account.is_administrator and not account.is_disabled and not n_others:
        rule = "left; make somebody else one first"
        raise ValueError(f"an administrator who may sign in must be {rule}")


def _set(connection: Connection, account: Account, column: str, value: bool) -> None:
    query = f"UPDATE accounts SET {column} = ? WHERE key = ?"
    connection.execute(query, [int(value), account.key])


def credentials(connection: Connection, name: str) -> tuple[Account | None, str | None]:
    """Give the account of a name and the hash of its password; None where none is.

    `passwords.fits` takes as long for a name that is nobody's. It is no part of this,
    which is done while others wait.
    """
    account = find(connection, name)
    return account, password_hash(connection, account)


def password_hash(connection: Connection, account: Account | None) -> str | None:
    """Give the stored hash of an account's password; None if there is none."""
    if account is None:
        return None
    query = "SELECT password FROM accounts WHERE key = ?"
    row = connection.execute(query, [account.key]).fetchone()
    return None if row is None else row[0]


def store_hash(connection: Connection, account: Account, hashed: str) -> None:
    """Keep a hash of the same password, made with today's parameters."""
    query = "UPDATE accounts SET password = ? WHERE key = ?"
    connection.execute(query, [hashed, account.key])


def set_password(
    connection: Connection,
    by: Account | None,
    account: Account,
    hashed: str,
    at: datetime,
    but: int | None = None,
) -> None:
    """Set a password by its hash; all sign-ins of the account end.

    Parameters
    ----------
    connection
        In a transaction.
    by, at
        For the audit log.
    account
        Whose.
    hashed
        By `passwords.hashed`, made before the transaction.
    but
        Key of a sign-in that goes on: the one by which it was changed.
    """
    store_hash(connection, account, hashed)
    query = "DELETE FROM sign_ins WHERE account = ? AND key IS NOT ?"
    connection.execute(query, [account.key, but])
    connection.execute("DELETE FROM account_links WHERE account = ?", [account.key])
    audit.note(connection, by, "set a password", at, account)


def new_link(
    connection: Connection,
    by: Account | None,
    account: Account,
    at: datetime,
    hours: float = LINK_HOURS,
) -> str:
    """Give the token of a one-time link with which a password is set.

    Earlier ones of the account end; its password, if it has one, stays until then.
    """
    token = new_token()
    connection.execute("DELETE FROM account_links WHERE account = ?", [account.key])
    connection.execute(
        "INSERT INTO account_links VALUES (?, ?, ?, ?)",
        [token_hash(token), account.key, stamp(at), stamp(at + timedelta(hours=hours))],
    )
    audit.note(connection, by, "made a one-time link", at, account)
    return token


def reset(
    connection: Connection,
    by: Account | None,
    account: Account,
    at: datetime,
    hours: float = LINK_HOURS,
) -> str:
    """Give the token of a one-time link; password and sign-ins of before end."""
    connection.execute(
        "UPDATE accounts SET password = NULL WHERE key = ?", [account.key]
    )
    connection.execute("DELETE FROM sign_ins WHERE account = ?", [account.key])
    audit.note(connection, by, "reset an account", at, account)
    return new_link(connection, by, account, at, hours)


def linked(connection: Connection, token: str, at: datetime) -> Account | None:
    """Give the account of a one-time link; None if it was used, or is none."""
    query = (
        f"SELECT {COLUMNS} FROM account_links l JOIN accounts a ON a.key = l.account "
        "WHERE l.token_hash = ? AND l.expires_at > ? AND NOT a.is_disabled"
    )
    row = connection.execute(query, [token_hash(token), stamp(at)]).fetchone()
    return None if row is None else account_of(row)


def use_link(
    connection: Connection, token: str, hashed: str, at: datetime
) -> Account | None:
    """Set the password of a one-time link's account; None if the link is no more."""
    account = linked(connection, token, at)
    if account is not None:
        set_password(connection, account, account, hashed, at)
    return account
