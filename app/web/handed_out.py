"""Which trial's pixels were handed out last in each session, and how long ago.

One server process remembers it; several remember it together, in the database.
"""

import math
from typing import Protocol as Interface
from typing import runtime_checkable

from ...experiments.store.sqlite import Store
from .limits import Clock


@runtime_checkable
class HandedOut(Interface):
    """What was handed out last in each session."""

    def begin(self, session: str, trial: int) -> None:
        """Take up a session, whose next trial may have been handed out before."""
        ...

    def note(self, session: str, trial: int) -> None:
        """Remember when a trial's pixels are handed out for the first time."""
        ...

    def since_ms(self, session: str, trial: int) -> float | None:
        """Give the ms since then; None if they never were, infinite if unknown."""
        ...

    def forget(self, session: str) -> None:
        """Forget a session."""
        ...


class InMemory:
    """Of one process; what was before it is not known.

    Parameters
    ----------
    clock
        Seconds, rising.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, tuple[int, float]] = {}

    def begin(self, session: str, trial: int) -> None:
        """Take up a session; one that is known is as it was."""
        self._last.setdefault(session, (trial, -math.inf))

    def note(self, session: str, trial: int) -> None:
        """Remember when a trial's pixels are handed out for the first time."""
        if self._last[session][0] != trial:
            self._last[session] = (trial, self._clock())

    def since_ms(self, session: str, trial: int) -> float | None:
        """Give the ms since then; None if they never were, infinite if unknown."""
        last, at = self._last[session]
        return 1000 * (self._clock() - at) if last == trial else None

    def forget(self, session: str) -> None:
        """Forget a session."""
        self._last.pop(session, None)


class InDatabase:
    """Of all processes that serve one PostgreSQL database, by its clock.

    The table is not logged: it costs no wait for the disk, and where the database fell
    it is empty, so that nothing is known of before.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.transaction(), store.beside() as connection:
            store.hold("schema")
            connection.execute(
                "CREATE UNLOGGED TABLE IF NOT EXISTS handed_out (session TEXT "
                "PRIMARY KEY, trial BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL)"
            )

    def begin(self, session: str, trial: int) -> None:
        """Do nothing: what the database does not know, nobody does."""

    def note(self, session: str, trial: int) -> None:
        """Remember when a trial's pixels are handed out for the first time."""
        with self._store.beside() as connection:
            connection.execute(
                "INSERT INTO handed_out VALUES (?, ?, clock_timestamp()) "
                "ON CONFLICT (session) DO UPDATE SET trial = excluded.trial, "
                "at = excluded.at WHERE handed_out.trial <> excluded.trial",
                [session, trial],
            )

    def since_ms(self, session: str, trial: int) -> float | None:
        """Give the ms since then; None if they never were, infinite if unknown."""
        query = (
            "SELECT trial, CAST(1000 * extract(epoch FROM clock_timestamp() - at) "
            "AS DOUBLE PRECISION) FROM handed_out WHERE session = ?"
        )
        with self._store.beside() as connection:
            row = connection.execute(query, [session]).fetchone()
        if row is None:
            return math.inf
        return row[1] if row[0] == trial else None

    def forget(self, session: str) -> None:
        """Forget a session."""
        with self._store.beside() as connection:
            connection.execute("DELETE FROM handed_out WHERE session = ?", [session])


def handed_out(store: Store, clock: Clock) -> HandedOut:
    """Give what fits a database: a file has one process that serves it."""
    return InMemory(clock) if store.has_one_writer else InDatabase(store)
