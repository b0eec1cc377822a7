"""Responses of a reverse correlation experiment with faces, from a table.

A row for each trial: who, which stimulus, and whether the original (1) or the inverted
(-1) was chosen. The columns are found under the names that rcicr's and rcpyci's guides
use, or as they are named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..protocols.checks import suggestion
from ..store.text import observer_name
from .table_file import TrialFile, read_trials
from .table_numbers import is_missing, number, whole_number

# What others call our columns.
NAMES = {
    "observer": ("observer", "subject", "participant", "participant_id"),
    "stimulus_id": ("stimulus_id", "stimulus", "stim"),
    "response": ("response", "responses"),
    "condition": ("condition",),
    "rt_ms": ("rt_ms",),
}
_WORDS = {"1": 0, "original": 0, "ori": 0, "-1": 1, "inverted": 1, "inv": 1}
_RULE = "1 or original, -1 or inverted"


@dataclass(frozen=True)
class FaceSettings:
    """How a table of choices is to be read.

    Attributes
    ----------
    columns
        Names in the table that are not found: {'stimulus_id': 'pair'}.
    counted_from
        What stimuli count from, 0 or 1.
    observer
        Name of the observer of a table without such a column; by default the file's.
    deg_per_element
        Degrees of visual angle across a pixel; 1 where it is unknown.
    name
        Of the protocol; by default that of the stimuli's file.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    counted_from: int = 0
    observer: str | None = None
    deg_per_element: float = 1.0
    name: str | None = None

    def __post_init__(self) -> None:
        for ours in self.columns:
            if ours not in NAMES:
                hint = suggestion(ours, NAMES)
                rule = f"one of {', '.join(NAMES)}"
                raise ValueError(f"a column must be {rule}, got {ours!r}{hint}")
        if self.counted_from not in (0, 1):
            got = self.counted_from
            raise ValueError(f"counted_from of stimulus_id must be 0 or 1, got {got}")


@dataclass(frozen=True)
class Choice:
    """One trial: the stimulus from 0; 0 the original, 1 the inverted, or None."""

    stimulus_id: int
    response: int | None
    rt_ms: float | None


@dataclass(frozen=True)
class Choices:
    """The trials of one observer in one condition, in the order of the table."""

    observer: str
    condition: str
    trials: tuple[Choice, ...]


def read_choices(
    path: str | Path, settings: FaceSettings, n_stimuli: int
) -> tuple[TrialFile, list[Choices]]:
    """Read a table of choices.

    Parameters
    ----------
    path
        A CSV or Parquet table.
    n_stimuli
        How many stimuli there were.

    Returns
    -------
    tuple
        The table, and what each observer chose in each condition, in its order.

    Raises
    ------
    ValueError
        If a column is missing, or a cell is not what it must be; one sentence.
    """
    wanted = {name for names in NAMES.values() for name in names}
    table = read_trials(path, wanted | set(settings.columns.values()))
    columns = {ours: _column(table, settings, ours) for ours in NAMES}
    first = settings.counted_from
    found: dict[tuple[str, str], list[Choice]] = {}
    for row in range(len(table)):
        cell = {
            ours: theirs and table.cells[theirs][row]
            for ours, theirs in columns.items()
        }
        where = {
            ours: table.at(row, theirs or ours) for ours, theirs in columns.items()
        }
        who = _named(where["observer"], cell["observer"], table, settings)
        condition = "" if is_missing(cell["condition"]) else str(cell["condition"])
        stimulus = whole_number(cell["stimulus_id"])
        if stimulus is None or not first <= stimulus < first + n_stimuli:
            rule = f"a stimulus, from {first} to {first + n_stimuli - 1}"
            hint = "" if stimulus != n_stimuli or first else _FROM_1
            got = f"{cell['stimulus_id']!r}{hint}"
            raise ValueError(f"{where['stimulus_id']} must be {rule}, got {got}")
        trial = Choice(
            stimulus - first,
            _response(where["response"], cell["response"]),
            _time(where["rt_ms"], cell["rt_ms"]),
        )
        found.setdefault((who, condition), []).append(trial)
    return table, [Choices(*key, tuple(trials)) for key, trials in found.items()]


_FROM_1 = "; if stimuli count from 1, say --counted-from 1"


def _column(table: TrialFile, settings: FaceSettings, ours: str) -> str | None:
    """Find what the table calls a column; None where it may be left out."""
    names = [settings.columns[ours]] if ours in settings.columns else list(NAMES[ours])
    there = [name for name in names if name in table.names]
    if len(there) > 1:
        rule, both = f"one, named by --column {ours}=NAME", " and ".join(there)
        raise ValueError(
            f"the column {ours} of {table.name} must be {rule}, got {both}"
        )
    if there:
        return there[0]
    if ours in settings.columns or ours in ("stimulus_id", "response"):
        rule = f"a column {' or '.join(names)}"
        got = ", ".join(table.names[:8])
        raise ValueError(f"{table.name} must have {rule}, got {got}")
    return None


def _named(where: str, cell: Any, table: TrialFile, settings: FaceSettings) -> str:
    if cell is None and not any(n in table.names for n in NAMES["observer"]):
        return observer_name(settings.observer or Path(table.name).stem)
    try:
        whole = whole_number(cell) if isinstance(cell, float) else None
        return observer_name(str(cell if whole is None else whole))
    except ValueError:
        raise ValueError(f"{where} must be a name, got {cell!r}") from None


def _response(where: str, cell: Any) -> int | None:
    if is_missing(cell):
        return None
    value = number(cell)
    word = str(cell).lower() if value is None else f"{value:g}"
    if word not in _WORDS:
        raise ValueError(f"{where} must be {_RULE}, or empty, got {cell!r}")
    return _WORDS[word]


def _time(where: str, cell: Any) -> float | None:
    if is_missing(cell):
        return None
    value = number(cell)
    if value is None or value < 0:
        raise ValueError(f"{where} must be a time in ms, got {cell!r}")
    return value
