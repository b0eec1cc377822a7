"""The trial log: sessions in SQLite, through sqlite-utils. Its tables: `schema.py`.

The file opens in Datasette, pandas and DB Browser without us. It is append-only: a
trigger refuses to change a trial, and only withdrawal deletes.
"""

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from ..clock import utc_now
from ..protocols.protocol import Protocol
from .contents import add_contents, read_contents
from .file import open_to_read, require_filled, require_ours, switch_to_wal
from .local_disk import require_local_disk
from .noise import LoggedNoise, add_noise, drop_withdrawn_noise, read_row
from .rows import (
    ObserverInfo,
    SessionRow,
    as_json,
    json_or_none,
    observer_key,
    session_row,
)
from .trial import TrialRecord
from .trial_batch import TrialColumns
from .trial_cells import insert, read_cells, read_rows, without_known
from .trial_log import Store, StoreError
from .upgrade import bring_up_to_date, is_behind

_SESSIONS = """
SELECT s.key, s.id, s.protocol AS protocol_hash, p.name AS protocol_name,
    p.stimulus_hash, o.kind AS observer_kind, o.name AS observer_name,
    o.parameters AS observer_parameters, o.weights_hash, s.presenter, s.seed,
    s.observer_seed, s.noise_source, s.yoked_to, s.status, s.software, s.display,
    s.device, s.started_at, s.ended_at,
    (SELECT count(*) FROM trials t WHERE t.session = s.key) AS n_trials,
    (SELECT count(response) FROM trials t WHERE t.session = s.key) AS n_responses
FROM sessions s JOIN protocols p ON p.hash = s.protocol
JOIN observers o ON o.id = s.observer
"""


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
        The file, or ':memory:'.
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

    Examples
    --------
    >>> store = open_store(":memory:")
    >>> store.sessions()
    []
    >>> store.close()
    """
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


class SqliteStore:
    """The trial log in one SQLite file; threads may share it."""

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
                with self._db.atomic():
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
    def beside(self) -> Iterator[sqlite3.Connection]:
        """Open the file for tables of others; see `Store`."""
        with self._lock:
            yield self._db.conn

    def add_session(self, protocol: Protocol, row: SessionRow) -> None:
        """Write a session with its protocol and observer."""
        with self.transaction():
            self.add_protocol(protocol)
            self._db.table("sessions").insert(
                {
                    "id": row.id,
                    "protocol": protocol.hash,
                    "observer": self._observer_key(row.observer),
                    "presenter": row.presenter,
                    "seed": row.seed,
                    "observer_seed": row.observer_seed,
                    "noise_source": row.noise_source,
                    "yoked_to": row.yoked_to,
                    "status": row.status,
                    "software": row.software,
                    "display": json_or_none(row.display),
                    "device": json_or_none(row.device),
                    "started_at": row.started_at,
                    "ended_at": row.ended_at,
                }
            )

    def add_protocol(self, protocol: Protocol) -> None:
        """Write a protocol, where it is not there yet; part of a transaction."""
        row = {
            "hash": protocol.hash,
            "stimulus_hash": protocol.stimulus_hash,
            "name": protocol.name,
            "json": json.dumps(protocol.to_dict(), ensure_ascii=False),
        }
        self._db.table("protocols").insert(row, pk="hash", ignore=True)
        add_contents(self._db.conn, protocol.to_dict())

    def _observer_key(self, observer: ObserverInfo) -> int:
        parameters, weights_hash = as_json(observer.parameters), observer.weights_hash
        cells = (observer.kind, observer.name, parameters, weights_hash or "")
        return observer_key(self._db.conn, cells)

    def append_trials(
        self, session_id: str, trials: Sequence[TrialRecord] | TrialColumns
    ) -> None:
        """Write trials; the same again is a no-op, a different one is refused.

        Raises
        ------
        TrialConflict
            If another trial is stored, or sent twice, under one of the numbers.
        StoreError
            If the session is over and a trial is new. Nothing is written then.
        """
        if not isinstance(trials, TrialColumns):
            trials = TrialColumns.of(trials)
        key = self._key(session_id)
        with self.transaction():
            new = without_known(self._db.conn, session_id, key, trials)
            status = self._status(key)
            if new.n and status != "unfinished":
                rule = "unfinished to take more trials"
                raise StoreError(f"session {session_id} must be {rule}, got {status}")
            insert(self._db.conn, key, new)

    def _status(self, key: int) -> str:
        query = "SELECT status FROM sessions WHERE key = ?"
        return self._db.execute(query, [key]).fetchone()[0]

    def _key(self, session_id: str) -> int:
        with self._lock:
            found = self._db.execute(
                "SELECT key FROM sessions WHERE id = ?", [session_id]
            )
            row = found.fetchone()
        if row is None:
            raise LookupError(f"a session must be in the database, got {session_id!r}")
        return row[0]

    def session(self, session_id: str) -> SessionRow:
        """Give one session.

        Raises
        ------
        LookupError
            If there is none of that id.
        """
        key = self._key(session_id)
        with self._lock:
            return session_row(
                next(iter(self._db.query(f"{_SESSIONS} WHERE s.key = ?", [key])))
            )

    def sessions(self) -> list[SessionRow]:
        """List the sessions in the order of their start."""
        with self._lock:
            return [
                session_row(row)
                for row in self._db.query(f"{_SESSIONS} ORDER BY s.key")
            ]

    def protocol(self, protocol_hash: str) -> Protocol:
        """Give the protocol that a session is pinned to."""
        query = "SELECT json FROM protocols WHERE hash = ?"
        with self._lock:
            row = self._db.execute(query, [protocol_hash]).fetchone()
            if row is None:
                raise LookupError(
                    f"a protocol must be in the database, got {protocol_hash!r}"
                )
            plain = json.loads(row[0])
            read_contents(self._db.conn, plain)
        return Protocol.from_dict(plain)

    def trials(self, session_id: str) -> list[TrialRecord]:
        """Give the trials of a session in order."""
        return self.trial_columns(session_id).records()

    def trial_columns(self, session_id: str) -> TrialColumns:
        """Give the trials of a session in order, as columns."""
        cells = self.trial_cells(session_id)
        return TrialColumns.of_cells(len(cells["trial"]), cells)

    def trial_cells(self, session_id: str) -> dict[str, Sequence[Any]]:
        """Give the trials of a session in order, every column as the log keeps it."""
        key = self._key(session_id)
        with self._lock:
            return read_cells(self._db.conn, key)

    def trial_rows(self, session_id: str) -> Iterator[dict[str, Any]]:
        """Stream the trials of a session as plain rows, read some at a time."""
        yield from read_rows(self._db.conn, self._key(session_id), self._lock)

    def excluded(self, session_id: str) -> set[int]:
        """Give the numbers of the trials that somebody excluded."""
        key = self._key(session_id)
        with self._lock:
            rows = self._db.execute(
                "SELECT trial FROM exclusions WHERE session = ?", [key]
            )
            return {row[0] for row in rows}

    def exclude(
        self, session_id: str, trials: Iterable[int], by: str, reason: str
    ) -> None:
        """Exclude trials from every statistic; they stay in the log."""
        key, at = self._key(session_id), utc_now()
        rows = [(key, trial, by, reason, at) for trial in trials]
        with self.transaction():
            self._db.conn.executemany(
                "INSERT INTO exclusions VALUES (?, ?, ?, ?, ?)", rows
            )

    def set_display(self, session_id: str, display: dict, device: dict | None) -> None:
        """Store what the stimulus is shown on."""
        values = [json_or_none(display), json_or_none(device), self._key(session_id)]
        with self.transaction():
            self._db.execute(
                "UPDATE sessions SET display = ?, device = ? WHERE key = ?", values
            )

    def finish(self, session_id: str, ended_at: str | None = None) -> None:
        """Mark a session finished, now or when a recording says that it ended."""
        update = (
            "UPDATE sessions SET status = 'finished', ended_at = ? "
            "WHERE key = ? AND status = 'unfinished'"
        )
        with self.transaction():
            self._db.execute(update, [ended_at or utc_now(), self._key(session_id)])

    def add_event(self, session_id: str, kind: str, detail: dict[str, Any]) -> None:
        """Write down something that happened besides a trial."""
        row = (self._key(session_id), utc_now(), kind, as_json(detail))
        with self.transaction():
            self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?)", row)

    def events(self, session_id: str) -> list[dict[str, Any]]:
        """Give the events of a session in order."""
        query = "SELECT at, kind, detail FROM events WHERE session = ? ORDER BY rowid"
        key = self._key(session_id)
        with self._lock:
            rows = list(self._db.query(query, [key]))
        return [{**row, "detail": json.loads(row["detail"])} for row in rows]

    def observer_seeds(self) -> set[int]:
        """Give every observer seed in use."""
        query = "SELECT observer_seed FROM sessions WHERE observer_seed IS NOT NULL"
        with self._lock:
            return {row[0] for row in self._db.execute(query)}

    def add_noise(self, noise: np.ndarray) -> str:
        """Write noise that came without seeds; give its SHA-256.

        Arguments and errors are those of `noise.add_noise`.
        """
        with self.transaction():
            return add_noise(self._db.conn, noise)

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

    def withdraw(self, session_id: str) -> None:
        """Delete the trials, events and exclusions of a session for good.

        What was known of its screen and device goes with them. Stored noise is deleted
        with the last session that it belongs to.
        """
        key = self._key(session_id)
        update = (
            "UPDATE sessions SET status = 'withdrawn', ended_at = ?, display = NULL, "
            "device = NULL WHERE key = ?"
        )
        with self.transaction():
            self._db.execute(update, [utc_now(), key])
            for table in ("trials", "events", "exclusions"):
                self._db.execute(f"DELETE FROM {table} WHERE session = ?", [key])
            drop_withdrawn_noise(self._db.conn)

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
