"""What an import would read: the file, its columns and their roles, and the noise.

Nothing is written; where the table would be refused, the sentence says why.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from ..protocols.parts import TASKS
from .table import Understood, understood
from .table_file import TrialFile, read_trials
from .table_numbers import FileOptions, is_missing, number
from .table_settings import COLUMNS, TableSettings

_FEW = 8  # values of a column that are listed
_FILE = ("separator", "decimal", "encoding", "part")
Explained = dict[str, Any]


def explain_table(trials: str | Path, **settings: Any) -> Explained:
    r"""Say what an import of a table would read, without writing anything.

    Parameters
    ----------
    trials
        The table.
    **settings
        Fields of `TableSettings`, as far as they are known.

    Returns
    -------
    dict
        Format and layout of the file (`file`), its `columns` with what each is read as
        and the values it has, numbers of `rows`, `trials`, `observers` and `pairs`, the
        `noise` and its unit, `notes`, and `refused`: why an import would be, or None.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If a package is missing that the file's format needs.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "ann.csv")
    ...     _ = table.write_text("Target;Response\n1;1\n0;1\n", encoding="utf-8")
    ...     found = explain_table(table, task="yes_no")
    >>> found["file"]["separator"], [column["read_as"] for column in found["columns"]]
    (';', ['target', 'response'])
    >>> found["refused"]
    'noise must be given as an array or as columns, got none'
    """
    columns: Mapping[str, str] = settings.get("columns") or {}
    found: Explained = {"file": {"name": Path(trials).name}}
    wanted = {columns.get(name, name) for name in COLUMNS}
    options = {name: settings.get(name) for name in _FILE}
    prefix, values = settings.get("noise_columns"), settings.get("noise_values")
    try:
        table = read_trials(trials, wanted, prefix, FileOptions(**options), values)
    except ValueError as error:
        return {**found, "columns": [], "notes": [], "refused": str(error)}
    found["file"] |= table.about
    ours = {theirs: name for name, theirs in columns.items()}
    found["columns"] = [
        _column(table, header, name, ours)
        for header, name in zip(table.headers, table.names, strict=True)
        if name not in table.noise_names
    ]
    found["rows"] = len(table)
    whole, refused = _whole(trials, settings)
    if whole is None:
        return found | {"notes": list(table.notes), "refused": refused}
    return found | _about(whole) | {"refused": None}


def _whole(
    trials: str | Path, settings: Mapping[str, Any]
) -> tuple[Understood | None, str | None]:
    """Check all of it; None and the sentence where that cannot be."""
    if settings.get("task") is None:
        known = ", ".join(task for task in TASKS if task != "identify")
        return None, f"task must be one of {known}, got none"
    try:
        return understood(trials, TableSettings(**settings)), None
    except (ValueError, FileNotFoundError) as error:
        return None, str(error)


def _column(
    table: TrialFile, header: str, name: str, ours: Mapping[str, str]
) -> Explained:
    """Describe a column: what it is read as, and what is in it."""
    if name not in table.cells:
        return {"name": header, "read_as": None, "values": "not read"}
    read_as = ours.get(name, name)
    return {"name": header, "read_as": read_as, "values": _values(table.cells[name])}


def _values(cells: Sequence[Any]) -> str:
    """Sum up a column: its values and how often they are, or the range of numbers."""
    there = [cell for cell in cells if not is_missing(cell)]
    n_missing = len(cells) - len(there)
    counts = Counter(_shown(cell) for cell in there)
    numbers = [value for cell in there if (value := number(cell)) is not None]
    if len(counts) <= _FEW:
        said = ", ".join(f"{value} ({n})" for value, n in sorted(counts.items()))
    elif len(numbers) == len(there):
        middle = median(numbers)
        said = f"{min(numbers):g} to {max(numbers):g}, median {middle:g}"
    else:
        first = ", ".join(list(counts)[:_FEW])
        said = f"{len(counts)} different: {first}, …"
    return said + (f"; {n_missing} missing" if n_missing else "")


def _shown(cell: Any) -> str:
    value = number(cell)
    return str(cell) if value is None else f"{value:g}"


def _about(found: Understood) -> Explained:
    """Describe trials, observers and noise of a table that would be imported."""
    observers, fields, settings = found.observers, found.fields, found.settings
    n_stimuli, n_intervals, *grid = fields.shape
    notes = [note for each in observers for note in found.notes_of(each)]
    is_float = np.issubdtype(fields.dtype, np.floating)
    relative = observers[0].is_contrast_relative
    contrasts = sorted({c for each in observers for c in each.contrasts})
    return {
        "trials": sum(len(each.trials) for each in observers),
        "observers": {each.observer: len(each.trials) for each in observers},
        "pairs": sum(each.n_pairs for each in observers),
        "without_response": sum(each.n_missing for each in observers),
        "task": settings.task,
        "contrasts": f"{contrasts[0]:g}"
        + (f" to {contrasts[-1]:g}, {len(contrasts)} of them" if contrasts[1:] else "")
        + (" (in a unit of its own)" if relative else ""),
        "noise": {
            "stimuli": n_stimuli,
            "intervals": n_intervals,
            "frames x rows x columns": "x".join(map(str, grid)),
            "unit": "contrast" if is_float else "levels of 1/127 contrast",
            "scaled_by": settings.contrast_scale,
            "sd": found.measures.sd,
            "largest": found.measures.largest,
        },
        "notes": list(dict.fromkeys(notes)),
    }
