"""Trial logs of several machines into one: safe to repeat, whole or not at all.

A source is opened read-only and its rows are carried over one by one: SQLite attaches
few files, and none inside a transaction, while a merge is one transaction whatever the
number of its sources. The tables are those of `schema.py`.
"""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from .contents import missing_contents
from .file import open_to_read
from .merge_part import Part
from .merge_sessions import MergeConflict, MergedSource, merge_sessions
from .noise import drop_withdrawn_noise
from .sqlite import open_store
from .trial_log import StoreError

_OUR_TABLES = (
    "protocols", "observers", "sessions", "trials", "exclusions", "events", "noise",
)  # fmt: skip


def merge(
    target: str | Path,
    sources: Sequence[str | Path],
    sessions: Collection[str] | None = None,
) -> tuple[MergedSource, ...]:
    """Bring trial logs together in one.

    New sessions are copied; a session that went on since is brought up to date; one
    that was withdrawn anywhere is withdrawn, and its trials are deleted. What is there
    already is left as it is, so that a second run changes nothing. A session whose id
    is another one's in the target is given its own (`MergedSource.renamed`).

    Parameters
    ----------
    target
        Where everything will be; made if it does not exist.
    sources
        Trial logs to read, in this order. They stay as they are.
    sessions
        Ids of those that are wanted; what they are yoked to and what they need comes
        along. All unless told otherwise.

    Returns
    -------
    tuple
        What each source brought.

    Raises
    ------
    MergeConflict
        If rows contradict each other. Nothing is merged then.
    FileNotFoundError
        If a source does not exist.
    StoreError
        If a file is not ours, is of another version, is the target itself; or if the
        target is on a network share.
    """
    target = Path(target)
    with ExitStack() as stack:
        opened = []
        for source in map(Path, sources):
            if target.exists() and source.exists() and source.samefile(target):
                rule = "another file than the target"
                raise StoreError(f"a source must be {rule}, got {str(source)!r}")
            opened.append((source, stack.enter_context(closing(open_to_read(source)))))
        is_new = not target.exists()
        try:
            open_store(target).close()  # makes it, checks it, brings it up to date
            return _merge_all(target, opened, sessions)
        except BaseException:
            if is_new:
                for end in ("", "-wal", "-shm"):
                    target.with_name(target.name + end).unlink(missing_ok=True)
            raise


def _merge_all(
    path: Path,
    sources: Sequence[tuple[Path, sqlite3.Connection]],
    wanted: Collection[str] | None,
) -> tuple[MergedSource, ...]:
    """Merge in one transaction, which a conflict undoes."""
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as target:
        target.execute("PRAGMA synchronous = FULL")
        target.execute("PRAGMA foreign_keys = ON")
        target.execute("BEGIN IMMEDIATE")
        try:
            # A yoked session may come before the one that it is yoked to.
            target.execute("PRAGMA defer_foreign_keys = ON")
            conflicts: list[str] = []
            held_by: dict[str, str] = {}
            merged = []
            for name, source in sources:
                source.execute("BEGIN")  # one moment of it, though it is written
                part = Part.of(source, wanted)
                conflicts += _merge_protocols(target, source, name, part)
                conflicts += _merge_noise(target, source, name, part)
                brought, wrong = merge_sessions(
                    target, source, name, path, held_by, part.sessions
                )
                conflicts += wrong
                merged.append((brought, _others(source)))
            conflicts += _dangling(target) + _without_noise(target)
            conflicts += _without_contents(target)
            drop_withdrawn_noise(target)
            if conflicts:
                raise MergeConflict(conflicts)
            target.execute("COMMIT")
        except BaseException:
            if target.in_transaction:
                target.execute("ROLLBACK")
            raise
    return tuple(brought.staying(others) for brought, others in merged)


def _merge_protocols(
    target: sqlite3.Connection, source: sqlite3.Connection, name: Path, part: Part
) -> list[str]:
    """Copy the protocols that are new; give a sentence for each that differs."""
    columns = ("hash", "stimulus_hash", "name", "json")
    return [
        f"{name}: protocol {row[0][:12]} ({row[2]}) has the hash of another one"
        for row in _new_or_other(target, source, "protocols", columns, part.protocols)
    ]


def _merge_noise(
    target: sqlite3.Connection, source: sqlite3.Connection, name: Path, part: Part
) -> list[str]:
    """Copy the stored noise that is new; give a sentence for each that differs."""
    columns = ("sha256", "shape", "dtype", "blob")
    return [
        f"{name}: stored noise {row[0][:12]} has the hash of another one"
        for row in _new_or_other(target, source, "noise", columns, part.noise)
    ]


def _new_or_other(
    target: sqlite3.Connection,
    source: sqlite3.Connection,
    table: str,
    columns: Sequence[str],
    wanted: Collection[str] | None,
) -> list[tuple]:
    """Copy rows whose first column is new; give those that are there otherwise."""
    others = []
    select = f"SELECT {', '.join(columns)} FROM {table}"
    of_key = f"{select} WHERE {columns[0]} = ?"
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES (?, ?, ?, ?)"
    rows: Iterable[tuple] = source.execute(select)
    if wanted is not None:
        rows = (row for key in sorted(wanted) for row in source.execute(of_key, [key]))
    for row in rows:
        known = target.execute(of_key, row[:1]).fetchone()
        if known is None:
            target.execute(insert, row)
        elif known != row:
            others.append(row)
    return others


def _dangling(target: sqlite3.Connection) -> list[str]:
    """Give a sentence for each session whose source is in no file."""
    query = (
        "SELECT id, yoked_to FROM sessions "
        "WHERE yoked_to NOT IN (SELECT id FROM sessions) ORDER BY key"
    )
    return [
        f"session {session} is yoked to {source}, which is in none of the files"
        for session, source in target.execute(query)
    ]


def _without_noise(target: sqlite3.Connection) -> list[str]:
    """Give a sentence for each session whose stored noise is in no file."""
    query = (
        "SELECT id, substr(noise_source, 8) AS sha256 FROM sessions "
        "WHERE noise_source LIKE 'stored:%' AND status <> 'withdrawn' "
        "AND sha256 NOT IN (SELECT sha256 FROM noise) ORDER BY key"
    )
    return [
        f"session {session} needs the stored noise {sha256[:12]}, which is in none of "
        "the files"
        for session, sha256 in target.execute(query)
    ]


def _without_contents(target: sqlite3.Connection) -> list[str]:
    """Give a sentence for each protocol whose images or picture are in no file."""
    return [
        f"protocol {name} needs {what} ({sha256[:12]}), which is in none of the files"
        for name, what, sha256 in missing_contents(target)
    ]


def _others(source: sqlite3.Connection) -> tuple[str, ...]:
    """Name the tables with rows that are not the trial log's: they are not copied."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    names = [name for (name,) in source.execute(query)]
    return tuple(
        name
        for name in names
        if name not in _OUR_TABLES
        and not name.startswith(("sqlite_", "_"))
        and source.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
    )
