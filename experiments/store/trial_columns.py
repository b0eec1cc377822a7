"""The columns of a trial: the one place that says what the log keeps of it.

Table, rows and the way back, merging, exports, their meanings and docs/trial-log.md all
follow from `TRIAL`. How to add one: CONTRIBUTING, "A new column of a trial".
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from keyword import iskeyword
from typing import Any, Literal, NamedTuple

import numpy as np

from .rows import as_json

# A value for each trial: rows of an array, or a list in which None is missing.
Values = np.ndarray | list[Any]


def as_list(values: Values) -> list[Any]:
    """Give a column as Python's own values; several numbers of a trial as a tuple."""
    if not isinstance(values, np.ndarray):
        return values
    return values.tolist() if values.ndim == 1 else [tuple(v) for v in values.tolist()]


def _flags_to_cells(values: Values) -> list[int | None]:
    if isinstance(values, np.ndarray) and values.dtype == bool:
        return values.astype(int).tolist()
    return [None if value is None else int(value) for value in values]


def _flags_from_cells(cells: Sequence[int | None]) -> list[bool | None]:
    return [None if cell is None else bool(cell) for cell in cells]


def _numbers_to_cells(values: Values) -> list[str | None]:
    """Write each trial's numbers as JSON; those of an array all at once."""
    if not isinstance(values, np.ndarray) or values.ndim != 2:
        return [None if value is None else as_json(value) for value in values]
    if not np.isfinite(values).all():
        return [as_json(value) for value in values]  # which refuses the first
    form = f"[{','.join(['%r'] * values.shape[1])}]"
    return [form % row for row in zip(*values.T.tolist(), strict=True)]


def _numbers_from_cells(cells: Sequence[str | None]) -> list[tuple | None]:
    return [None if cell is None else tuple(json.loads(cell)) for cell in cells]


def _objects_to_cells(values: Values) -> list[str | None]:
    """Write each object as JSON, and one that many trials share only once."""
    ids = list(map(id, values))
    written = {
        key: None if value is None else as_json(dict(value))
        for key, value in dict(zip(ids, values, strict=True)).items()
    }
    return [written[key] for key in ids]


def _objects_from_cells(cells: Sequence[str | None]) -> list[Any]:
    read = {cell: None if cell is None else json.loads(cell) for cell in set(cells)}
    return [read[cell] for cell in cells]


class Kind(NamedTuple):
    """What a cell can hold. A value that is missing is NULL and None in every kind.

    Attributes
    ----------
    sql
        SQLite's type.
    to_cells, from_cells
        From the values of many trials to their cells, and back.
    """

    sql: str
    to_cells: Callable[[Values], list[Any]] = as_list
    from_cells: Callable[[Sequence[Any]], list[Any]] = list


INTEGER, REAL, TEXT = Kind("INTEGER"), Kind("REAL"), Kind("TEXT")
FLAG = Kind("INTEGER", _flags_to_cells, _flags_from_cells)
NUMBERS = Kind("TEXT", _numbers_to_cells, _numbers_from_cells)
OBJECT = Kind("TEXT", _objects_to_cells, _objects_from_cells)


@dataclass(frozen=True)
class Column:
    """One column of the trials in the log.

    Attributes
    ----------
    name
        In the table, in exports, and of the field in `part`.
    part
        Where the field is: in the trial's specification, in the response, or in the
        record itself.
    kind
        What its cells hold.
    meaning
        For whoever reads the data, in exports and in docs/trial-log.md.
    is_optional
        Whether the value may be missing.
    low, unit
        Least value, and unit of all, where there is one.
    since
        Version of the schema that brought it. The first table never changes: what is
        younger is added to it by a migration, in old files and in new ones, and is
        optional: trials from before have nothing there.
    """

    name: str
    part: Literal["spec", "response", "record"]
    kind: Kind
    meaning: str
    is_optional: bool = False
    low: int | None = None
    unit: str | None = None
    since: int = 1

    @property
    def field(self) -> str:
        """Name of the field in `part`: what is a word of Python ends in _."""
        return f"{self.name}_" if iskeyword(self.name) else self.name

    @property
    def sql(self) -> str:
        """The column as a table's definition has it."""
        return f"{self.name} {self.kind.sql}{'' if self.is_optional else ' NOT NULL'}"


# fmt: off
TRIAL = (
    Column("trial", "spec", INTEGER,
           "Number of the trial in its session, from 0", low=0),
    Column("block", "spec", INTEGER,
           "Number of the block in its session, from 0", low=0),
    Column("block_kind", "spec", TEXT,
           "practice, calibration, main or catch; statistics take main trials only"),
    Column("condition", "spec", TEXT,
           "Name of the cell of the design"),
    Column("stimulus_id", "spec", INTEGER,
           "With the seed, identity of the noise field", low=0),
    Column("pass", "spec", INTEGER,
           "1, or 2 for the second showing in a double pass; imports may have more",
           low=1),
    Column("repeats", "spec", INTEGER,
           "Number of the trial that this one shows again; else empty",
           is_optional=True),
    Column("contrast", "spec", REAL,
           "Contrast of the signal, (level - 128) / 127 at its peak", low=0),
    Column("signal", "spec", OBJECT,
           "All other parameters of the signal, as JSON"),
    Column("target", "spec", INTEGER,
           "Forced choice: the correct alternative, from 0. Yes/no and rating: the "
           "class, 1 = signal. Identify: the pattern, from 0. 0 throughout in a task "
           "without a correct answer", low=0),
    Column("response", "response", INTEGER,
           "Number of the response, from 0, in the order of the protocol's keys; empty "
           "if there was none", is_optional=True, low=0),
    Column("correct", "record", FLAG,
           "1 if right, 0 if wrong, empty without a response, and in a task without a "
           "correct answer", is_optional=True),
    Column("rt_ms", "response", REAL,
           "Response time from the onset of the last interval", is_optional=True,
           unit="milliseconds"),
    Column("confidence", "response", REAL,
           "Confidence, where it was asked for: with keys, from 1, the least sure",
           is_optional=True),
    Column("decision_variables", "response", NUMBERS,
           "Of a model: the number behind each alternative, internal noise included, "
           "as a JSON list", is_optional=True),
    Column("digest", "response", TEXT,
           "SHA-256 of the contrast levels that were shown, (interval, frame, y, x) as "
           "bytes; empty where it was not sampled", is_optional=True),
    Column("onsets_ms", "response", NUMBERS,
           "Onset of each interval on the presenter's clock, as a JSON list",
           is_optional=True, unit="milliseconds"),
    Column("frames_shown", "response", INTEGER,
           "Screen refreshes during the stimulus", is_optional=True, low=0),
    Column("frames_dropped", "response", INTEGER,
           "Refreshes that came late", is_optional=True, low=0),
    Column("valid", "response", FLAG,
           "1 if the trial was shown as it should be, else 0"),
    Column("invalid_reason", "response", TEXT,
           "Why the trial was not shown as it should be", is_optional=True),
    Column("received_at", "record", TEXT,
           "When the response was stored: ISO 8601, UTC"),
    Column("offsets_ms", "response", NUMBERS,
           "Offset of each interval on the presenter's clock, as a JSON list",
           is_optional=True, unit="milliseconds", since=2),
    Column("n_shown", "response", INTEGER,
           "How often the trial was shown until there was a response: more than once "
           "where a page was loaded again", is_optional=True, low=1, since=2),
    Column("place", "spec", INTEGER,
           "In a scene: number of the place where the signal is, from 0, in the "
           "protocol's order; without a signal, where it would be", is_optional=True,
           low=0, since=3),
    Column("cue", "spec", INTEGER,
           "Number of the place that a cue points at; empty if none does, or at all",
           is_optional=True, low=0, since=3),
)
# fmt: on
TRIAL_COLUMNS = tuple(column.name for column in TRIAL)

SELECT_TRIALS = f"SELECT {', '.join(TRIAL_COLUMNS)} FROM trials WHERE session = ?"


@lru_cache(maxsize=64)
def into_trials(columns: tuple[str, ...] = TRIAL_COLUMNS, n_rows: int = 1) -> str:
    """Give the part of an INSERT that names the session's key and some columns."""
    names, row = ", ".join(("session", *columns)), f"(?{', ?' * len(columns)})"
    return f"INTO trials ({names}) VALUES {', '.join([row] * n_rows)}"


def as_of_now(version: int) -> str | None:
    """Give the trials of an older version's file as a view with today's columns.

    Returns
    -------
    str or None
        SQL for a connection of its own; None where nothing is missing.
    """
    missing = [f"NULL AS {column.name}" for column in TRIAL if column.since > version]
    if not missing:
        return None
    columns = ", ".join(["*", *missing])
    return f"CREATE TEMP VIEW trials AS SELECT {columns} FROM main.trials"


def added_in(version: int) -> list[str]:
    """Give the columns that a version of the schema brought, as SQL defines them."""
    return [column.sql for column in TRIAL if column.since == version]
