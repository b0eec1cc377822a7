"""The file of a trial log: its header, and how another program's file is refused."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlite_utils import Database

from .schema import APPLICATION_ID, VERSION
from .trial_columns import as_of_now
from .trial_log import StoreError


def require_ours(connection: sqlite3.Connection, path: str | Path) -> int:
    """Give the schema version of an open file that must be a trial log of ours.

    Raises
    ------
    StoreError
        If the file is not ours, or was written by a later version.
    """
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if "not a database" not in str(error):
            raise
        rule = "a trial log of Yoked, got a file that is no SQLite database"
        raise StoreError(f"{str(path)!r} must be {rule}") from error
    if application == 0 and _is_empty(connection):
        return 0  # another process is making it, or was killed while it did
    if application != APPLICATION_ID:
        rule = "a trial log of Yoked, got another program's SQLite database"
        raise StoreError(f"{str(path)!r} must be {rule}")
    if version > VERSION:
        rule = f"of schema version {VERSION} or older, got {version}"
        raise StoreError(f"{str(path)!r} must be {rule}; a newer Yoked wrote it")
    return version


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def switch_to_wal(db: Database) -> None:
    """Put a file into WAL mode, which SQLite does not wait for while others open it.

    Raises
    ------
    sqlite3.OperationalError
        If the file stays locked for ten seconds.
    """
    for attempt in range(200):
        try:
            db.enable_wal()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == 199:
                raise
            time.sleep(0.05)


def settle(path: str | Path) -> None:
    """Put the file of a closed log out of WAL mode: to be read, anywhere, as one file.

    Who writes to it next puts it back.
    """
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()


def require_filled(path: str | Path) -> None:
    """Raise FileNotFoundError or StoreError where there is no log to go on with."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"a database must exist, got {str(path)!r}")
    if path.is_file() and not path.stat().st_size:
        rule = "a trial log of Yoked, got an empty file"
        raise StoreError(f"{str(path)!r} must be {rule}")


def open_to_read(path: str | Path) -> sqlite3.Connection:
    """Open a trial log that is only read; its bytes stay as they are.

    SQLite may leave an empty journal (-wal) and its index (-shm) beside it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    StoreError
        If the file is not ours, was written by a later version, or has a journal in a
        folder that cannot be written.
    """
    path = Path(path)
    require_filled(path)
    connection = _connected(path)
    try:
        version = require_ours(connection, path)
        if version < 1:  # being made, or given up while it was
            rule = f"of schema version 1 to {VERSION}, got {version}"
            way = "a command that writes to it brings it up to date"
            raise StoreError(f"{str(path)!r} must be {rule}; {way}")
        if view := as_of_now(version):
            connection.execute(view)
    except BaseException:
        connection.close()
        raise
    return connection


def file_uri(place: str) -> str:
    """Give an absolute path, with slashes, as SQLite takes it: without a host.

    Examples
    --------
    >>> file_uri("/data/lab #1.db"), file_uri("C:/lab.db"), file_uri("//server/lab.db")
    ('file:///data/lab%20%231.db', 'file:///C:/lab.db', 'file:////server/lab.db')
    """
    rooted = place if place.startswith("/") else f"/{place}"
    return "file://" + quote(os.fsencode(rooted), safe="/:")


def _connected(path: Path) -> sqlite3.Connection:
    """Connect read-only, also where SQLite may not put its index beside the file."""
    uri = file_uri(path.resolve().as_posix())
    options: dict[str, Any] = {"timeout": 30, "check_same_thread": False}
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, **options)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        said = ("unable to open", "readonly")  # with a journal, and without one
        if not path.is_file() or not any(words in str(error) for words in said):
            raise
        journal = path.with_name(f"{path.name}-wal")
        if journal.exists() and journal.stat().st_size:
            rule = "in a folder that can be written while it has a journal"
            way = f"copy {path.name} together with {journal.name}"
            raise StoreError(f"{str(path)!r} must be {rule}; {way}") from error
        return sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True)
    except sqlite3.DatabaseError:  # `require_ours` says what it is instead
        return connection
    return connection
