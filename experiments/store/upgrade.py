"""An older file is brought up to date: all of it, after a copy of it as it was.

Other tables in the file, of the application say, have migrations of their own, which
are applied together with those of the log, or none is.
"""

import contextlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from .schema import APPLICATION_ID, VERSION, migrations


def is_behind(db: Database, beside: Sequence[Migrations] = ()) -> bool:
    """Say whether a file lacks a migration: of the log, or of tables beside it."""
    return _version(db) < VERSION or any(each.pending(db) for each in beside)


def is_of_before(db: Database, beside: Sequence[Migrations] = ()) -> bool:
    """Say whether an earlier version has written what is now to be changed.

    Not where tables are new to the file, as when a log that models wrote is served for
    the first time: nothing that stands in it is touched.
    """
    has_others = any(each.applied(db) for each in beside)
    is_older_log = 0 < _version(db) < VERSION
    return is_older_log or (has_others and is_behind(db, beside))


def bring_up_to_date(db: Database, path: str, beside: Sequence[Migrations]) -> None:
    """Apply what a file lacks; an earlier version's file is copied first.

    Parameters
    ----------
    db
        The file, in a transaction that nobody else can write beside.
    path
        Where it is; empty for a database in memory.
    beside
        Migrations of other tables, in the order in which they are applied.

    Raises
    ------
    OSError, sqlite3.Error
        If the copy cannot be written; the file is then as it was.
    """
    if path and is_of_before(db, beside):
        copy = copy_as_it_is(Path(path))
        logging.getLogger(__name__).warning(
            "%s is brought up to date; as it was, it is %s beside it",
            Path(path).name,
            copy.name,
        )
    for each in (migrations, *beside):
        each.apply(db)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


def copy_as_it_is(path: Path) -> Path:
    """Copy what is committed in a file to a dated one beside it; give its path.

    The copy is one file, without a journal, and durable; its name is its last step.

    Raises
    ------
    OSError, sqlite3.Error
        If it cannot be written; then there is none.
    """
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")
    name = f"{path.stem}-before-{version('yoked')}-{at}{path.suffix}"
    part = path.with_name(f"{name}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(path, part)
        shutil.copymode(path, part)
        part.rename(path.with_name(name))
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        error.add_note(f"{path.name} is as it was: a copy must come before its upgrade")
        raise
    return path.with_name(name)


def _copy(path: Path, to: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(path, timeout=30)) as source,
        contextlib.closing(sqlite3.connect(to)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()
    with to.open("rb+") as file:
        os.fsync(file.fileno())


def _version(db: Database) -> int:
    return db.conn.execute("PRAGMA user_version").fetchone()[0]
