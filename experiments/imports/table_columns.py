"""Tables that are no text: Parquet, Excel, R's and MATLAB's files, as columns.

Each needs a package of the extra `data`, which is imported when it is needed.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from .table_header import INDEX_NOTE, above_note, header_place, required_names
from .table_numbers import FileOptions


class ColumnSheet:
    """A table that is held as columns.

    Attributes
    ----------
    names
        Its columns, in order.
    notes
        What was understood, a sentence each.
    about
        The format, and which part of the file it is.
    """

    def __init__(
        self,
        file: str,
        columns: Mapping[str, Any],
        about: dict[str, Any],
        notes: Sequence[str] = (),
    ) -> None:
        self.file, self._columns = file, list(columns.values())
        self.names, self.about, self.notes = tuple(columns), about, tuple(notes)
        lengths = {len(column) for column in self._columns}
        if len(lengths) > 1:
            rule = "columns of one length"
            raise ValueError(f"{file} must have {rule}, got {sorted(lengths)}")

    def read(
        self, cells: Sequence[int], numbers: Sequence[int]
    ) -> tuple[list[list[Any]], Float64[np.ndarray, " row column"]]:
        """Give columns of cells, and columns of numbers, by their places in `names`."""
        n_rows = len(self._columns[0]) if self._columns else 0
        noise = np.empty((n_rows, len(numbers)), np.float64)
        for at, place in enumerate(numbers):
            noise[:, at] = self._numbers(self.names[place], self._columns[place])
        return [_listed(self._columns[place]) for place in cells], noise

    def _numbers(self, name: str, column: Any) -> np.ndarray:
        """Read one noise column."""
        cells = _listed(column)
        try:
            values = np.array([math.nan if v is None else v for v in cells], np.float64)
        except (TypeError, ValueError):
            kind = getattr(column, "type", None) or "text"
            got = f"a column of {kind}"
            raise ValueError(
                f"{name} of {self.file} must hold numbers, got {got}"
            ) from None
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            where = f"{name} in row {wrong[0] + 1} of {self.file}"
            raise ValueError(f"{where} must be a number, got {values[wrong[0]]}")
        return values


def _listed(column: Any) -> list[Any]:
    """Give a column of any kind as a list of Python's own values."""
    for way in ("to_pylist", "tolist"):
        if hasattr(column, way):
            return getattr(column, way)()
    return list(column)


def needed(package: str, what: str) -> Any:
    """Import a package of the extra `data`.

    Raises
    ------
    ModuleNotFoundError
        In one sentence that says what to install.
    """
    try:
        return __import__(package)
    except ModuleNotFoundError as error:
        message = f'{what} need {package}: pip install "yoked[data]"'
        raise ModuleNotFoundError(message, name=package) from error


def read_parquet(path: Path, wanted: set[str], options: FileOptions) -> ColumnSheet:
    """Read a Parquet table."""
    pyarrow = needed("pyarrow", "Parquet tables")
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except pyarrow.ArrowInvalid as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"{path.name} must be Parquet, got {first}") from None
    names = [str(name) for name in table.column_names]
    required_names(path.name, names)
    columns = dict(zip(names, table.columns, strict=True))
    return ColumnSheet(path.name, columns, {"format": "Parquet"})


def read_excel(path: Path, wanted: set[str], options: FileOptions) -> ColumnSheet:
    """Read a sheet of an .xlsx file: the only one that is not empty, or one by name."""
    openpyxl = needed("openpyxl", "Excel's files")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # whatever a file that is no .xlsx makes openpyxl raise
        got = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path.name} must be an .xlsx file, got {got}") from None
    try:
        sheets = {s.title: [list(row) for row in s.values] for s in book.worksheets}
    finally:
        book.close()
    full = {title: rows for title, rows in sheets.items() if any(map(any, rows))}
    title = chosen_part(path.name, "a sheet", full, options.part)
    rows = full[title]
    texts = [["" if c is None else str(c).strip() for c in row] for row in rows[:200]]
    place = header_place(texts, wanted)
    below = [row for row in rows[place + 1 :] if any(c is not None for c in row)]
    header = texts[place]
    keep, notes = [], above_note(place)
    for i, name in enumerate(header):
        is_empty = all(row[i] is None for row in below)
        if name or not (is_empty or i == 0):
            keep.append(i)
        elif not is_empty:
            notes.append(INDEX_NOTE)
    required_names(path.name, [header[i] for i in keep])
    columns = {header[i]: [row[i] for row in below] for i in keep}
    about = {"format": "Excel", "part": title, "lines_above_header": place}
    return ColumnSheet(path.name, columns, about, notes)


def read_r(path: Path, wanted: set[str], options: FileOptions) -> ColumnSheet:
    """Read a data frame of an .rda, .RData or .rds file."""
    held = r_objects(path)
    frames = {name: o for name, o in held.items() if hasattr(o, "columns")}
    if not frames:
        got = ", ".join(held) or "nothing"
        raise ValueError(f"{path.name} must hold a data frame, got {got}")
    name = chosen_part(path.name, "a data frame", frames, options.part)
    frame = frames[name]
    columns = {str(c): _from_r(frame[c]) for c in frame.columns}
    return ColumnSheet(path.name, columns, {"format": "R", "part": name})


def r_objects(path: Path) -> dict[str, Any]:
    """Give the objects of an R data file by name; the one of an .rds has none: ''.

    Raises
    ------
    ModuleNotFoundError
        If the package rdata is not installed.
    ValueError
        If it is no such file; one sentence.
    """
    rdata = needed("rdata", "R data files")
    try:
        ending = ".rds" if path.suffix.lower() == ".rds" else ".rda"
        parsed = rdata.parser.parse_data(path.read_bytes(), extension=ending)
        held = rdata.conversion.convert(parsed, r_classes(rdata))
    except Exception as error:  # whatever a file that is no R data makes rdata raise
        got = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path.name} must be an R data file, got {got}") from error
    is_one = path.suffix.lower() == ".rds" or not isinstance(held, dict)
    return {"": held} if is_one else {str(name): o for name, o in held.items()}


def r_classes(rdata: Any) -> Any:
    """Read a package's version as the plain list that it is, without a warning."""
    plain = {
        name: lambda value, _: value for name in ("package_version", "numeric_version")
    }
    return {**rdata.conversion.DEFAULT_CLASS_MAP, **plain}


def _from_r(series: Any) -> list[Any]:
    """Give a column of R: factors as their words, NA as None."""
    return [None if _is_na(value) else value for value in series.tolist()]


def _is_na(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def chosen_part(
    file: str, what: str, parts: Mapping[str, Any], asked: str | None
) -> str:
    """Choose one part of a file: the one asked for, or the only one.

    Raises
    ------
    ValueError
        If there are several, or not that one.

    Examples
    --------
    >>> chosen_part("data.rda", "a data frame", {"trials": 0}, None)
    'trials'
    """
    if asked is None and len(parts) == 1:
        return next(iter(parts))
    if asked in parts:
        return str(asked)
    known = ", ".join(parts) or "nothing"
    got = "none" if asked is None else repr(asked)
    hint = "" if asked is not None or not parts else f": --part {next(iter(parts))}"
    raise ValueError(f"{what} of {file} must be one of {known}, got {got}{hint}")
