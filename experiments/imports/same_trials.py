"""Whether trials are in the trial log already: the same responses to the same stimuli.

Other columns, contrasts, units of the noise, its rounding, the order of the rows and
the names of files make no trial another one. Only imports are compared: models and
people may well respond alike.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from ..stimulus.sources import (
    Matlab5Noise,
    NoiseSource,
    StoredNoise,
    as_contrast,
    noise_source,
)
from ..stimulus.stored_coefficients import StoredCoefficients
from ..store.rows import SessionRow
from ..store.sqlite import Store
from ..store.text import observer_name
from ..store.trial import Response, TrialSpec

_CHUNK = 2**21  # numbers of noise looked at together
_SAME_NOISE = 0.99  # of the squared correlation: levels are the floats that they round
_SAME_SHARE = 0.99  # of the stimuli, where rounding may hide some
_NUMBERS_OF_A_KEY = 64  # of a stimulus, by whose order it is known
_FEWEST_NUMBERS = 8
_FEWEST_IN_PART = 20  # trials that two imports share by no accident
_REPLACED = "replaced"  # kind of event, of a session that another import replaced

Notes = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Imported:
    """Trials of an import, here or in the log.

    Attributes
    ----------
    observer
        Name of the observer.
    is_named
        Whether somebody gave that name; else it is that of a file.
    noise
        Gives the noise of the trials.
    n_intervals
        Noise fields of a trial.
    stimulus_id, target, response
        Of each trial, in order; response -1 where there was none.
    """

    observer: str
    is_named: bool
    noise: NoiseSource
    n_intervals: int
    stimulus_id: Int64[np.ndarray, " trial"]
    target: Int64[np.ndarray, " trial"]
    response: Int64[np.ndarray, " trial"]

    @classmethod
    def of(
        cls,
        observer: str,
        is_named: bool,
        noise: NoiseSource,
        n_intervals: int,
        trials: Sequence[tuple[TrialSpec, Response]],
    ) -> "Imported":
        """Take what counts from trials."""
        said = (response.response for _, response in trials)
        return cls(
            observer,
            is_named,
            noise,
            n_intervals,
            np.array([spec.stimulus_id for spec, _ in trials], np.int64),
            np.array([spec.target for spec, _ in trials], np.int64),
            np.array([-1 if given is None else given for given in said], np.int64),
        )

    def __len__(self) -> int:
        return len(self.target)

    @cached_property
    def classes(self) -> Counter[tuple[int, int]]:
        """How often each response was given to each target."""
        pairs = zip(self.target.tolist(), self.response.tolist(), strict=True)
        return Counter(pairs)

    @cached_property
    def size(self) -> int:
        """Numbers of noise in a trial."""
        return self._fields(slice(0, 1)).shape[1]

    def parts(self) -> Iterator[Float[np.ndarray, " trial number"]]:
        """Walk through the noise of the trials in contrast, a chunk at a time."""
        step = max(1, _CHUNK // self.size)
        for first in range(0, len(self), step):
            yield self._fields(slice(first, first + step))

    def _fields(self, rows: slice) -> Float[np.ndarray, " trial number"]:
        table = {"stimulus_id": self.stimulus_id[rows], "target": self.target[rows]}
        if isinstance(self.noise, StoredCoefficients):
            return self.noise.coefficients(table, 0).astype(np.float64)
        fields = [
            as_contrast(np.asarray(self.noise.field(table, k)))
            for k in range(self.n_intervals)
        ]
        flat = [field.reshape(len(field), -1) for field in fields]
        return np.concatenate(flat, axis=1).astype(np.float64)

    @cached_property
    def keys(self) -> list[bytes] | list[int]:
        """Give what a stimulus is known by, whatever the unit of its noise.

        That is the order of its numbers by size; of noise from seeds it is the seed.
        Empty where there are too few numbers for that.
        """
        if isinstance(self.noise, Matlab5Noise):
            return self.stimulus_id.tolist()
        if self.size < _FEWEST_NUMBERS:
            return []
        some = np.linspace(0, self.size - 1, min(self.size, _NUMBERS_OF_A_KEY))
        found: list[bytes] = []
        for part in self.parts():
            order = np.argsort(part[:, some.astype(int)], axis=1, kind="stable")
            found += [row.tobytes() for row in order.astype(np.uint8)]
        return found


def is_same(one: Imported, other: Imported) -> bool:
    """Whether two imports are the same responses to the same stimuli."""
    if len(one) != len(other) or one.classes != other.classes:
        return False
    in_order = np.array_equal(one.target, other.target)
    in_order = in_order and np.array_equal(one.response, other.response)
    if in_order and _is_same_noise(one, other):
        return True
    n_stimuli, n_trials = _shared(one, other)
    return n_stimuli >= _SAME_SHARE * len(one) and n_trials == n_stimuli


def n_in_both(one: Imported, other: Imported) -> int:
    """Count the trials that two imports share; 0 if responses to them differ."""
    n_stimuli, n_trials = _shared(one, other)
    return n_trials if n_trials == n_stimuli >= _FEWEST_IN_PART else 0


def _is_same_noise(one: Imported, other: Imported) -> bool:
    """Whether the noise of trials in the same order is the same but for its unit."""
    if isinstance(one.noise, Matlab5Noise) and isinstance(other.noise, Matlab5Noise):
        return np.array_equal(one.stimulus_id, other.stimulus_id)
    if one.size != other.size:
        return False
    sums = np.zeros((5, one.size))
    for a, b in zip(one.parts(), other.parts(), strict=True):
        for total, product in zip(sums, (a, b, a * a, b * b, a * b), strict=True):
            total += product.sum(axis=0)
    n, (a, b, aa, bb, ab) = len(one), sums
    covariance = (ab - a * b / n).sum()
    variances = (aa - a * a / n).sum() * (bb - b * b / n).sum()
    return bool(covariance > 0 and covariance**2 > _SAME_NOISE * variances)


def _shared(one: Imported, other: Imported) -> tuple[int, int]:
    """Count the stimuli in both imports, and those with the same response."""
    if not (one.keys and other.keys):
        return 0, 0
    n_stimuli = (Counter(one.keys) & Counter(other.keys)).total()
    return n_stimuli, (_by_stimulus(one) & _by_stimulus(other)).total()


def _by_stimulus(of: Imported) -> Counter[tuple[Any, int, int]]:
    rows = zip(of.keys, of.target.tolist(), of.response.tolist(), strict=True)
    return Counter(rows)


def in_the_log(store: Store, row: SessionRow) -> Imported:
    """Give the trials of an imported session."""
    protocol = store.protocol(row.protocol_hash)
    trials = [(record.spec, record.response) for record in store.trials(row.id)]
    return Imported.of(
        _as_now(row.observer.name),
        _is_named(store, row),
        noise_source(row.noise_source, protocol, row.seed, store.noise),
        protocol.task.n_intervals,
        trials,
    )


def _is_named(store: Store, row: SessionRow) -> bool:
    """Whether an import's observer was named by somebody, and not by a file."""
    events = (e["detail"] for e in store.events(row.id) if e["kind"] == "import")
    detail = next(events, {})
    if "published" in detail:
        return False
    return _as_now(Path(detail.get("file", "")).stem) != _as_now(row.observer.name)


def _as_now(name: str) -> str:
    """Give a name as it would be written now; earlier versions took any."""
    try:
        return observer_name(name)
    except ValueError:
        return name


def require_new(store: Store, all_new: Sequence[Imported], noise: str) -> list[Notes]:
    """Raise ValueError if trials are in the trial log already.

    An observer who is there twice would count as two. Trials that were withdrawn do not
    come back.

    Parameters
    ----------
    store
        The trial log.
    all_new
        What is to be written, one for each session.
    noise
        Name of their noise source.

    Returns
    -------
    list
        For each of them, a sentence on every session that shares some of the trials, or
        has all of them under another observer's name.
    """
    notes: list[Notes] = [() for _ in all_new]
    for row in store.sessions():
        if row.presenter != "import":
            continue
        if row.status == "withdrawn":
            events = store.events(row.id)
            if not any(event["kind"] == _REPLACED for event in events):
                for new in all_new:
                    _require_not_withdrawn(row, new, noise)
            continue
        names = {new.observer for new in all_new}
        if _as_now(row.observer.name) not in names and row.n_trials not in map(
            len, all_new
        ):
            continue
        known = in_the_log(store, row)
        notes = [
            (*said, *_require_other(row, new, known))
            for said, new in zip(notes, all_new, strict=True)
        ]
    return notes


def withdraw_import(store: Store, session_id: str) -> None:
    """Withdraw an import that was read wrongly, so that its trials may come again.

    Raises
    ------
    LookupError
        If there is no such session.
    ValueError
        If it is no import, or was withdrawn.
    """
    row = store.session(session_id)
    if row.presenter != "import" or row.status == "withdrawn":
        got = row.status if row.presenter == "import" else f"one of {row.presenter}"
        rule = "an import that is not withdrawn, to be replaced"
        raise ValueError(f"session {session_id} must be {rule}, got {got}")
    store.withdraw(session_id)
    store.add_event(session_id, _REPLACED, {})


def _require_not_withdrawn(row: SessionRow, new: Imported, noise: str) -> None:
    is_stored = noise.startswith(f"{StoredNoise.name}:")
    known = _as_now(row.observer.name)
    if is_stored and (row.noise_source, known) == (noise, new.observer):
        got = f"those of session {row.id}, which was withdrawn"
        rule = f"trials of {new.observer} must be new to the database"
        raise ValueError(f"{rule}, got {got}")


def _require_other(row: SessionRow, new: Imported, known: Imported) -> Notes:
    """Refuse the same trials of one observer; say what else they share."""
    has_name = known.observer == new.observer
    if is_same(new, known):
        if has_name or not (known.is_named or new.is_named):
            of = "" if has_name else f" of {known.observer}"
            raise ValueError(
                f"trials of {new.observer} must be new to the database, got those of "
                f"session {row.id}{of} again; other columns, units or names of files "
                "do not make them new"
            )
        return (
            f"the same responses to the same stimuli are in session {row.id} of "
            f"{known.observer}: is {new.observer} somebody else?",
        )
    n = n_in_both(new, known) if has_name else 0
    if not n:
        return ()
    return (
        f"{n} of the trials are in session {row.id} too, with the same responses: they "
        "count twice",
    )
