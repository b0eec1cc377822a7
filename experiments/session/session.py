"""A session: one observer responds to one schedule, and every response is stored."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import version
from typing import Any, NoReturn

import numpy as np

from ..clock import utc_now
from ..protocols.protocol import Protocol
from ..stimulus.seeds import fresh_seed, require_seed, require_session_seed
from ..stimulus.sources import NoiseSource, StoredNoise, noise_source
from ..store.ids import free_id
from ..store.rows import ObserverInfo, SessionRow
from ..store.text import observer_name
from ..store.trial import Response, TrialRecord, TrialSpec
from ..store.trial_batch import TrialColumns
from ..store.trial_columns import as_list
from ..store.trial_log import Store
from .observer import Frames, frames_on
from .procedures import require_procedures
from .runnable import require_own_noise, require_source
from .schedule import PlannedSchedule
from .schedules import BlockInfo, Schedule, YokedSchedule
from .scoring import anticipations, are_correct, scored
from .sittings import EVENT as SITTING_EVENT
from .sittings import PlannedSitting, planned_sitting

PEOPLES_PRESENTERS = ("web", "lab")
BY_PROTOCOL = "protocol"  # who excludes, where a rule of the protocol does


class SeedTaken(ValueError):
    """Another session has this observer seed."""


class Session:
    """One sitting: hands out trials, scores the responses, stores them.

    Make one with `start` or `resume`.

    Attributes
    ----------
    row
        What the trial log says of the session.
    protocol
        What it is pinned to.
    source
        Its noise.
    """

    def __init__(self, store: Store, row: SessionRow, protocol: Protocol) -> None:
        self.row = row
        self.protocol = protocol
        self.source: NoiseSource = noise_source(
            row.noise_source, protocol, row.seed, store.noise
        )
        self._store = store
        self._schedule = self._make_schedule()
        self._finished = row.status == "finished"
        self.n_recorded = 0

    @classmethod
    def start(
        cls,
        store: Store,
        protocol: Protocol,
        observer: ObserverInfo,
        presenter: str,
        *,
        seed: int | None = None,
        observer_seed: int | None = None,
        yoked_to: str | None = None,
        display: dict[str, Any] | None = None,
        device: dict[str, Any] | None = None,
        noise_sha256: str | None = None,
        sitting: PlannedSitting | None = None,
        started_at: str | None = None,
    ) -> "Session":
        """Begin a session and write it to the trial log.

        Parameters
        ----------
        store
            The trial log.
        protocol
            What is to be run. In a yoked session it must have the source's stimuli.
        observer
            Who responds; the name is written as `text.observer_name` gives it.
        presenter
            'web', 'lab', 'model' or 'import'.
        seed
            Of noise and schedule; by default one that cannot be guessed.
        observer_seed
            Of a model's own noise.
        yoked_to
            Id of a finished session whose trials are to be shown; of one that was yoked
            itself, its source is written down.
        display, device
            What the stimulus is shown on.
        noise_sha256, started_at
            Of an import: its stored noise, which the store has, and when it began.
        sitting
            Which sitting of a plan it is; what the one before knew is carried on.

        Raises
        ------
        LookupError
            If there is no session to be yoked to.
        ValueError
            If that session is unfinished, or has other stimuli than the protocol; a
            seed is out of range or in use; or the observer's name is none.
        """
        observer = replace(observer, name=observer_name(observer.name))
        source = None if yoked_to is None else require_source(store, yoked_to, protocol)
        if source is not None:
            seed = source.seed
            yoked_to = source.yoked_to or source.id  # whose trials they were first
        elif presenter == "import":
            seed = 0 if seed is None else require_seed("seed", seed)
        else:
            require_own_noise(protocol)
            require_procedures(protocol)
            seed = fresh_seed() if seed is None else require_session_seed("seed", seed)
        noise = protocol.noise.generator
        if source is not None:
            noise = source.noise_source
        elif noise_sha256 is not None:
            noise = f"{StoredNoise.name}:{noise_sha256}"
        with store.transaction():
            if observer_seed is not None:
                _require_own(store, observer_seed, seed)
            row = SessionRow(
                id=free_id(store.session),
                protocol_hash=protocol.hash,
                protocol_name=protocol.name,
                stimulus_hash=protocol.stimulus_hash,
                observer=observer,
                presenter=presenter,
                seed=seed,
                observer_seed=observer_seed,
                noise_source=noise,
                yoked_to=yoked_to,
                status="unfinished",
                software=f"yoked {version('yoked')}",
                display=display,
                device=device,
                started_at=started_at or utc_now(),
                ended_at=None,
                n_trials=0,
            )
            store.add_session(protocol, row)
            if sitting is not None:
                sitting = _carrying_on(store, sitting, protocol)
                store.add_event(row.id, SITTING_EVENT, sitting.detail())
        return cls(store, row, protocol)

    @classmethod
    def resume(cls, store: Store, session_id: str) -> "Session":
        """Take up a session where its log ends.

        Raises
        ------
        LookupError
            If there is no such session.
        ValueError
            If it was withdrawn, or its log does not follow its schedule.
        """
        row = store.session(session_id)
        if row.status == "withdrawn":
            raise ValueError(f"session {session_id} must not be withdrawn to go on")
        session = cls(store, row, store.protocol(row.protocol_hash))
        session._follow(store.trials(session_id))
        return session

    def catch_up(self) -> list[TrialRecord]:
        """Take in what another process stored of the session meanwhile.

        Returns
        -------
        list
            The trials that are new here.

        Raises
        ------
        ValueError
            As `resume` does; the session is then of no more use.
        """
        row = self._store.session(self.id)
        if row.status == "withdrawn" or row.n_trials < self.n_recorded:
            rule = "neither withdrawn nor cut short to go on"
            raise ValueError(f"session {self.id} must be {rule}")
        new = self._store.trials(self.id, first=self.n_recorded)
        self._follow(new)
        self.row, self._finished = row, row.status == "finished"
        return new

    def _follow(self, records: Sequence[TrialRecord]) -> None:
        for record in records:
            self._schedule.record(record)
            self.n_recorded += 1

    @property
    def id(self) -> str:
        """Date and a few letters; unique in the file."""
        return self.row.id

    @property
    def observer_seed(self) -> int | None:
        """Seed of a model's own noise."""
        return self.row.observer_seed

    @property
    def n_planned(self) -> int:
        """Trials in all, unless some have to be repeated."""
        return self._schedule.n_planned

    @property
    def n_left(self) -> int:
        """Trials that are left as things stand, those to be repeated included."""
        return self._schedule.n_left

    @property
    def is_complete(self) -> bool:
        """Whether no trial is left."""
        return self._schedule.is_complete

    def block(self, number: int) -> BlockInfo:
        """Describe a block."""
        return self._schedule.block(number)

    def next_batch(self, limit: int = 1) -> list[TrialSpec]:
        """Give the trials that can be shown now, the same until they are recorded.

        Parameters
        ----------
        limit
            At most so many. There may be fewer: what depends on a response waits for
            it.

        Returns
        -------
        list
            [] when the session is over.
        """
        return self._schedule.next(limit)

    def next_columns(self, limit: int) -> TrialColumns:
        """Give the trials that `next_batch` gives as columns."""
        return self._schedule.columns(limit)

    def frames(
        self, trials: Sequence[TrialSpec] | TrialColumns, device: str | None = None
    ) -> Frames:
        """Render trials as contrast levels at pixel size.

        Returns
        -------
        ndarray or Tensor
            uint8, (trial, interval, frame, y, x); a tensor where a device is given.
        """
        if not isinstance(trials, TrialColumns):
            trials = TrialColumns.of_specs(trials)
        return frames_on(device, self.protocol, self.source, trials)

    def record(
        self, specs: Sequence[TrialSpec], responses: Sequence[Response]
    ) -> list[TrialRecord]:
        """Score and store responses; they are durable when this returns.

        Parameters
        ----------
        specs
            The first of the trials handed out, in order.
        responses
            One for each.

        Raises
        ------
        ValueError
            If these are not the next trials, or a response is out of range. Nothing is
            stored then.
        """
        if list(specs) != self.next_batch(len(specs)) or len(specs) != len(responses):
            self._refuse([spec.trial for spec in specs])
        pairs = zip(specs, responses, strict=True)
        records = [scored(self.protocol, *pair) for pair in pairs]
        early = []
        if self.row.presenter in PEOPLES_PRESENTERS:
            early = anticipations(self.protocol, records)
        with self._store.transaction() if early else nullcontext():
            self._store.append_trials(self.id, records)
            if early:
                self._exclude_early(early)
        for record in records:
            self._schedule.record(record)
        self.n_recorded += len(records)
        return records

    def record_columns(self, trials: TrialColumns) -> TrialColumns:
        """Score and store a model's responses; they are durable when this returns.

        Parameters
        ----------
        trials
            The first of `next_columns`, `responded`: each was shown as it should be
            and has a response.

        Raises
        ------
        ValueError
            As `record` does.
        """
        if not trials.n or not trials.shows_as(self.next_columns(trials.n)):
            self._refuse(as_list(trials["trial"]))
        given, target = np.asarray(trials["response"]), np.asarray(trials["target"])
        correct = are_correct(self.protocol, target, given)
        stored = trials.having(correct=correct, received_at=[utc_now()] * trials.n)
        self._store.append_trials(self.id, stored)
        self._schedule.take(correct)
        self.n_recorded += trials.n
        return stored

    def _refuse(self, numbers: list[int]) -> NoReturn:
        """Say that trials are not the next."""
        due = as_list(self.next_columns(1)["trial"])
        rule = f"the next of the session, from {due[0] if due else 'none'}"
        raise ValueError(f"trials must be {rule}, got {numbers}")

    def _exclude_early(self, trials: Sequence[int]) -> None:
        earliest = self.protocol.timing.earliest_ms
        reason = f"anticipation: a response before {earliest:g} ms"
        self._store.exclude(self.id, trials, BY_PROTOCOL, reason)

    def knows(self) -> dict[str, Any]:
        """Give what the session found of its observer's contrast, for a later one."""
        schedule = self._schedule
        return schedule.knows() if isinstance(schedule, PlannedSchedule) else {}

    def set_display(self, display: dict[str, Any]) -> None:
        """Take in what the stimulus is shown on, once the log has it."""
        self.row = replace(self.row, display=display)

    def finish(self) -> None:
        """Mark the session finished; a second time is a no-op.

        Raises
        ------
        ValueError
            If trials are left.
        """
        if self._finished:
            return
        left = self.next_columns(1)
        if left.n:
            rule, number = "complete to be finished", left["trial"][0]
            raise ValueError(
                f"session {self.id} must be {rule}, got trial {number} open"
            )
        self._store.finish(self.id)
        self._finished = True
        self.row = replace(self.row, status="finished")

    def _make_schedule(self) -> Schedule:
        if self.row.yoked_to is not None:
            source = self._store.trial_columns(self.row.yoked_to)
            return YokedSchedule(self.protocol, source)
        if self.row.presenter == "import":  # nobody is shown more than was written
            shown = self._store.trial_columns(self.row.id)
            return YokedSchedule(self.protocol, shown)
        always_valid = self.row.presenter == "model"
        sitting = planned_sitting(self._store, self.row.id)
        carried = None if sitting is None else sitting.carried
        return PlannedSchedule(self.protocol, self.row.seed, always_valid, carried)


def _carrying_on(
    store: Store, sitting: PlannedSitting, protocol: Protocol
) -> PlannedSitting:
    """Give a sitting with what the one before it knew, if it asked the same."""
    if sitting.after is None:
        return sitting
    before = Session.resume(store, sitting.after)
    asked, now = before.protocol, protocol.contrast
    is_same = (asked.stimulus_hash, asked.contrast) == (protocol.stimulus_hash, now)
    return replace(sitting, carried=before.knows()) if is_same else sitting


def _require_own(store: Store, observer_seed: int, seed: int) -> None:
    """Two observers never share noise, and none shares the stimulus's."""
    require_session_seed("observer_seed", observer_seed)
    if observer_seed == seed:
        raise ValueError(
            f"observer_seed must differ from the seed, got {observer_seed}"
        )
    if observer_seed in store.observer_seeds():
        rule = "that of no other session"
        raise SeedTaken(f"observer_seed must be {rule}, got {observer_seed}")
