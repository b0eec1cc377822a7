"""Many trials side by side: what travels from a schedule to the log, and back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from operator import attrgetter
from typing import Any

import numpy as np

from .trial import Response, TrialRecord, TrialSpec
from .trial_columns import TRIAL, Values, as_list

_SPEC = tuple(column for column in TRIAL if column.part == "spec")
_OF_SPEC = {column.name: attrgetter(column.field) for column in _SPEC}
_PART = {"spec": "spec.", "response": "response.", "record": ""}
_OF_RECORD = {c.name: attrgetter(_PART[c.part] + c.field) for c in TRIAL}
# What a response holds without being asked: all else is missing.
_DEFAULTS = {
    field.name: field.default
    for field in fields(Response)
    if field.default is not MISSING and field.default is not None
}


@dataclass(frozen=True, eq=False)
class TrialColumns:
    """Trials as columns, in place of an object each.

    It is a table of trials, as `render` and the noise sources take one.

    Attributes
    ----------
    n
        How many trials.
    values
        By name in `TRIAL`, a value for each trial: an array (rows of it, where a value
        is several numbers) or a list, in which None is a missing value. A column that
        is left out is missing in all trials.

    Examples
    --------
    >>> spec = TrialSpec(0, 0, "main", "main", 7, 1, None, 0.2, 1)
    >>> trials = TrialColumns.of_specs([spec])
    >>> trials["stimulus_id"], "repeats" in trials.values
    ([7], False)
    >>> trials.specs() == [spec]
    True
    """

    n: int
    values: Mapping[str, Values]

    def __post_init__(self) -> None:
        for name, values in self.values.items():
            if len(values) != self.n:
                rule = f"a value for each of {self.n} trials"
                raise ValueError(f"{name} must have {rule}, got {len(values)}")

    @classmethod
    def of(cls, records: Sequence[TrialRecord]) -> "TrialColumns":
        """Give records as columns."""
        return cls._read(records, _OF_RECORD)

    @classmethod
    def of_specs(cls, specs: Sequence[TrialSpec]) -> "TrialColumns":
        """Give trials without a response as columns."""
        return cls._read(specs, _OF_SPEC)

    @classmethod
    def of_cells(cls, n: int, cells: Mapping[str, Sequence[Any]]) -> "TrialColumns":
        """Give columns of the log's cells as columns of values."""
        kinds = {column.name: column.kind for column in TRIAL}
        return cls(n, {k: kinds[k].from_cells(v) for k, v in cells.items()})

    @classmethod
    def joined(cls, parts: Sequence["TrialColumns"]) -> "TrialColumns":
        """Give the trials of all parts, one after the other."""
        parts = [part for part in parts if part.n]
        if len(parts) == 1:
            return parts[0]
        names = {name for part in parts for name in part.values}
        values = {c.name: _joined(parts, c.name) for c in TRIAL if c.name in names}
        return cls(sum(part.n for part in parts), values)

    @classmethod
    def _read(cls, objects: Sequence[Any], read: Mapping[str, Any]) -> "TrialColumns":
        values = {name: [of(each) for each in objects] for name, of in read.items()}
        held = {k: v for k, v in values.items() if v.count(None) < len(v)}
        return cls(len(objects), held)

    def __len__(self) -> int:
        """Give how many trials there are."""
        return self.n

    def __getitem__(self, name: str) -> Values:
        """Give a column; one that is missing in all trials is a list of None."""
        return self.values[name] if name in self.values else [None] * self.n

    def part(self, first: int, end: int | None = None) -> "TrialColumns":
        """Give the trials from the first to before the end, counted from 0."""
        values = {name: column[first:end] for name, column in self.values.items()}
        return TrialColumns(len(range(self.n)[first:end]), values)

    def without_responses(self) -> "TrialColumns":
        """Give the same trials as they were before they had a response."""
        shown = [column.name for column in _SPEC if column.name in self.values]
        return TrialColumns(self.n, {name: self.values[name] for name in shown})

    def having(self, **columns: Values) -> "TrialColumns":
        """Give the same trials with columns besides."""
        return TrialColumns(self.n, {**self.values, **columns})

    def responded(self, **columns: Values) -> "TrialColumns":
        """Give the same trials with responses: columns of fields of `Response`."""
        usual = {name: np.full(self.n, value) for name, value in _DEFAULTS.items()}
        return self.having(**{**usual, **columns})

    def shows_as(self, other: "TrialColumns") -> bool:
        """Whether both are the same trials, whatever the responses."""
        return self.n == other.n and all(
            _same(self[column.name], other[column.name]) for column in _SPEC
        )

    def specs(self) -> list[TrialSpec]:
        """Give each trial as an object, without its response."""
        return [TrialSpec(**fields) for fields in self._fields("spec")]

    def records(self) -> list[TrialRecord]:
        """Give each trial as an object, with its response."""
        parts = (self._fields(part) for part in ("response", "record"))
        return [
            TrialRecord(spec, Response(**response), **record)
            for spec, response, record in zip(self.specs(), *parts, strict=True)
        ]

    @cached_property
    def cells(self) -> dict[str, list[Any]]:
        """Give the columns that are not missing as the log keeps them."""
        return {
            column.name: column.kind.to_cells(self.values[column.name])
            for column in TRIAL
            if column.name in self.values
        }

    def _fields(self, part: str) -> Iterator[dict[str, Any]]:
        """Give the fields of one part of every trial."""
        columns = [column for column in TRIAL if column.part == part]
        names = [column.field for column in columns]
        values = [as_list(self[column.name]) for column in columns]
        for row in zip(*values, strict=True):
            yield dict(zip(names, row, strict=True))


def _joined(parts: Sequence[TrialColumns], name: str) -> Values:
    columns = [part[name] for part in parts]
    if all(isinstance(column, np.ndarray) for column in columns):
        return np.concatenate(columns)
    return [value for column in columns for value in as_list(column)]


def _same(one: Values, other: Values) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return as_list(one) == as_list(other)
