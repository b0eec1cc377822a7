"""What a recipe's trials are to the training loop, wherever they come from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, runtime_checkable
from typing import Protocol as Interface

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from ...experiments.protocols.protocol import Protocol
from .figures import Choices
from .kernel_target import KernelTarget
from .processes import Share

_ALL = Share()
Frames = UInt8[np.ndarray, " trial alternative frame y x"]


class Lesson(NamedTuple):
    """What the loss takes besides the decision variables, a row a trial.

    Attributes
    ----------
    wanted
        The target, or the response, as `as_wanted` gives it.
    noise, classes
        Of each alternative in SDs, and the number of the stimulus class: what a kernel
        is made of. None where the goal is none.
    """

    wanted: Tensor
    noise: Float[Tensor, " trial alternative element"] | None = None
    classes: Tensor | None = None

    def to(self, device: str) -> "Lesson":
        """Give it on a device."""
        rest = (None if each is None else each.to(device) for each in self[1:])
        return Lesson(self.wanted.to(device), *rest)


Loss = Callable[[Tensor, Lesson], Tensor]


@dataclass(frozen=True)
class HeldOut:
    """Trials that are not learnt from.

    Attributes
    ----------
    frames
        Gives the frames, part by part.
    lesson
        Gives what the loss takes.
    contrast
        Of each trial.
    choices
        The observer's whose responses or kernel are learnt; None where the goal is the
        task, or where the trials are others than those that the observer was shown.
    targets
        None where no response is correct.
    ceiling
        Choices of that observer without internal noise; None if not known.
    """

    frames: Callable[[], Iterator[Frames]]
    lesson: Callable[[], Lesson]
    contrast: Float[np.ndarray, " trial"]
    choices: Choices | None = None
    targets: Choices | None = None
    ceiling: Choices | None = None


@runtime_checkable
class Trials(Interface):
    """Gives the trials of every step; the same for the same step.

    Attributes
    ----------
    protocol
        Whose trials they are.
    n_steps, every
        Steps in all, and between looks at what is held out.
    n_shown
        Trials in all steps.
    trained_on
        Session and trials, where they are somebody's.
    loss
        Of the goal.
    held_out
        Chooses the best weights.
    answered
        Where responses of the observer to other trials alone are known: those.
    kernel
        What is to be reached; None where the goal is no kernel.
    """

    protocol: Protocol
    n_steps: int
    every: int
    n_shown: int
    trained_on: dict[str, Any]
    loss: Loss
    held_out: HeldOut
    answered: HeldOut | None
    kernel: KernelTarget | None

    @property
    def scored(self) -> HeldOut:
        """Trials that the last figures are of."""
        ...

    def batch(self, step: int, share: Share = _ALL) -> tuple[Frames, Lesson]:
        """Give frames and what the loss takes, of a step from 0: a process's share."""
        ...


def as_wanted(protocol: Protocol, responses: np.ndarray) -> np.ndarray:
    """Give responses as the loss takes them: which one, or the chance of "yes"."""
    if protocol.task.takes_largest:
        return responses.astype(np.int64)
    return (responses / (len(protocol.task.keys) - 1)).astype(np.float32)


def require_learnable(protocol: Protocol, kind: str) -> None:
    """Refuse a task that has no decision variable for each interval."""
    if protocol.task.identifies:
        rule = "one with a decision variable for each interval to train a network"
        raise ValueError(f"the task must be {rule}, got identify")
    if kind == "task" and not protocol.task.has_target:
        rule = "one with correct responses to be learnt"
        raise ValueError(f"the task must be {rule}, got {protocol.name}")
    if protocol.signal.kind == "unknown":
        rule = f"known for trials of {protocol.name} to be shown"
        raise ValueError(f"the signal must be {rule}, got a protocol without it")
