"""Choice tables from files: one, several, or a folder of them at once.

Columns are found under the names that people use, in capitals or not. The tables of
model-vs-human (Geirhos et al.) are known by theirs, and what their toolbox does with
them is done here: `na` is a wrong response, the part of a picture's file name that
tells the trial is left out, and where every name has two words, shape and texture, the
second is the other cue.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..protocols.checks import suggestion
from ..store.text import observer_name
from .choice_table import ChoiceTable
from .table_file import read_trials
from .table_numbers import is_missing, whole_number

if TYPE_CHECKING:
    import pandas as pd

# What others call our columns, in small letters.
NAMES = {
    "observer": ("observer", "subj", "subject", "participant", "participant_id"),
    "stimulus": ("stimulus", "image", "imagename", "image_name", "filename", "file"),
    "target": ("target", "category", "label", "correct_response"),
    "response": ("response", "object_response", "choice", "answer"),
    "condition": ("condition",),
    "other_cue": ("other_cue", "texture"),
    "observer_kind": ("observer_kind",),
}
NEEDED = ("stimulus", "target", "response")
MODEL_VS_HUMAN = {"subj", "object_response", "category", "imagename"}
_PERSON = "subject-"  # how the names of people begin there
_TWO_CUES = re.compile(r"([a-z]+)\d*-([a-z]+)\d*\.[a-z]+")
_ENDINGS = (".csv", ".parquet")


@dataclass(frozen=True)
class _Rows:
    """A table as it was in its file: its name, and a list of cells for each column."""

    name: str
    cells: Mapping[str, Sequence[Any]]
    sha256: str = ""

    def column(self, ours: str, columns: Mapping[str, str]) -> str | None:
        """Find what the table calls a column; None where it may be left out."""
        small = {name.lower(): name for name in self.cells}
        names = [columns[ours].lower()] if ours in columns else list(NAMES[ours])
        there = [small[name] for name in names if name in small]
        if len(there) > 1:
            rule, both = f"one, named by --column {ours}=NAME", " and ".join(there)
            raise ValueError(
                f"the column {ours} of {self.name} must be {rule}, got {both}"
            )
        if not there and (ours in NEEDED or ours in columns):
            rule, got = f"a column {' or '.join(names)}", ", ".join(list(small)[:8])
            raise ValueError(f"{self.name} must have {rule}, got {got}")
        return there[0] if there else None

    @property
    def is_model_vs_human(self) -> bool:
        return {name.lower() for name in self.cells} >= MODEL_VS_HUMAN


def read_choices(
    *sources: "str | Path | pd.DataFrame",
    models: Collection[str] = (),
    columns: Mapping[str, str] | None = None,
    missing: str | None = None,
) -> ChoiceTable:
    """Read tables of choices without noise: who called which picture what.

    Parameters
    ----------
    sources
        Files (CSV or Parquet), folders of them, or data frames: a row for each choice,
        with the columns that docs/importing.md names.
    models
        Observers that are models. Where the tables say it (`observer_kind`, or names
        other than `subject-...` in tables of model-vs-human) it need not be given.
    columns
        Names in the tables that are not found: {'response': 'key'}.
    missing
        'wrong' or 'left out': what a missing response is. By default it is wrong in
        tables of model-vs-human, as their authors have it, and left out in others.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    LookupError
        If no observer has the name of a model.
    ValueError
        If a table is not as it must be, or the tables contradict each other.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"observer": ["ann", "bob"], "image": "cat1.png", "category": "cat"}
    >>> table = read_choices(pd.DataFrame({**rows, "choice": ["cat", "dog"]}))
    >>> table.observers, table.correct.tolist()
    (('ann', 'bob'), [True, False])
    """
    given = dict(columns or {})
    for ours in given:
        if ours not in NAMES:
            rule, hint = f"one of {', '.join(NAMES)}", suggestion(ours, NAMES)
            raise ValueError(f"a column must be {rule}, got {ours!r}{hint}")
    tables = [each for source in sources for each in _tables(source, given)]
    if not tables:
        raise ValueError("tables of choices must be one or more, got none")
    _require_different(tables)
    known = [each.is_model_vs_human for each in tables]
    if missing is None:
        missing = "wrong" if all(known) else "left out"
    rows = [row for each in tables for row in _rows(each, given)]
    return _Choices(rows, all(known), set(models), missing).table()


def _tables(source: Any, columns: Mapping[str, str]) -> Iterator[_Rows]:
    """Give a data frame, a file, or the files of a folder."""
    if hasattr(source, "to_dict"):
        cells = {str(name): list(source[name]) for name in source.columns}
        yield _Rows("the data frame", cells)
        return
    path = Path(source)
    if not path.is_dir():
        yield _read(path, columns)
        return
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in _ENDINGS)
    if not files:
        inside = sorted(p.name for p in path.iterdir() if p.is_dir())
        hint = f"; did you mean one of its folders, such as {inside[0]}?"
        rule = f"a folder with files ending in {' or '.join(_ENDINGS)}"
        raise ValueError(
            f"{path.name} must be {rule}, got none{hint if inside else ''}"
        )
    for each in files:
        yield _read(each, columns)


def _read(path: Path, columns: Mapping[str, str]) -> _Rows:
    wanted = {name for names in NAMES.values() for name in names}
    wanted |= {name.lower() for name in columns.values()}
    spelt = {form for name in wanted for form in (name, name.title(), name.upper())}
    spelt |= {name.capitalize() for name in wanted} | set(columns.values())
    table = read_trials(path, spelt)
    return _Rows(table.name, table.cells, table.sha256)


def _require_different(tables: Sequence[_Rows]) -> None:
    """Refuse a file that is there twice: its choices would count twice."""
    seen: dict[str, str] = {}
    for each in tables:
        if each.sha256 and each.sha256 in seen:
            both = f"{seen[each.sha256]} and {each.name}"
            raise ValueError(f"tables must be different ones, got {both} with the same")
        seen[each.sha256] = each.name


@dataclass(frozen=True)
class _Row:
    """One choice, in words."""

    observer: str
    kind: str
    condition: str
    stimulus: str
    target: str
    response: str
    other_cue: str


def _rows(table: _Rows, columns: Mapping[str, str]) -> Iterator[_Row]:
    named = {ours: table.column(ours, columns) for ours in NAMES}
    cells = {ours: table.cells[name] for ours, name in named.items() if name}
    short = _short_name if table.is_model_vs_human else str

    def word(ours: str, row: int) -> str:
        cell = cells[ours][row] if ours in cells else None
        whole = whole_number(cell) if isinstance(cell, float) else None
        text = str(cell if whole is None else whole)
        return "" if is_missing(cell) else " ".join(text.split())

    for row in range(len(cells["response"])):
        for ours in ("stimulus", "target"):
            if not word(ours, row):
                where = f"{named[ours]} in row {row + 1} of {table.name}"
                raise ValueError(f"{where} must be a name, got nothing")
        who = cells["observer"][row] if "observer" in cells else Path(table.name).stem
        yield _Row(
            observer=observer_name(str(who)),
            kind=word("observer_kind", row).lower(),
            condition=word("condition", row),
            stimulus=short(word("stimulus", row)),
            target=word("target", row).lower(),
            response=word("response", row).lower(),
            other_cue=word("other_cue", row).lower(),
        )


def _short_name(name: str) -> str:
    """Give the part of a file name that tells the picture, not trial and person.

    Examples
    --------
    >>> _short_name("0002_s5n_s01_0_bird_00_bird2-clock3.png")
    'bird2-clock3.png'
    >>> _short_name("0764_eid_s01_1-10-10_truck_10_n03417042_29384.png")
    'n03417042_29384.png'
    """
    *_, before, last = ["", *name.split("_")]
    return f"{before}_{last}" if re.fullmatch(r"n0\d+", before) else last


class _Choices:
    """The rows of all tables, put together."""

    def __init__(
        self, rows: list[_Row], is_known: bool, models: set[str], missing: str
    ) -> None:
        self.rows, self.is_known = rows, is_known
        self.missing, self.notes = missing, list[str]()
        self.observers = tuple(dict.fromkeys(row.observer for row in rows))
        for name in sorted(models - set(self.observers)):
            hint = suggestion(name, self.observers)
            raise LookupError(f"no observer named {name!r} in the tables{hint}")
        self.models = models | self._models()
        self._one_target()

    def table(self) -> ChoiceTable:
        """Give the table, its names as numbers."""
        conditions, condition = _numbers(self._conditions())
        stimuli, stimulus = _numbers(self._stimuli(condition))
        _, observer = _numbers([row.observer for row in self.rows])
        other_cue = self._other_cues()
        n_missing = sum(not row.response for row in self.rows)
        if n_missing:
            self.notes.append(f"{n_missing} missing responses are {self.missing}")
        targets = {row.target for row in self.rows}
        strange = sorted({row.response for row in self.rows} - targets - {""})
        if strange:
            few = ", ".join(strange[:5]) + (", …" if len(strange) > 5 else "")
            self.notes.append(f"responses that are never a target, so wrong: {few}")
        return ChoiceTable(
            observers=self.observers,
            is_model=np.array([name in self.models for name in self.observers], bool),
            conditions=conditions,
            stimuli=stimuli,
            observer=observer,
            condition=condition,
            stimulus=stimulus,
            target=tuple(row.target for row in self.rows),
            response=tuple(row.response for row in self.rows),
            other_cue=other_cue,
            missing=self.missing,
            notes=tuple(self.notes),
        )

    def _models(self) -> set[str]:
        """Find the models that the tables tell."""
        told = {row.observer for row in self.rows if row.kind == "model"}
        people = any(name.lower().startswith(_PERSON) for name in self.observers)
        if not (self.is_known and people):
            return told
        return told | {
            name for name in self.observers if not name.lower().startswith(_PERSON)
        }

    def _one_target(self) -> None:
        """Refuse a stimulus that two rows call something else."""
        target: dict[str, str] = {}
        for row in self.rows:
            first = target.setdefault(row.stimulus, row.target)
            if first != row.target:
                got = f"{first} and {row.target}"
                raise ValueError(f"target of {row.stimulus} must be one, got {got}")

    def _conditions(self) -> list[str]:
        """Give each row's condition; one without takes that of its stimulus.

        The tables of models often leave the condition out.
        """
        known: dict[str, set[str]] = {}
        for row in self.rows:
            if row.condition:
                known.setdefault(row.stimulus, set()).add(row.condition)
        found = [
            next(iter(known[row.stimulus]))
            if not row.condition and len(known.get(row.stimulus, ())) == 1
            else row.condition
            for row in self.rows
        ]
        n = sum(not row.condition for row in self.rows)
        if n and known:
            rest = sum(not each for each in found)
            self.notes.append(
                f"{n} choices without a condition got that of their stimulus"
                + (f", but {rest} whose stimulus has several or none" if rest else "")
            )
        return found

    def _stimuli(self, condition: np.ndarray) -> list[str]:
        """Give each row's stimulus; a second showing to one observer is another one."""
        seen: dict[tuple[str, int, str], int] = {}
        found, n_again = [], 0
        for row, number in zip(self.rows, condition.tolist(), strict=True):
            key = row.observer, number, row.stimulus
            seen[key] = seen.get(key, 0) + 1
            again = f" (showing {seen[key]})" if seen[key] > 1 else ""
            found.append(row.stimulus + again)
            n_again += seen[key] > 1
        if n_again:
            self.notes.append(
                f"{n_again} choices are about a stimulus that the observer had seen: "
                "the nth showing goes with the nth"
            )
        return found

    def _other_cues(self) -> tuple[str, ...]:
        """Give the other cue's word of each row, also from names such as cat1-dog2."""
        if any(row.other_cue for row in self.rows) or not self.is_known:
            return tuple(row.other_cue for row in self.rows)
        words = {row.target for row in self.rows}
        cues = [_TWO_CUES.fullmatch(row.stimulus) for row in self.rows]
        if not all(
            cue and cue[1] == row.target and cue[2] in words
            for cue, row in zip(cues, self.rows, strict=True)
        ):
            return ("",) * len(self.rows)
        self.notes.append("the second word of a file name is the texture's")
        return tuple(cue[2] for cue in cues if cue)


def _numbers(names: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Number names in the order in which they come."""
    number: dict[str, int] = {}
    found = [number.setdefault(name, len(number)) for name in names]
    return tuple(number), np.array(found, np.int64)
