"""Tables with a row for each interval, or for each element, as a row for each trial."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .table_arrays import load_array
from .table_file import TrialFile
from .table_header import plain
from .table_numbers import is_missing, number, whole_number
from .table_settings import TableSettings

_PREFIX = "noise_"  # of the noise columns that are made here


def arranged(
    table: TrialFile, settings: TableSettings
) -> tuple[TrialFile, TableSettings]:
    """Give a table as the plain format has it, and how it is then to be read.

    Rows of one element each (`noise_values`) become rows of a whole field; then rows of
    one interval each (columns `interval` and `chosen`) become trials.

    Raises
    ------
    ValueError
        If a trial lacks a row, has one twice, or its rows contradict each other.
    """
    if settings.noise_values is not None:
        table, settings = _of_elements(table, settings)
    chosen = settings.columns.get("chosen", "chosen")
    interval = settings.columns.get("interval", "interval")
    n_intervals = settings.responses.n_intervals
    if n_intervals > 1 and chosen in table.cells and interval in table.cells:
        return _of_intervals(table, settings, interval, chosen, n_intervals)
    _require_one_row(table, settings)
    return table, settings


def _require_one_row(table: TrialFile, settings: TableSettings) -> None:
    """Refuse rows that are parts of a trial, where a column's name says of what."""
    who, trial = (settings.columns.get(c, c) for c in ("observer", "trial"))
    if trial not in table.cells:
        return
    numbers = [number(cell) for cell in table.cells[trial]]
    names = table.cells.get(who, [""] * len(table))
    seen = set(zip(names, numbers, strict=True))
    parts = {plain(name): name for name in table.names}
    part = next((parts[name] for name in _PARTS if name in parts), None)
    if len(seen) == len(table) or part is None:
        return
    ours = _PARTS[plain(part)]
    hint = "" if part == ours else f" --column {ours}={part}"
    way = "--noise-values COLUMN" if ours == "element" else "--column chosen=COLUMN"
    rule = f"rows of {table.name} must be a trial each unless it is said"
    got = f"{len(table)} rows of {len(seen)} trials"
    raise ValueError(f"{rule}, got {got}; if a row is one {part}, {way}{hint}")


# What columns are called of which a trial has several rows.
_PARTS = {
    **dict.fromkeys(("element", "segment", "feature"), "element"),
    **dict.fromkeys(("interval", "alternative", "stimorder"), "interval"),
}


class _Groups:
    """The rows of a table that are one trial, or one interval of it.

    Rows belong together where observer, trial and further columns are the same.
    """

    def __init__(
        self, table: TrialFile, settings: TableSettings, further: Sequence[str]
    ) -> None:
        self.table = table
        keys = [settings.columns.get(name, name) for name in ("observer", "trial")]
        if keys[1] not in table.cells:
            rule = "a column trial, to which the rows of one trial belong"
            raise ValueError(f"{table.name} must have {rule}, got none")
        columns = [name for name in (*keys, *further) if name in table.cells]
        self.rows: dict[tuple[str, ...], list[int]] = {}
        for row in range(len(table)):
            key = tuple(str(table.cells[name][row]).strip() for name in columns)
            self.rows.setdefault(key, []).append(row)

    def placed(self, column: str, n: int | None) -> list[list[int]]:
        """Give the rows of each group in the order of a column that counts.

        It counts from 0 or 1, and every group has every number once.
        """
        table, numbers = self.table, []
        for row, cell in enumerate(table.cells[column]):
            value = whole_number(cell)
            if value is None:
                where = table.at(row, column)
                raise ValueError(f"{where} must be a whole number, got {cell!r}")
            numbers.append(value)
        first = 1 if min(numbers) == 1 else 0
        n = max(numbers) - first + 1 if n is None else n
        ordered = []
        for rows in self.rows.values():
            by_number = {numbers[row] - first: row for row in rows}
            if len(by_number) < len(rows) or sorted(by_number) != list(range(n)):
                got = ", ".join(str(numbers[row]) for row in sorted(rows))
                rule = f"{first} to {first + n - 1} in the rows of a trial, each once"
                where = table.at(rows[0], column)
                raise ValueError(f"{where} must be {rule}, got {got}")
            ordered.append([by_number[k] for k in range(n)])
        return ordered

    def merged(
        self, ordered: Sequence[Sequence[int]], left_out: set[str]
    ) -> dict[str, list[Any]]:
        """Give one cell for each group: what its rows have, where they agree."""
        return {
            name: [self._common(name, rows) for rows in ordered]
            for name in self.table.cells
            if name not in left_out
        }

    def _common(self, name: str, rows: Sequence[int]) -> Any:
        cells = self.table.cells[name]
        there = [row for row in rows if not is_missing(cells[row])]
        for row in there[1:]:
            first, other = cells[there[0]], cells[row]
            if first != other and (
                number(first) is None or number(first) != number(other)
            ):
                rule = f"{first!r} as in row {there[0] + 1} of the same trial"
                where = self.table.at(row, name)
                raise ValueError(f"{where} must be {rule}, got {other!r}")
        return cells[there[0] if there else rows[0]]


def _of_elements(
    table: TrialFile, settings: TableSettings
) -> tuple[TrialFile, TableSettings]:
    """Make a row of noise columns of the rows of single elements."""
    element = settings.columns.get("element", "element")
    if element not in table.cells:
        rule = f"a column {element} that numbers the rows of a field"
        raise ValueError(f"{table.name} must have {rule}, got none")
    if not table.noise_names:
        rule = f"a column {settings.noise_values} of noise"
        raise ValueError(f"{table.name} must have {rule}, got none")
    interval = settings.columns.get("interval", "interval")
    groups = _Groups(table, settings, [interval])
    ordered = groups.placed(element, None)
    n_elements = len(ordered[0])
    if settings.responses.n_intervals > 1 and interval not in table.cells:
        rule = f"a column {interval}, as a trial has several"
        raise ValueError(f"{table.name} must have {rule}, got none")
    note = f"{n_elements} rows each are one field of noise"
    made = replace(
        table,
        cells=groups.merged(ordered, {element}),
        noise_names=tuple(f"{_PREFIX}{e}" for e in range(n_elements)),
        noise=table.noise[np.array(ordered), 0],
        notes=(*table.notes, note),
    )
    return made, replace(settings, noise_values=None, noise_columns=_PREFIX)


def _of_intervals(
    table: TrialFile, settings: TableSettings, interval: str, chosen: str, n: int
) -> tuple[TrialFile, TableSettings]:
    """Make one trial of the rows of its intervals."""
    groups = _Groups(table, settings, [])
    ordered = groups.placed(interval, n)
    names = settings.columns
    target = names.get("target", "target")
    response = names.get("response", "response")
    contrast = names.get("contrast", "contrast")
    stimulus = names.get("stimulus_id", "stimulus_id")
    left_out = {interval, chosen, target, response, contrast, stimulus}
    cells = groups.merged(ordered, left_out)
    cells["response"] = _chosen(table, chosen, ordered)
    renamed = {ours: t for ours, t in names.items() if ours not in _LAID_OUT}
    renamed.pop("response", None)
    first = {c: n for c, n in settings.counted_from.items() if c != "response"}
    if target in table.cells:
        cells[target], is_marked = _targets(table, target, ordered)
        if is_marked:
            first.pop("target", None)
    settings = replace(settings, counted_from=first)
    if contrast in table.cells:
        cells[contrast] = _contrasts(table, contrast, ordered)
    note = f"{n} rows each are one trial, of which `{chosen}` says the response"
    made = replace(
        table,
        names=tuple({name: 0 for name in (*table.names, *cells)}),
        cells=cells,
        notes=(*table.notes, note),
        noise=np.empty((len(ordered), 0)),
    )
    if settings.noise_columns is not None:
        noise = table.noise[np.array(ordered)].reshape(len(ordered), -1)
        n_elements = table.noise.shape[1]
        places = [(k, e) for k in range(n) for e in range(n_elements)]
        made = replace(
            made,
            noise=noise,
            noise_names=tuple(f"{_PREFIX}{k}_{e}" for k, e in places),
        )
        return made, replace(settings, noise_columns=_PREFIX, columns=renamed)
    fields = _fields_of_rows(table, settings, stimulus, ordered)
    if fields is None:  # the array has the intervals of each stimulus
        cells[stimulus] = [table.cells[stimulus][rows[0]] for rows in ordered]
        return made, replace(settings, columns=renamed)
    renamed.pop("stimulus_id", None)
    return made, replace(settings, noise=fields, columns=renamed)


_LAID_OUT = ("interval", "chosen", "element")


def _chosen(
    table: TrialFile, column: str, ordered: Sequence[Sequence[int]]
) -> list[Any]:
    """Give the interval that was chosen in each trial; None where none was."""
    found: list[Any] = []
    for rows in ordered:
        marks = [_mark(table, column, row) for row in rows]
        if sum(marks) > 1:
            where, rule = table.at(rows[0], column), "1 in one row of a trial"
            raise ValueError(f"{where} must be {rule}, got {sum(marks)} of them")
        found.append(marks.index(1) if any(marks) else None)
    return found


def _mark(table: TrialFile, column: str, row: int) -> int:
    cell = table.cells[column][row]
    value = 0 if is_missing(cell) else whole_number(cell)
    if value not in (0, 1):
        raise ValueError(f"{table.at(row, column)} must be 0 or 1, got {cell!r}")
    return value


def _targets(
    table: TrialFile, column: str, ordered: Sequence[Sequence[int]]
) -> tuple[list[Any], bool]:
    """Give the target's interval, and whether its row is marked or all name it."""
    cells = table.cells[column]
    same = [len({str(cells[row]) for row in rows}) == 1 for rows in ordered]
    if all(same):
        return [cells[rows[0]] for rows in ordered], False
    found: list[Any] = []
    for rows in ordered:
        marks = [_mark(table, column, row) for row in rows]
        if sum(marks) != 1:
            where, rule = table.at(rows[0], column), "1 in one row of a trial"
            raise ValueError(f"{where} must be {rule}, got {sum(marks)} of them")
        found.append(marks.index(1))
    return found, True


def _contrasts(
    table: TrialFile, column: str, ordered: Sequence[Sequence[int]]
) -> list[Any]:
    """Give the contrast of each trial: 0 may stand where the signal was not."""
    cells = table.cells[column]
    found = []
    for rows in ordered:
        shown = {cells[row]: number(cells[row]) for row in rows}
        strong = [cell for cell, value in shown.items() if value != 0] or list(shown)
        if len({shown[cell] for cell in strong}) > 1:
            where, rule = table.at(rows[0], column), "one in the rows of a trial, or 0"
            got = " and ".join(map(repr, strong))
            raise ValueError(f"{where} must be {rule}, got {got}")
        found.append(strong[0])
    return found


def _fields_of_rows(
    table: TrialFile,
    settings: TableSettings,
    stimulus: str,
    ordered: Sequence[Sequence[int]],
) -> np.ndarray | None:
    """Put the fields of each trial's rows together; None if they are already."""
    assert settings.noise is not None
    array = load_array(settings.noise, "noise")
    n = len(ordered[0])
    if stimulus not in table.cells:
        ids: Sequence[int] = range(len(table))
        if len(array) != len(table):
            rule = f"of as many fields as {table.name} has rows, {len(table)}"
            hint = f"or the table needs a column {stimulus}"
            raise ValueError(f"noise must be {rule}, got {len(array)}; {hint}")
    else:
        cells = table.cells[stimulus]
        is_one = all(len({str(cells[row]) for row in rows}) == 1 for rows in ordered)
        if is_one and array.ndim > 2 and array.shape[1] == n:
            return None
        first = settings.counted_from.get("stimulus_id", 0)
        ids = [
            _field_of(table, stimulus, row, first, len(array))
            for row in range(len(table))
        ]
    return array[np.array([[ids[row] for row in rows] for rows in ordered])]


def _field_of(table: TrialFile, column: str, row: int, first: int, n: int) -> int:
    cell = table.cells[column][row]
    value = whole_number(cell)
    if value is None or not first <= value < first + n:
        rule = f"a row of the noise, from {first} to {first + n - 1}"
        hint = "" if value != n or first else "; from 1: --counted-from stimulus_id=1"
        where = table.at(row, column)
        raise ValueError(f"{where} must be {rule}, got {cell!r}{hint}")
    return value - first
