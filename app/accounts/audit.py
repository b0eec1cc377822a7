"""Who did what, about which study or account, and when; rows are only ever added.

No password, token or code is in it, and nothing of a participant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from ...experiments.store.connection import Connection
from .schema import stamp

PAGE = 100  # rows


@runtime_checkable
class Named(Protocol):
    """An account, as far as this log is concerned."""

    @property
    def key(self) -> int:
        """Its key."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...


@dataclass(frozen=True)
class Entry:
    """A row of the log.

    Attributes
    ----------
    key
        Its number; later ones are larger.
    at
        UTC.
    by
        Name of the account that did it; None for a command on the server.
    what
        In the past tense, without an object.
    about
        Name of the account that it was done to.
    study
        Key of the study that it was done to.
    detail
        What else belongs to it.
    """

    key: int
    at: str
    by: str | None
    what: str
    about: str | None
    study: int | None
    detail: str | None


def note(
    connection: Connection,
    by: Named | None,
    what: str,
    at: datetime,
    about: Named | None = None,
    study: int | None = None,
    detail: str | None = None,
) -> None:
    """Add a row; in the transaction of what it tells of.

    Parameters
    ----------
    connection
        In a transaction.
    by
        Who did it; None for a command on the server.
    what, at, about, study, detail
        As in `Entry`.
    """
    whose = (None, None) if by is None else (by.key, by.name)
    whom = (None, None) if about is None else (about.key, about.name)
    connection.execute(
        "INSERT INTO audit (at, by_account, by_name, what, account, account_name, "
        "study, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [stamp(at), *whose, what, *whom, study, detail],
    )


def entries(
    connection: Connection, before: int | None = None, most: int = PAGE
) -> Iterator[Entry]:
    """Yield the rows, newest first.

    Parameters
    ----------
    connection
        Of the file.
    before
        Key of the oldest that is known already.
    most
        Of rows.
    """
    query = (
        "SELECT key, at, by_name, what, account_name, study, detail FROM audit "
        "WHERE key < ? ORDER BY key DESC LIMIT ?"
    )
    last = 2**63 - 1 if before is None else before
    for row in connection.execute(query, [last, most]):
        yield Entry(*row)
