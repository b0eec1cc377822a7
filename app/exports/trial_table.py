"""The table of all exports: a row a trial, and before it what its session has once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...experiments.store.trial_columns import TRIAL_COLUMNS

if TYPE_CHECKING:
    from ...experiments.store.rows import SessionRow
    from ...experiments.store.trial_log import Store

SESSION_COLUMNS = (
    "session",
    "observer",
    "observer_kind",
    "presenter",
    "protocol",
    "protocol_hash",
    "seed",
    "noise_source",
    "yoked_to",
    "excluded",
)


@dataclass(frozen=True)
class Beside:
    """What is known of sessions besides their log, as columns of their trials.

    Attributes
    ----------
    columns
        Their names.
    cells
        One for each column, by the id of the session.
    """

    columns: Sequence[str] = ()
    cells: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def columns_of(beside: Beside) -> list[str]:
    """Give the names of all columns, in order."""
    return [*SESSION_COLUMNS, *beside.columns, *TRIAL_COLUMNS]


def rows_of(
    store: "Store", session: "SessionRow", beside: Beside
) -> Iterator[list[Any]]:
    """Give the rows of a session, a trial at a time, every cell as the log keeps it."""
    excluded = store.excluded(session.id)
    fixed = [
        session.id,
        session.observer.name,
        session.observer.kind,
        session.presenter,
        session.protocol_name,
        session.protocol_hash,
        session.seed,
        session.noise_source,
        session.yoked_to,
    ]
    known = beside.cells[session.id] if beside.columns else ()
    for row in store.trial_rows(session.id):
        is_excluded = int(row["trial"] in excluded)
        yield [*fixed, is_excluded, *known, *(row[name] for name in TRIAL_COLUMNS)]
