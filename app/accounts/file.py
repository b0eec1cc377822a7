"""The tables of accounts in a file: read by one connection, written by another."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from sqlite_utils import Database

from ...experiments.store.sqlite import open_store
from ..keyfile import server_key
from .schema import migrations

T = TypeVar("T")
REQUIRES_CODES = "requires_codes"


@runtime_checkable
class Write(Protocol):
    """Runs a job in one transaction, durable when it returns."""

    def __call__(self, job: Callable[[sqlite3.Connection], T], /) -> T:
        """Run it; what it raises undoes what it wrote."""
        ...


class Accounts:
    """The accounts of a database; threads may share it.

    Parameters
    ----------
    db_path
        The trial log, which is there.
    write
        Runs a job in a transaction of the trial log's own connection: SQLite has one
        writer.
    """

    def __init__(self, db_path: str | Path, write: Write) -> None:
        self._db_path = db_path
        self.write = write
        self._lock = threading.Lock()
        connection = sqlite3.connect(str(db_path), timeout=30, check_same_thread=False)
        self._db = Database(connection)
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        with connection:
            migrations.apply(self._db)

    @cached_property
    def key(self) -> bytes:
        """The server's key; its file is made when it is first needed."""
        return server_key(self._db_path)

    def read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job that only reads."""
        with self._lock:
            return job(self._db.conn)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


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
    store = open_store(db_path, create=create)

    def write(job: Callable[[sqlite3.Connection], T]) -> T:
        with store.transaction(), store.beside() as connection:
            return job(connection)

    try:
        accounts = Accounts(db_path, write)
        try:
            yield accounts
        finally:
            accounts.close()
    finally:
        store.close()


def requires_codes(connection: sqlite3.Connection) -> bool:
    """Say whether everybody who signs in by password needs an authenticator app."""
    query = "SELECT value FROM account_settings WHERE name = ?"
    row = connection.execute(query, [REQUIRES_CODES]).fetchone()
    return row is not None and row[0] == "yes"


def set_requires_codes(connection: sqlite3.Connection, is_required: bool) -> None:
    """Ask for an authenticator app of everybody who signs in by password, or not."""
    row = [REQUIRES_CODES, "yes" if is_required else "no"]
    connection.execute("INSERT OR REPLACE INTO account_settings VALUES (?, ?)", row)
