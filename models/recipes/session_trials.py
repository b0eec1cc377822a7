"""What a network learns from a session: its trials again, in epochs, or its kernel."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...experiments.session.observer import frames_on
from ...experiments.stimulus.sources import StoredNoise
from ..training.losses import choice_loss
from ..training.stream import noise_in_sds
from .figures import as_choices
from .kernel_target import Kernels, KernelTarget, kernels_of
from .processes import Share
from .recipe import Recipe
from .shown import Frames, HeldOut, Lesson, as_wanted, require_learnable
from .split import split_by_blocks

_ALL = Share()
_EPOCHS = 20
_AT_ONCE = 256  # held-out trials that are rendered together


class SessionTrials:
    """The trials of a session with its responses, in epochs.

    Parameters
    ----------
    recipe
        Names the session.
    base
        Where the path of its database begins.
    """

    kernel: KernelTarget | None = None
    answered: HeldOut | None = None

    def __init__(self, recipe: Recipe, base: Path) -> None:
        from ...experiments.session.results import load_session
        from ...experiments.session.runnable import require_showable

        asked, training = recipe.goal.session, recipe.training
        assert asked is not None
        session = load_session(base / asked.db, asked.id)
        self.protocol = session.protocol
        require_learnable(self.protocol, "shadow")
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
        self.trained_on: dict[str, Any] = {
            "session": asked.id,
            "trials": trials[self._rows].tolist(),
        }
        responses = self._table["response"].to_numpy(np.int64)
        self._wanted = torch.from_numpy(as_wanted(self.protocol, responses))
        task, table = self.protocol.task, self._table.iloc[self._held_rows]
        self.loss = lambda variables, lesson: choice_loss(
            task, variables, lesson.wanted
        )
        self.held_out = HeldOut(
            self._held_out_frames,
            lambda: Lesson(self._wanted[self._held_rows]),
            table["contrast"].to_numpy(np.float64),
            as_choices(task, responses[self._held_rows]),
            table["target"].to_numpy(np.int64) if task.has_target else None,
        )
        self.scored = self.held_out  # there are no new trials of hers

    def batch(self, step: int, share: Share = _ALL) -> tuple[Frames, Lesson]:
        """Give a part of the epoch; each has its own order."""
        epoch, part = divmod(step, self._per_epoch)
        order = np.random.default_rng([self._seed, epoch]).permutation(self._rows)
        rows = share.of(np.array_split(order, self._per_epoch)[part])
        return self._frames(rows), Lesson(self._wanted[rows])

    def kernels(self, second: bool) -> Kernels:
        """Give the kernels of the responses that are not held out.

        Stimulus classes are targets within contrasts, and a class of a single trial is
        left out.
        """
        table = self._table.iloc[self._rows].reset_index(drop=True)
        given = [table["contrast"].to_numpy(np.float64)]
        if self.protocol.task.has_target:
            given.append(table["target"].to_numpy(np.float64))
        _, classes, n = np.unique(
            np.stack(given), axis=1, return_inverse=True, return_counts=True
        )
        classes = classes.ravel()
        rows = np.flatnonzero(n[classes] > 1)
        wanted = self._wanted[self._rows][rows]
        noise = partial(self._noise_of, table.iloc[rows].reset_index(drop=True))
        return kernels_of(self.protocol, wanted, classes[rows], noise, second)

    def _noise_of(self, table: Any, rows: slice) -> torch.Tensor:
        part = table.iloc[rows].reset_index(drop=True)
        return noise_in_sds(self.protocol, self._noise, part)

    def _held_out_frames(self) -> Iterator[Frames]:
        for first in range(0, len(self._held_rows), _AT_ONCE):
            yield self._frames(self._held_rows[first : first + _AT_ONCE])

    def _frames(self, rows: np.ndarray) -> Frames:
        part = self._table.iloc[rows].reset_index(drop=True)
        return frames_on(None, self.protocol, self._noise, part)
