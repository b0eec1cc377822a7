"""The training loop: steps, looks at held-out trials, checkpoints, early stopping."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...experiments.session.observer import ObserverNoise
from ...experiments.stimulus.seeds import derived_seed
from ..networks.batches import is_out_of_memory
from ..noise import drawn_for
from ..retina.mosaic import as_contrast_tensor
from ..training.repeatable import repeatable
from .checkpoint import Checkpoint
from .compiled import compiled, compiling
from .evaluation import figures_of
from .figures import HeldOutFigures
from .processes import Share
from .recipe import TrainingPart
from .shown import HeldOut, Trials

VERSION = 3  # raise it when the same recipe would give other weights
# Steps done, steps in all, and a few words on how it goes.
Told = Callable[[int, int, str], None]
_TIMED_STEPS = 4


@dataclass(frozen=True)
class Budget:
    """What a training will take.

    Attributes
    ----------
    n_parameters
        Of the network, that are learnt.
    n_steps, n_trials
        Of gradient descent, and the trials shown in them.
    n_held_out, n_looks
        Trials held out, and how often they are looked at.
    seconds
        In all, from a few steps that were timed, compiling among them.
    compile_seconds
        Of these, what compiling takes; None where nothing is compiled. The training
        itself finds on the disk what was compiled for the budget.
    """

    n_parameters: int
    n_steps: int
    n_trials: int
    n_held_out: int
    n_looks: int
    seconds: float
    compile_seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        return asdict(self)

    def sentence(self) -> str:
        """Say it in one line."""
        last = f"{duration(self.seconds)} here"
        if self.compile_seconds is not None:
            last += f", {duration(self.compile_seconds)} of them compiling first"
        return (
            f"{self.n_parameters:,} parameters, {self.n_steps:,} steps, "
            f"{self.n_trials:,} trials, {self.n_held_out:,} held out and looked at "
            f"{self.n_looks} times; about {last}"
        )


def duration(seconds: float) -> str:
    """Say roughly how long something takes."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


@dataclass
class Loop:
    """A network on its way.

    Attributes
    ----------
    network
        From contrast (trial, alternative, frame, y, x) to (trial, alternative).
    trials
        What it learns from.
    training
        How long and how fast.
    seed
        Of what its modules draw while they learn (dropout, noise).
    device
        Where it is.
    share
        Of this process in every batch.
    step
        Steps done.
    history
        A look at the held-out trials each: step, training loss since the last one,
        held-out loss, and figures.
    """

    network: nn.Module
    trials: Trials
    training: TrainingPart
    seed: int
    device: str
    share: Share = field(default_factory=Share)
    step: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        learnt = [p for p in self.network.parameters() if p.requires_grad]
        rate, decay = self.training.rate, self.training.decay
        is_compiled = self.training.compile
        self._pass = compiled(self.network) if is_compiled else self.network
        self._optimiser = torch.optim.AdamW(learnt, lr=rate, weight_decay=decay)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, rate, total_steps=max(2, self.trials.n_steps)
        )
        self._best: dict[str, Tensor] = {}
        self._best_loss = math.inf
        self._stale = 0

    @property
    def is_over(self) -> bool:
        """Whether all steps are done, or patience is at its end."""
        patience = self.training.patience
        is_stale = patience is not None and self._stale >= patience
        return is_stale or self.step >= self.trials.n_steps

    def run(
        self, checkpoint: Checkpoint | None = None, told: Told | None = None
    ) -> HeldOutFigures:
        """Train to the end, and leave the best weights in the network.

        Parameters
        ----------
        checkpoint
            Where the state is written after each look; what is there is gone on from.
        told
            Called after every step.

        Returns
        -------
        HeldOutFigures
            How good those weights are, on trials that did not choose them where there
            are any.

        Raises
        ------
        ValueError
            If the loss stops being a number, or memory runs out.
        """
        with self._arithmetic():
            found = None if checkpoint is None else checkpoint.read()
            if found is not None:
                self._restore(found)
            since: list[float] = []
            while not self.is_over:
                since.append(self._learn(self.step))
                self.step += 1
                if self._is_due():
                    self._look(float(np.mean(since)))
                    since = []
                    if checkpoint is not None:
                        state = self._state()
                        if self.share.is_first:
                            checkpoint.write(state)
                if told is not None:
                    told(self.step, self.trials.n_steps, self._words())
            self.network.load_state_dict(self._best)
            self.network.eval()
            return self.share.told(lambda: self._figures(self.trials.scored))

    def _figures(self, held_out: HeldOut) -> HeldOutFigures:
        """Give how good the network is on trials that it does not learn."""
        answered = self.trials.answered
        others = None if answered is None else self._variables(answered)
        return figures_of(self.trials, held_out, self._variables(held_out), others)

    def budget(self) -> Budget:
        """Time a few steps on a copy, which learns nothing that stays."""
        tried = Loop(
            copy.deepcopy(self.network),
            self.trials,
            self.training,
            self.seed,
            self.device,
            self.share,
        )
        n_steps = self.trials.n_steps
        with tried._arithmetic():
            seconds = []
            for step in range(min(_TIMED_STEPS, n_steps)):
                start = time.perf_counter()
                tried._learn(step)
                seconds.append(time.perf_counter() - start)
            start = time.perf_counter()
            tried._variables(self.trials.held_out)
            look = time.perf_counter() - start
        n_looks = -(-n_steps // self.trials.every)
        a_step, first = float(np.median(seconds)), None
        if self.training.compile:
            a_step = float(np.median(seconds[1:] or seconds))
            first = max(0.0, sum(seconds) - a_step * len(seconds))
        return Budget(
            sum(p.numel() for p in self.network.parameters() if p.requires_grad),
            n_steps,
            self.trials.n_shown,
            len(self.trials.held_out.contrast),
            n_looks,
            a_step * n_steps + look * n_looks + (first or 0.0),
            first,
        )

    def _is_due(self) -> bool:
        is_last = self.step == self.trials.n_steps
        return is_last or self.step % self.trials.every == 0

    def _learn(self, step: int) -> float:
        """Take one step of gradient descent; give the loss before it."""
        self.network.train()
        with self._memory():
            frames, lesson = self.trials.batch(step, self.share)
            contrast = as_contrast_tensor(torch.from_numpy(frames), self.device)
            error = self.trials.loss(self._pass(contrast), lesson.to(self.device))
            loss = self.share.mean(error.item())
            if not math.isfinite(loss):
                raise ValueError(
                    f"the training loss must be finite, got {loss} at step "
                    f"{step + 1}; a lower training.rate may help"
                )
            self._optimiser.zero_grad()
            error.backward()
            self.share.average_gradients(self.network)
            self._optimiser.step()
        self._schedule.step()
        return loss

    def _look(self, training_loss: float) -> None:
        """Look at the held-out trials; keep the weights if they are the best."""
        self.share.level(self.network)
        found = self.share.told(lambda: self._figures(self.trials.held_out))
        row = {"step": self.step, "training_loss": training_loss, **found.to_dict()}
        self.history.append(row)
        self._stale += 1
        if found.loss < self._best_loss:
            self._best_loss, self._stale = found.loss, 0
            self._best = _on_cpu(self.network.state_dict())
        self._said = f"held-out loss {found.loss:.3f}, {found.brief}"

    def _words(self) -> str:
        return self._said if self.history else "first look to come"

    def _variables(self, held_out: HeldOut) -> Tensor:
        """Give decision variables of held-out trials, on the CPU."""
        self.network.eval()
        first, parts = 0, []
        for frames in held_out.frames():
            for part in np.array_split(frames, -(-len(frames) // self.training.batch)):
                noise = ObserverNoise(self.seed, np.arange(first, first + len(part)))
                with self._memory(), torch.no_grad(), drawn_for(noise):
                    there = as_contrast_tensor(torch.from_numpy(part), self.device)
                    parts.append(self.network(there).cpu())
                first += len(part)
        return torch.cat(parts)

    def _state(self) -> dict[str, Any]:
        is_cuda = self.device != "cpu"
        drawn = torch.cuda.get_rng_state(self.device) if is_cuda else None
        drawn = self.share.all_of((torch.get_rng_state(), drawn))
        rng, cuda_rng = (list(each) for each in zip(*drawn, strict=True))
        return {
            "step": self.step,
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "best": self._best,
            "best_loss": self._best_loss,
            "stale": self._stale,
            "said": self._said,
            "history": self.history,
            "rng": rng,
            "cuda_rng": cuda_rng,
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self.step, self.history = state["step"], state["history"]
        self._best, self._best_loss = state["best"], state["best_loss"]
        self._stale, self._said = state["stale"], state["said"]
        rng, cuda_rng = (state[each][self.share.number] for each in ("rng", "cuda_rng"))
        torch.set_rng_state(rng)
        if cuda_rng is not None:
            torch.cuda.set_rng_state(cuda_rng, self.device)

    @contextmanager
    def _arithmetic(self) -> Iterator[None]:
        """Let torch compute and draw the same way every time, and then as before."""
        is_cuda = self.device != "cpu"
        devices = [torch.device(self.device)] if is_cuda else []
        with (
            torch.random.fork_rng(devices=devices),
            repeatable(is_cuda),
            compiling() if self.training.compile else nullcontext(),
        ):
            apart = [self.share.number] if self.share.number else []
            torch.manual_seed(derived_seed("training", self.seed, *apart))
            yield

    @contextmanager
    def _memory(self) -> Iterator[None]:
        """Say in one sentence that memory ran out."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            rule = f"smaller than {self.training.batch} trials to fit into memory"
            raise ValueError(f"training.batch must be {rule}, got that many") from error


def _on_cpu(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: values.detach().cpu().clone() for name, values in state.items()}
