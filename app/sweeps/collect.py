"""What a sweep comes to: one trial log, a table of its cells, means over seeds."""

import json
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pandas as pd

from ...analysis.agreement.replicates import over_replicates
from ...analysis.trials.estimate import NUMBERS, Estimate
from ...analysis.trials.result import Cells, Result, short
from ...experiments.store.file import settle
from ...experiments.store.merge import merge
from ..files import whole_file, write_text
from .cell import Cell
from .measures import ALONE, QUANTITIES
from .worker import Answer

FORMAT = "yoked-sweep/1"  # of the plain form, which docs/json.md describes
RESULTS, TABLE, SUMMARY = "results.db", "results.parquet", "summary.csv"
_AT_ONCE = 100  # trial logs that are open at a time
_KEYS = ("observer", "protocol", "person")
_NUMBERS = [n if e == "value" else f"{n}_{e}" for n in QUANTITIES for e in NUMBERS]
_TYPES = {
    **dict.fromkeys(("seed", "n_trials"), "Int64"),
    **dict.fromkeys((*_NUMBERS, "internal_noise"), "float64"),
    **dict.fromkeys(("seconds", "training_seconds"), "float64"),
}
_COUNTS = ("n_seeds", "n_failed")
_MEAN_TYPES = dict.fromkeys((*NUMBERS, "between_sd"), "float64")
_COLUMNS = [
    *(*_KEYS, "quantity", *NUMBERS, "between_sd", *_COUNTS),
    *("formula", "note"),
]
RANGES = {"proportion_correct": (0.0, 1.0), "kappa": (-1.0, 1.0)}


def table_of(cells: Sequence[Cell], answers: Mapping[str, Answer]) -> pd.DataFrame:
    """Give a row for each cell: what it was, what it came to, or why it did not.

    Parameters
    ----------
    cells
        Of the sweep, but for its trainings.
    answers
        By folder, trainings' too; what is not among them was not done.
    """
    rows = [_row(cell, answers) for cell in cells]
    return pd.DataFrame(rows).astype(_TYPES)


def _row(cell: Cell, answers: Mapping[str, Answer]) -> dict[str, Any]:
    answer = answers.get(cell.folder, {"error": "not done"})
    record = answer.get("record", {})
    training = answers.get(str(cell.weights_of), {}).get("record", {})
    measures = record.get("measures", {})
    protocol = record.get("protocol") or _protocol_name(cell)
    row = {
        "cell": cell.id,
        "status": "done" if record else "failed",
        "error": None if record else answer["error"],
        "observer": cell.observer,
        "made_of": Path(cell.train).name if cell.train else cell.name,
        "options": json.dumps(dict(cell.options or {}), sort_keys=True),
        "seed": cell.seed,
        "protocol": protocol,
        "person": cell.person,
        "person_observer": record.get("person_observer"),
        "session": record.get("session"),
        "n_trials": record.get("n_trials"),
        "internal_noise": record.get("internal_noise"),
        "noise_at": cell.noise_at,
    }
    for name in QUANTITIES:
        found = measures.get(name, {})
        for number in NUMBERS:
            column = name if number == "value" else f"{name}_{number}"
            value = found.get(number)
            row[column] = None if value is None else float(value)
    unknown = {n: each["note"] for n, each in measures.items() if each["value"] is None}
    row["not_told"] = json.dumps(unknown) if unknown else None
    row["formulas"] = json.dumps({n: each["formula"] for n, each in measures.items()})
    row["weights_hash"] = record.get("weights_hash")
    row["seconds"] = record.get("seconds")
    row["training_seconds"] = training.get("seconds")
    return row


def _protocol_name(cell: Cell) -> str | None:
    return None if cell.protocol is None else Path(cell.protocol).stem


@dataclass(frozen=True)
class SeedMean(Result):
    """A quantity of an observer, over the seeds that it was made of.

    Attributes
    ----------
    observer, protocol
        Label, and name.
    person
        Id of the session that it was yoked to; None where it had trials of its own.
    quantity
        What was measured: 'dprime', 'proportion_correct', 'kappa', or a share.
    mean
        Over seeds, which are a random factor.
    between_sd
        SD of seeds' own values.
    n_seeds
        Seeds that it rests on.
    n_failed
        Cells of it that failed.
    """

    observer: str
    protocol: str | None
    person: str | None
    quantity: str
    mean: Estimate
    between_sd: float | None
    n_seeds: int
    n_failed: int

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give one row."""
        failed = f" ({self.n_failed} failed)" if self.n_failed else ""
        return [
            {
                "observer": self.observer,
                "of": self.person or str(self.protocol),
                "quantity": self.quantity,
                "mean over seeds": self.mean.short(),
                "SD of seeds": short(self.between_sd),
                "seeds": f"{self.n_seeds}{failed}",
            }
        ]


def means_of(table: pd.DataFrame) -> list[SeedMean]:
    """Average each observer of a sweep over its seeds; see `over_seeds`."""
    means = []
    for keys, part in table.groupby(list(_KEYS), sort=False, dropna=False):
        observer, protocol, person = (
            key if isinstance(key, str) else None for key in cast("tuple", keys)
        )
        records = cast("pd.DataFrame", part).to_dict("records")
        done = [row for row in records if row["status"] == "done"]
        for quantity in _measured(done):
            estimates = [_estimate(row, quantity) for row in done]
            found = over_replicates(estimates, common_trials=person is not None)
            mean = _within(found.mean, *RANGES.get(quantity, (-math.inf, math.inf)))
            counts = found.n, len(part) - len(done)
            of = str(observer), protocol, person, quantity
            means.append(SeedMean(*of, mean, found.between_sd, *counts))
    return means


def over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Average each observer of a sweep over its seeds, which are a random factor.

    Parameters
    ----------
    table
        As `yoked.sweep` gives it, or some of its rows.

    Returns
    -------
    DataFrame
        A row for each observer, protocol or person, and quantity: `mean`, `se`, `low`
        and `high` (95 %), `between_sd` of the seeds, `n_seeds` that it rests on,
        `n_failed`, `formula` and `note`. Seeds that had their own trials are averaged
        as random effects; of a person's trials, which all of them had, the error of
        trials counts as common to them.

    Examples
    --------
    >>> import tempfile, yoked
    >>> recipe = {"observer": [{"name": "template"}], "seeds": 2,
    ...           "protocols": ["bar-in-noise"], "trials": 200, "contrast": 0.2}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = yoked.sweep(recipe, folder, processes=1)
    >>> yoked.over_seeds(table)[["observer", "quantity", "n_seeds"]].values.tolist()
    [['template', 'dprime', 2], ['template', 'proportion_correct', 2]]
    """
    return _frame(means_of(table))


def _frame(means: Sequence[SeedMean]) -> pd.DataFrame:
    rows = [
        {
            **{name: getattr(each, name) for name in (*_KEYS, "quantity")},
            **{name: getattr(each.mean, name) for name in NUMBERS},
            **{name: getattr(each, name) for name in ("between_sd", *_COUNTS)},
            "formula": each.mean.formula,
            "note": each.mean.note,
        }
        for each in means
    ]
    frame = pd.DataFrame(rows, columns=_COLUMNS).astype(_MEAN_TYPES)
    return frame.rename(columns={"value": "mean"})


def _within(estimate: Estimate, least: float, most: float) -> Estimate:
    """Cut an interval of t at the ends of a quantity's range."""
    if estimate.low is None or estimate.high is None:
        return estimate
    return replace(
        estimate, low=max(estimate.low, least), high=min(estimate.high, most)
    )


def _measured(done: Sequence[Mapping[str, Any]]) -> list[str]:
    """List what was measured; where nothing is done, what would have been at least."""
    named = {name for row in done for name in json.loads(row["formulas"])}
    return [name for name in QUANTITIES if name in (named or ALONE)]


def _estimate(row: Mapping[str, Any], quantity: str) -> Estimate:
    """Give a quantity of a seed again as it was measured."""
    value, se, low, high = (
        None if pd.isna(found) else float(found)
        for found in (row[quantity], *(row[f"{quantity}_{n}"] for n in NUMBERS[1:]))
    )
    unknown = row["not_told"]
    note = json.loads(unknown).get(quantity) if isinstance(unknown, str) else None
    formula, n = json.loads(row["formulas"])[quantity], int(row["n_trials"])
    return Estimate(value, se, low, high, n, formula, note)


def write(out: Path, logs: Sequence[Path], table: pd.DataFrame) -> list[SeedMean]:
    """Write the trial log of all sessions, the table, and the means; give the means.

    Each file is there whole or not at all.
    """
    means = means_of(table)
    if logs:
        write_log(out / RESULTS, logs)
    with whole_file(out / TABLE, "wb") as file:
        table.to_parquet(file, engine="pyarrow", index=False)
    text = _frame(means).to_csv(index=False, lineterminator="\n")
    write_text(out / SUMMARY, text)
    return means


def write_log(
    path: Path, logs: Sequence[Path], sessions: Sequence[str] | None = None
) -> None:
    """Merge trial logs, or some sessions of them, into one that is new.

    It is made on this machine's own disk, as SQLite needs it, wherever it will be.
    """
    with tempfile.TemporaryDirectory(prefix="yoked-") as scratch:
        made = Path(scratch) / path.name
        for first in range(0, len(logs), _AT_ONCE):
            merge(made, logs[first : first + _AT_ONCE], sessions)
        if sessions is not None:  # to be copied to every cell, wherever that is
            settle(made)
        with whole_file(path, "wb") as file, made.open("rb") as read:
            shutil.copyfileobj(read, file)
