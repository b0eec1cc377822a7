"""What a network learns from: new trials, or those that a session showed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, runtime_checkable
from typing import Protocol as Interface

import numpy as np
import torch
from jaxtyping import UInt8

from ...experiments.protocols.protocol import Protocol
from ...experiments.session.observer import (
    ObserverNoise,
    Practice,
    frames_on,
    optional,
)
from ...experiments.stimulus.seeds import derived_seed
from ...experiments.stimulus.sources import Matlab5Noise, StoredNoise
from ..decision import (
    Decision,
    calibrate,
    checked_variables,
    reference_contrast,
    rehearse,
)
from ..registry import load
from ..simulate import teach
from ..training.practice import training_contrasts
from .figures import Choices, as_choices
from .recipe import Recipe, protocol_of
from .split import split_by_blocks

_IDEAL_DPRIMES = (1.0, 2.0, 3.0, 4.0)
_STEPS, _EPOCHS = 300, 20
_AT_ONCE = 256  # held-out trials that are rendered together
# Streams of practice: a seed has one to learn from and one that is held out. MATLAB's
# generator, with one seed for all, has room for fewer.
_N_STREAMS, _N_STREAMS_OF_MATLAB = 2**30, 32

Frames = UInt8[np.ndarray, " trial alternative frame y x"]


@dataclass(frozen=True)
class HeldOut:
    """Trials that are not learnt from.

    Attributes
    ----------
    wanted
        What the loss takes: the target, or the response, as `Trials.batch` has it.
    choices
        The shadowed observer's; None where the goal is the task.
    targets
        None where no response is correct.
    contrast
        Of each trial.
    ceiling
        Choices of the shadowed observer without internal noise; None if not known.
    """

    wanted: np.ndarray
    contrast: np.ndarray
    choices: Choices | None = None
    targets: Choices | None = None
    ceiling: Choices | None = None


@runtime_checkable
class Trials(Interface):
    """Gives the trials of every step; the same for the same step."""

    protocol: Protocol
    n_steps: int  # in all
    every: int  # steps between looks at what is held out
    n_shown: int  # trials in all steps
    trained_on: dict[str, Any]  # session and trials, where they are somebody's
    held_out: HeldOut

    def batch(self, step: int) -> tuple[Frames, np.ndarray]:
        """Give frames and what the loss takes, of a step from 0."""
        ...

    def held_out_frames(self) -> Iterator[Frames]:
        """Give the frames that are held out, part by part."""
        ...


def trials_of(recipe: Recipe, base: Path) -> Trials:
    """Make the trials of a recipe, whose files' paths are from `base` on.

    Raises
    ------
    ValueError
        If the task or the session cannot be learnt.
    LookupError
        If there is no such observer, protocol or session.
    """
    if recipe.goal.session is not None:
        return SessionTrials(recipe, base)
    return GeneratedTrials(recipe, protocol_of(recipe.goal, base))


class Shadowed:
    """An observer whose responses to new trials are learnt.

    Parameters
    ----------
    recipe
        Names it.
    protocol
        What it does.
    """

    def __init__(self, recipe: Recipe, protocol: Protocol) -> None:
        goal, seed = recipe.goal, recipe.network.seed
        self._observer = load(goal.observer, **goal.options)
        self._task = protocol.task
        self._seed = derived_seed("shadowed", goal.observer, seed)
        practice = Practice(protocol)
        teach(self._observer, practice)
        rehearse(self._observer, practice, self._seed)
        self._decision = calibrate(
            self._observer, practice, self._seed, goal.internal_noise
        )

    def respond(
        self, frames: Frames, numbers: np.ndarray, held_out: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give its responses, and those that it would give without internal noise."""
        device: Any = optional(self._observer, "device")
        shown = frames if device is None else torch.from_numpy(frames).to(device)
        seed = derived_seed("held-out", self._seed) if held_out else self._seed
        noise = ObserverNoise(seed, numbers)
        variables = checked_variables(self._observer, shown, noise, self._task)
        responses, _ = self._decision.respond(variables, noise)
        plain = Decision(self._task, 0.0, self._decision.criteria)
        return responses, plain.respond(variables, noise)[0]


class GeneratedTrials:
    """New trials at every step, on seeds that no session may have.

    Parameters
    ----------
    recipe
        Its goal is a task, or to shadow an observer.
    protocol
        Whose trials they are.
    """

    def __init__(self, recipe: Recipe, protocol: Protocol) -> None:
        _require_learnable(protocol, recipe.goal.kind)
        goal, training = recipe.goal, recipe.training
        self.protocol = protocol
        self.trained_on: dict[str, Any] = {}
        self.n_steps = training.steps or _STEPS
        self.every = training.checkpoint_every or max(1, self.n_steps // 10)
        self._batch = training.batch
        self.n_shown = self.n_steps * self._batch
        reference = reference_contrast(protocol)
        usual = (reference,)
        if goal.kind == "task":
            usual = training_contrasts(protocol, _IDEAL_DPRIMES)
        self.contrasts = goal.contrasts or usual
        for value in self.contrasts:
            protocol.with_options(contrast=value)  # refuses what leaves no room
        is_matlab = isinstance(Practice(protocol).source, Matlab5Noise)
        n = _N_STREAMS_OF_MATLAB if is_matlab else _N_STREAMS
        stream = 1 + recipe.network.seed % n
        self._practice = Practice(protocol, stream=stream)
        self._apart = Practice(protocol, stream=stream + n)
        self._shadowed = Shadowed(recipe, protocol) if goal.observer else None
        self._n_held_out, self._reference = training.held_out, reference
        self.held_out = self._hold_out()

    def batch(self, step: int) -> tuple[Frames, np.ndarray]:
        """Give frames and targets or responses, all contrasts in each batch."""
        numbers = np.arange(self._batch) + step * self._batch
        drawn = [
            self._practice.draw(len(part), int(part[0]), contrast)
            for part, contrast in zip(
                np.array_split(numbers, len(self.contrasts)),
                self.contrasts,
                strict=True,
            )
            if len(part)
        ]
        frames = np.concatenate([frames for _, frames in drawn])
        if self._shadowed is None:
            return frames, np.concatenate([table["target"] for table, _ in drawn])
        responses, _ = self._shadowed.respond(frames, numbers)
        return frames, as_wanted(self.protocol, responses)

    def held_out_frames(self) -> Iterator[Frames]:
        """Give the held-out frames, at the contrast that models are measured at."""
        for _, frames in self._held_out():
            yield frames

    def _held_out(self) -> Iterator[tuple[dict[str, np.ndarray], Frames]]:
        for first in range(0, self._n_held_out, _AT_ONCE):
            n = min(_AT_ONCE, self._n_held_out - first)
            yield self._apart.draw(n, first, self._reference)

    def _hold_out(self) -> HeldOut:
        n, task = self._n_held_out, self.protocol.task
        contrast = np.full(n, self._reference)
        if self._shadowed is None:
            drawn = self._apart.table(n, 0, self._reference)
            return HeldOut(drawn["target"], contrast, targets=drawn["target"])
        given, plain, targets = [], [], []
        for table, frames in self._held_out():
            noisy, without = self._shadowed.respond(frames, table["trial"], True)
            given.append(noisy)
            plain.append(without)
            targets.append(table["target"])
        responses = np.concatenate(given)
        return HeldOut(
            as_wanted(self.protocol, responses),
            contrast,
            as_choices(task, responses),
            np.concatenate(targets) if task.has_target else None,
            as_choices(task, np.concatenate(plain)),
        )


class SessionTrials:
    """The trials of a session with its responses, in epochs.

    Parameters
    ----------
    recipe
        Names the session.
    base
        Where the path of its database begins.
    """

    def __init__(self, recipe: Recipe, base: Path) -> None:
        from ...experiments.session.results import load_session
        from ...experiments.session.runnable import require_showable

        asked, training = recipe.goal.session, recipe.training
        assert asked is not None
        session = load_session(base / asked.db, asked.id)
        self.protocol = session.protocol
        _require_learnable(self.protocol, "shadow")
        if isinstance(session.noise, StoredNoise):
            require_showable(self.protocol, session.noise)
        if self.protocol.contrast.unit == "relative":
            rule = f"known for trials of {self.protocol.name} to be shown again"
            got = "one in a unit of its own"
            raise ValueError(f"the signal's contrast must be {rule}, got {got}")
        self._noise = session.noise
        self._table = session.counted.reset_index(drop=True)
        self._seed = recipe.network.seed
        split = split_by_blocks(self._table, self._seed)
        self._rows, self._held_rows = split.training, split.held_out
        self._per_epoch = max(1, len(self._rows) // training.batch)
        n_epochs = training.epochs or _EPOCHS
        self.n_steps = n_epochs * self._per_epoch
        self.every = (training.checkpoint_every or 1) * self._per_epoch
        self.n_shown = n_epochs * len(self._rows)
        trials = self._table["trial"].to_numpy(np.int64)
        self.trained_on = {"session": asked.id, "trials": trials[self._rows].tolist()}
        self._wanted = as_wanted(self.protocol, self._responses())
        self.held_out = self._hold_out()

    def batch(self, step: int) -> tuple[Frames, np.ndarray]:
        """Give a part of the epoch; each has its own order."""
        epoch, part = divmod(step, self._per_epoch)
        order = np.random.default_rng([self._seed, epoch]).permutation(self._rows)
        rows = np.array_split(order, self._per_epoch)[part]
        return self._frames(rows), self._wanted[rows]

    def held_out_frames(self) -> Iterator[Frames]:
        """Give the held-out frames, part by part."""
        for first in range(0, len(self._held_rows), _AT_ONCE):
            yield self._frames(self._held_rows[first : first + _AT_ONCE])

    def _frames(self, rows: np.ndarray) -> Frames:
        part = self._table.iloc[rows].reset_index(drop=True)
        return frames_on(None, self.protocol, self._noise, part)

    def _responses(self) -> np.ndarray:
        return self._table["response"].to_numpy(np.int64)

    def _hold_out(self) -> HeldOut:
        rows, task = self._held_rows, self.protocol.task
        table = self._table.iloc[rows]
        return HeldOut(
            self._wanted[rows],
            table["contrast"].to_numpy(np.float64),
            as_choices(task, self._responses()[rows]),
            table["target"].to_numpy(np.int64) if task.has_target else None,
        )


def as_wanted(protocol: Protocol, responses: np.ndarray) -> np.ndarray:
    """Give responses as the loss takes them: which one, or the chance of "yes"."""
    if protocol.task.takes_largest:
        return responses.astype(np.int64)
    return (responses / (len(protocol.task.keys) - 1)).astype(np.float32)


def _require_learnable(protocol: Protocol, kind: str) -> None:
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
