"""What a session left behind, as the analysis takes it: trials and their noise."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int64

from ..protocols.protocol import Protocol
from ..stimulus.by_condition import ConditionNoise
from ..stimulus.sources import NoiseSource, noise_source
from ..store.rows import SessionRow
from ..store.sqlite import Store, open_store
from ..store.trial_batch import TrialColumns
from ..store.trial_columns import FLAG, INTEGER, TRIAL, TRIAL_COLUMNS
from .observer import Viewing
from .screening import screened_out
from .session import PEOPLES_PRESENTERS


@dataclass(frozen=True)
class SessionData:
    """The trials of one session, with its protocol and its noise.

    Attributes
    ----------
    row
        What the trial log says of the session.
    protocol
        What was run.
    trials
        One row per trial, columns as in the trial log, and `excluded`. `response`,
        `correct` and `repeats` hold missing values where there is none.
    noise
        Gives the noise field of any of the trials.
    n_events
        How often each kind of event is in the log beside the trials.
    screened_out
        A sentence for each rule of the protocol's screening that is broken; of people's
        sessions that were run here.
    """

    row: SessionRow
    protocol: Protocol
    trials: pd.DataFrame
    noise: NoiseSource
    n_events: Mapping[str, int] = field(default_factory=dict)
    screened_out: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Id of the session."""
        return self.row.id

    @property
    def observer(self) -> str:
        """Name of the observer."""
        return self.row.observer.name

    @property
    def yoked_to(self) -> str | None:
        """Id of the session whose trials were shown."""
        return self.row.yoked_to

    @property
    def seed(self) -> int:
        """Seed of the noise and the schedule."""
        return self.row.seed

    @property
    def viewing(self) -> Viewing | None:
        """How the display showed the stimulus; None where that was not measured."""
        display = self.row.display or {}
        degrees, shown = display.get("deg_per_element"), display.get("shown_ms")
        if not degrees:
            return None
        asked = Viewing.of(self.protocol)
        frame_ms = asked.frame_ms  # to the browser's tolerance, trial by trial
        if shown:
            frame_ms = shown["frame_ms"] or shown["interval_ms"]
        return replace(asked, deg_per_element=float(degrees), frame_ms=float(frame_ms))

    @property
    def status(self) -> str:
        """'unfinished', 'finished' or 'withdrawn'."""
        return self.row.status

    @property
    def counted(self) -> pd.DataFrame:
        """The trials that count: main, valid, with a response, not excluded."""
        trials = self.trials
        main = trials["block_kind"] == "main"
        kept = main & trials["valid"] & ~trials["excluded"] & trials["response"].notna()
        return trials.loc[kept]

    def __repr__(self) -> str:
        """Give three lines: who, what, and how many trials."""
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        """Give the three lines, for a notebook."""
        return "<br>".join(escape(line) for line in self._lines())

    def _lines(self) -> list[str]:
        row = self.row
        return [
            f"session {row.id}, observer {row.observer.name}",
            f"{row.protocol_name}, {row.presenter}, {row.status}",
            f"{len(self.counted)} of {len(self.trials)} logged trials count",
        ]


def by_condition(session: SessionData) -> dict[str, SessionData]:
    """Give a session's conditions as sessions of their own, in the protocol's order.

    Each has the protocol as the condition resolves it, its trials, the catch trials,
    and the id SESSION/CONDITION, which commands take, too.

    Raises
    ------
    ValueError
        If the protocol has no conditions.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("equivalent-noise").with_options(100)
    >>> session = yoked.run(protocol, yoked.load_observer("template"), seed=1)
    >>> parts = yoked.by_condition(session)
    >>> [len(part.counted) for part in parts.values()]
    [20, 20, 20, 20, 20]
    >>> parts["no-noise"].protocol.noise.sd
    0.0
    """
    names = [each.name for each in session.protocol.conditions]
    if not names:
        rule = f"a protocol with conditions, got {session.protocol.name}"
        raise ValueError(f"session {session.id} must have {rule}")
    return {name: of_condition(session, name) for name in names}


def of_condition(session: SessionData, name: str) -> SessionData:
    """Give one condition of a session; see `by_condition`.

    Raises
    ------
    LookupError
        If there is no condition of that name.
    """
    protocol, row = session.protocol.of_condition(name), session.row
    source = row.yoked_to and f"{row.yoked_to}/{name}"
    trials = session.trials
    own = (trials["condition"] == name) | (trials["block_kind"] == "catch")
    noise = session.noise
    if isinstance(noise, ConditionNoise):
        noise = noise.of(name)[1]
    return replace(
        session,
        row=replace(row, id=f"{row.id}/{name}", yoked_to=source),
        protocol=protocol,
        trials=trials[own].reset_index(drop=True),
        noise=noise,
    )


def without_trials(
    session: SessionData, left_out: Int64[np.ndarray, " trial"]
) -> SessionData:
    """Leave trials out of a session by their numbers, as if they were excluded."""
    is_out = np.isin(session.trials["trial"].to_numpy(np.int64), left_out)
    excluded = session.trials["excluded"].to_numpy(bool) | is_out
    return replace(session, trials=session.trials.assign(excluded=excluded))


# What pandas would read as something else: a flag, and a whole number that is missing.
_FRAME_TYPES = {
    column.name: "Int64" if column.kind is INTEGER else "boolean"
    for column in TRIAL
    if column.is_optional and column.kind in (INTEGER, FLAG)
} | {
    column.name: "bool"
    for column in TRIAL
    if column.kind is FLAG and not column.is_optional
}


def session_data(
    store: Store, session_id: str, recorded: Sequence[TrialColumns] | None = None
) -> SessionData:
    """Read a session from an open trial log.

    Parameters
    ----------
    store, session_id
        The log, and which session; ID/CONDITION for one of its conditions.
    recorded
        All of its trials, where whoever recorded them still has them.

    Raises
    ------
    LookupError
        If there is none of that id.
    """
    session_id, is_one, condition = session_id.partition("/")
    row = store.session(session_id)
    protocol = store.protocol(row.protocol_hash)
    if is_one:
        protocol.of_condition(condition)  # before many trials are read
    cells = store.trial_cells(session_id) if recorded is None else _cells(recorded)
    trials = pd.DataFrame({name: _typed(name, cells[name]) for name in TRIAL_COLUMNS})
    trials["excluded"] = trials["trial"].isin(sorted(store.excluded(session_id)))
    noise = noise_source(row.noise_source, protocol, row.seed, store.noise)
    n_events = Counter(event["kind"] for event in store.events(session_id))
    broken: list[str] = []
    if row.presenter in PEOPLES_PRESENTERS and row.observer.kind == "person":
        records = TrialColumns.of_cells(len(trials), cells).records()
        broken = screened_out(protocol, records)
    whole = SessionData(row, protocol, trials, noise, n_events, tuple(broken))
    return of_condition(whole, condition) if is_one else whole


def _cells(parts: Sequence[TrialColumns]) -> dict[str, Any]:
    """Give every column of a log's cells, from the trials that were written to it."""
    cells: dict[str, Any] = {}
    for name in TRIAL_COLUMNS:
        columns: list[Any] = [part.values.get(name) for part in parts]
        if all(isinstance(c, np.ndarray) and c.ndim == 1 for c in columns):
            cells[name] = np.concatenate(columns)
        else:
            written = (part.cells.get(name, [None] * part.n) for part in parts)
            cells[name] = list(chain.from_iterable(written))
    return cells


def _typed(name: str, cells: Any) -> Any:
    """Give a column of cells as its table holds it."""
    kind = _FRAME_TYPES.get(name)
    if kind is None:
        return cells
    if isinstance(cells, list) and cells.count(None) == len(cells):
        return pd.array([None], dtype=kind).take([0] * len(cells))
    return pd.array(cells, dtype=kind)


def load_session(path: str | Path, session_id: str) -> SessionData:
    """Read a session from a file.

    Parameters
    ----------
    path
        The trial log.
    session_id
        Id of the session; ID/CONDITION for one of its conditions.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    LookupError
        If there is no such session.

    Examples
    --------
    >>> import tempfile, yoked
    >>> from yoked.experiments.store.sqlite import open_store
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> guesser = yoked.load_observer("guesser")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/results.db"
    ...     store = open_store(path)
    ...     made = yoked.run(protocol, guesser, store=store, seed=1, trials=100)
    ...     store.close()
    ...     read = yoked.load_session(path, made.id)
    >>> read.observer, len(read.counted)
    ('guesser', 100)
    """
    store = open_store(path, create=False, to_read=True)
    try:
        return session_data(store, session_id)
    finally:
        store.close()
