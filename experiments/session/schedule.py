"""The schedule: the next trial, from protocol, seed and the log so far.

The server owns it, never the presenter. The same log gives the same next trial, however
trials were batched, and after any interruption.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Bool

from ..protocols.protocol import Protocol
from ..store.trial import TrialRecord, TrialSpec
from ..store.trial_batch import TrialColumns
from .contrasts import Course
from .plan import plan_blocks
from .schedules import BlockInfo, require_same
from .shown import is_anticipation
from .signals import LoggedSignals
from .slots import NONE, Slots
from .stimulus_ids import StimulusIds

# Trials are decided in runs where they can be, however few are asked for.
_RUN = 64


class PlannedSchedule:
    """The schedule of a session of its own.

    Parameters
    ----------
    protocol, seed
        What is to be shown.
    always_valid
        Whether the presenter can vouch that no trial will have to be repeated. A
        model's can: its trials are then handed out in larger batches.
    carried
        What an earlier sitting `knows` of the observer, by condition.
    """

    def __init__(
        self,
        protocol: Protocol,
        seed: int,
        always_valid: bool = False,
        carried: Mapping[str, Any] | None = None,
    ) -> None:
        self._protocol = protocol
        self._blocks = plan_blocks(protocol, seed)
        self._slots = Slots.joined([block.slots for block in self._blocks])
        self._always_valid = always_valid
        self._signals = LoggedSignals(protocol, seed)
        # Of the valid first showing of each main slot; the last one stands for NONE.
        n_main = protocol.n_main_trials
        self._first_trial = np.full(n_main + 1, NONE)
        self._first_contrast = np.zeros(n_main + 1)
        self._ids = StimulusIds(self._slots, n_main)
        self._next_trial = 0
        self._current = -1  # block being handed out
        self._starts = np.cumsum([0, *(len(block.slots) for block in self._blocks)])
        self._queue: np.ndarray = np.empty(0, np.int64)
        # The slots of a run, and the trials that fill them; up to `_at` it is recorded.
        self._run: np.ndarray = np.empty(0, np.int64)
        self._trials = TrialColumns(0, {})
        self._specs: list[TrialSpec] | None = None
        self._at = 0
        self._again: list[int] = []
        self._again_left = 0
        # Of the blocks to come, by what that depends on: counted for each trial.
        self._to_come: tuple[Any, int] = (None, 0)
        before = carried or {}
        self._courses = [
            Course(own, seed, own.condition, before.get(own.condition))
            for own in protocol.resolved
        ]
        self.n_planned = len(self._slots)

    @property
    def n_left(self) -> int:
        """Trials that are left as things stand; see `Schedule`."""
        self._issue(1)  # what is needless is left out then
        done = (self._current, *self._done())
        if self._to_come[0] != done:
            to_come = np.arange(self._starts[self._current + 1], len(self._slots))
            self._to_come = done, int((~self._is_needless(to_come)).sum())
        n_here = len(self._pending) + len(self._queue) + len(self._again)
        return n_here + self._to_come[1]

    @property
    def is_complete(self) -> bool:
        """Whether no trial is left."""
        n_here = len(self._pending) + len(self._queue) + len(self._again)
        if n_here or self._current + 1 < len(self._blocks):
            if not self._done():
                return False  # without deciding the next one, which takes its time
            self._issue(1)
        return not len(self._pending)

    def _done(self) -> list[tuple[int, str]]:
        """List the procedures that are done: course and kind of block."""
        return [
            (number, kind)
            for number, course in enumerate(self._courses)
            for kind in ("calibration", "main")
            if course.is_done(kind)
        ]

    def columns(self, limit: int) -> TrialColumns:
        """Give the next trials; see `Schedule`."""
        self._issue(limit)
        return self._trials.part(self._at, self._at + limit)

    def next(self, limit: int) -> list[TrialSpec]:
        """Give the next trials; see `Schedule`."""
        self._issue(limit)
        if self._specs is None:
            self._specs = self._trials.specs()
        return self._specs[self._at : self._at + limit]

    def record(self, record: TrialRecord) -> None:
        """Take in one trial; see `Schedule`.

        A logged contrast is taken as it was, never computed again.
        """
        due = self.next(1)
        if not due:
            number = record.spec.trial
            raise ValueError(
                f"trial {number} must be part of the schedule, got one more"
            )
        logged, response, slots = record.spec, record.response, self._pending[:1]
        slot = int(slots[0])
        if self._slots.kind[slot] == "main" and due[0].pass_ == 1:
            course = self._courses[self._slots.condition[slot]]
            course.replay(int(self._slots.value[slot]), logged.contrast)
        require_same(replace(due[0], contrast=logged.contrast), logged)
        self._at += 1
        if logged.contrast != due[0].contrast:
            self._take_back(logged.trial + 1)
        if response.valid:
            contrast = np.array([logged.contrast])
            self._remember(slots, np.array([logged.trial]), contrast)
            early = is_anticipation(self._protocol, response)
            if record.correct is not None and not early:
                is_first = np.array([logged.pass_ == 1])
                self._learn(slots, contrast, np.array([record.correct]), is_first)
        elif self._again_left > 0:
            self._again_left -= 1
            self._again.append(slot)
            self._ids.spoiled(slot)

    def take(self, correct: Bool[np.ndarray, " trial"]) -> None:
        """Take in many trials; see `Schedule`."""
        n = len(correct)
        slots, trials = self._pending[:n], self.columns(n)
        self._at += n
        contrast = np.asarray(trials["contrast"])
        self._remember(slots, np.asarray(trials["trial"]), contrast)
        self._learn(slots, contrast, correct, np.asarray(trials["pass"]) == 1)

    def block(self, number: int) -> BlockInfo:
        """Describe a block; see `Schedule`."""
        block = self._blocks[number]
        return BlockInfo(number, block.kind, block.feedback, len(block.slots))

    def knows(self) -> dict[str, Any]:
        """Give by condition what its contrasts rest on, for a sitting to come."""
        self._issue(1)  # a block that has ended may have moved the contrasts
        found = {course.name: course.knows() for course in self._courses}
        return {name: known for name, known in found.items() if known}

    @property
    def _pending(self) -> np.ndarray:
        """The slots that were handed out and are not recorded."""
        return self._run[self._at :]

    def _issue(self, limit: int) -> None:
        """Decide the next trials, at least `limit` where they can be decided."""
        while (wanted := limit - len(self._pending)) > 0:
            slots = self._can_issue(max(wanted, _RUN))
            if not len(slots):
                return
            self._queue = self._queue[len(slots) :]
            rest = [self._trials.part(self._at)] if len(self._pending) else []
            self._run = np.concatenate([self._pending, slots])
            self._trials = TrialColumns.joined([*rest, self._fill(slots)])
            self._specs, self._at = None, 0

    def _take_back(self, next_trial: int) -> None:
        """Forget what was decided for the trials from a number on."""
        self._queue = np.concatenate([self._pending, self._queue])
        self._run, self._trials = self._run[:0], self._trials.part(0, 0)
        self._specs, self._at, self._next_trial = None, 0, next_trial
        self._ids.forget(next_trial)

    def _can_issue(self, wanted: int) -> np.ndarray:
        """Give the next slots whose trials are decided by what is known now."""
        self._refill(wanted)
        self._drop_needless()
        slots = self._queue[:wanted]
        slots = slots[: self._n_askable(slots)]
        if self._always_valid:
            return slots
        partners = self._slots.repeats[slots].tolist()
        waiting = set(self._slots.main[self._pending].tolist()) - {NONE}
        for n, main in enumerate(self._slots.main[slots].tolist()):
            if partners[n] in waiting:
                return slots[:n]
            if main != NONE:
                waiting.add(main)
        return slots

    def _drop_needless(self) -> None:
        """Leave out of the queue what a procedure that is done needs no more."""
        if self._done():
            self._queue = self._queue[~self._is_needless(self._queue)]

    def _is_needless(self, slots: np.ndarray) -> np.ndarray:
        """Say of each slot whether a procedure that is done needs it no more."""
        needless = np.zeros(len(slots), bool)
        for number, kind in self._done():
            same = self._slots.condition[slots] == number
            needless |= same & (self._slots.kind[slots] == kind)
        return needless

    def _n_askable(self, slots: np.ndarray) -> int:
        """Count the slots before one whose procedure still waits for a response."""
        if not any(course.is_asked for course in self._courses):
            return len(slots)
        waiting = {course for course, _ in self._asked_of(self._pending)}
        for n, (course, asks) in enumerate(self._asked_of(slots, every=True)):
            if asks and course in waiting:
                return n
            if asks:
                waiting.add(course)
        return len(slots)

    def _asked_of(
        self, slots: np.ndarray, every: bool = False
    ) -> Iterator[tuple[int, bool]]:
        """Give each slot's condition and whether a procedure chooses its contrast."""
        kinds = self._slots.kind[slots].tolist()
        for n, kind in zip(self._slots.condition[slots].tolist(), kinds, strict=True):
            asks = self._courses[n].procedure(kind) is not None
            if asks or every:
                yield n, asks

    def _refill(self, wanted: int) -> None:
        """Queue the trials to repeat, or those of blocks to come."""
        while len(self._queue) < wanted:
            if (len(self._pending) or len(self._queue)) and not self._runs_on():
                return
            if not self._again and not self._next_block():
                return
            self._queue = np.concatenate([self._queue, np.array(self._again, np.int64)])
            self._again.clear()

    def _next_block(self) -> bool:
        """Queue the slots of the block after the one that ends; False at the end."""
        self._end_block()
        if self._current + 1 >= len(self._blocks):
            return False
        self._current += 1
        block = self._blocks[self._current]
        first, end = self._starts[self._current : self._current + 2]
        self._queue = np.concatenate([self._queue, np.arange(first, end)])
        self._again_left = len(block.slots) // 2
        for course in self._courses:
            course.begin(block.number, block.kind)
        return True

    def _runs_on(self) -> bool:
        """Whether a block can follow before the responses to this one are in."""
        upcoming = self._blocks[self._current : self._current + 2]
        calibrates = any(block.kind == "calibration" for block in upcoming)
        steps = any(course.steps for course in self._courses)
        return self._always_valid and not steps and not calibrates

    def _end_block(self) -> None:
        """Set the contrast of the blocks to come from the one that ended."""
        if self._current < 0:
            return
        for course in self._courses:
            course.end(self._blocks[self._current].kind)

    def _fill(self, slots: np.ndarray) -> TrialColumns:
        """Turn slots into trials; a trial's number is its fresh stimulus id."""
        plan, n = self._slots, len(slots)
        trial = np.arange(self._next_trial, self._next_trial + n)
        self._next_trial += n
        contrast = self._contrast(slots)
        if self._always_valid:
            self._remember(slots, trial, contrast)
        partner = plan.repeats[slots]
        first = self._first_trial[partner]
        # Where the first showing was spoiled, or came late, a trial stands alone.
        has_first = (first != NONE) & (
            trial - first >= self._protocol.double_pass.min_gap
        )
        ids = self._ids.of(slots, trial, has_first)
        own = self._where(slots)
        if has_first.any():
            own["repeats"] = np.where(has_first, first.astype(object), np.array(None))
        return TrialColumns(
            n,
            {
                "trial": trial,
                "block": plan.block[slots],
                "block_kind": plan.kind[slots],
                "condition": self._condition(slots),
                "stimulus_id": ids,
                "pass": np.where(has_first, 2, 1),
                **own,
                "contrast": np.where(
                    has_first, self._first_contrast[partner], contrast
                ),
                "signal": self._signals.of(
                    plan.kind[slots], plan.condition[slots], ids
                ),
                "target": plan.target[slots],
            },
        )

    def _where(self, slots: np.ndarray) -> dict[str, Any]:
        """Give the columns that trials of a scene have besides."""
        if not any(own.places.count for own in self._protocol.resolved):
            return {}
        every = {"place": self._slots.place[slots], "cue": self._slots.cue[slots]}
        none = np.array(None)
        return {
            name: np.where(values == NONE, none, values.astype(object))
            for name, values in every.items()
            if (values != NONE).any()
        }

    def _condition(self, slots: np.ndarray) -> np.ndarray:
        kind = self._slots.kind[slots]
        if self._protocol.conditions:
            every = np.array([each.name for each in self._protocol.conditions], object)
            return np.where(kind == "catch", kind, every[self._slots.condition[slots]])
        if len(self._protocol.contrast.values) == 1:
            return kind
        names = [f"contrast-{value:g}" for value in self._protocol.contrast.values]
        named = np.array(names, object)[self._slots.value[slots]]
        return np.where(kind == "main", named, kind)

    def _contrast(self, slots: np.ndarray) -> np.ndarray:
        kind, condition = self._slots.kind[slots], self._slots.condition[slots]
        value, contrast = self._slots.value[slots], np.empty(len(slots))
        for number, course in enumerate(self._courses):
            own = condition == number
            for each in sorted(set(kind[own].tolist())):
                rows = own & (kind == each)
                contrast[rows] = course.contrasts(each, value[rows])
        contrast[kind == "catch"] = self._protocol.catch.contrast
        return contrast

    def _remember(
        self,
        slots: np.ndarray,
        trial: np.ndarray,
        contrast: np.ndarray,
    ) -> None:
        """Keep what second passes of these will show."""
        main, repeats = self._slots.main[slots], self._slots.repeats[slots]
        is_first = (main != NONE) & (repeats == NONE)
        main = main[is_first]
        self._first_trial[main] = trial[is_first]
        self._first_contrast[main] = contrast[is_first]

    def _learn(
        self,
        slots: np.ndarray,
        contrast: np.ndarray,
        correct: np.ndarray,
        is_first: np.ndarray,
    ) -> None:
        """Take in whether responses were correct, for the contrasts to come."""
        kind, condition = self._slots.kind[slots], self._slots.condition[slots]
        kinds = sorted({"calibration", "main"}.intersection(kind.tolist()))
        for number, course in enumerate(self._courses if kinds else ()):
            for each in kinds:
                rows = (condition == number) & (kind == each)
                course.learn(each, contrast[rows], correct[rows], is_first[rows])
