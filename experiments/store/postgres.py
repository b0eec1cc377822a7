"""The trial log in PostgreSQL, for several processes on several machines.

The tables are those of SQLite (`postgres_tables.py`). Many may write at once: what must
not happen at once is held by name (`PostgresStore.hold`), a session's trials above all.
"""

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlite_utils.migrations import Migrations

from ..stimulus.sources import NoiseArray
from .connection import Connection, DatabaseFault, Rows
from .noise import LoggedNoise, read_row
from .postgres_tables import bring_up_to_date
from .schema import migrations
from .sql_store import SqlStore
from .trial_log import StoreError
from .url import without_password

MOST_CONNECTIONS = 20
_REACH_S = 5  # for a connection; a browser tries again by itself
# The pool tries again after 1, 2, 4, ... s; a server that is back is wanted at once.
_TRY_AGAIN_S = 0.25
_LOCK_S = 30
_SET_UP = (
    "SET synchronous_commit = 'on'",  # durable before acknowledged
    f"SET lock_timeout = '{_LOCK_S}s'",
    # Of a machine that went away in a transaction: its locks go as well.
    "SET idle_in_transaction_session_timeout = '60s'",
    "SET default_transaction_isolation = 'read committed'",
)


class PostgresStore(SqlStore):
    """The trial log in a PostgreSQL database; threads and processes may share it.

    Parameters
    ----------
    url
        As libpq takes it; a password may come from its environment or its files too.
    to_read
        Whether nothing will be written.
    beside
        Migrations of tables of others, applied together with ours.

    Raises
    ------
    StoreError
        If psycopg is not installed, or a later version of Yoked wrote the database.
    DatabaseFault
        If it cannot be reached.
    """

    has_one_writer = False

    def __init__(
        self, url: str, to_read: bool = False, beside: Sequence[Migrations] = ()
    ) -> None:
        try:
            import psycopg
            import psycopg_pool
        except ImportError as error:
            way = 'pip install "yoked[postgres]"'
            raise StoreError(f"a PostgreSQL database needs psycopg: {way}") from error
        self._url = url
        self._error, self._none_free = psycopg.Error, psycopg_pool.PoolTimeout
        self._held = threading.local()
        with _reached(url, psycopg.Error):
            psycopg.connect(url, connect_timeout=_REACH_S).close()
        self._pool = psycopg_pool.ConnectionPool(
            url,
            min_size=1,
            max_size=MOST_CONNECTIONS,
            timeout=_TRY_AGAIN_S,
            reconnect_timeout=_TRY_AGAIN_S,
            kwargs={"autocommit": True, "connect_timeout": _REACH_S},
            configure=_set_up,
            check=psycopg_pool.ConnectionPool.check_connection,
            open=True,
        )
        try:
            if to_read:
                self._require_ours()
                return
            with self.transaction(), self.beside() as connection:
                self.hold("schema")
                bring_up_to_date(connection, [migrations, *beside])
        except BaseException:
            self._pool.close()
            raise

    def _require_ours(self) -> None:
        with self.beside() as connection:
            query = "SELECT to_regclass('protocols'), to_regclass('trials')"
            if None in connection.execute(query).fetchone():
                rule = "hold a trial log of Yoked, got none"
                shown = without_password(self._url)
                raise StoreError(f"the database {shown!r} must {rule}")

    @contextlib.contextmanager
    def beside(self) -> Iterator[Connection]:
        """Open the database for tables of others; see `Store`."""
        with self._borrowed() as raw:
            yield _Plain(raw, self._error)

    @contextlib.contextmanager
    def at_hand(self) -> Iterator[None]:
        """Keep one connection for all that this thread does inside; see `Store`."""
        with self._borrowed():
            yield

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[Any]:
        """Give this thread's connection: the one that it has, or one of the pool."""
        held = getattr(self._held, "connection", None)
        if held is not None:
            yield held
            return
        with contextlib.ExitStack() as stack:
            with _reached(self._url, self._error):
                raw = self._connected(stack)
            self._held.connection = raw
            stack.callback(setattr, self._held, "connection", None)
            yield raw

    def _connected(self, stack: contextlib.ExitStack) -> Any:
        """Take a connection of the pool; ask again for a while if it has none."""
        until = time.monotonic() + _REACH_S
        while True:
            try:
                return stack.enter_context(self._pool.connection())
            except self._none_free:
                if time.monotonic() >= until:
                    raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all that is written inside durable at its end, or none of it."""
        with (
            self._borrowed() as raw,
            _reached(self._url, self._error),
            raw.transaction(),
        ):
            yield

    def hold(self, what: str) -> None:
        """Hold off whoever holds the same until the transaction ends; see `Store`."""
        number = hashlib.sha256(f"yoked {what}".encode()).digest()[:8]
        key = int.from_bytes(number, "big", signed=True)
        with self.beside() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(?)", [key])

    def noise(self, sha256: str) -> NoiseArray:
        """Give stored noise; see `Store`."""
        return LoggedNoise(sha256, self._read_noise)

    def _read_noise(self, sha256: str) -> tuple[str, str, bytes]:
        if not self._pool.closed:
            with self.beside() as connection:
                return read_row(connection, sha256)
        with contextlib.closing(PostgresStore(self._url, to_read=True)) as again:
            return again._read_noise(sha256)

    def forget_journal(self) -> bool:
        """Free the pages of deleted rows; never sure, see docs/hosting.md.

        Returns
        -------
        bool
            False: rows that are deleted leave PostgreSQL's files when their pages are
            written anew, and its journal when that is recycled.
        """
        with self.beside() as connection:
            connection.execute("VACUUM trials, events, exclusions, noise, sessions")
        return False

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


def _set_up(connection: Any) -> None:
    for statement in _SET_UP:
        connection.execute(statement)


class _Plain:
    """PostgreSQL's connection as `Connection`: `?` for values, faults as ours."""

    def __init__(self, raw: Any, error: type[Exception]) -> None:
        self._raw, self._error = raw, error

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        with _reached("", self._error):
            return self._raw.execute(*_of_ours(sql, parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Rows:
        rows = list(parameters)
        cursor = self._raw.cursor()
        if rows:
            with _reached("", self._error):
                cursor.executemany(_of_ours(sql, rows[0])[0], rows)
        return cursor


def _of_ours(sql: str, parameters: Sequence[Any]) -> tuple[str, Sequence[Any] | None]:
    if not parameters:
        return sql, None
    return sql.replace("%", "%%").replace("?", "%s"), list(parameters)


@contextlib.contextmanager
def _reached(url: str, error: type[Exception]) -> Iterator[None]:
    """Turn psycopg's errors into one of ours, without the values that they quote."""
    try:
        yield
    except error as fault:
        primary = getattr(getattr(fault, "diag", None), "message_primary", None)
        said = primary or type(fault).__name__
        where = f" at {without_password(url)}" if url and not primary else ""
        raise DatabaseFault(f"the database{where} could not do it: {said}") from None
