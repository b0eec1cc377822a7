"""Tables of other people's trials: names, cells and noise columns, of any format.

What a table can only mean is read, and said. A row with a cell too many or too few, a
name that comes twice or a noise value that is no number is refused with its place.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from ..store.text import utf8_text
from .table_columns import ColumnSheet, read_excel, read_parquet, read_r
from .table_header import meant_names, required_names
from .table_matlab import read_matlab
from .table_numbers import FileOptions
from .table_text import TextSheet

TEXT_ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".dat")
_READERS = {
    **dict.fromkeys(TEXT_ENDINGS, TextSheet),
    ".parquet": read_parquet,
    ".xlsx": read_excel,
    **dict.fromkeys((".rda", ".rdata", ".rds"), read_r),
    ".mat": read_matlab,
}


@dataclass(frozen=True, eq=False)
class TrialFile:
    """A table as it was in its file.

    Attributes
    ----------
    name, sha256
        What the file is called, and what is in it.
    names
        Its columns, in order; one that means a wanted column has that one's name.
    cells
        The wanted columns, by name: a text, number or None a row.
    noise_names
        Its noise columns, in order.
    noise
        Their numbers; no element if there is no noise column.
    headers
        The columns' names as they are in the file.
    notes
        What was understood of the file, a sentence each.
    about
        Its format and layout.
    """

    name: str
    sha256: str
    names: tuple[str, ...]
    cells: dict[str, list[Any]]
    noise_names: tuple[str, ...]
    noise: Float64[np.ndarray, " row column"]
    headers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.noise)

    def at(self, row: int, column: str) -> str:
        """Name a cell, rows counted from 1 without the header."""
        return f"{column} in row {row + 1} of {self.name}"


def read_trials(
    path: str | Path,
    wanted: Collection[str],
    noise_columns: str | None = None,
    options: FileOptions | None = None,
    noise_values: str | None = None,
) -> TrialFile:
    """Read a table of trials.

    Parameters
    ----------
    path
        A text (.csv, .tsv, .txt, .dat), .parquet, .xlsx, an R data file or a .mat.
    wanted
        Names of the columns whose cells are needed, besides the noise.
    noise_columns
        What the names of noise columns begin with; None if there are none.
    options
        How the file is to be opened; by default that is found.
    noise_values
        Name of the one column of noise, of a table with a row for each element.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If a package is missing that its format needs.
    ValueError
        If it is no such table; one sentence.
    """
    path = Path(path)
    sha256 = _sha256(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        rule = f"a file ending in {', '.join(_READERS)}"
        raise ValueError(f"a table of trials must be {rule}, got {path.name!r}")
    extra = {noise_values} if noise_values else set()
    wanted = set(wanted) | extra
    sheet = reader(path, wanted, options or FileOptions())
    names, renamed = _meant(path.name, sheet, wanted, noise_columns)
    is_noise = _noise_pattern(noise_columns, noise_values)
    noise_places = [i for i, n in enumerate(names) if is_noise.fullmatch(n)]
    others = [i for i, n in enumerate(names) if n in wanted - extra]
    cells, noise = sheet.read(others, noise_places)
    if not len(noise):
        raise ValueError(f"{path.name} must have a row for each trial, got none")
    return TrialFile(
        name=utf8_text(path.name),
        sha256=sha256,
        names=tuple(names),
        cells={names[i]: column for i, column in zip(others, cells, strict=True)},
        noise_names=tuple(names[i] for i in noise_places),
        noise=noise,
        headers=sheet.names,
        notes=(*sheet.notes, *renamed),
        about=sheet.about,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _meant(
    file: str, sheet: TextSheet | ColumnSheet, wanted: set[str], prefix: str | None
) -> tuple[list[str], list[str]]:
    """Give the columns' names as they are meant, noise columns too."""
    required_names(file, sheet.names)
    names, notes = meant_names(file, sheet.names, wanted)
    if prefix is None or any(map(_noise_pattern(prefix, None).fullmatch, names)):
        return names, notes
    other = re.compile(re.escape(prefix) + _NUMBERS, re.IGNORECASE)
    found = [other.fullmatch(name) is not None for name in names]
    names = [
        prefix + name[len(prefix) :] if is_noise else name
        for name, is_noise in zip(names, found, strict=True)
    ]
    if any(found):
        first = sheet.names[found.index(True)]
        notes.append(f"noise columns begin with {first[: len(prefix)]!r}")
    required_names(file, names)
    return names, notes


_NUMBERS = r"(\d+_)?\d+"


def _noise_pattern(prefix: str | None, values: str | None) -> re.Pattern[str]:
    """Give what the name of a noise column is like; of no name, if there is none."""
    if values is not None:
        return re.compile(re.escape(values))
    return re.compile("(?!)" if prefix is None else re.escape(prefix) + _NUMBERS)
