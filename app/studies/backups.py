"""Backups: a copy while the study runs, and bringing one back without the withdrawn."""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...experiments.store.file import open_to_read, require_filled, settle
from ...experiments.store.sqlite import open_store
from .answers import forget_answers
from .enrolments import WITHDRAWN, end
from .participations import token_hash_of
from .tables import migrations
from .withdrawal import add_tombstones, bury, forget_who, tombstones

_PAGES_A_STEP = 1024  # 4 MiB; between steps others write
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Restored:
    """What came back, and what was forgotten again.

    Attributes
    ----------
    n_sessions
        Sessions in the database now.
    forgotten
        Ids of those that were withdrawn after the backup was made.
    kept_as
        Where the database of before is now; None where there was none.
    """

    n_sessions: int
    forgotten: tuple[str, ...]
    kept_as: Path | None


def back_up(db_path: Path, to: Path, progress: Progress | None = None) -> None:
    """Copy a database, also while a server writes to it; whole, or not at all.

    The key beside it is not copied: it belongs where the backup is not.

    Parameters
    ----------
    db_path, to
        The database; the file that is made.
    progress
        Told how many pages of how many are copied.

    Raises
    ------
    FileExistsError
        If there is a file already.
    StoreError
        If it is no trial log of ours.
    """
    if to.exists():
        raise FileExistsError(f"a backup must be a new file, got {str(to)!r}")

    def told(_: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total - remaining, total)

    with _made(to) as part:
        source = open_to_read(db_path)
        with contextlib.closing(source), contextlib.closing(_open(part)) as copy:
            source.backup(copy, pages=_PAGES_A_STEP, progress=told)
            _require_sound(copy, part)
        settle(part)


def restore(backup: Path, db_path: Path, kept_as: Path) -> Restored:
    """Bring a backup back; who withdrew since it was made is forgotten again.

    Tombstones are those of the file beside the database, of the database that is
    replaced, and of the backup.

    Parameters
    ----------
    backup
        A copy that `back_up` made, or any whole copy of the file.
    db_path
        Where it goes.
    kept_as
        Where a database that is there now is moved to.

    Raises
    ------
    FileNotFoundError, StoreError
        If the backup is none.
    OSError
        If a server still has the database open.
    """
    require_filled(backup)
    gone = set(tombstones(db_path))
    if db_path.exists():
        _require_closed(db_path)
        gone |= _buried(db_path)
    with _made(db_path, may_replace=True) as part:
        source = open_to_read(backup)
        with contextlib.closing(source), contextlib.closing(_open(part)) as copy:
            source.backup(copy)
            _require_sound(copy, backup)
        n_sessions, forgotten = _without(part, gone)
        add_tombstones(db_path, sorted(gone - set(tombstones(db_path))))
        settle(part)
        moved = None
        if db_path.exists():
            settle(db_path)
            os.replace(db_path, kept_as)
            moved = kept_as
    return Restored(n_sessions, tuple(forgotten), moved)


def _without(path: Path, gone: set[str]) -> tuple[int, list[str]]:
    """Withdraw sessions from a database; give how many it has, and which were there."""
    store = open_store(path, beside=[migrations])
    try:
        rows = store.sessions()
        found = [r.id for r in rows if r.id in gone and r.status != "withdrawn"]
        with store.transaction(), store.beside() as connection:
            for session in found:
                store.withdraw(session)
                forget_answers(connection, [session])
                token_hash = token_hash_of(connection, session)
                if token_hash is not None:
                    end(connection, token_hash, WITHDRAWN)
                    forget_who(connection, token_hash)
            bury(connection, gone)
        store.forget_journal()
    finally:
        store.close()
    return len(rows), found


@contextlib.contextmanager
def _made(path: Path, may_replace: bool = False) -> Iterator[Path]:
    """Give a file beside `path` to write to, which takes its place at the end."""
    part = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        yield part
        if not may_replace and path.exists():
            raise FileExistsError(f"a backup must be a new file, got {str(path)!r}")
        os.replace(part, path)
    finally:
        for left in (part, Path(f"{part}-wal"), Path(f"{part}-shm")):
            left.unlink(missing_ok=True)


def _open(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))  # nobody else's to read
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _require_sound(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise OSError(f"the database must be sound, got {found} in {str(path)!r}")


def _require_closed(path: Path) -> None:
    """Refuse where another process has the database open."""
    connection = sqlite3.connect(path, timeout=1)
    try:
        with contextlib.closing(connection):
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.rollback()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        rule = "closed to be replaced: stop its server first"
        raise OSError(f"the database {str(path)!r} must be {rule}") from error


def _buried(path: Path) -> set[str]:
    """List the withdrawn sessions of a database that is about to be replaced."""
    with contextlib.closing(open_to_read(path)) as connection:
        query = "SELECT id FROM sessions WHERE status = 'withdrawn'"
        return {row[0] for row in connection.execute(query)}
