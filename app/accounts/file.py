"""The accounts of a database: how they are read, and written in one transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from ...experiments.store.connection import Connection
from ...experiments.store.trial_log import Store
from ..database import open_database, reader_of
from ..keyfile import server_key

T = TypeVar("T")
REQUIRES_CODES = "requires_codes"
HELD = "accounts"  # while they are written


@runtime_checkable
class Write(Protocol):
    """Runs a job in one transaction, durable when it returns."""

    def __call__(self, job: Callable[[Connection], T], /) -> T:
        """Run it; what it raises undoes what it wrote."""
        ...


class Accounts:
    """The accounts of a database; threads may share it.

    Parameters
    ----------
    reader
        Of the database, whose tables are there.
    write
        Runs a job in a transaction of the database, in which nobody else writes
        accounts.
    key
        The server's.
    """

    def __init__(self, reader: Store, write: Write, key: Callable[[], bytes]) -> None:
        self._reader, self.write, self._key = reader, write, key

    @cached_property
    def key(self) -> bytes:
        """The server's key; its file is made when it is first needed."""
        return self._key()

    def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job that only reads."""
        with self._reader.beside() as connection:
            return job(connection)


@contextmanager
def opened_accounts(db_path: str | Path, create: bool = False) -> Iterator[Accounts]:
    """Open the accounts of a database for a command, also while a server runs.

    Parameters
    ----------
    db_path
        The trial log.
    create
        Whether a missing one is made.

    Raises
    ------
    FileNotFoundError, StoreError
        As `open_store`.
    """
    store = open_database(db_path, create=create)
    reader = reader_of(store, db_path)

    def write(job: Callable[[Connection], T]) -> T:
        with store.transaction(), store.beside() as connection:
            store.hold(HELD)
            return job(connection)

    try:
        yield Accounts(reader, write, lambda: server_key(db_path))
    finally:
        if reader is not store:
            reader.close()
        store.close()


def requires_codes(connection: Connection) -> bool:
    """Say whether everybody who signs in by password needs an authenticator app."""
    query = "SELECT value FROM account_settings WHERE name = ?"
    row = connection.execute(query, [REQUIRES_CODES]).fetchone()
    return row is not None and row[0] == "yes"


def set_requires_codes(connection: Connection, is_required: bool) -> None:
    """Ask for an authenticator app of everybody who signs in by password, or not."""
    row = [REQUIRES_CODES, "yes" if is_required else "no"]
    insert = "INSERT INTO account_settings VALUES (?, ?)"
    replace = "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    connection.execute(f"{insert} {replace}", row)
