"""How commands print results: a table for a person, JSON or CSV for a program."""

import csv
import functools
import io
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import click

from ..analysis.trials.result import Result, as_plain, short
from ..experiments.store.cells import exact, written

Row = Mapping[str, object]
Found = Result | Row | Sequence[Result] | Sequence[Row]
Brief = Callable[[Any], Any]  # from a mapping to a shorter one, or to several


def output(
    brief: Brief | None = None,
) -> Callable[[Callable[..., Found]], Callable[..., None]]:
    """Give a command --json, --table and --csv, and print what it returns.

    The command returns a result, which knows its own table, or a mapping, or a list of
    either. Without an option, a terminal gets a table and anything else gets JSON.

    Parameters
    ----------
    brief
        What a table shows of a mapping that is too wide or too deep for one.
    """

    def decorate(command: Callable[..., Found]) -> Callable[..., None]:
        @click.option("--json", "style", flag_value="json", help="Print JSON.")
        @click.option("--table", "style", flag_value="table", help="Print a table.")
        @click.option("--csv", "style", flag_value="csv", help="Print CSV.")
        @functools.wraps(command)
        def printing(style: str | None, **arguments: object) -> None:
            found = command(**arguments)
            click.echo(printed(found, style, brief))

        return printing

    return decorate


def printed(found: Found, style: str | None, brief: Brief | None) -> str:
    """Return what was found in a style, or in the one that fits where output goes."""
    style = style or ("table" if sys.stdout.isatty() else "json")
    if style == "json":
        return as_json(found)
    if style == "csv":
        return as_csv(found)
    width = shutil.get_terminal_size().columns
    tables = [as_table(in_brief(part, brief), width) for part in by_kind(found)]
    return "\n\n".join(tables)


def by_kind(found: Found) -> list[Found]:
    """Part a list where one kind of result follows another: each has its own table."""
    if isinstance(found, Result | Mapping):
        return [found]
    return [list(run) for _, run in groupby(found, type)] or [found]  # pyright: ignore[reportReturnType]


def in_brief(found: Found, brief: Brief | None) -> Row | list[Row]:
    """Return what a table shows: a mapping for one thing, a list for several."""
    if isinstance(found, Result):
        rows = found.table()
        return rows[0] if len(rows) == 1 else list(rows)
    if isinstance(found, Mapping):
        return found if brief is None else brief(found)
    return [row for each in found for row in listed(in_brief(each, brief))]


def as_json(found: Found) -> str:
    """Return strict JSON: NaN becomes null, what is infinite the text "Infinity".

    Examples
    --------
    >>> print(as_json({"dprime": float("nan"), "n": 3}))
    {
      "dprime": null,
      "n": 3
    }
    """
    return json.dumps(as_plain(found), indent=2, ensure_ascii=False, allow_nan=False)


def as_csv(found: Found) -> str:
    """Return comma-separated values with a header row; nested names are joined by _.

    What is unknown is an empty cell, what is infinite "Infinity", as in JSON.
    """
    rows = [
        flat(as_plain(row))
        for row in ([found] if isinstance(found, Result | Mapping) else found)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(name, row[name]) for name in row} for row in rows)
    return text.getvalue().rstrip("\n")


def _cell(name: str, value: object) -> object:
    """Return a cell of a CSV: no formula, and no integer that would be rounded."""
    cell = written(value)
    if isinstance(value, int) and cell != value and name.endswith("seed"):
        return exact(value, "seed")
    return cell


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
