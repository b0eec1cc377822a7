"""Sessions of one trial log into another: copied, brought up to date, or refused."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from .merge_ids import ids_there
from .merge_rows import (
    Contradiction,
    add_rows,
    add_trials,
    differs,
    only_in_one,
    trials,
    withdraw,
)
from .rows import OBSERVER_COLUMNS, observer_key
from .trial_log import StoreError

# What never changes once a session has begun; the observer is its four columns.
_FIXED = (
    "protocol", "kind", "name", "parameters", "weights_hash", "presenter", "seed",
    "observer_seed", "noise_source", "yoked_to", "software", "started_at",
)  # fmt: skip
_CHANGING = ("status", "display", "device", "ended_at")
SESSION_COLUMNS = (
    "id", "protocol", "observer", "presenter", "seed", "observer_seed",
    "noise_source", "yoked_to", "status", "software", "display", "device",
    "started_at", "ended_at",
)  # fmt: skip
_MOST_CONFLICTS_PRINTED = 40


class MergeConflict(StoreError):
    """Rows of the files contradict each other; nothing was merged.

    Attributes
    ----------
    conflicts
        One sentence each.
    """

    def __init__(self, conflicts: Sequence[str]) -> None:
        self.conflicts = tuple(conflicts)
        n_left = len(conflicts) - _MOST_CONFLICTS_PRINTED
        more = [f"and {n_left} more"] if n_left > 0 else []
        head = "nothing was merged, because the files contradict each other:"
        lines = [head, *conflicts[:_MOST_CONFLICTS_PRINTED], *more]
        super().__init__("\n".join(lines))


@dataclass(frozen=True)
class MergedSource:
    """What a source brought.

    Attributes
    ----------
    n_new, n_updated, n_unchanged
        Sessions that were copied, brought up to date, or there already.
    n_withdrawn
        Sessions among the updated whose trials were deleted, as in the source.
    n_trials, n_exclusions, n_events
        Rows that were copied.
    renamed
        Session id in the source: the other one that it has in the target, where its
        own is another session's.
    stays
        Tables that are no part of the trial log (consents and links of the web task):
        they stay in the source.
    """

    path: Path
    n_new: int = 0
    n_updated: int = 0
    n_unchanged: int = 0
    n_withdrawn: int = 0
    n_trials: int = 0
    n_exclusions: int = 0
    n_events: int = 0
    renamed: dict[str, str] = field(default_factory=dict)
    stays: tuple[str, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether the target has anything that it did not have before."""
        return bool(self.n_new or self.n_updated)

    def staying(self, tables: tuple[str, ...]) -> "MergedSource":
        """Give the same with the tables that stay."""
        return replace(self, stays=tables)


def merge_sessions(
    target: sqlite3.Connection,
    source: sqlite3.Connection,
    name: Path,
    target_name: Path,
    held_by: dict[str, str],
    wanted: Collection[str] | None = None,
) -> tuple[MergedSource, list[str]]:
    """Merge the sessions of one source, inside the caller's transaction.

    Parameters
    ----------
    target, source
        Open trial logs; protocols have been merged.
    name, target_name
        The files, for sentences.
    held_by
        Session id in the target: the earlier source that it was copied from. Is added
        to.
    wanted
        Ids in the source; all unless told otherwise.

    Returns
    -------
    MergedSource, list of str
        What was brought; a sentence per conflict.
    """
    counts: Counter[str] = Counter()
    conflicts: list[str] = []
    rows = [row for row in _sessions(source) if wanted is None or row["id"] in wanted]
    there = ids_there(target, source, rows)
    for own in rows:
        yoked_to = own["yoked_to"]
        row = {
            **own,
            "id": there[own["id"]],
            "yoked_to": there.get(yoked_to, yoked_to),
        }
        where = held_by.get(row["id"], str(target_name))
        known = next(_sessions(target, row["id"]), None)
        try:
            if known is None:
                _require_own_noise(target, row)
                state = "n_new"
                counts += _copy(target, source, row)
            else:
                brought = _update(target, source, row, known, where)
                state = "n_updated" if brought else "n_unchanged"
                counts += brought
        except Contradiction as conflict:
            about = f"{name}: session {own['id']}"
            conflicts += [f"{about} {sentence}" for sentence in conflict.sentences]
            continue
        counts[state] += 1
        if state != "n_unchanged":
            held_by[row["id"]] = str(name)
    names = [f.name for f in fields(MergedSource) if f.name.startswith("n_")]
    numbers: dict[str, Any] = {n: counts[n] for n in names}
    renamed = {old: new for old, new in there.items() if old != new}
    return MergedSource(name, **numbers, renamed=renamed), conflicts


def _sessions(
    connection: sqlite3.Connection, session_id: str | None = None
) -> Iterator[dict[str, Any]]:
    """Give sessions with their observers, in the order in which they began."""
    own = [column for column in SESSION_COLUMNS if column != "observer"]
    columns = ["key", *own, *OBSERVER_COLUMNS]
    tables = {column: "o" for column in OBSERVER_COLUMNS}
    listed = ", ".join(f'{tables.get(column, "s")}."{column}"' for column in columns)
    query = f"SELECT {listed} FROM sessions s JOIN observers o ON o.id = s.observer"
    if session_id is None:
        rows = connection.execute(f"{query} ORDER BY s.key").fetchall()
    else:
        rows = connection.execute(f"{query} WHERE s.id = ?", [session_id])
    for row in rows:
        yield dict(zip(columns, row, strict=True))


def _require_own_noise(target: sqlite3.Connection, row: dict[str, Any]) -> None:
    """No two sessions share an observer's noise."""
    query = "SELECT id FROM sessions WHERE observer_seed = ?"
    other = target.execute(query, [row["observer_seed"]]).fetchone()
    if other is not None:
        seed = row["observer_seed"]
        raise Contradiction(f"has observer_seed {seed}, which is that of {other[0]}")


def _copy(
    target: sqlite3.Connection, source: sqlite3.Connection, row: dict[str, Any]
) -> Counter[str]:
    """Copy a session that the target does not have."""
    observer = [row[column] for column in OBSERVER_COLUMNS]
    found = {**row, "observer": observer_key(target, observer)}
    marks = ", ".join("?" * len(SESSION_COLUMNS))
    insert = f"INSERT INTO sessions ({', '.join(SESSION_COLUMNS)}) VALUES ({marks})"
    key = target.execute(insert, [found[c] for c in SESSION_COLUMNS]).lastrowid
    assert key is not None
    n_trials = add_trials(target, key, trials(source, row["key"]))
    return Counter(n_trials=n_trials) + add_rows(target, source, key, row["key"])


def _update(
    target: sqlite3.Connection,
    source: sqlite3.Connection,
    row: dict[str, Any],
    known: dict[str, Any],
    where: str,
) -> Counter[str]:
    """Bring a session up to date; an empty counter says that nothing was new."""
    wrong = [column for column in _FIXED if row[column] != known[column]]
    if wrong:
        raise Contradiction(*(differs("", c, row[c], known[c], where) for c in wrong))
    brought: Counter[str] = Counter()
    gone_here, gone_there = (r["status"] == "withdrawn" for r in (row, known))
    if gone_there and not gone_here:
        return brought  # withdrawal wins: what was deleted does not come back
    if gone_here and not gone_there:
        withdraw(target, known["key"], row["ended_at"])
        brought["n_withdrawn"] += 1
    elif not gone_here:
        brought += _go_on(target, source, row, known, where)
    return brought + add_rows(target, source, known["key"], row["key"])


def _go_on(
    target: sqlite3.Connection,
    source: sqlite3.Connection,
    row: dict[str, Any],
    known: dict[str, Any],
    where: str,
) -> Counter[str]:
    """Add the trials that are new and take the state of the file that is ahead."""
    here, there = only_in_one(
        trials(source, row["key"]), trials(target, known["key"]), where
    )
    if here is not None and there is not None:
        raise Contradiction(
            f"went on in two files: trial {here} is only in this one, trial {there} "
            f"only in {where}"
        )
    if here is not None and known["status"] == "finished":
        raise Contradiction(f"has trial {here}, but is finished in {where} without it")
    if there is not None and row["status"] == "finished":
        raise Contradiction(f"is finished, but has another trial {there} in {where}")
    brought: Counter[str] = Counter()
    if here is not None:
        new = trials(source, row["key"], here)
        brought["n_trials"] = add_trials(target, known["key"], new)
    is_ahead = here is not None or known["status"] == "unfinished" != row["status"]
    is_behind = there is not None or row["status"] == "unfinished" != known["status"]
    if not is_behind:
        brought["rows"] += _take_state(target, row, known, is_ahead, where)
    return +brought


def _take_state(
    target: sqlite3.Connection,
    row: dict[str, Any],
    known: dict[str, Any],
    is_ahead: bool,
    where: str,
) -> int:
    """Take status, display and device from the source; give whether they are new."""
    state = {c: known[c] if row[c] is None else row[c] for c in _CHANGING}
    changed = [c for c in _CHANGING if state[c] != known[c]]
    wrong = [c for c in changed if known[c] is not None]
    if wrong and not is_ahead:
        raise Contradiction(*(differs("", c, row[c], known[c], where) for c in wrong))
    if changed:
        update = ", ".join(f"{column} = ?" for column in _CHANGING)
        values = [*state.values(), known["key"]]
        target.execute(f"UPDATE sessions SET {update} WHERE key = ?", values)
    return int(bool(changed))
