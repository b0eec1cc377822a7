"""Which id a session has in the log that it is merged into.

Ids are made on machines that know nothing of each other: two sessions may have one.
The one that comes in then gets another, which depends on the session alone. So it is
found again whenever its file is merged, in whatever order, and is never there twice.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from .ids import other_id
from .trial_columns import SELECT_TRIALS


def ids_there(
    target: sqlite3.Connection,
    source: sqlite3.Connection,
    rows: Sequence[Mapping[str, Any]],
) -> dict[str, str]:
    """Give the id that each session of a source has, or will have, in the target."""
    return {row["id"]: _id_there(target, source, row) for row in rows}


def _id_there(
    target: sqlite3.Connection, source: sqlite3.Connection, row: Mapping[str, Any]
) -> str:
    session_id, started_at = row["id"], row["started_at"]
    same_start = "SELECT id FROM sessions WHERE started_at = ?"
    for (known,) in target.execute(same_start, [started_at]).fetchall():
        if known == session_id or other_id(known, started_at) == session_id:
            return known  # that file had given it another id, and this one has not
    while _is_taken(target, source, row, session_id):
        session_id = other_id(session_id, started_at)
    return session_id


def _is_taken(
    target: sqlite3.Connection,
    source: sqlite3.Connection,
    row: Mapping[str, Any],
    session_id: str,
) -> bool:
    """Whether another session has the id.

    Two sessions are two if they began at different times and do not have their first
    trial in common: of one that was only changed, the change is a contradiction.
    """
    query = "SELECT key, started_at FROM sessions WHERE id = ?"
    found = target.execute(query, [session_id]).fetchone()
    if found is None or found[1] == row["started_at"]:
        return False
    firsts = [
        connection.execute(f"{SELECT_TRIALS} ORDER BY trial LIMIT 1", [key]).fetchone()
        for connection, key in ((source, row["key"]), (target, found[0]))
    ]
    return None in firsts or firsts[0] != firsts[1]
