"""Several sessions of one observer as one: kernels need thousands of trials."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int16

from ..protocols.same_stimuli import by_stimuli, same_stimuli
from ..stimulus.sources import CoefficientNoise, NoiseSource, Table
from .results import SessionData

# Columns that count from 0 in every session.
_COUNTED = ("trial", "stimulus_id", "block", "repeats")


class PooledNoise:
    """The noise of several sessions; a trial's stimulus id says which it was of.

    Parameters
    ----------
    sources
        Of the sessions, in order.
    starts
        The first stimulus id of each, rising from 0.
    """

    name = "pooled"

    def __init__(self, sources: Sequence[NoiseSource], starts: Sequence[int]) -> None:
        self._sources = tuple(sources)
        self._starts = np.asarray(starts, np.int64)

    def field(self, table: Table, interval: int) -> np.ndarray:
        """Give the noise field of one interval of every trial in `table`."""
        return self._of_each(table, lambda source, part: source.field(part, interval))

    def _of_each(self, table: Table, of: Any) -> np.ndarray:
        """Ask the source of every trial, and put the answers in the trials' order."""
        ids = np.asarray(table["stimulus_id"], np.int64)
        which = np.searchsorted(self._starts, ids, side="right") - 1
        found: np.ndarray | None = None
        for k in np.unique(which):
            rows = np.flatnonzero(which == k)
            part = {name: np.asarray(table[name])[rows] for name in table}
            part["stimulus_id"] = ids[rows] - self._starts[k]
            fields = of(self._sources[k], part)
            if len(rows) == len(ids):
                return fields
            if found is None:
                found = np.empty((len(ids), *fields.shape[1:]), fields.dtype)
            found[rows] = fields
        return found if found is not None else of(self._sources[0], table)


class PooledCoefficients(PooledNoise):
    """The same of noise on a basis, which all of the sessions share.

    Parameters
    ----------
    sources, starts
        As for `PooledNoise`.
    """

    def __init__(
        self, sources: Sequence[CoefficientNoise], starts: Sequence[int]
    ) -> None:
        super().__init__(sources, starts)
        self._first = sources[0]
        self.images = sources[0].images

    @property
    def unit_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient in the main trials, in units of `coefficients`."""
        return self._first.unit_sd

    @property
    def contrast_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient in the main trials, in contrast."""
        return self._first.contrast_sd

    def coefficients(
        self, table: Table, interval: int
    ) -> Int16[np.ndarray, " trial image"]:
        """Give the coefficients of one interval of every trial in `table`."""
        return self._of_each(
            table, lambda source, part: source.coefficients(part, interval)
        )


def _noise_of(sources: Sequence[NoiseSource], starts: Sequence[int]) -> PooledNoise:
    on_a_basis = [one for one in sources if isinstance(one, CoefficientNoise)]
    if len(on_a_basis) == len(sources):
        return PooledCoefficients(on_a_basis, starts)
    return PooledNoise(sources, starts)


def pooled(sessions: Sequence[SessionData]) -> SessionData:
    """Join sessions of one observer with the same stimuli into one.

    Trials, blocks and stimuli are counted on from session to session, so that no two
    share a number and no trial is taken for a second pass of another session's.

    Parameters
    ----------
    sessions
        In the order of the sittings.

    Returns
    -------
    SessionData
        With the first session's row and protocol; its id is the observer's name, of
        one condition of each OBSERVER/CONDITION. The noise is each session's own.

    Raises
    ------
    ValueError
        If there is none, or they are of several observers, stimuli or conditions.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> sittings = [
    ...     yoked.run(protocol, yoked.load_observer("template"), seed=seed, trials=50)
    ...     for seed in (1, 2)
    ... ]
    >>> whole = yoked.pooled(sittings)
    >>> whole.id, len(whole.counted), whole.trials["trial"].is_unique
    ('template', 100, True)
    """
    if not sessions:
        raise ValueError("sessions must be one or more, got none")
    first = sessions[0]
    for each in sessions[1:]:
        for what in ("observer", "condition", "stimulus"):
            own, other = _of(first, what), _of(each, what)
            is_one = own == other
            if what == "stimulus":
                is_one = same_stimuli(first.protocol, each.protocol)
            if not is_one:
                rule = f"of one {what} to be pooled"
                raise ValueError(
                    f"sessions must be {rule}, got {first.id} of {own} and {each.id} "
                    f"of {other}"
                )
    parts, starts = _counted_on(sessions)
    n_events: Counter[str] = Counter()
    for each in sessions:
        n_events.update(each.n_events)
    ended = [each.row.ended_at for each in sessions]
    is_finished = all(each.status == "finished" for each in sessions)
    row = replace(
        first.row,
        id="/".join(filter(None, (first.observer, first.protocol.condition))),
        yoked_to=None,
        status="finished" if is_finished else "unfinished",
        ended_at=ended[-1],
        n_trials=sum(each.row.n_trials for each in sessions),
        n_responses=sum(each.row.n_responses for each in sessions),
    )
    broken = tuple(f"{s.id}: {text}" for s in sessions for text in s.screened_out)
    noise = _noise_of([each.noise for each in sessions], starts)
    trials = pd.concat(parts, ignore_index=True)
    return SessionData(row, first.protocol, trials, noise, n_events, broken)


def by_participant(sessions: Sequence[SessionData]) -> list[SessionData]:
    """Pool the sessions of each observer that have the same stimuli and condition.

    An observer with sessions of several stimuli or conditions has one for each; what
    stands alone stays as it is.
    """
    groups: dict[tuple[str, ...], list[SessionData]] = defaultdict(list)
    for each in sessions:
        observer = each.row.observer
        key = (observer.kind, each.observer, repr(observer.parameters))
        condition = each.protocol.condition
        groups[*key, observer.weights_hash or "", condition].append(each)
    alike = [
        own
        for group in groups.values()
        for own in by_stimuli(group, lambda each: each.protocol)
    ]
    place = {id(each): number for number, each in enumerate(sessions)}
    alike.sort(key=lambda own: place[id(own[0])])
    return [pooled(own) if len(own) > 1 else own[0] for own in alike]


def _of(session: SessionData, what: str) -> str:
    if what == "condition":
        return session.protocol.condition or "all of them"
    return session.observer if what == "observer" else session.row.stimulus_hash[:8]


def _counted_on(
    sessions: Sequence[SessionData],
) -> tuple[list[pd.DataFrame], list[int]]:
    """Give the tables with their numbers counted on, and each first stimulus id."""
    parts, starts = [], []
    begun = dict.fromkeys(("trial", "stimulus_id", "block"), 0)
    for each in sessions:
        table = each.trials.copy()
        starts.append(begun["stimulus_id"])
        for name in _COUNTED:
            table[name] = table[name] + begun["trial" if name == "repeats" else name]
        for name in begun:
            if len(table):
                begun[name] = max(begun[name], int(np.max(table[name])) + 1)
        parts.append(table)
    return parts, starts
