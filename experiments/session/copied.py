"""A session that was read, written to another trial log as it was."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..stimulus.sources import StoredNoise
from ..stimulus.stored_coefficients import StoredCoefficients
from ..store.trial_batch import TrialColumns
from ..store.trial_columns import TRIAL_COLUMNS
from ..store.trial_log import Store
from .results import SessionData


def copy_session(session: SessionData, store: Store) -> None:
    """Write a finished session, its trials and its stored noise to a trial log.

    What it is yoked to stays behind: the trials are its own here.

    Raises
    ------
    ValueError
        If the session is unfinished, or one condition of one.
    """
    if session.status != "finished" or "/" in session.id:
        rule = "a finished one, with all its conditions"
        raise ValueError(
            f"session {session.id} must be {rule}, got one that is {session.status}"
        )
    row = replace(session.row, yoked_to=None, status="unfinished", observer_seed=None)
    cells = {name: _cells(session, name) for name in TRIAL_COLUMNS}
    with store.transaction():
        if isinstance(session.noise, StoredNoise | StoredCoefficients):
            fields = session.noise.fields
            every = np.arange(fields.shape[0])
            each = [fields[every, k] for k in range(fields.shape[1])]
            store.add_noise(np.stack(each, axis=1))
        store.add_session(session.protocol, row)
        columns = TrialColumns.of_cells(len(session.trials), cells)
        store.append_trials(row.id, columns)
        excluded = session.trials.loc[session.trials["excluded"], "trial"].tolist()
        store.exclude(row.id, excluded, "copy", "excluded in the session that was read")
        store.finish(row.id)


def _cells(session: SessionData, name: str) -> list[Any]:
    """Give a column of the trials as the log's cells, None where nothing is."""
    column = session.trials[name]
    return column.astype(object).where(column.notna(), None).tolist()
