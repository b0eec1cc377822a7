"""Numbers in the cells of foreign tables, and how a file of them is to be opened."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from ..store.cells import whole_text

MISSING = ("", ".", "na", "nan", "n/a", "#n/a", "<na>", "null", "none")


@dataclass(frozen=True)
class FileOptions:
    """How a file is to be opened, where that must be said.

    Attributes
    ----------
    separator
        Of the cells of a text; None is found.
    decimal
        '.' or ','; None is found.
    encoding
        Of a text; None is UTF-8, or UTF-16 that says so.
    part
        Which sheet, data frame or struct, of a file that has several.
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    part: str | None = None

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise ValueError(f"decimal must be '.' or ',', got {self.decimal!r}")
        if self.separator not in (None, ",", ";", "\t", "|", " "):
            rule = "',', ';', '|', a tab or a space"
            raise ValueError(f"separator must be {rule}, got {self.separator!r}")


def finite_row(
    at: str, names: Sequence[str], texts: Sequence[Any]
) -> Float64[np.ndarray, " column"]:
    """Read the noise of one row; the first that is no finite number is refused.

    Raises
    ------
    ValueError
        With its column.
    """
    try:
        values = np.array(texts, np.float64)
    except (TypeError, ValueError):
        values = np.array([_number_or_nan(text) for text in texts])
    if not np.isfinite(values).all():
        wrong = int(np.flatnonzero(~np.isfinite(values))[0])
        where = f"{names[wrong]} in {at}"
        raise ValueError(f"{where} must be a number, got {texts[wrong]!r}")
    return values


def _number_or_nan(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan


def shown_cell(text: str) -> str:
    r"""Give the first line of a text, for a sentence.

    Examples
    --------
    >>> shown_cell("no table\nat all")
    'no table'
    """
    return text.splitlines()[0] if text else text


def is_missing(cell: object) -> bool:
    """Whether a cell says that there is nothing.

    Examples
    --------
    >>> [is_missing(cell) for cell in (None, "", ".", "NA", float("nan"), "0", 0)]
    [True, True, True, True, True, False, False]
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
