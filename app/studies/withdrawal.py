"""Withdrawal: somebody's data are deleted for good, wherever this server has them.

A line in a file beside the database says which sessions are gone, so that a backup from
before, once it is brought back, forgets them again.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from ...experiments.clock import utc_now
from ...experiments.store.connection import Connection
from ...experiments.store.trial_log import Store
from ..keyfile import beside
from .answers import forget_answers
from .enrolments import WITHDRAWN, end, withdrawal_hash


def sessions_of_token(connection: Connection, token_hash: str) -> list[str]:
    """List the sessions that a link led to and that were not withdrawn."""
    query = (
        "SELECT p.session FROM participations p JOIN sessions s ON s.id = p.session "
        "WHERE p.token_hash = ? AND s.status <> 'withdrawn' ORDER BY p.sitting"
    )
    return [row[0] for row in connection.execute(query, [token_hash])]


def token_hash_of_code(connection: Connection, key: bytes, typed: str) -> str | None:
    """Give whose withdrawal code somebody typed; None if it is nobody's."""
    query = "SELECT token_hash FROM enrolments WHERE withdrawal_hash = ?"
    code = withdrawal_hash(key, typed)
    row = connection.execute(query, [code]).fetchone()
    return None if row is None else row[0]


def withdraw(
    store: Store,
    run: Callable[[Callable[[], None]], None],
    token_hash: str,
    db_path: str | Path,
) -> list[str]:
    """Delete all that somebody gave, for good; give the ids of their sessions.

    Parameters
    ----------
    store
        The trial log.
    run
        Runs a job in a transaction that is durable when it returns.
    token_hash
        Of their link.
    db_path
        The database, beside which the tombstones are.
    """
    with store.beside() as connection:
        sessions = sessions_of_token(connection, token_hash)
    add_tombstones(db_path, sessions)

    def forget() -> None:
        for session in sessions:
            store.withdraw(session)
        with store.beside() as connection:
            bury(connection, sessions)
            forget_answers(connection, sessions)
            end(connection, token_hash, WITHDRAWN)
            forget_who(connection, token_hash)

    run(forget)
    store.forget_journal()
    return sessions


def bury(connection: Connection, sessions: Iterable[str]) -> None:
    """Write down in the database itself that sessions are gone."""
    insert = "INSERT INTO tombstones VALUES (?, ?) ON CONFLICT DO NOTHING"
    connection.executemany(insert, [(session, utc_now()) for session in sessions])


def forget_who(connection: Connection, token_hash: str) -> None:
    """Delete a recruiter's name for somebody; that they were here stays, keyed."""
    connection.execute(
        "DELETE FROM external_ids WHERE enrolment IN "
        "(SELECT key FROM enrolments WHERE token_hash = ?)",
        [token_hash],
    )


def tombstones_path(db_path: str | Path) -> Path:
    """Give the place of a database's tombstones: beside it, so that it outlives it."""
    return beside(db_path, "withdrawn")


def add_tombstones(db_path: str | Path, sessions: Iterable[str]) -> None:
    """Add lines to the file of tombstones, durably, before anything is deleted.

    A line too many deletes what somebody wanted deleted; a line too few brings it back.
    """
    lines = "".join(f"{session}\n" for session in sessions)
    if not lines:
        return
    with tombstones_path(db_path).open("a", encoding="ascii") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def tombstones(db_path: str | Path) -> list[str]:
    """List the sessions that the file of tombstones names."""
    path = tombstones_path(db_path)
    if not path.is_file():
        return []
    return path.read_text(encoding="ascii").split()
