"""What is said of how a table was read."""

from collections.abc import Sequence

import numpy as np

from .table_file import TrialFile
from .table_noise import signal_left_in
from .table_rows import ObserverRows
from .table_settings import COLUMNS, OF_TARGET, TableSettings


def wanted_columns(settings: TableSettings) -> set[str]:
    """Give the names of the columns that are read, as the table has them."""
    return {settings.columns.get(name, name) for name in COLUMNS}


def left_over(headers: Sequence[str], settings: TableSettings) -> list[str]:
    """Give the columns of a file but those that its layout is arranged by.

    Columns of the target stay: whether they are read depends on the task.
    """
    used = wanted_columns(settings) | {settings.noise_values}
    used -= {settings.columns.get(name, name) for name in OF_TARGET}
    return [name for name in headers if name not in used]


def about_target(given: TableSettings, settings: TableSettings) -> list[str]:
    """Say it where a table without targets was read as one of no correct answer."""
    if given.has_target is not None or settings.has_target:
        return []
    name = settings.columns.get("target", "target")
    return [
        f"there is no column {name}: read as a task without a correct answer, so the "
        "kernel is that of what was chosen, and there is no d'; if there is a target, "
        "--column target=NAME names it"
    ]


def unread(
    table: TrialFile, headers: Sequence[str], settings: TableSettings
) -> list[str]:
    """Say which columns of the file were not read."""
    read = wanted_columns(settings) | set(table.cells) | set(table.noise_names)
    if not settings.has_target:
        read -= {settings.columns.get(name, name) for name in OF_TARGET}
    others = [name for name in headers if name not in read]
    few = ", ".join(others[:8]) + (", …" if len(others) > 8 else "")
    return [f"columns that were not read: {few}"] if others else []


def about_signal(
    fields: np.ndarray, settings: TableSettings, rows: ObserverRows
) -> list[str]:
    """Say it where the noise holds what looks like the signal."""
    if not settings.has_target:
        return []
    note = signal_left_in(fields, rows.stimulus_id, rows.target)
    return [note] if note else []
