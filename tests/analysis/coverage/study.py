"""A study of coverage: tables of cells, each simulated many times; resumable.

A `Table` names its cells and simulates one session of one. `run` fills what is
missing, on all cores, and writes each finished lot of sessions to a file at once, so a
study that was interrupted goes on where it was. Every session has a seed of its own, of
the table, the cell and its number: neither order nor the number of cores changes a
figure.
"""

import json
import math
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from yoked.analysis.trials.estimate import Estimate

RESULTS = Path(__file__).parent / "results"
SESSIONS = Path(__file__).parents[3] / ".coverage-study"  # git-ignored: every session
LOT = 20  # sessions between two writes
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Interval:
    """An interval that was found, and the truth that it should hold."""

    value: float
    low: float
    high: float
    truth: float

    @classmethod
    def of(cls, estimate: Estimate | None, truth: float) -> "Interval | None":
        """Take an estimate; None where it has no value or no limits."""
        if estimate is None or estimate.value is None or estimate.low is None:
            return None
        assert estimate.high is not None
        return cls(estimate.value, estimate.low, estimate.high, truth)


Found = Interval | float | bool | str | None
"""Of one session: an interval, a number, whether something happened, a name."""
Session = Callable[[Parameters, np.random.Generator], Mapping[str, Found]]
Limit = float | Callable[[Parameters], float] | None


@dataclass(frozen=True)
class Column:
    """One figure of a table.

    Attributes
    ----------
    label
        Its head.
    quantity
        Name among what a session found.
    show
        'held': per cent of intervals with the truth; 'median', 'mean', 'width' (mean);
        'median ratio', 'mean ratio': over the truth; 'missing': per cent without value;
        'true': per cent of sessions in which it happened; 'share NAME': per cent with
        that name.
    low, high
        Where the figure must lie, two Monte-Carlo standard errors allowed; functions of
        the cell where it depends on that; None: shown only.
    where
        Whether the range holds for a cell; all cells by default.
    truth_of
        Quantity whose truth a ratio is to; its own by default.
    """

    label: str
    quantity: str
    show: str
    low: Limit = None
    high: Limit = None
    where: Callable[[Parameters], bool] = lambda cell: True
    truth_of: str | None = None

    def limits(self, cell: Parameters) -> tuple[float | None, float | None]:
        """Give the range of a cell; None is an open end."""
        if not self.where(cell):
            return None, None
        low, high = (x(cell) if callable(x) else x for x in (self.low, self.high))
        return low, high


@dataclass(frozen=True)
class Outside:
    """A figure that lies outside its range, and why: shown under its table.

    Attributes
    ----------
    label
        Head of its column.
    cell
        What of its parameters tells the cell from others.
    why
        What a reader must know of it.
    """

    label: str
    cell: Parameters
    why: str


@dataclass(frozen=True)
class Table:
    """Cells of one kind.

    Attributes
    ----------
    name
        File of its results, and its word on the command line.
    title, text
        Heading, and what a reader must know of design and promise.
    cells
        Parameters of each kind of session; JSON can hold them.
    session
        Simulates a session of a cell and gives what its analysis found, by name. A
        function of a module, since other processes must find it.
    columns
        Figures.
    n_sessions
        Of every cell; a cell's own "sessions" goes first.
    first_session
        Number of the first session; those before it served to make the estimator.
    in_subset
        Cells that belong to the named subset, which two cores do in two hours.
    heads
        Heads of parameters whose name, which is part of a session's seed, says too
        little.
    outside
        Figures known to be outside their range. The study's test fails for any other.
    """

    name: str
    title: str
    text: str
    cells: tuple[Parameters, ...]
    session: Session
    columns: tuple[Column, ...]
    n_sessions: int = 1000
    first_session: int = 0
    in_subset: Callable[[Parameters], bool] = field(default=lambda cell: True)
    heads: Mapping[str, str] = field(default_factory=dict)
    outside: tuple[Outside, ...] = ()

    def wanted(self, cell: Parameters) -> int:
        """Give how many sessions of a cell there should be."""
        return int(cell.get("sessions", self.n_sessions))


def key(cell: Parameters) -> str:
    """Return a cell's name in a file."""
    return json.dumps(cell, sort_keys=True)


def simulate(
    name: str, session: Session, cell: Parameters, number: int
) -> dict[str, Any]:
    """Return what one session of a table found, as JSON can hold it."""
    seed = zlib.crc32(f"{name} {key(cell)}".encode())
    found = session(cell, np.random.default_rng([seed, number]))
    return {name: _plain(one) for name, one in found.items()}


def _plain(found: Found) -> Any:
    if isinstance(found, Interval):
        return [found.value, found.low, found.high, found.truth]
    if isinstance(found, np.generic):
        return found.item()
    return found


def _lot(
    name: str, session: Session, cell: Parameters, numbers: list[int]
) -> list[str]:
    lines = []
    for number in numbers:
        found = simulate(name, session, cell, number)
        lines.append(json.dumps({"cell": cell, "session": number, "found": found}))
    return lines


def sessions_of(table: Table) -> dict[str, dict[int, dict[str, Any]]]:
    """Read the sessions of a table by cell and number; a torn last line is left out."""
    path, found = SESSIONS / f"{table.name}.jsonl", {}
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            one = json.loads(line)
        except json.JSONDecodeError:
            continue
        if one["session"] >= table.first_session:
            found.setdefault(key(one["cell"]), {})[one["session"]] = one["found"]
    return found


def run(
    table: Table,
    cells: Iterable[Parameters] | None = None,
    n_sessions: int | None = None,
    n_workers: int = 2,
    seconds: float = math.inf,
) -> None:
    """Simulate the sessions of a table that its file lacks, and summarise them."""
    SESSIONS.mkdir(exist_ok=True)
    known, lots = sessions_of(table), []
    for cell in table.cells if cells is None else cells:
        n = min(n_sessions or table.wanted(cell), table.wanted(cell))
        numbers = range(table.first_session, table.first_session + n)
        missing = [k for k in numbers if k not in known.get(key(cell), {})]
        lots += [(cell, missing[i : i + LOT]) for i in range(0, len(missing), LOT)]
    started = time.monotonic()
    path = SESSIONS / f"{table.name}.jsonl"
    is_torn = path.exists() and not path.read_bytes().endswith(b"\n")
    with path.open("a") as file, ProcessPoolExecutor(n_workers) as pool:
        file.write("\n" * is_torn)  # else the torn line would swallow the next session
        jobs = [pool.submit(_lot, table.name, table.session, *lot) for lot in lots]
        for done, job in enumerate(as_completed(jobs), 1):
            file.write("".join(line + "\n" for line in job.result()))
            file.flush()
            minutes = (time.monotonic() - started) / 60
            print(
                f"{table.name}: {done} of {len(lots)} lots of {LOT} sessions,"
                f" {minutes:.1f} min",
                file=sys.stderr,
            )
            if time.monotonic() - started > seconds:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    summarise(table)


def summarise(table: Table) -> None:
    """Write the figures of every cell to the table's results, which are committed."""
    known = sessions_of(table)
    rows = [
        {"cell": dict(cell), **_figures(list(known[key(cell)].values()))}
        for cell in table.cells
        if key(cell) in known
    ]
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"table": table.name, "cells": rows}, indent=1, sort_keys=True)
    (RESULTS / f"{table.name}.json").write_text(text + "\n")


def results(table: Table) -> dict[str, dict[str, Any]]:
    """Read the last figures of a table by cell."""
    path = RESULTS / f"{table.name}.json"
    if not path.exists():
        return {}
    return {key(row["cell"]): row for row in json.loads(path.read_text())["cells"]}


def _figures(found: list[dict[str, Any]]) -> dict[str, Any]:
    names = dict.fromkeys(name for one in found for name in one)
    figures = {name: _figure([one.get(name) for one in found]) for name in names}
    return {"sessions": len(found), "figures": figures}


def _figure(found: list[Any]) -> dict[str, Any]:
    known = [one for one in found if one is not None]
    figure: dict[str, Any] = {"n": len(known), "missing": len(found) - len(known)}
    if not known:
        return figure
    if isinstance(known[0], str):
        names = sorted(set(known))
        return figure | {"names": {name: known.count(name) for name in names}}
    if isinstance(known[0], bool):
        return figure | {"true": sum(known)}
    if not isinstance(known[0], list):
        return figure | _of_numbers(np.array(known, float))
    value, low, high, truth = np.array(known, float).T
    slack = 1e-9 * (1 + np.abs(truth))
    finite = np.isfinite(low) & np.isfinite(high)
    width = high[finite] - low[finite]
    return figure | {
        "held": int(np.sum((low <= truth + slack) & (truth <= high + slack))),
        "above": int(np.sum(low > truth + slack)),
        "truth": round(float(truth.mean()), 6),
        "infinite": int((~finite).sum()),
        "width": round(float(width.mean()), 5) if len(width) else None,
        **_of_numbers(value),
    }


def _of_numbers(values: np.ndarray) -> dict[str, float | None]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {"median": None, "mean": None, "sd": None}
    return {
        "median": _plain_median(values),
        "mean": round(float(finite.mean()), 6),
        "sd": round(float(finite.std(ddof=1)), 6) if len(finite) > 1 else 0.0,
    }


def _plain_median(values: np.ndarray) -> float | None:
    median = float(np.median(values))
    return round(median, 6) if math.isfinite(median) else None
