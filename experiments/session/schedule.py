"""The schedule: the next trial, from protocol, seed and the log so far.

The server owns it, never the presenter. The same log gives the same next trial, however
trials were batched, and after any interruption.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, runtime_checkable
from typing import Protocol as Interface

import numpy as np
from jaxtyping import Bool

from ..protocols.protocol import Protocol
from ..protocols.signal import signal_parameters
from ..store.trial import TrialRecord, TrialSpec
from ..store.trial_batch import TrialColumns
from .plan import NONE, Slots, plan_blocks
from .quest import QuestPlus, QuestState
from .shown import is_anticipation

# Trials are decided in runs where they can be, however few are asked for.
_RUN = 64


@dataclass(frozen=True)
class BlockInfo:
    """What a presenter must know of a block."""

    number: int
    kind: str
    feedback: bool
    n_trials: int


@runtime_checkable
class Schedule(Interface):
    """Hands out trials in order and takes in what became of them."""

    n_planned: int

    def columns(self, limit: int) -> TrialColumns:
        """Give the trials that can be shown now, at most `limit`; none at the end."""
        ...

    def next(self, limit: int) -> list[TrialSpec]:
        """Give the same trials as objects."""
        ...

    def record(self, record: TrialRecord) -> None:
        """Take in the first of the trials handed out."""
        ...

    def take(self, correct: Bool[np.ndarray, " trial"]) -> None:
        """Take in the first trials handed out, all shown as they should be."""
        ...

    def block(self, number: int) -> BlockInfo:
        """Describe a block."""
        ...


class YokedSchedule:
    """The trials of another session in their order; the responses change nothing."""

    def __init__(self, protocol: Protocol, source: TrialColumns) -> None:
        self._trials = source.without_responses()
        blocks = [block for block in protocol.blocks for _ in range(block.n_blocks)]
        self._feedback = dict(enumerate(block.feedback for block in blocks))
        self._recorded = 0
        self.n_planned = source.n

    def columns(self, limit: int) -> TrialColumns:
        """Give the next trials; see `Schedule`."""
        return self._trials.part(self._recorded, self._recorded + limit)

    def next(self, limit: int) -> list[TrialSpec]:
        """Give the next trials; see `Schedule`."""
        return self.columns(limit).specs()

    def record(self, record: TrialRecord) -> None:
        """Take in one trial; see `Schedule`."""
        due = self.next(1)
        if not due:
            number = record.spec.trial
            raise ValueError(f"trial {number} must be part of the source, got one more")
        _require_same(due[0], record.spec)
        self._recorded += 1

    def take(self, correct: Bool[np.ndarray, " trial"]) -> None:
        """Take in many trials; see `Schedule`."""
        self._recorded += len(correct)

    def block(self, number: int) -> BlockInfo:
        """Describe a block; see `Schedule`."""
        every = zip(self._trials["block"], self._trials["block_kind"], strict=True)
        kinds = [kind for block, kind in every if block == number]
        kind = next((kind for kind in kinds if kind != "catch"), "main")
        return BlockInfo(number, kind, self._feedback.get(number, False), len(kinds))


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
        What an earlier sitting `knows` of the observer: main blocks begin at its last
        contrasts, and calibration takes in its responses first.
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
        self._signal = signal_parameters(protocol)
        # Of the valid first showing of each main slot; the last one stands for NONE.
        n_main = protocol.n_main_trials
        self._first_trial = np.full(n_main + 1, NONE)
        self._first_contrast = np.zeros(n_main + 1)
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
        self._correct: list[bool] = []
        self._contrasts = list(protocol.contrast.values)
        self._quest: QuestState | None = None
        self._told: list[list[float]] = []  # contrast, and whether it was correct
        if carried:
            self._contrasts = list(carried["contrasts"])
            self._told = [list(pair) for pair in carried["told"]]
        self.n_planned = len(self._slots)

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
            self._contrasts[self._slots.value[slot]] = logged.contrast
        _require_same(replace(due[0], contrast=logged.contrast), logged)
        self._at += 1
        if logged.contrast != due[0].contrast:
            self._take_back(logged.trial + 1)
        if response.valid:
            contrast = np.array([logged.contrast])
            self._remember(slots, np.array([logged.trial]), contrast)
            early = is_anticipation(self._protocol, response)
            if record.correct is not None and not early:
                self._learn(slots, contrast, np.array([record.correct]))
        elif self._again_left > 0:
            self._again_left -= 1
            self._again.append(slot)

    def take(self, correct: Bool[np.ndarray, " trial"]) -> None:
        """Take in many trials; see `Schedule`."""
        n = len(correct)
        slots, trials = self._pending[:n], self.columns(n)
        self._at += n
        contrast = np.asarray(trials["contrast"])
        self._remember(slots, np.asarray(trials["trial"]), contrast)
        self._learn(slots, contrast, correct)

    def block(self, number: int) -> BlockInfo:
        """Describe a block; see `Schedule`."""
        block = self._blocks[number]
        return BlockInfo(number, block.kind, block.feedback, len(block.slots))

    def knows(self) -> dict[str, Any]:
        """Give what calibration and blocks have found, for a sitting to come."""
        if not self._protocol.contrast.grid:
            return {}
        self._issue(1)  # a block that has ended may have moved the contrast
        return {"contrasts": list(self._contrasts), "told": list(self._told)}

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
            self._run = np.concatenate([self._pending, slots])
            rest = self._trials.part(self._at)
            self._trials = TrialColumns.joined([rest, self._fill(slots)])
            self._specs, self._at = None, 0

    def _take_back(self, next_trial: int) -> None:
        """Forget what was decided for the trials from a number on."""
        self._queue = np.concatenate([self._pending, self._queue])
        self._run, self._trials = self._run[:0], self._trials.part(0, 0)
        self._specs, self._at, self._next_trial = None, 0, next_trial

    def _can_issue(self, wanted: int) -> np.ndarray:
        """Give the next slots whose trials are decided by what is known now."""
        self._refill(wanted)
        slots = self._queue[:wanted]
        if len(slots) and self._slots.kind[slots[0]] == "calibration":
            return slots[: not len(self._pending)]
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
        if block.kind == "calibration":
            self._quest = QuestPlus.for_2afc(self._protocol.contrast.grid).start()
            for told, was in self._told:
                self._quest = self._quest.update(told, int(was))
        return True

    def _runs_on(self) -> bool:
        """Whether a block can follow before the responses to this one are in."""
        adapts = self._protocol.contrast.keep_correct != (0.0, 1.0)
        upcoming = self._blocks[self._current : self._current + 2]
        calibrates = any(block.kind == "calibration" for block in upcoming)
        steps = adapts and bool(self._protocol.contrast.grid)
        return self._always_valid and not steps and not calibrates

    def _end_block(self) -> None:
        """Set the contrast of the blocks to come from the one that ended."""
        if self._current < 0:
            return
        kind = self._blocks[self._current].kind
        contrast = self._protocol.contrast
        if kind == "calibration" and self._quest is not None:
            grid, target = contrast.grid, contrast.target_correct
            self._contrasts = [self._quest.contrast_at(target, grid)]
            self._quest = None
        elif kind == "main" and self._correct and contrast.grid:
            share = sum(self._correct) / len(self._correct)
            low, high = contrast.keep_correct
            step = 1 if share < low else -1 if share > high else 0
            self._contrasts = [_step(contrast.grid, c, step) for c in self._contrasts]
        self._correct = []

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
        again: dict[str, Any] = {}
        if has_first.any():
            again["repeats"] = np.where(has_first, first.astype(object), np.array(None))
        return TrialColumns(
            n,
            {
                "trial": trial,
                "block": plan.block[slots],
                "block_kind": plan.kind[slots],
                "condition": self._condition(slots),
                "stimulus_id": np.where(has_first, first, trial),
                "pass": np.where(has_first, 2, 1),
                **again,
                "contrast": np.where(
                    has_first, self._first_contrast[partner], contrast
                ),
                "signal": [self._signal] * n,
                "target": plan.target[slots],
            },
        )

    def _condition(self, slots: np.ndarray) -> np.ndarray:
        kind = self._slots.kind[slots]
        if len(self._contrasts) == 1:
            return kind
        names = [f"contrast-{value:g}" for value in self._protocol.contrast.values]
        named = np.array(names, object)[self._slots.value[slots]]
        return np.where(kind == "main", named, kind)

    def _contrast(self, slots: np.ndarray) -> np.ndarray:
        kind = self._slots.kind[slots]
        contrast = np.array(self._contrasts)[self._slots.value[slots]]
        contrast[kind == "catch"] = self._protocol.catch.contrast
        contrast[kind == "practice"] = _easy(self._protocol)
        if self._quest is not None:
            contrast[kind == "calibration"] = self._quest.next()
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
    ) -> None:
        """Take in whether responses were correct, for the contrasts to come."""
        kind = self._slots.kind[slots]
        if self._quest is not None and kind[0] == "calibration":
            for one, was in zip(contrast.tolist(), correct.tolist(), strict=True):
                self._quest = self._quest.update(one, int(was))
                self._told.append([one, int(was)])
        self._correct += correct[kind == "main"].tolist()


def _easy(protocol: Protocol) -> float:
    """Contrast of practice: half-way, in steps of the grid, from usual to highest."""
    grid, value = protocol.contrast.grid, protocol.contrast.values[0]
    above = [step for step in grid if step > value]
    return above[len(above) // 2] if above else value


def _step(grid: Sequence[float], contrast: float, step: int) -> float:
    """Move a contrast by whole steps of the grid, from the nearest one."""
    if step == 0:
        return contrast
    nearest = min(range(len(grid)), key=lambda i: abs(grid[i] - contrast))
    return grid[min(max(nearest + step, 0), len(grid) - 1)]


def _require_same(expected: TrialSpec, logged: TrialSpec) -> None:
    if expected != logged:
        wrong = _first_difference(expected, logged)
        raise ValueError(f"trial {logged.trial} must follow the schedule, got {wrong}")


def _first_difference(expected: TrialSpec, logged: TrialSpec) -> str:
    for name, value in vars(expected).items():
        other: Any = getattr(logged, name)
        if value != other:
            return f"{name} {other!r} where {value!r} was due"
    return "another trial"
