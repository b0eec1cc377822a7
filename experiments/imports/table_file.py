"""Tables of other people's trials, as CSV or Parquet: names, cells and noise columns.

Nothing is guessed: a row with a cell too many or too few, a name that comes twice or a
noise value that is no number is refused with its place.
"""

import csv
import hashlib
import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from ..store.cells import from_cell, whole_text
from ..store.text import utf8_text

MISSING = ("", "na", "nan", "n/a", "null", "none")


@dataclass(frozen=True, eq=False)
class TrialFile:
    """A table as it was in its file.

    Attributes
    ----------
    name, sha256
        What the file is called, and what is in it.
    names
        Its columns, in order.
    cells
        The wanted columns, by name: a text, number or None a row.
    noise_names
        Its noise columns, in order.
    noise
        Their numbers; no element if there is no noise column.
    """

    name: str
    sha256: str
    names: tuple[str, ...]
    cells: dict[str, list[Any]]
    noise_names: tuple[str, ...]
    noise: Float64[np.ndarray, " row column"]

    def __len__(self) -> int:
        return len(self.noise)

    def at(self, row: int, column: str) -> str:
        """Name a cell, rows counted from 1 without the header."""
        return f"{column} in row {row + 1} of {self.name}"


def read_trials(
    path: str | Path, wanted: Collection[str], noise_columns: str | None = None
) -> TrialFile:
    """Read a table of trials.

    Parameters
    ----------
    path
        A file ending in .csv (UTF-8, commas, a header) or .parquet.
    wanted
        Names of the columns whose cells are needed, besides the noise.
    noise_columns
        What the names of noise columns begin with; None if there are none.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If a Parquet table is to be read without pyarrow.
    ValueError
        If it is no such table; one sentence.
    """
    path = Path(path)
    sha256 = _sha256(path)
    reader = {".csv": _read_csv, ".parquet": _read_parquet}.get(path.suffix.lower())
    if reader is None:
        rule = "a file ending in .csv or .parquet"
        raise ValueError(f"a table of trials must be {rule}, got {path.name!r}")
    names, cells, noise_names, noise = reader(path, set(wanted), noise_columns)
    if not len(noise):
        raise ValueError(f"{path.name} must have a row for each trial, got none")
    return TrialFile(utf8_text(path.name), sha256, names, cells, noise_names, noise)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _columns(
    file: str, names: Sequence[str], wanted: set[str], noise_columns: str | None
) -> tuple[list[int], list[int]]:
    """Find the places of the wanted columns and of the noise columns."""
    for name in names:
        if names.count(name) > 1 or not name:
            got = f"{name!r} twice" if name else "one without a name"
            raise ValueError(
                f"columns of {file} must have names of their own, got {got}"
            )
    cells = [place for place, name in enumerate(names) if name in wanted]
    if noise_columns is None:
        return cells, []
    is_noise = re.compile(re.escape(noise_columns) + r"(\d+_)?\d+")
    return cells, [i for i, name in enumerate(names) if is_noise.fullmatch(name)]


def _read_csv(path: Path, wanted: set[str], noise_columns: str | None) -> tuple:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = _rows(path.name, file)
        names = [name.strip() for name in next(rows, [])]
        if not names:
            raise ValueError(f"{path.name} must begin with the names of its columns")
        others, noise_places = _columns(path.name, names, wanted, noise_columns)
        listed: list[list[str]] = [[] for _ in others]
        noise = []
        for number, row in enumerate(rows):
            if len(row) != len(names):
                rule = f"{len(names)} cells, as the header has"
                where = f"row {number + 1} of {path.name}"
                raise ValueError(f"{where} must have {rule}, got {len(row)}")
            for column, place in zip(listed, others, strict=True):
                column.append(from_cell(row[place].strip()))
            noise.append(_numbers(path.name, number, names, row, noise_places))
    cells = {names[place]: column for place, column in zip(others, listed, strict=True)}
    table = np.array(noise, np.float64).reshape(len(noise), len(noise_places))
    return tuple(names), cells, tuple(names[i] for i in noise_places), table


def _rows(name: str, file: Any) -> Iterator[list[str]]:
    """Give the rows of a CSV; empty lines are none."""
    reader = csv.reader(file, strict=True)
    try:
        yield from (row for row in reader if row)
    except (csv.Error, UnicodeDecodeError) as error:
        where = f"line {reader.line_num + 1} of {name}"
        raise ValueError(f"{where} must be CSV in UTF-8, got {error}") from None


def _numbers(
    file: str, number: int, names: Sequence[str], row: Sequence[str], places: list[int]
) -> Float64[np.ndarray, " column"]:
    """Read the noise of one row; the first that is no finite number is refused."""
    texts = [row[place] for place in places]
    try:
        values = np.array(texts, np.float64)
    except ValueError:
        values = np.array([_number_or_nan(text) for text in texts])
    if not np.isfinite(values).all():
        wrong = int(np.flatnonzero(~np.isfinite(values))[0])
        where = f"{names[places[wrong]]} in row {number + 1} of {file}"
        raise ValueError(f"{where} must be a number, got {texts[wrong]!r}")
    return values


def _number_or_nan(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _read_parquet(path: Path, wanted: set[str], noise_columns: str | None) -> tuple:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        message = 'Parquet tables need pyarrow: pip install "yoked[data]"'
        raise ModuleNotFoundError(message, name="pyarrow") from error
    try:
        table = parquet.read_table(path)
    except pyarrow.ArrowInvalid as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"{path.name} must be Parquet, got {first}") from None
    names = [str(name) for name in table.column_names]
    others, noise_places = _columns(path.name, names, wanted, noise_columns)
    cells = {names[place]: table.column(place).to_pylist() for place in others}
    noise = np.empty((table.num_rows, len(noise_places)), np.float64)
    for at, place in enumerate(noise_places):
        noise[:, at] = _column(path.name, names[place], table.column(place))
    return tuple(names), cells, tuple(names[i] for i in noise_places), noise


def _column(file: str, name: str, column: Any) -> np.ndarray:
    """Read one noise column of a Parquet table."""
    try:
        values = np.array(
            [math.nan if v is None else v for v in column.to_pylist()], np.float64
        )
    except (TypeError, ValueError):
        got = f"a column of {column.type}"
        raise ValueError(f"{name} of {file} must hold numbers, got {got}") from None
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        where = f"{name} in row {wrong[0] + 1} of {file}"
        raise ValueError(f"{where} must be a number, got {values[wrong[0]]}")
    return values


def is_missing(cell: object) -> bool:
    """Whether a cell says that there is nothing.

    Examples
    --------
    >>> [is_missing(cell) for cell in (None, "", "NA", float("nan"), "0", 0)]
    [True, True, True, True, False, False]
    """
    if isinstance(cell, str):
        return cell.lower() in MISSING
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def whole_number(cell: object) -> int | None:
    """Give a cell as a whole number, or None if it is none.

    Examples
    --------
    >>> [whole_number(cell) for cell in ("3", "3.0", 3.0, True, "int:3", "3.5", "x")]
    [3, 3, 3, 1, 3, None, None]
    """
    whole = whole_text(str(cell))
    if whole is not None:
        return whole
    value = number(cell)
    return int(value) if value is not None and value.is_integer() else None


def number(cell: object) -> float | None:
    """Give a cell as a finite number, or None if it is none.

    Examples
    --------
    >>> number("0.25"), number("1e400"), number("left"), number(True)
    (0.25, None, None, 1.0)
    """
    words = {"true": 1.0, "false": 0.0}
    if isinstance(cell, str) and cell.lower() in words:
        return words[cell.lower()]
    try:
        value = float(cell)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None
