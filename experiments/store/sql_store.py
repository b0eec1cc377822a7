"""The trial log in any database that speaks SQL: what SQLite and PostgreSQL share."""

import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..clock import utc_now
from ..protocols.protocol import Protocol
from ..stimulus.sources import NoiseArray
from .connection import Connection, named_rows
from .contents import add_contents, read_contents
from .noise import add_noise, drop_withdrawn_noise
from .rows import SessionRow, as_json, json_or_none, observer_key, session_row
from .trial import TrialRecord
from .trial_batch import TrialColumns
from .trial_cells import insert, read_cells, require_session, without_known
from .trial_columns import SELECT_TRIALS, TRIAL_COLUMNS
from .trial_log import StoreError

_TRIALS_A_PAGE = 1000
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


class SqlStore(ABC):
    """The trial log by statements that every database here understands."""

    has_one_writer: bool

    @abstractmethod
    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Make all that is written inside durable at its end, or none of it."""

    @abstractmethod
    def beside(self) -> contextlib.AbstractContextManager[Connection]:
        """Open the database for tables of others; see `Store`."""

    def at_hand(self) -> contextlib.AbstractContextManager[None]:
        """Keep one connection for a while: the only one; see `Store`."""
        return contextlib.nullcontext()

    @abstractmethod
    def hold(self, what: str) -> None:
        """Hold off whoever holds the same until the transaction ends; see `Store`."""

    @abstractmethod
    def noise(self, sha256: str) -> NoiseArray:
        """Give stored noise; see `Store`."""

    @abstractmethod
    def forget_journal(self) -> bool:
        """Empty the journal, in which deleted rows may still stand; see `Store`."""

    @abstractmethod
    def close(self) -> None:
        """Close the database."""

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self.transaction(), self.beside() as connection:
            yield connection

    def _appending(
        self, n_trials: int
    ) -> contextlib.AbstractContextManager[Connection]:
        """Open the database to write so many trials, all of them or none."""
        return self._writing()

    def add_session(self, protocol: Protocol, row: SessionRow) -> None:
        """Write a session with its protocol and observer."""
        with self._writing() as connection:
            self.add_protocol(protocol)
            observer = row.observer
            parameters = as_json(observer.parameters)
            who = (observer.kind, observer.name, parameters)
            cells = {
                "id": row.id,
                "protocol": protocol.hash,
                "observer": observer_key(
                    connection, (*who, observer.weights_hash or "")
                ),
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
            places = ", ".join("?" * len(cells))
            statement = f"INSERT INTO sessions ({', '.join(cells)}) VALUES ({places})"
            connection.execute(statement, list(cells.values()))

    def add_protocol(self, protocol: Protocol) -> None:
        """Write a protocol, where it is not there yet; part of a transaction."""
        plain = protocol.to_dict()
        statement = (
            "INSERT INTO protocols (hash, stimulus_hash, name, json) "
            "VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        )
        text = json.dumps(plain, ensure_ascii=False)
        row = [protocol.hash, protocol.stimulus_hash, protocol.name, text]
        with self.beside() as connection:
            connection.execute(statement, row)
            add_contents(connection, plain)

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
        with self._appending(trials.n) as connection:
            self.hold(f"session {session_id}")
            key, status, new = without_known(connection, session_id, trials)
            if new.n and status != "unfinished":
                rule = "unfinished to take more trials"
                raise StoreError(f"session {session_id} must be {rule}, got {status}")
            insert(connection, key, new)

    def _key(self, session_id: str) -> int:
        with self.beside() as connection:
            query = "SELECT key FROM sessions WHERE id = ?"
            row = connection.execute(query, [session_id]).fetchone()
        return require_session(row, session_id)[0]

    def session(self, session_id: str) -> SessionRow:
        """Give one session.

        Raises
        ------
        LookupError
            If there is none of that id.
        """
        key = self._key(session_id)
        with self.beside() as connection:
            rows = named_rows(connection, f"{_SESSIONS} WHERE s.key = ?", [key])
        return session_row(rows[0])

    def sessions(self) -> list[SessionRow]:
        """List the sessions in the order of their start."""
        with self.beside() as connection:
            rows = named_rows(connection, f"{_SESSIONS} ORDER BY s.key")
        return [session_row(row) for row in rows]

    def n_recorded(self, session_id: str) -> int:
        """Count the trials of a session, which are numbered from 0 without a gap."""
        query = (
            "SELECT (SELECT max(trial) FROM trials t WHERE t.session = s.key) "
            "FROM sessions s WHERE s.id = ?"
        )
        with self.beside() as connection:
            row = connection.execute(query, [session_id]).fetchone()
        if row is None:
            raise LookupError(f"a session must be in the database, got {session_id!r}")
        return 0 if row[0] is None else row[0] + 1

    def protocol(self, protocol_hash: str) -> Protocol:
        """Give the protocol that a session is pinned to."""
        query = "SELECT json FROM protocols WHERE hash = ?"
        with self.beside() as connection:
            row = connection.execute(query, [protocol_hash]).fetchone()
            if row is None:
                raise LookupError(
                    f"a protocol must be in the database, got {protocol_hash!r}"
                )
            plain = json.loads(row[0])
            read_contents(connection, plain)
        return Protocol.from_dict(plain)

    def trials(self, session_id: str, first: int = 0) -> list[TrialRecord]:
        """Give the trials of a session in order, from a number on."""
        key = self._key(session_id)
        with self.beside() as connection:
            cells = read_cells(connection, key, first)
        return TrialColumns.of_cells(len(cells["trial"]), cells).records()

    def trial_columns(self, session_id: str) -> TrialColumns:
        """Give the trials of a session in order, as columns."""
        cells = self.trial_cells(session_id)
        return TrialColumns.of_cells(len(cells["trial"]), cells)

    def trial_cells(self, session_id: str) -> dict[str, Sequence[Any]]:
        """Give the trials of a session in order, every column as the log keeps it."""
        key = self._key(session_id)
        with self.beside() as connection:
            return read_cells(connection, key)

    def trial_rows(self, session_id: str) -> Iterator[dict[str, Any]]:
        """Stream the trials of a session as plain rows, read some at a time.

        Whoever takes them slowly keeps no reading open, during which a journal could
        not be emptied.
        """
        key = self._key(session_id)
        query = f"{SELECT_TRIALS} AND trial > ? ORDER BY trial LIMIT ?"
        last = -1
        while True:
            with self.beside() as connection:
                values = [key, last, _TRIALS_A_PAGE]
                rows = connection.execute(query, values).fetchall()
            for cells in rows:
                row = dict(zip(TRIAL_COLUMNS, cells, strict=True))
                last = row["trial"]
                yield row
            if len(rows) < _TRIALS_A_PAGE:
                return

    def excluded(self, session_id: str) -> set[int]:
        """Give the numbers of the trials that somebody excluded."""
        key = self._key(session_id)
        query = "SELECT trial FROM exclusions WHERE session = ?"
        with self.beside() as connection:
            return {row[0] for row in connection.execute(query, [key])}

    def exclude(
        self, session_id: str, trials: Iterable[int], by: str, reason: str
    ) -> None:
        """Exclude trials from every statistic; they stay in the log."""
        key, at = self._key(session_id), utc_now()
        rows = [(key, trial, by, reason, at) for trial in trials]
        with self._writing() as connection:
            connection.executemany(
                "INSERT INTO exclusions VALUES (?, ?, ?, ?, ?)", rows
            )

    def set_display(self, session_id: str, display: dict, device: dict | None) -> None:
        """Store what the stimulus is shown on."""
        values = [json_or_none(display), json_or_none(device), self._key(session_id)]
        with self._writing() as connection:
            connection.execute(
                "UPDATE sessions SET display = ?, device = ? WHERE key = ?", values
            )

    def finish(self, session_id: str, ended_at: str | None = None) -> None:
        """Mark a session finished, now or when a recording says that it ended."""
        update = (
            "UPDATE sessions SET status = 'finished', ended_at = ? "
            "WHERE key = ? AND status = 'unfinished'"
        )
        with self._writing() as connection:
            connection.execute(update, [ended_at or utc_now(), self._key(session_id)])

    def add_event(self, session_id: str, kind: str, detail: dict[str, Any]) -> None:
        """Write down something that happened besides a trial."""
        row = (self._key(session_id), utc_now(), kind, as_json(detail))
        with self._writing() as connection:
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", row)

    def events(self, session_id: str) -> list[dict[str, Any]]:
        """Give the events of a session in order."""
        query = "SELECT at, kind, detail FROM events WHERE session = ? ORDER BY rowid"
        key = self._key(session_id)
        with self.beside() as connection:
            rows = named_rows(connection, query, [key])
        return [{**row, "detail": json.loads(row["detail"])} for row in rows]

    def observer_seeds(self) -> set[int]:
        """Give every observer seed in use."""
        query = "SELECT observer_seed FROM sessions WHERE observer_seed IS NOT NULL"
        with self.beside() as connection:
            return {row[0] for row in connection.execute(query)}

    def add_noise(self, noise: np.ndarray) -> str:
        """Write noise that came without seeds; give its SHA-256.

        Arguments and errors are those of `noise.add_noise`.
        """
        with self._writing() as connection:
            return add_noise(connection, noise)

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
        with self._writing() as connection:
            self.hold(f"session {session_id}")
            connection.execute(update, [utc_now(), key])
            for table in ("trials", "events", "exclusions"):
                connection.execute(f"DELETE FROM {table} WHERE session = ?", [key])
            drop_withdrawn_noise(connection)
