"""What every schedule offers, and the one that repeats another session's trials."""

from dataclasses import dataclass
from typing import Any, runtime_checkable
from typing import Protocol as Interface

import numpy as np
from jaxtyping import Bool

from ..protocols.protocol import Protocol
from ..store.trial import TrialRecord, TrialSpec
from ..store.trial_batch import TrialColumns


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

    @property
    def n_left(self) -> int:
        """Trials that are left as things stand, those to be repeated included."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether no trial is left."""
        ...

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

    @property
    def n_left(self) -> int:
        """Trials that are left; see `Schedule`."""
        return self.n_planned - self._recorded

    @property
    def is_complete(self) -> bool:
        """Whether no trial is left."""
        return not self.n_left

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
        require_same(due[0], record.spec)
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


def require_same(expected: TrialSpec, logged: TrialSpec) -> None:
    """Raise ValueError if a logged trial is not the one that was due."""
    if expected != logged:
        wrong = _first_difference(expected, logged)
        raise ValueError(f"trial {logged.trial} must follow the schedule, got {wrong}")


def _first_difference(expected: TrialSpec, logged: TrialSpec) -> str:
    for name, value in vars(expected).items():
        other: Any = getattr(logged, name)
        if value != other:
            return f"{name} {other!r} where {value!r} was due"
    return "another trial"
