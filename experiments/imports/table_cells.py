"""The columns of an imported table, cell by cell: numbers, names, or a refusal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..store.text import observer_name
from ..store.trial import is_correct
from .table_file import TrialFile
from .table_numbers import is_missing, number, whole_number
from .table_settings import TableSettings

T = TypeVar("T")


class TableColumns:
    """The columns of a table as numbers and names, every row checked by its rule.

    Attributes
    ----------
    task
        What was asked.
    observer, trial, stimulus_id, target, contrast, block
        One value a row.
    response, repeats, rt_ms, confidence, valid
        One value a row; None where the table has none. All that counts is from 0.
    has_ids
        Whether the table says which stimulus each trial had.

    Raises
    ------
    ValueError
        If a column is missing, or a cell breaks its column's rule; one sentence with
        the row, counted from 1 without the header.
    """

    def __init__(
        self, table: TrialFile, settings: TableSettings, fields: np.ndarray
    ) -> None:
        self.table, self.settings, self.fields = table, settings, fields
        self.task = settings.responses
        self._require_columns()
        n_responses, n_targets = len(self.task.keys), self.task.n_targets
        # Columns that count, and how many values they have.
        self._n_codes = {"target": n_targets, "response": n_responses}
        self.observer = self._observers()
        self.target = self._targets()
        self.response = self._optional("response", *self._counted("response"))
        self.stimulus_id = self._stimulus_ids()
        self.trial = self._trial_numbers()
        self.repeats = self._optional("repeats", "a trial's number", whole_number)
        self.contrast = self._contrasts()
        self.rt_ms = self._times()
        self.confidence = self._optional("confidence", "a number", number)
        self.valid = self._optional("valid", *_below(2))
        self.block = self._blocks()
        self._check_correct()

    def _require_columns(self) -> None:
        for ours, theirs in self.settings.columns.items():
            if theirs not in self.table.names:
                rule = f"in {self.table.name} as {ours}"
                raise ValueError(f"a column must be {rule}, got none named {theirs!r}")
        for name in ("target", "response") if self.task.has_target else ("response",):
            if self._cells(name) is None:
                found = ", ".join((self.table.headers or self.table.names)[:8])
                rule = f"have a column {self.named(name)}"
                hint = self._without(name)
                raise ValueError(f"{self.table.name} must {rule}, got {found}{hint}")
        if self._cells("repeats") is not None and self._cells("trial") is None:
            rule = "a column trial, whose numbers repeats holds"
            raise ValueError(f"{self.table.name} must have {rule}, got none")
        for name in ("observer", "contrast"):
            given = getattr(self.settings, name)
            if given is not None and self._cells(name) is not None:
                rule = "given once"
                got = f"a column and {given!r}"
                raise ValueError(f"{name} must be {rule}, got {got}")

    def _without(self, name: str) -> str:
        """Say how a table without targets is read where none need be correct."""
        if name != "target":
            return ""
        return "; where no response is correct, say --no-target, without --signal"

    def named(self, name: str) -> str:
        """Give what the table calls one of our columns."""
        return self.settings.columns.get(name, name)

    def _cells(self, name: str) -> list[Any] | None:
        return self.table.cells.get(self.named(name))

    def _needed(
        self, name: str, rule: str, parse: Callable[[Any], T | None]
    ) -> list[T]:
        """Read a column in which no cell may be empty."""
        cells = self._cells(name)
        assert cells is not None
        return [self._parsed(name, row, rule, parse) for row in range(len(cells))]

    def _optional(
        self, name: str, rule: str, parse: Callable[[Any], T | None]
    ) -> list[T | None]:
        """Read a column that may be missing, or have empty cells: None."""
        cells = self._cells(name)
        if cells is None:
            return [None] * len(self.table)
        return [
            None if is_missing(cell) else self._parsed(name, row, rule, parse)
            for row, cell in enumerate(cells)
        ]

    def _parsed(
        self, name: str, row: int, rule: str, parse: Callable[[Any], T | None]
    ) -> T:
        cells = self._cells(name)
        assert cells is not None
        value = None if is_missing(cells[row]) else parse(cells[row])
        if value is None:
            where = self.at(row, name)
            got = "nothing" if is_missing(cells[row]) else repr(cells[row])
            why = self._why_not(name, cells)
            raise ValueError(f"{where} must be {rule}, got {got}{why}")
        return value

    def _targets(self) -> list[int]:
        """Read the targets; 0 where no response is correct, whatever a column says."""
        if not self.task.has_target:
            return [0] * len(self.table)
        return self._needed("target", *self._counted("target"))

    def _counted(self, name: str) -> tuple[str, Callable[[Any], int | None]]:
        """Give rule and parser of a column that counts, from 0 or as it was said."""
        n, first = self._n_codes[name], self.settings.counted_from.get(name, 0)
        _, parse = _below(n)

        def parse_counted(cell: Any) -> int | None:
            value = whole_number(cell)
            return None if value is None else parse(value - first)

        two = f"{first} or {first + 1}"
        rule = two if n == 2 else f"a whole number from {first} to {first + n - 1}"
        return rule, parse_counted

    def _why_not(self, name: str, cells: list[Any]) -> str:
        """Say it where a column with a forbidden cell would be right from 1."""
        if name == "contrast" and not self.is_relative:
            return self._why_no_contrast(cells)
        n = self._n_codes.get(name)
        if n is None or name in self.settings.counted_from:
            return ""
        codes = [whole_number(cell) for cell in cells if not is_missing(cell)]
        if any(code is None or not 1 <= code <= n for code in codes):
            return ""
        return f"; none is 0: if they start at 1, say --counted-from {name}=1"

    def _why_no_contrast(self, cells: list[Any]) -> str:
        """Say it where forbidden contrasts would be right in percent."""
        values = [number(cell) for cell in cells if not is_missing(cell)]
        factor, percent = (
            self.settings.contrast_scale,
            self.settings.is_contrast_percent,
        )
        if (
            percent
            or factor != 1
            or any(v is None or not 0 <= v <= 100 for v in values)
        ):
            return ""
        if max((v for v in values if v is not None), default=0) < 2:
            return ""
        return (
            "; this looks like percent: --contrast-scale 0.01 if the noise is percent "
            "too, --percent-contrast if it is not"
        )

    def _times(self) -> list[float | None]:
        """Give response times in ms, also of those in seconds."""
        if self.settings.rt_unit != "s":
            return self._optional("rt_ms", "a time in ms from 0", _from_zero)
        seconds = self._optional("rt_ms", "a time in s from 0", _from_zero)
        return [None if t is None else round(1000 * t, 6) for t in seconds]

    def _words(
        self, name: str, rule: str, parse: Callable[[Any], str | None]
    ) -> list[str]:
        """Read a column of words: NA and none are words, only an empty cell is not."""
        cells = self._cells(name)
        assert cells is not None
        words = [parse(cell) for cell in cells]
        for row, (cell, word) in enumerate(zip(cells, words, strict=True)):
            if word is None:
                got = "nothing" if is_missing(cell) else ascii(cell)
                raise ValueError(f"{self.at(row, name)} must be {rule}, got {got}")
        return [word for word in words if word is not None]

    def _observers(self) -> list[str]:
        if self._cells("observer") is not None:
            return self._words("observer", "a name", _name)
        name = self.settings.observer or Path(self.table.name).stem
        return [observer_name(name)] * len(self.table)

    def _stimulus_ids(self) -> list[int]:
        n_stimuli, n_rows = len(self.fields), len(self.table)
        in_columns = self.settings.noise_columns is not None
        self.has_ids = self._cells("stimulus_id") is not None and not in_columns
        if self.has_ids:
            self._n_codes["stimulus_id"] = n_stimuli
            first = self.settings.counted_from.get("stimulus_id", 0)
            rule = f"a row of the noise, from {first} to {first + n_stimuli - 1}"
            return self._needed("stimulus_id", rule, self._counted("stimulus_id")[1])
        if n_stimuli != n_rows:
            rule = f"of as many stimuli as {self.table.name} has rows, {n_rows}"
            hint = "or the table needs a column stimulus_id"
            raise ValueError(f"noise must be {rule}, got {n_stimuli}; {hint}")
        return list(range(n_rows))

    def _trial_numbers(self) -> list[int]:
        if self._cells("trial") is None:
            return list(range(len(self.table)))
        return self._needed("trial", "a whole number", whole_number)

    def _blocks(self) -> list[str]:
        if self._cells("block") is None:
            return [""] * len(self.table)
        return self._words("block", "a name or number", _word)

    @property
    def is_relative(self) -> bool:
        """Whether contrasts are in a unit of their own, or unknown."""
        is_known = self._cells("contrast") is not None
        is_known = is_known or self.settings.contrast is not None
        is_known = is_known or not self.task.has_target  # there is no signal
        return self.settings.is_contrast_relative or not is_known

    def _contrasts(self) -> list[float]:
        """Give contrasts, as they are or scaled; 1 where they are unknown.

        Without a target there is no signal, and contrast is 0.
        """
        factor = 1.0 if self.is_relative else self.settings.contrast_scale
        if self.settings.is_contrast_percent:
            factor = 0.01
        if self._cells("contrast") is None:
            given = self.settings.contrast
            unknown = 1.0 if self.task.has_target else 0.0
            value = unknown if given is None else factor * given
            if not 0 <= value <= (np.inf if self.is_relative else 1):
                raise ValueError(f"contrast must be from 0 to 1, got {value:g}")
            return [value] * len(self.table)
        if self.is_relative:
            return self._needed("contrast", "a number from 0", _from_zero)
        if self._are_percent():
            factor = 0.01
        largest = 1 / factor

        def parse(cell: Any) -> float | None:
            value = _from_zero(cell.rstrip("% ") if isinstance(cell, str) else cell)
            return None if value is None or value > largest else min(factor * value, 1)

        rule = f"a contrast from 0 to {largest:g}; a sign belongs into the target"
        return self._needed("contrast", rule, parse)

    def _are_percent(self) -> bool:
        """Whether every contrast is written with a percent sign."""
        cells = [c for c in self._cells("contrast") or () if not is_missing(c)]
        return bool(cells) and all(str(cell).endswith("%") for cell in cells)

    def _check_correct(self) -> None:
        """Compare with a column that says whether the response was right."""
        if not self.task.has_target:
            return
        for row, said in enumerate(self._optional("correct", *_below(2))):
            found = self.score(row)
            if said is not None and found is not None and said != found:
                where = self.at(row, "correct")
                rule = f"{found:d} as target and response say"
                raise ValueError(f"{where} must be {rule}, got {said}")

    def at(self, row: int, name: str) -> str:
        """Name a cell, for a sentence."""
        return self.table.at(row, self.named(name))

    def score(self, row: int) -> bool | None:
        """Score the response of a row; None if there was none."""
        kind, n = self.task.kind, len(self.task.keys)
        return is_correct(kind, n, self.target[row], self.response[row])

    def is_same_noise(self, row: int, other: int) -> bool:
        """Whether two rows showed the same noise, under one stimulus id or two."""
        ours, theirs = self.stimulus_id[row], self.stimulus_id[other]
        same = ours == theirs
        return same or np.array_equal(self.fields[ours], self.fields[theirs])


def _below(n: int) -> tuple[str, Callable[[Any], int | None]]:
    """Give rule and parser of a whole number from 0 to n - 1."""

    def parse(cell: Any) -> int | None:
        value = whole_number(cell)
        return value if value is not None and 0 <= value < n else None

    return ("0 or 1" if n == 2 else f"a whole number from 0 to {n - 1}"), parse


def _from_zero(cell: Any) -> float | None:
    value = number(cell)
    return value if value is not None and value >= 0 else None


def _word(cell: Any) -> str | None:
    """Give a cell as a text; a whole number without a point."""
    if is_missing(cell) and not (isinstance(cell, str) and cell.strip()):
        return None
    whole = whole_number(cell) if isinstance(cell, float) else None
    return str(cell if whole is None else whole)


def _name(cell: Any) -> str | None:
    word = _word(cell)
    try:
        return None if word is None else observer_name(word)
    except ValueError:
        return None
