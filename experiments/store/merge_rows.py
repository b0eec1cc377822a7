"""Rows of a session from one trial log into another, compared as they stream."""

import sqlite3
from collections import Counter
from collections.abc import Iterator

from .trial_columns import SELECT_TRIALS, TRIAL_COLUMNS, into_trials

# Besides the trials, and what a row of them is.
KEPT_ROWS = {
    "exclusions": ("trial", "by", "reason", "at"),
    "events": ("at", "kind", "detail"),
}
_MOST_TRIALS_NAMED = 5  # of one session, in the list of conflicts


class Contradiction(Exception):
    """A session is not what it is in the other file.

    Attributes
    ----------
    sentences
        One for each difference, to follow the session's name.
    """

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences


def withdraw(target: sqlite3.Connection, key: int, ended_at: str | None) -> None:
    """Delete what a participant withdrew at another machine."""
    target.execute("PRAGMA secure_delete = ON")
    update = (
        "UPDATE sessions SET status = 'withdrawn', ended_at = ?, display = NULL, "
        "device = NULL WHERE key = ?"
    )
    target.execute(update, [ended_at, key])
    for table in ("trials", *KEPT_ROWS):
        target.execute(f"DELETE FROM {table} WHERE session = ?", [key])


def trials(connection: sqlite3.Connection, key: int, first: int = 0) -> Iterator[tuple]:
    """Stream the trials of a session in order, from a number."""
    query = f"{SELECT_TRIALS} AND trial >= ? ORDER BY trial"
    return connection.execute(query, [key, first])


def add_trials(target: sqlite3.Connection, key: int, new: Iterator[tuple]) -> int:
    """Insert trials; those that are there are the same, and stay. Give how many."""
    rows = ((key, *trial) for trial in new)
    return target.executemany(f"INSERT OR IGNORE {into_trials()}", rows).rowcount


def only_in_one(
    here: Iterator[tuple], there: Iterator[tuple], where: str
) -> tuple[int | None, int | None]:
    """Walk two logs side by side; give the first trial that only one of them has.

    Returns
    -------
    int or None, int or None
        The first that is only here, and the first that is only there.

    Raises
    ------
    Contradiction
        If they have different trials under one number.
    """
    only: list[int | None] = [None, None]
    wrong: list[str] = []
    n_wrong = 0
    ours, theirs = next(here, None), next(there, None)
    while ours is not None or theirs is not None:
        # The lower number is next; of none, the other's.
        if theirs is None or (ours is not None and ours[0] < theirs[0]):
            assert ours is not None
            only[0] = ours[0] if only[0] is None else only[0]
            ours = next(here, None)
        elif ours is None or theirs[0] < ours[0]:
            only[1] = theirs[0] if only[1] is None else only[1]
            theirs = next(there, None)
        else:
            if ours != theirs:
                n_wrong += 1
                if n_wrong <= _MOST_TRIALS_NAMED:
                    wrong.append(_other_trial(ours, theirs, where))
            ours, theirs = next(here, None), next(there, None)
    if n_wrong > _MOST_TRIALS_NAMED:
        wrong.append(f"differs in {n_wrong - _MOST_TRIALS_NAMED} more trials")
    if wrong:
        raise Contradiction(*wrong)
    return only[0], only[1]


def _other_trial(ours: tuple, theirs: tuple, where: str) -> str:
    columns = zip(TRIAL_COLUMNS, ours, theirs, strict=True)
    column, here, there = next(c for c in columns if c[1] != c[2])
    return differs(f"trial {ours[0]} ", column, here, there, where)


def differs(what: str, column: str, here: object, there: object, where: str) -> str:
    """Say in what a row differs from the other file's."""
    return f"has {what}{column} {_brief(here)}, but {_brief(there)} in {where}"


def _brief(value: object) -> str:
    text = "none" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def add_rows(
    target: sqlite3.Connection, source: sqlite3.Connection, key: int, source_key: int
) -> Counter[str]:
    """Add the exclusions and events that are missing.

    Two equal rows may both be true (a key pressed twice), so rows are counted: after
    the merge each is there as often as in the file that has it most often.
    """
    brought: Counter[str] = Counter()
    for table, names in KEPT_ROWS.items():
        columns = ", ".join(f'"{name}"' for name in names)
        query = f"SELECT {columns} FROM {table} WHERE session = ? ORDER BY rowid"
        there = Counter(target.execute(query, [key]))
        marks = ", ".join("?" * (len(names) + 1))
        insert = f"INSERT INTO {table} (session, {columns}) VALUES ({marks})"
        for row in source.execute(query, [source_key]):
            there[row] -= 1
            if there[row] < 0:
                target.execute(insert, (key, *row))
                brought[f"n_{table}"] += 1
    return brought
