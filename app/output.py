"""How commands print results: a table for a person, JSON or CSV for a program."""

import csv
import functools
import io
import json
import math
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

Row = Mapping[str, object]
Brief = Callable[[Any], Any]  # from a mapping to a shorter one, or to several


def output(
    brief: Brief | None = None,
) -> Callable[[Callable[..., Row | list[Row]]], Callable[..., None]]:
    """Give a command --json, --table and --csv, and print what it returns.

    The command returns one mapping or a list of mappings. Without an option, a
    terminal gets a table and anything else gets JSON.

    Parameters
    ----------
    brief
        What a table shows of a mapping that is too wide or too deep for one.
    """

    def decorate(command: Callable[..., Row | list[Row]]) -> Callable[..., None]:
        @click.option("--json", "style", flag_value="json", help="Print JSON.")
        @click.option("--table", "style", flag_value="table", help="Print a table.")
        @click.option("--csv", "style", flag_value="csv", help="Print CSV.")
        @functools.wraps(command)
        def printing(style: str | None, **arguments: object) -> None:
            result = command(**arguments)
            click.echo(printed(result, style, brief))

        return printing

    return decorate


def printed(result: Row | list[Row], style: str | None, brief: Brief | None) -> str:
    """Return a result in a style, or in the one that fits where output goes."""
    style = style or ("table" if sys.stdout.isatty() else "json")
    if style == "json":
        return as_json(result)
    if style == "csv":
        return as_csv(result)
    if brief is not None:
        is_list = isinstance(result, list)
        result = [brief(row) for row in result] if is_list else brief(result)
    return as_table(result, shutil.get_terminal_size().columns)


def as_json(result: Row | list[Row]) -> str:
    """Return strict JSON: what is not a number becomes null.

    Examples
    --------
    >>> print(as_json({"dprime": float("nan"), "n": 3}))
    {
      "dprime": null,
      "n": 3
    }
    """
    return json.dumps(plain(result), indent=2, ensure_ascii=False, allow_nan=False)


def plain(value: object) -> object:
    """Return a value made of JSON's types alone (NumPy's scalars and arrays too)."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)


def as_csv(result: Row | list[Row]) -> str:
    """Return comma-separated values with a header row; nested names are joined by _."""
    rows = [flat(row) for row in listed(result)]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def as_table(result: Row | list[Row], width: int = 80) -> str:
    """Return aligned text: a line per row, or for one mapping a line per entry.

    A few rows that are wider than `width` characters stand beside each other instead,
    with a line per column.

    Examples
    --------
    >>> print(as_table([{"name": "guesser", "dprime": 0.0}, {"name": "cnn"}]))
    name     dprime
    guesser       0
    cnn           -
    """
    if isinstance(result, Mapping):
        return aligned([[key, short(value)] for key, value in flat(result).items()])
    if not result:
        return "nothing to list"
    rows = [flat(row) for row in result]
    names = columns(rows)
    lines = [names, *([short(row.get(name)) for name in names] for row in rows)]
    numeric = [
        all(isinstance(row.get(name), int | float | None) for row in rows)
        for name in names
    ]
    table = aligned(lines, numeric)
    if len(rows) < len(names) and width < max(map(len, table.splitlines())):
        return aligned([list(column) for column in zip(*lines, strict=True)])
    return table


def aligned(lines: list[list[str]], right: list[bool] | None = None) -> str:
    """Return cells as padded columns, flush left or right."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    right = right or [False] * len(widths)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def short(value: object) -> str:
    """Return a value at the length that a person reads: four significant digits.

    Examples
    --------
    >>> short(1.6402873), short(1052773201.7), short([0.31, 1 / 3]), short(None)
    ('1.64', '1,052,773,202', '0.31 to 0.3333', '-')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    if isinstance(value, list | tuple) and len(value) == 2:
        return f"{short(value[0])} to {short(value[1])}"  # an interval
    if isinstance(value, list | tuple):
        return (
            f"{len(value)} values" if len(value) > 4 else ", ".join(map(short, value))
        )
    return str(value)


def with_interval(estimate: Mapping[str, float | None]) -> str:
    """Return an estimate as "value [low, high]", or "-" without one.

    JSON has no infinity: an end that is missing beside one that is there is open.

    Examples
    --------
    >>> with_interval({"value": 1.6, "low": 1.42, "high": 1.779})
    '1.600 [1.420, 1.779]'
    >>> with_interval({"value": 1.335, "low": 0.647, "high": None})
    '1.335 [0.647, ∞]'
    """
    value, low, high = (estimate[name] for name in ("value", "low", "high"))
    if value is None:
        return short(None)
    if low is None and high is None:
        return f"{value:.3f}"
    ends = [
        "-∞" if low is None else f"{low:.3f}",
        "∞" if high is None else f"{high:.3f}",
    ]
    return f"{value:.3f} [{', '.join(ends)}]"


def flat(row: Row, prefix: str = "") -> dict[str, object]:
    """Return a row without nesting: {"a": {"b": 1}} becomes {"a_b": 1}."""
    entries: dict[str, object] = {}
    for key, value in row.items():
        value = value.tolist() if hasattr(value, "tolist") else value  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(value, Mapping):
            entries |= flat(value, f"{prefix}{key}_")
        else:
            entries[f"{prefix}{key}"] = value
    return entries


def listed(result: Row | list[Row]) -> list[Row]:
    """Return a list of rows, also of one row."""
    return [result] if isinstance(result, Mapping) else result


def columns(rows: Iterable[Row]) -> list[str]:
    """Return every column name, in the order of first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row))
