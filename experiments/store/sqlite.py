"""The trial log: sessions in SQLite, through sqlite-utils. Its tables: `schema.py`.

The file opens in Datasette, pandas and DB Browser without us. It is append-only: a
trigger refuses to change a trial, and only withdrawal deletes.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from .connection import Connection
from .file import open_to_read, require_filled, require_ours, switch_to_wal
from .local_disk import require_local_disk
from .noise import LoggedNoise, read_row
from .postgres import PostgresStore
from .sql_store import SqlStore
from .trial_log import Store, StoreError
from .upgrade import bring_up_to_date, is_behind
from .url import is_url


def open_store(
    path: str | Path,
    create: bool = True,
    to_read: bool = False,
    beside: Sequence[Migrations] = (),
) -> Store:
    """Open a trial log; make it if there is none.

    To write to an older file brings it up to date, after a copy of it as it was.

    Parameters
    ----------
    path
        The file, ':memory:', or the URL of a PostgreSQL database, which must be there.
    create
        Whether a missing file is made.
    to_read
        Whether nothing will be written: the log may then be on a network share.
    beside
        Migrations of tables of others in the same file, applied together with ours.

    Raises
    ------
    FileNotFoundError
        If there is no such file and it is not to be made.
    StoreError
        If the file is not ours, was written by a later version, or would be written on
        a network share.
    DatabaseFault
        If the PostgreSQL server cannot be reached.

    Examples
    --------
    >>> store = open_store(":memory:")
    >>> store.sessions()
    []
    >>> store.close()
    """
    if is_url(path):
        return PostgresStore(str(path), to_read, beside)
    if to_read:
        return SqliteStore(open_to_read(path), to_read=True)
    if str(path) != ":memory:":
        require_local_disk(path)
        if not create:
            require_filled(path)
    connection = sqlite3.connect(str(path), timeout=30, check_same_thread=False)
    try:
        if str(path) != ":memory:" and Path(path).stat().st_size:
            require_ours(connection, path)
        return SqliteStore(connection, beside=beside)
    except BaseException:
        connection.close()
        raise


class SqliteStore(SqlStore):
    """The trial log in one SQLite file; threads may share it."""

    has_one_writer = True

    def __init__(
        self,
        connection: sqlite3.Connection,
        to_read: bool = False,
        beside: Sequence[Migrations] = (),
    ) -> None:
        self._db = Database(connection)
        self._lock = threading.RLock()
        self._is_closed = False
        self._path = connection.execute("PRAGMA database_list").fetchone()[2]
        if to_read:
            return
        switch_to_wal(self._db)
        self._db.execute("PRAGMA synchronous = FULL")  # durable before acknowledged
        self._db.execute("PRAGMA secure_delete = ON")  # what is withdrawn is zeros then
        self._db.execute("PRAGMA foreign_keys = ON")
        if is_behind(self._db, beside):
            with self.transaction():
                bring_up_to_date(self._db, self._path, beside)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all that is written inside durable at its end, or none of it."""
        with self._lock:
            if self._db.conn.in_transaction:
                with self._within():
                    yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.commit()
            except BaseException:
                self._db.rollback()
                raise

    @contextlib.contextmanager
    def _within(self) -> Iterator[None]:
        """Undo what is written inside where it fails, within a transaction.

        One name for all: SQLite takes the innermost, and keeps the statement compiled.
        """
        connection = self._db.conn
        connection.execute("SAVEPOINT inner_one")
        try:
            yield
        except BaseException:
            if connection.in_transaction:  # some errors undo all of it
                connection.execute("ROLLBACK TO inner_one")
                connection.execute("RELEASE inner_one")
            raise
        connection.execute("RELEASE inner_one")

    @contextlib.contextmanager
    def _appending(self, n_trials: int) -> Iterator[Connection]:
        """Open the file to write so many trials, all of them or none.

        One is one statement, which undoes itself: within a transaction it needs no
        savepoint, and a participant's response is most often that.
        """
        with self._lock:  # or the transaction may be another thread's
            if n_trials == 1 and self._db.conn.in_transaction:
                yield self._db.conn
                return
            with self._writing() as connection:
                yield connection

    @contextlib.contextmanager
    def beside(self) -> Iterator[sqlite3.Connection]:
        """Open the file for tables of others; see `Store`."""
        with self._lock:
            yield self._db.conn

    def hold(self, what: str) -> None:
        """Do nothing: a transaction of SQLite has the whole file to itself."""

    def noise(self, sha256: str) -> LoggedNoise:
        """Give stored noise; it is read when it is needed, also after `close`.

        Raises
        ------
        LookupError
            If there is none of that SHA-256.
        """
        with self._lock:
            return LoggedNoise(sha256, self._read_noise)

    def _read_noise(self, sha256: str) -> tuple[str, str, bytes]:
        """Read through the open file, or through the closed one opened again."""
        with self._lock:
            if not self._is_closed:
                return read_row(self._db.conn, sha256)
        if not self._path:
            raise StoreError("stored noise must be read before its store is closed")
        with contextlib.closing(open_to_read(self._path)) as connection:
            return read_row(connection, sha256)

    def forget_journal(self) -> bool:
        """Empty the file's journal, in which deleted rows may still stand.

        Returns
        -------
        bool
            Whether it is empty: another process that reads keeps it for a while.
        """
        with self._lock:
            busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._is_closed = True
            self._db.close()
