"""docs/coverage.md, made from the last results of every table."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .study import Column, Parameters, Table, key, results
from .tables import TABLES

PAGE = Path(__file__).parents[3] / "docs" / "coverage.md"
MADE = "<!-- made by python -m tests.analysis.coverage --write -->"
FEWEST = 5  # sessions with a figure, below which it tells nothing


def page() -> str:
    """Return the page with its tables made anew; what stands before them is kept."""
    before = PAGE.read_text().split(MADE)[0].rstrip()
    return "\n\n".join([before, MADE, *(_section(one) for one in TABLES)]) + "\n"


def _section(table: Table) -> str:
    """Lay out a table with its heading, and why figures are outside their range."""
    parts = [f"## {table.title}", table.text, markdown(table)]
    reasons = [
        f"- {one.label}, {_cell_words(one.cell)}: {one.why}" for one in table.outside
    ]
    if reasons:
        parts += ["Outside their range:", "\n".join(reasons)]
    return "\n\n".join(parts)


def _cell_words(cell: Parameters) -> str:
    return ", ".join(
        str(value) if isinstance(value, str) else f"{name} {_cell_text(value)}"
        for name, value in cell.items()
    )


def is_known(table: Table, cell: Parameters, label: str) -> bool:
    """Whether a table says why a figure of a cell lies outside its range."""
    return any(
        one.label == label and one.cell.items() <= cell.items() for one in table.outside
    )


def write_page() -> None:
    """Write the page."""
    PAGE.write_text(page())


@dataclass(frozen=True)
class Shown:
    """A figure, its Monte-Carlo standard error, and how it reads."""

    value: float
    error: float
    text: str


def shown(column: Column, row: Mapping[str, Any]) -> Shown | None:
    """Return a cell's figure; None where no session gave one."""
    figure = row["figures"].get(column.quantity)
    if figure is None:
        return None
    n, show = figure["n"], column.show
    if show == "missing":
        return _share(figure["missing"], n + figure["missing"])
    if not n:
        return None
    if show == "held":
        return _share(figure["held"], n)
    if show == "true":
        return _share(figure["true"], n)
    if show.startswith("share "):
        return _share(figure["names"].get(show.removeprefix("share "), 0), n)
    scale = 1.0
    if show.endswith("ratio"):
        scale = row["figures"][column.truth_of or column.quantity].get("truth")
    if not scale:
        return None
    name = show.removesuffix(" ratio")
    value = figure[name]
    if value is None:
        return Shown(math.inf, 0.0, "∞")
    error = (1.2533 if name == "median" else 1.0) * (figure.get("sd") or 0) / n**0.5
    return Shown(value / scale, abs(error / scale), f"{value / scale:.3f}")


def _n(column: Column, figure: Mapping[str, Any]) -> int:
    """Count the sessions that a figure rests on."""
    return figure["n"] + (figure["missing"] if column.show == "missing" else 0)


def _share(count: int, n: int) -> Shown:
    share = count / n
    # By the score, so that none of few is not known without error.
    error = math.sqrt((count + 1) * (n - count + 1) / (n + 2) ** 2 / n)
    return Shown(100 * share, 100 * error, f"{100 * share:.1f}")


def outside(column: Column, cell: Parameters, row: Mapping[str, Any]) -> bool:
    """Whether a figure lies outside its range by more than two of its errors."""
    one = shown(column, row)
    if one is None or _n(column, row["figures"][column.quantity]) < FEWEST:
        return False
    low, high = column.limits(cell)
    below = low is not None and one.value + 2 * one.error < low
    above = high is not None and one.value - 2 * one.error > high
    return below or above


def markdown(table: Table) -> str:
    """Lay a table out, figures outside their range in bold with an exclamation mark."""
    found = results(table)
    names = list(dict.fromkeys(n for cell in table.cells for n in cell))
    names = [name for name in names if name != "sessions"]
    heads = [table.heads.get(name, name) for name in names]
    head = [*heads, "sessions", *(column.label for column in table.columns)]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for cell in table.cells:
        row = found.get(key(cell))
        start = [_cell_text(cell.get(name)) for name in names]
        if row is None:
            lines.append(
                f"| {' | '.join([*start, '0', *['–'] * len(table.columns)])} |"
            )
            continue
        figures = [_figure_text(column, cell, row) for column in table.columns]
        lines.append(f"| {' | '.join([*start, str(row['sessions']), *figures])} |")
    return "\n".join(lines)


def _cell_text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _figure_text(column: Column, cell: Parameters, row: Mapping[str, Any]) -> str:
    one = shown(column, row)
    if one is None:
        return "–"
    return f"**{one.text}!**" if outside(column, cell, row) else one.text
