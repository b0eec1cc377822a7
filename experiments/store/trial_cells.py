"""Many trials into the log at once, and out of it: each column as its cells."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat
from typing import Any

from .connection import Connection
from .trial import TrialRecord
from .trial_batch import TrialColumns
from .trial_columns import SELECT_TRIALS, TRIAL_COLUMNS, as_list, into_trials
from .trial_log import TrialConflict

# Both stay below SQLite's limit on parameters.
_TRIALS_A_QUERY = 500
_TRIALS_A_STATEMENT = 16
# What a session is, and how many of some trials it has: asked with each response.
_SESSION = """
    SELECT key, status, (
        SELECT count(*) FROM trials
        WHERE trials.session = sessions.key AND trial BETWEEN ? AND ?
    )
    FROM sessions WHERE id = ?
"""


def without_known(
    connection: Connection, session_id: str, trials: TrialColumns
) -> tuple[int, str, TrialColumns]:
    """Leave out what is stored already; refuse what is stored otherwise.

    Returns
    -------
    tuple
        The session's key in the log, its status, and the trials that are new.

    Raises
    ------
    LookupError
        If there is no session of that id.
    TrialConflict
        If another trial is stored, or sent twice, under one of the numbers.
    """
    numbers = as_list(trials["trial"])
    ends = [min(numbers, default=0), max(numbers, default=0)]
    row = connection.execute(_SESSION, [*ends, session_id]).fetchone()
    key, status, n_stored = require_session(row, session_id)
    stored = _among(connection, key, numbers) if n_stored else []
    if not stored and len(set(numbers)) == trials.n:
        return key, status, trials
    known = {record.spec.trial: record for record in _read(connection, key, stored)}
    new = []
    for record in trials.records():
        number = record.spec.trial
        if number not in known:
            known[number] = record
            new.append(record)
        elif not known[number].same_as(record):
            rule = "sent as it was stored, got a different one"
            raise TrialConflict(f"trial {number} of {session_id} must be {rule}")
    return key, status, TrialColumns.of(new)


def require_session(row: Any, session_id: str) -> Any:
    """Refuse a session that no row was found of; give the row."""
    if row is None:
        raise LookupError(f"a session must be in the database, got {session_id!r}")
    return row


def _among(connection: Connection, key: int, numbers: Sequence[int]) -> list[int]:
    """Give the numbers that are stored, in order."""
    query = "SELECT trial FROM trials WHERE session = ? AND trial BETWEEN ? AND ?"
    ends = [min(numbers, default=0), max(numbers, default=0)]
    found = {row[0] for row in connection.execute(query, [key, *ends])}
    return sorted(found.intersection(numbers))


def _read(
    connection: Connection, key: int, numbers: Sequence[int]
) -> Iterator[TrialRecord]:
    for first in range(0, len(numbers), _TRIALS_A_QUERY):
        some = numbers[first : first + _TRIALS_A_QUERY]
        query = f"{SELECT_TRIALS} AND trial IN ({', '.join('?' * len(some))})"
        rows = connection.execute(query, [key, *some]).fetchall()
        yield from TrialColumns.of_cells(len(rows), _by_column(rows)).records()


def insert(connection: Connection, key: int, trials: TrialColumns) -> None:
    """Write trials, many in a statement where there are many.

    What is missing in all of them is left out: to bind NULL takes longest.
    """
    cells = trials.cells
    rows = zip(repeat(key, trials.n), *cells.values(), strict=True)
    flat, left = chain.from_iterable(rows), trials.n
    for n_rows in (_TRIALS_A_STATEMENT, 1):
        n_cells, times = n_rows * (1 + len(cells)), left // n_rows
        if not times:
            continue
        statement = f"INSERT {into_trials(tuple(cells), n_rows)}"
        groups = (tuple(islice(flat, n_cells)) for _ in range(times))
        connection.executemany(statement, groups)
        left -= n_rows * times


def read_cells(
    connection: Connection, key: int, first: int = 0
) -> dict[str, Sequence[Any]]:
    """Give the trials of a session from a number on, as the log keeps each column."""
    query = f"{SELECT_TRIALS} AND trial >= ? ORDER BY trial"
    rows = connection.execute(query, [key, first])
    return _by_column(rows.fetchall())


def _by_column(rows: Sequence[tuple]) -> dict[str, Sequence[Any]]:
    """Turn rows of `TRIAL_COLUMNS` into columns."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in TRIAL_COLUMNS)
    return dict(zip(TRIAL_COLUMNS, columns, strict=True))
