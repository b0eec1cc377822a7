"""How commands print results: a table for a person, JSON or CSV for a program."""

import csv
import functools
import io
import itertools
import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from ..analysis.trials.result import Result, as_plain, short
from ..experiments.store.cells import exact, written

Row = Mapping[str, object]
Found = Result | Row | Sequence[Result] | Sequence[Row]
Brief = Callable[[Any], Any]  # from a mapping to a shorter one, or to several


@dataclass(frozen=True)
class Partly:
    """What a command prints although some of its work failed: its exit code is 1."""

    found: Found


def output(
    brief: Brief | None = None,
) -> Callable[[Callable[..., Found | Partly]], Callable[..., None]]:
    """Give a command --json, --table and --csv, and print what it returns.

    The command returns a result, which knows its own table, or a mapping, or a list of
    either; `Partly` around it ends with code 1. Without an option, a terminal gets a
    table and anything else gets JSON.

    Parameters
    ----------
    brief
        What a table shows of a mapping that is too wide or too deep for one.
    """

    def decorate(command: Callable[..., Found | Partly]) -> Callable[..., None]:
        @click.option("--json", "style", flag_value="json", help="Print JSON.")
        @click.option("--table", "style", flag_value="table", help="Print a table.")
        @click.option("--csv", "style", flag_value="csv", help="Print CSV.")
        @functools.wraps(command)
        def printing(style: str | None, **arguments: object) -> None:
            given = command(**arguments)
            found = given.found if isinstance(given, Partly) else given
            click.echo(printed(found, style, brief))
            if isinstance(given, Partly):
                click.get_current_context().exit(1)

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
    return [list(run) for _, run in itertools.groupby(found, type)] or [found]  # pyright: ignore[reportReturnType]


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

    Rows that are wider than `width` characters stay rows: what is the same in all of
    them is said once, below; times are given to the minute; and what is still too wide
    is several tables, each of which begins with what tells the rows apart. One row that
    is too wide has a line per column.

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
    made = [
        _TextColumn(
            name,
            tuple(short(row.get(name)) for row in rows),
            all(isinstance(row.get(name), int | float | None) for row in rows),
        )
        for name in columns(rows)
    ]
    table = _side_by_side(made)
    if max(map(len, table.splitlines())) <= width:
        return table
    if len(rows) == 1:
        return aligned([[each.name, each.cells[0]] for each in made])
    return _in_blocks(made, width)


@dataclass(frozen=True)
class _TextColumn:
    """A column of a table in a terminal."""

    name: str
    cells: tuple[str, ...]
    is_numeric: bool

    @property
    def width(self) -> int:
        """Characters of its longest cell, and two between columns."""
        return 2 + max(len(cell) for cell in (self.name, *self.cells))

    @property
    def is_constant(self) -> bool:
        """Whether all rows have the same."""
        return len(set(self.cells)) == 1

    @property
    def to_the_minute(self) -> "_TextColumn":
        """The column with times to the minute."""
        cells = tuple(_TIME.sub(r"\1 \2", cell) for cell in self.cells)
        return replace(self, cells=cells)

    def within(self, width: int) -> "_TextColumn":
        """The column with its cells in lines of this width."""
        lines = (textwrap.fill(c, width, break_long_words=False) for c in self.cells)
        return replace(self, cells=tuple(lines))


_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\S+$")


def _side_by_side(made: Sequence[_TextColumn]) -> str:
    """Return columns beside each other, cells of several lines included."""
    lines = [[each.name for each in made]]
    for row in zip(*(each.cells for each in made), strict=True):
        parts = [cell.split("\n") for cell in row]
        lines += map(list, itertools.zip_longest(*parts, fillvalue=""))
    return aligned(lines, [each.is_numeric for each in made])


def _in_blocks(made: Sequence[_TextColumn], width: int) -> str:
    """Return rows as tables of at most this width, and what is the same in all."""
    made = [each.to_the_minute for each in made]
    varied, twice = _told_once(made)
    keys = _keys(varied, width)
    room = width - sum(each.width for each in keys)
    blocks: list[list[_TextColumn]] = []
    taken = width
    for each in varied:
        if each in keys:
            continue
        fitting = each.within(room - 2) if each.width > room else each
        used = min(each.width, room)
        if taken + used > room:
            blocks.append([])
            taken = 0
        blocks[-1].append(fitting)
        taken += used
    tables = [_side_by_side([*keys, *block]) for block in blocks or [[]]]
    same = [f"{each.name} {each.cells[0]}" for each in made if each.is_constant]
    same += [f"{name} as {other}" for name, other in twice.items()]
    said = [textwrap.fill(f"In all rows: {'; '.join(same)}.", width)] if same else []
    return "\n\n".join([*tables, *said])


def _told_once(
    made: Iterable[_TextColumn],
) -> tuple[list[_TextColumn], dict[str, str]]:
    """Return the columns that vary, and which are the same as another one."""
    names: dict[tuple[str, ...], str] = {}
    varied, twice = [], {}
    for each in made:
        if each.is_constant:
            continue
        if each.cells in names:
            twice[each.name] = names[each.cells]
            continue
        names[each.cells] = each.name
        varied.append(each)
    return varied, twice


def _keys(varied: Sequence[_TextColumn], width: int) -> list[_TextColumn]:
    """Return what tells rows apart: a name of each, and a second if there is room."""
    texts = [each for each in varied if not each.is_numeric]
    unique = [each for each in texts if len(set(each.cells)) == len(each.cells)]
    first = (unique or texts or list(varied))[:1]
    others = [each for each in texts if each not in first]
    both = first + others[:1]
    return both if 2 * sum(each.width for each in both) <= width else first


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
