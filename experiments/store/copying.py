"""Sessions of any database into a trial log in a file of its own, row by row."""

import json
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ..protocols.contents import contents_of
from .connection import Connection
from .noise import rows_of
from .sqlite import open_store

_STORED = "stored:"  # a noise source, before its SHA-256
_OF_A_SESSION = ("trials", "exclusions", "events")


def copy_sessions(source: Connection, sessions: Collection[str], to: Path) -> None:
    """Copy sessions, what they are yoked to and what they need into a new file.

    Parameters
    ----------
    source
        Of the database, of any kind, within a transaction or not.
    sessions
        Ids; one that is not there is left out.
    to
        The file, which is made whole or not at all.
    """
    try:
        with (
            closing(open_store(to)) as store,
            store.transaction(),
            store.beside() as target,
        ):
            target.execute("PRAGMA defer_foreign_keys = ON")
            _copy_all(source, target, sessions)
    except BaseException:
        for end in ("", "-wal", "-shm"):
            to.with_name(to.name + end).unlink(missing_ok=True)
        raise


def _copy_all(source: Connection, target: Connection, ids: Collection[str]) -> None:
    found: dict[int, tuple[str, int, str]] = {}
    left = list(ids)
    query = "SELECT key, protocol, observer, noise_source, yoked_to FROM sessions"
    while left:
        row = source.execute(f"{query} WHERE id = ?", [left.pop()]).fetchone()
        if row is not None and row[0] not in found:
            found[row[0]] = row[1:4]
            left += [row[4]] if row[4] else []
    protocols = sorted({of[0] for of in found.values()})
    _copy(source, target, "protocols", "hash", protocols)
    _copy(source, target, "observers", "id", sorted({of[1] for of in found.values()}))
    _copy(source, target, "sessions", "key", sorted(found))
    for table in _OF_A_SESSION:
        _copy(source, target, table, "session", sorted(found))
    noise = [of[2].removeprefix(_STORED) for of in found.values() if _STORED in of[2]]
    needed = {row for sha256 in noise for row in rows_of(source, sha256)}
    for (plain,) in target.execute("SELECT json FROM protocols").fetchall():
        needed.update(contents_of(json.loads(plain)))
    _copy(source, target, "noise", "sha256", sorted(needed))


def _copy(
    source: Connection,
    target: Connection,
    table: str,
    by: str,
    values: Iterable[Any],
) -> None:
    """Copy the rows of a table that have one of some values in a column."""
    columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join("?" * len(columns))
    query = f"SELECT {names} FROM {table} WHERE {by} = ?"
    if table == "events":
        query += " ORDER BY rowid"
    insert = f"INSERT INTO {table} ({names}) VALUES ({places})"
    for value in values:
        rows: Sequence[Any] = source.execute(query, [value]).fetchall()
        target.executemany(insert, rows)
