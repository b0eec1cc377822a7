"""Tables as text: what separates the cells, where the header is, what a comma means.

What a file can only mean is read, and said; what it may mean in two ways is refused
with the option that settles it.
"""

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from ..store.cells import from_cell
from .table_header import INDEX_NOTE, above_note, header_place, n_known
from .table_numbers import FileOptions, finite_row, shown_cell

_SEPARATORS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'", " ": "a space"}
_SAMPLE = 200  # lines in which a header is looked for
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?%?")
_POINT = re.compile(r"[+-]?\d*\.\d*([eE][+-]?\d+)?%?")


@dataclass(frozen=True)
class _Layout:
    """How a file's text is a table; names as they stand in the header."""

    encoding: str
    separator: str
    n_above: int
    names: tuple[str, ...]
    has_row_names: bool


class TextSheet:
    """A table in a text file.

    Attributes
    ----------
    names
        Its columns, in order, without those that have no name.
    notes
        What was understood, a sentence each.
    about
        Encoding, separator and lines above the header.

    Raises
    ------
    ValueError
        If the text is no table; one sentence.
    """

    def __init__(self, path: Path, wanted: set[str], options: FileOptions) -> None:
        self.path, self._decimal = path, options.decimal
        self._layout = layout = _layout(path, wanted, options)
        header = ["", *layout.names] if layout.has_row_names else list(layout.names)
        self._header = header
        if not header:
            raise ValueError(f"{path.name} must begin with the names of its columns")
        last = max((i for i, name in enumerate(header) if name), default=0)
        # Without a name: an index before all others, or nothing behind them.
        self._blank = range(last + 1, len(header))
        self._places = [i for i in range(last + 1) if i or header[0]]
        self.names = tuple(header[i] for i in self._places)
        self._commas, self._points = 0, 0
        self.about: dict[str, Any] = {
            "format": "text",
            "encoding": layout.encoding.removesuffix("-sig"),
            "separator": layout.separator,
            "lines_above_header": layout.n_above,
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What was understood; after `read` also what is known by then."""
        notes, layout = [], self._layout
        if layout.encoding == "utf-16":
            notes.append("the encoding is UTF-16")
        if layout.separator != ",":
            notes.append(f"the separator is {_SEPARATORS[layout.separator]}")
        notes += above_note(layout.n_above)
        if not self._header[0]:
            notes.append(INDEX_NOTE)
        if self._commas:
            notes.append("numbers have a decimal comma")
        return tuple(notes)

    def read(
        self, cells: Sequence[int], numbers: Sequence[int]
    ) -> tuple[list[list[Any]], Float64[np.ndarray, " row column"]]:
        """Give columns of texts, and columns of numbers, by their places in `names`."""
        texts: list[list[Any]] = [[] for _ in cells]
        rows = []
        wanted = [self._places[i] for i in cells]
        places = [self._places[i] for i in numbers]
        header = self._header
        with _opened(self.path, self._layout) as file:
            for number, row in enumerate(self._rows(file)):
                if len(row) != len(header):
                    rule = f"{len(header)} cells, as the header has"
                    where = f"row {number + 1} of {self.path.name}"
                    raise ValueError(f"{where} must have {rule}, got {len(row)}")
                if any(row[i].strip() for i in self._blank):
                    rule = "names of their own, got one without a name"
                    raise ValueError(f"columns of {self.path.name} must have {rule}")
                for column, place in zip(texts, wanted, strict=True):
                    column.append(from_cell(self._number(row[place].strip())))
                values = [row[place] for place in places]
                if not self._is_plain:
                    values = [self._number(value.strip()) for value in values]
                at = f"row {number + 1} of {self.path.name}"
                rows.append(finite_row(at, [header[i] for i in places], values))
        if self._commas and self._points and self._decimal is None:
            rule = "all have a point or all a comma, got both"
            hint = "--decimal ',' or --decimal '.'"
            raise ValueError(f"numbers of {self.path.name} must {rule}: {hint}")
        table = np.array(rows, np.float64).reshape(len(rows), len(places))
        return texts, table

    def _rows(self, file: TextIOWrapper) -> Iterator[list[str]]:
        """Give the rows below the header; empty lines are none."""
        layout = self._layout
        for _ in range(layout.n_above + 1):
            file.readline()
        reader = _reader(file, layout.separator)
        try:
            yield from (row for row in reader if row)
        except (csv.Error, UnicodeError) as error:
            line = layout.n_above + 1 + reader.line_num + 1
            raise _no_text(self.path, line, layout.encoding, error) from None

    def _number(self, text: str) -> str:
        """Turn a decimal comma into a point, where a comma can be nothing else."""
        if self._is_plain:
            return text
        if "," in text and _COMMA.fullmatch(text):
            self._commas += 1
            return text.replace(",", ".")
        if "." in text and len(text) > 1 and _POINT.fullmatch(text):
            self._points += 1
        return text

    @property
    def _is_plain(self) -> bool:
        """Whether a comma is no part of a number."""
        asked = self._decimal
        return asked == "." or (asked is None and self._layout.separator == ",")


def _layout(path: Path, wanted: set[str], options: FileOptions) -> _Layout:
    encoding = options.encoding or _encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            lines = [line for _, line in zip(range(_SAMPLE), file, strict=False)]
    except (UnicodeError, LookupError) as error:
        raise _no_text(path, 1, encoding, error) from None
    asked = options.separator
    found = {
        sep: _cut(lines, sep, wanted) for sep in _SEPARATORS if asked in (None, sep)
    }
    best = max(found, key=lambda sep: _worth(found[sep], wanted))
    n_above, names = found[best]
    if asked is not None:
        _require_separator(path, lines, wanted, asked, names)
    rows = _cells(lines[n_above + 1 : n_above + 2], best)
    has_row_names = bool(rows) and len(rows[0]) == len(names) + 1 and bool(names)
    has_row_names = has_row_names and bool(rows[0][-1].strip())
    return _Layout(encoding, best, n_above, tuple(names), has_row_names)


def _worth(cut: tuple[int, list[str]], wanted: set[str]) -> tuple[int, int]:
    """Rate a way to cut a file: wanted names, then cells where there is no such name.

    A name that no way finds may still be one that is to be renamed.
    """
    known = n_known(cut[1], wanted)
    return known, 0 if known else len(cut[1])


def _cut(lines: Sequence[str], sep: str, wanted: set[str]) -> tuple[int, list[str]]:
    """Find the header in lines that are cut at a separator."""
    rows = _cells(lines, sep)
    place = header_place(rows, wanted)
    return place, [name.strip() for name in rows[place]] if rows else []


def _cells(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Cut each line for itself; what is no row of a CSV has no cells."""
    rows: list[list[str]] = []
    for line in lines:
        try:
            rows.append(next(_reader([line], separator), []))
        except csv.Error:
            rows.append([])
    return rows


def _reader(lines: Any, separator: str) -> Any:
    """Make a CSV reader; between cells, spaces are one separator."""
    if separator != " ":
        return csv.reader(lines, delimiter=separator, strict=True)
    stripped = (line.strip() for line in lines)
    return csv.reader(stripped, delimiter=" ", skipinitialspace=True, strict=True)


def _require_separator(
    path: Path,
    lines: Sequence[str],
    wanted: set[str],
    asked: str,
    names: Sequence[str],
) -> None:
    """Refuse a separator that was asked for where another one is right."""
    if n_known(names, wanted):
        return
    for sep, word in _SEPARATORS.items():
        if n_known(_cut(lines, sep, wanted)[1], wanted) > 1:
            got = f"got {_SEPARATORS.get(asked, repr(asked))}"
            option = "TAB" if sep == "\t" else sep
            hint = f"--separator {option!r}"
            rule = f"the separator of {path.name} must be {word}"
            raise ValueError(f"{rule}, {got}: {hint}")


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        begins = file.read(4096)
    for bom, name in _BOMS:
        if begins.startswith(bom):
            return name
    if b"\0" in begins:
        odd = begins[1::2].count(0) > begins[::2].count(0)
        name = "utf-16-le" if odd else "utf-16-be"
        rule = f"text of {path.name} must be UTF-8 unless it is said"
        raise ValueError(f"{rule}, got NUL characters: --encoding {name} for UTF-16")
    return "utf-8-sig"


def _opened(path: Path, layout: _Layout) -> TextIOWrapper:
    return path.open(encoding=layout.encoding, newline="")


def _no_text(path: Path, line: int, encoding: str, error: Exception) -> ValueError:
    """Say in which line a file is no table of text, and why it may be so."""
    hint = ""
    if isinstance(error, LookupError):
        rule = "one that Python knows, such as utf-8 or cp1252"
        return ValueError(f"encoding must be {rule}, got {encoding!r}")
    if isinstance(error, UnicodeError) and encoding.startswith("utf-8"):
        hint = "; of an older Windows or Excel, --encoding cp1252"
    name = encoding.removesuffix("-sig").upper()
    got = shown_cell(str(error))
    rule = f"CSV in {name}"
    return ValueError(f"line {line} of {path.name} must be {rule}, got {got}{hint}")
