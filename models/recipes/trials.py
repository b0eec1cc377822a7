"""What a network learns from: new trials, or those that a session showed."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...experiments.protocols.protocol import Protocol
from ...experiments.session.observer import Practice
from ...experiments.stimulus.sources import Matlab5Noise
from ..decision import reference_contrast
from ..training.losses import choice_loss, kernel_loss, kernel_moments, task_loss
from ..training.practice import training_contrasts
from ..training.stream import noise_in_sds
from .figures import as_choices
from .goal import protocol_of
from .kernel_target import Kernels, KernelTarget, kernels_in, kernels_of
from .processes import Share
from .recipe import Recipe
from .session_trials import SessionTrials
from .shadowed import Shadowed
from .shown import Frames, HeldOut, Lesson, Loss, Trials, as_wanted, require_learnable

_ALL = Share()
_IDEAL_DPRIMES = (1.0, 2.0, 3.0, 4.0)
_STEPS = 300
_AT_ONCE = 256  # held-out trials that are rendered together
# Streams of practice: a seed has one to learn from and one that is held out. MATLAB's
# generator, with one seed for all, has room for fewer.
_N_STREAMS, _N_STREAMS_OF_MATLAB = 2**30, 32


def trials_of(recipe: Recipe, base: Path) -> Trials:
    """Make the trials of a recipe, whose files' paths are from `base` on.

    Raises
    ------
    ValueError
        If the task, the session or the kernel cannot be learnt.
    LookupError
        If there is no such observer, protocol or session.
    FileNotFoundError
        If there is no file of a kernel.
    """
    goal = recipe.goal
    if goal.session is not None:
        asked = SessionTrials(recipe, base)
        return asked if goal.learns_session else _toward_session(recipe, asked)
    protocol = protocol_of(goal, base)
    kernels = None
    if goal.file:
        practice = Practice(protocol)
        one = noise_in_sds(protocol, practice.source, practice.table(1))
        kernels = kernels_in(base / goal.file, goal.orders, one.shape[-1])
    return GeneratedTrials(recipe, protocol, kernels)


def _toward_session(recipe: Recipe, asked: SessionTrials) -> "GeneratedTrials":
    """Make new trials that lead to the kernel of a session."""
    kernels = asked.kernels(second=2 in recipe.goal.orders)
    made = GeneratedTrials(recipe, asked.protocol, kernels)
    made.trained_on, made.answered = asked.trained_on, asked.held_out
    return made


class GeneratedTrials:
    """New trials at every step, on seeds that no session may have.

    Parameters
    ----------
    recipe
        Its goal is a task, to shadow an observer, or a kernel.
    protocol
        Whose trials they are.
    kernels
        To be reached, where they are no observer's.
    """

    def __init__(
        self, recipe: Recipe, protocol: Protocol, kernels: Kernels | None = None
    ) -> None:
        goal, training = recipe.goal, recipe.training
        require_learnable(protocol, goal.kind)
        self.protocol = protocol
        self.trained_on: dict[str, Any] = {}
        self.answered: HeldOut | None = None
        self.n_steps = training.steps or _STEPS
        self.every = training.checkpoint_every or max(1, self.n_steps // 10)
        self._batch = training.batch
        self.n_shown = self.n_steps * self._batch
        self._reference = reference_contrast(protocol)
        if goal.kind == "kernel" and goal.contrasts:
            self._reference = goal.contrasts[0]
        usual = (self._reference,)
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
        self._has_noise = goal.kind == "kernel"
        self.kernel: KernelTarget | None = None
        if goal.kind == "kernel":
            self._require_kernel()
            # Numbers after those that are held out: trials that serve nothing else.
            first = training.held_out + training.scored
            true = kernels or self._kernels(first, goal.target_trials, 2 in goal.orders)
            true = Kernels(*(true[k - 1] if k in goal.orders else None for k in (1, 2)))
            self.kernel = KernelTarget.of(true, goal.shuffled, recipe.network.seed)
        self.loss = self._loss(goal.kind, goal.task_weight)
        self.held_out = self._hold_out(0, training.held_out)
        self._scored = (training.held_out, training.scored)

    @property
    def scored(self) -> HeldOut:
        """New trials, which choose nothing; made when they are asked for."""
        return self._hold_out(*self._scored)

    def batch(self, step: int, share: Share = _ALL) -> tuple[Frames, Lesson]:
        """Give frames and targets or responses, all contrasts in each batch."""
        numbers = np.arange(self._batch) + step * self._batch
        parts = [share.of(p) for p in np.array_split(numbers, len(self.contrasts))]
        drawn = [
            self._practice.draw(len(part), int(part[0]), contrast)
            for part, contrast in zip(parts, self.contrasts, strict=True)
            if len(part)
        ]
        frames = np.concatenate([frames for _, frames in drawn])
        if self._shadowed is None or self._has_noise:
            return frames, self._lesson(self._practice, [table for table, _ in drawn])
        responses, _ = self._shadowed.respond(frames, np.concatenate(parts))
        return frames, Lesson(torch.from_numpy(as_wanted(self.protocol, responses)))

    def _lesson(
        self, practice: Practice, tables: list[dict[str, np.ndarray]]
    ) -> Lesson:
        """Give targets, and noise for a kernel, whose trials have one contrast."""
        targets = torch.from_numpy(np.concatenate([each["target"] for each in tables]))
        if not self._has_noise:
            return Lesson(targets)
        noise = noise_in_sds(self.protocol, practice.source, tables[0])
        return Lesson(targets, noise, targets)

    def _loss(self, kind: str, task_weight: float) -> Loss:
        task, kernel = self.protocol.task, self.kernel
        if kernel is None:
            plain = task_loss if kind == "task" else choice_loss
            return lambda variables, lesson: plain(task, variables, lesson.wanted)
        first, second = kernel.wanted

        def toward(variables: Tensor, lesson: Lesson) -> Tensor:
            assert lesson.noise is not None
            assert lesson.classes is not None
            is_two = second is not None
            given = (lesson.noise, lesson.classes, is_two)
            moments = kernel_moments(task, variables, *given)
            error = kernel_loss(moments, first, second)
            if task_weight > 0:
                error = error + task_weight * task_loss(task, variables, lesson.wanted)
            return error

        return toward

    def _require_kernel(self) -> None:
        """Refuse what has no kernel here."""
        protocol = self.protocol
        if protocol.places.count:
            rule = "left out for a kernel, which is of one patch"
            raise ValueError(f"places must be {rule}, got {protocol.places.count}")
        if not protocol.task.has_target:
            rule = "one with correct responses for a kernel to be learnt"
            raise ValueError(f"the task must be {rule}, got {protocol.name}")
        least = 2 * protocol.task.n_targets
        if self._batch < least:
            rule = f"{least} or more, two trials of each stimulus class"
            raise ValueError(f"training.batch must be {rule}, got {self._batch}")

    def _apart_frames(self, first: int, n: int) -> Iterator[Frames]:
        """Give held-out frames, at the contrast that models are measured at."""
        for _, frames in self._drawn_apart(first, n):
            yield frames

    def _drawn_apart(
        self, first: int, n: int
    ) -> Iterator[tuple[dict[str, np.ndarray], Frames]]:
        for start in range(first, first + n, _AT_ONCE):
            part = min(_AT_ONCE, first + n - start)
            yield self._apart.draw(part, start, self._reference)

    def _kernels(self, first: int, n: int, second: bool) -> Kernels:
        """Measure the kernels of an observer on trials from a number on."""
        assert self._shadowed is not None
        responses: list[np.ndarray] = []
        tables: list[dict[str, np.ndarray]] = []
        for table, frames in self._drawn_apart(first, n):
            responses.append(self._shadowed.respond(frames, table["trial"], True)[0])
            tables.append(table)
        keys = ("trial", "stimulus_id", "contrast", "target", "block_kind")
        table = {key: np.concatenate([each[key] for each in tables]) for key in keys}
        wanted = torch.from_numpy(as_wanted(self.protocol, np.concatenate(responses)))

        def noise(rows: slice) -> Tensor:
            part = {key: values[rows] for key, values in table.items()}
            return noise_in_sds(self.protocol, self._apart.source, part)

        return kernels_of(self.protocol, wanted, table["target"], noise, second)

    def _hold_out(self, first: int, n: int) -> HeldOut:
        contrast, task = np.full(n, self._reference), self.protocol.task
        table = self._apart.table(n, first, self._reference)
        frames = partial(self._apart_frames, first, n)
        lesson = partial(self._lesson, self._apart, [table])
        targets = table["target"] if task.has_target else None
        if self._shadowed is None:
            return HeldOut(frames, lesson, contrast, targets=targets)
        given, plain = [], []
        for part, shown in self._drawn_apart(first, n):
            noisy, without = self._shadowed.respond(shown, part["trial"], True)
            given.append(noisy)
            plain.append(without)
        responses = np.concatenate(given)
        if not self._has_noise:
            wanted = torch.from_numpy(as_wanted(self.protocol, responses))
            lesson = partial(Lesson, wanted)
        return HeldOut(
            frames,
            lesson,
            contrast,
            as_choices(task, responses),
            targets,
            as_choices(task, np.concatenate(plain)),
        )
