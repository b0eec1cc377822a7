"""The trial log as a table: one CSV row a trial, whoever responded."""

import csv
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from ...experiments.store.cells import exact, written
from ...experiments.store.trial_columns import TRIAL_COLUMNS

if TYPE_CHECKING:
    from ...experiments.store.rows import SessionRow
    from ...experiments.store.sqlite import Store

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


def write_trials(
    file: IO[str], store: "Store", sessions: Iterable["SessionRow"]
) -> int:
    """Write the trials of sessions, a row at a time, and return how many.

    What a session has once (observer, protocol, seed) stands before each of its
    trials, so that every row can be read, and its stimulus made again, on its own.
    Seeds and texts are written as `cells` says, so that R and spreadsheets keep them.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*SESSION_COLUMNS, *TRIAL_COLUMNS])
    n_trials = 0
    for session in sessions:
        excluded = store.excluded(session.id)
        fixed = [
            session.id,
            session.observer.name,
            session.observer.kind,
            session.presenter,
            session.protocol_name,
            session.protocol_hash,
            exact(session.seed, "seed"),
            session.noise_source,
            session.yoked_to,
        ]
        for row in store.trial_rows(session.id):
            is_excluded = int(row["trial"] in excluded)
            cells = [*fixed, is_excluded, *(row[c] for c in TRIAL_COLUMNS)]
            writer.writerow(map(written, cells))
            n_trials += 1
    return n_trials
