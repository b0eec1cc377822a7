"""An open database, as the code of tables needs it: SQLite's, or PostgreSQL's.

Statements are written once, with `?` for a value, in what both understand: `ON CONFLICT
DO NOTHING`, `RETURNING`, `coalesce`, `CASE`; every column in an aggregate's GROUP BY.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, runtime_checkable
from typing import Protocol as Interface


@runtime_checkable
class Rows(Interface):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    @property
    def description(self) -> Any:
        """Its columns; the first of each is the name."""
        ...

    def fetchone(self) -> Any:
        """Give the next row; None where there is none."""
        ...

    def fetchall(self) -> list[Any]:
        """Give the rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Go through the rows that are left."""
        ...


@runtime_checkable
class Connection(Interface):
    """An open database: `sqlite3.Connection` is one."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Run one statement."""
        ...

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Rows:
        """Run one statement for each row of values."""
        ...


class DatabaseFault(OSError):
    """The database cannot be reached, or could not do what it was asked."""


def has_table(connection: Connection, name: str) -> bool:
    """Whether there is a table of a name.

    Examples
    --------
    >>> has_table(sqlite3.connect(":memory:"), "trials")
    False
    """
    if isinstance(connection, sqlite3.Connection):
        query = "SELECT count(*) FROM sqlite_master WHERE name = ?"
        return connection.execute(query, [name]).fetchone()[0] > 0
    found = connection.execute("SELECT to_regclass(?)", [name]).fetchone()
    return found[0] is not None


def named_rows(
    connection: Connection, sql: str, parameters: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    """Give rows with the names of their columns.

    Examples
    --------
    >>> named_rows(sqlite3.connect(":memory:"), "SELECT 1 AS trial, ? AS kind", ["a"])
    [{'trial': 1, 'kind': 'a'}]
    """
    rows = connection.execute(sql, parameters)
    names = [column[0] for column in rows.description]
    return [dict(zip(names, row, strict=True)) for row in rows]
