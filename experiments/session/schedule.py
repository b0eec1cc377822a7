"""The schedule: the next trial, from protocol, seed and the log so far.

The server owns it, never the presenter. The same log gives the same next trial, however
trials were batched, and after any interruption.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, runtime_checkable
from typing import Protocol as Interface

from ..protocols.protocol import Protocol
from ..protocols.signal import signal_parameters
from ..store.trial import TrialRecord, TrialSpec
from .plan import Slot, plan_blocks
from .quest import QuestPlus, QuestState
from .shown import is_anticipation


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

    def next(self, limit: int) -> list[TrialSpec]:
        """Give the trials that can be shown now, at most `limit`; [] at the end."""
        ...

    def record(self, record: TrialRecord) -> None:
        """Take in the first of the trials handed out."""
        ...

    def block(self, number: int) -> BlockInfo:
        """Describe a block."""
        ...


class YokedSchedule:
    """The trials of another session in their order; the responses change nothing."""

    def __init__(self, protocol: Protocol, source: Sequence[TrialRecord]) -> None:
        self._specs = [record.spec for record in source]
        blocks = [block for block in protocol.blocks for _ in range(block.n_blocks)]
        self._feedback = dict(enumerate(block.feedback for block in blocks))
        self._recorded = 0
        self.n_planned = len(self._specs)

    def next(self, limit: int) -> list[TrialSpec]:
        """Give the next trials; see `Schedule`."""
        return self._specs[self._recorded : self._recorded + limit]

    def record(self, record: TrialRecord) -> None:
        """Take in one trial; see `Schedule`."""
        if self._recorded >= self.n_planned:
            number = record.spec.trial
            raise ValueError(f"trial {number} must be part of the source, got one more")
        _require_same(self._specs[self._recorded], record.spec)
        self._recorded += 1

    def block(self, number: int) -> BlockInfo:
        """Describe a block; see `Schedule`."""
        specs = [spec for spec in self._specs if spec.block == number]
        kind = next((s.block_kind for s in specs if s.block_kind != "catch"), "main")
        return BlockInfo(number, kind, self._feedback.get(number, False), len(specs))


class PlannedSchedule:
    """The schedule of a session of its own.

    Parameters
    ----------
    protocol, seed
        What is to be shown.
    always_valid
        Whether the presenter can vouch that no trial will have to be repeated. A
        model's can: its trials are then handed out in larger batches.
    """

    def __init__(
        self, protocol: Protocol, seed: int, always_valid: bool = False
    ) -> None:
        self._protocol = protocol
        self._blocks = plan_blocks(protocol, seed)
        self._always_valid = always_valid
        self._pending: deque[tuple[Slot, TrialSpec]] = deque()
        self._shown: dict[int, TrialSpec] = {}  # main slot: its valid first showing
        self._signal = signal_parameters(protocol)
        self._next_trial = 0
        self._current = -1  # block being handed out
        self._slots: deque[Slot] = deque()
        self._again: list[Slot] = []
        self._again_left = 0
        self._correct: list[bool] = []
        self._contrasts = list(protocol.contrast.values)
        self._quest: QuestState | None = None
        self.n_planned = sum(len(block.slots) for block in self._blocks)

    def next(self, limit: int) -> list[TrialSpec]:
        """Give the next trials; see `Schedule`."""
        while len(self._pending) < limit and self._can_issue():
            slot = self._slots.popleft()
            self._pending.append((slot, self._fill(slot)))
        return [spec for _, spec in list(self._pending)[:limit]]

    def record(self, record: TrialRecord) -> None:
        """Take in one trial; see `Schedule`.

        A logged contrast is taken as it was, never computed again.
        """
        self.next(1)
        if not self._pending:
            number = record.spec.trial
            raise ValueError(
                f"trial {number} must be part of the schedule, got one more"
            )
        slot, spec = self._pending.popleft()
        spec = replace(spec, contrast=record.spec.contrast)
        if slot.kind == "main" and spec.pass_ == 1:
            self._contrasts[slot.value] = spec.contrast
        _require_same(spec, record.spec)
        if record.response.valid:
            self._take_in(slot, spec, record)
        elif self._again_left > 0:
            self._again_left -= 1
            self._again.append(slot)

    def block(self, number: int) -> BlockInfo:
        """Describe a block; see `Schedule`."""
        block = self._blocks[number]
        return BlockInfo(number, block.kind, block.feedback, len(block.slots))

    def _can_issue(self) -> bool:
        """Whether the next trial is decided by what is known now."""
        if not self._slots and not self._next_slots():
            return False
        if self._blocks[self._current].kind == "calibration":
            return not self._pending
        partner = self._slots[0].repeats
        waits = any(slot.main == partner for slot, _ in self._pending)
        return partner is None or self._always_valid or not waits

    def _next_slots(self) -> bool:
        """Refill from the trials to repeat, or from the next block."""
        if self._pending and not self._runs_on():
            return False
        if self._again:
            self._slots.extend(self._again)
            self._again.clear()
            return True
        self._end_block()
        if self._current + 1 >= len(self._blocks):
            return False
        self._current += 1
        block = self._blocks[self._current]
        self._slots.extend(block.slots)
        self._again_left = len(block.slots) // 2
        if block.kind == "calibration":
            self._quest = QuestPlus.for_2afc(self._protocol.contrast.grid).start()
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

    def _fill(self, slot: Slot) -> TrialSpec:
        """Turn a slot into a trial; the trial's number is its fresh stimulus id."""
        number = self._next_trial
        self._next_trial += 1
        first = None if slot.repeats is None else self._shown.get(slot.repeats)
        gap = self._protocol.double_pass.min_gap
        if first is None or number - first.trial < gap:
            # Its first showing was spoiled, or came late: it stands alone.
            first = None
        spec = TrialSpec(
            trial=number,
            block=self._current,
            block_kind=slot.kind,
            condition=self._condition(slot),
            stimulus_id=number if first is None else first.stimulus_id,
            pass_=1 if first is None else 2,
            repeats=None if first is None else first.trial,
            contrast=self._contrast(slot) if first is None else first.contrast,
            target=slot.target,
            signal=self._signal,
        )
        if slot.main is not None and self._always_valid:
            self._shown[slot.main] = spec
        return spec

    def _condition(self, slot: Slot) -> str:
        if slot.kind == "main" and len(self._contrasts) > 1:
            return f"contrast-{self._protocol.contrast.values[slot.value]:g}"
        return slot.kind

    def _contrast(self, slot: Slot) -> float:
        if slot.kind == "catch":
            return self._protocol.catch.contrast
        if slot.kind == "practice":
            return _easy(self._protocol)
        if slot.kind == "calibration" and self._quest is not None:
            return self._quest.next()
        return self._contrasts[slot.value]

    def _take_in(self, slot: Slot, spec: TrialSpec, record: TrialRecord) -> None:
        if slot.main is not None:
            self._shown[slot.main] = spec
        if record.correct is None or is_anticipation(self._protocol, record.response):
            return
        if slot.kind == "calibration" and self._quest is not None:
            self._quest = self._quest.update(spec.contrast, int(record.correct))
        elif slot.kind == "main":
            self._correct.append(record.correct)


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
