"""The steps of a training on pictures, with checkpoints."""

import copy
import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor
from torch.nn import functional

from ...experiments.stimulus.seeds import derived_seed
from ..networks.batches import is_out_of_memory
from ..recipes.checkpoint import Checkpoint
from ..recipes.loop import Told
from ..training.repeatable import repeatable
from .learner import Learner
from .recipe import PictureTrainingPart
from .term import Batch, Term

VERSION = 1  # raise it when the same recipe would give other weights
_TIMED = 4  # steps by which it is told how long a training takes
HELD_OUT = 1 << 40  # numbers of pictures held out, of which noise is drawn


@dataclass(frozen=True, eq=False)
class Labelled:
    """Pictures and the numbers of their categories."""

    contrast: Float32[np.ndarray, " picture frame y x"]
    labels: Int64[np.ndarray, " picture"]


@dataclass
class PictureLoop:
    """A network on its way.

    Attributes
    ----------
    learner
        The network.
    term
        Of the regime.
    fit, held_out
        Pictures.
    training
        How long and how fast.
    weight, task_weight
        Of the term, and of the categories' cross-entropy.
    step
        Steps done.
    history
        A look at the pictures held out each: step, losses since the last one, and what
        is right.
    """

    learner: Learner
    term: Term
    fit: Labelled
    held_out: Labelled
    training: PictureTrainingPart
    weight: float
    task_weight: float = 1.0
    step: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        learnt = [*self.learner.network.parameters(), *self.term.parameters()]
        rate, decay = self.training.rate, self.training.decay
        self._optimiser = torch.optim.AdamW(learnt, lr=rate, weight_decay=decay)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, rate, total_steps=self.training.steps
        )
        self._said = "first look to come"

    def run(
        self, checkpoint: Checkpoint | None = None, told: Told | None = None
    ) -> None:
        """Train to the end.

        Parameters
        ----------
        checkpoint
            Where the state is written after each look; what is there is gone on from.
        told
            Called after every step.

        Raises
        ------
        ValueError
            If the loss stops being a number, or memory runs out.
        """
        seed, n = self.learner.seed, self.training.steps
        is_cuda = self.learner.device != "cpu"
        devices = [torch.device(self.learner.device)] if is_cuda else []
        with torch.random.fork_rng(devices=devices), repeatable(is_cuda):
            torch.manual_seed(derived_seed("pictures", seed))
            found = None if checkpoint is None else checkpoint.read()
            if found is not None:
                self._restore(found)
            else:
                self.learner.begin(self.fit.contrast)
            since: list[tuple[float, float]] = []
            while self.step < n:
                since.append(self._learn())
                self.step += 1
                if self.step == n or self.step % self.training.every == 0:
                    self._look(np.mean(since, axis=0))
                    since = []
                    if checkpoint is not None:
                        checkpoint.write(self._state())
                if told is not None:
                    told(self.step, n, self._said)
            self.learner.fold()

    def seconds(self) -> float:
        """Time a few steps on a copy, which learns nothing that stays; say all."""
        learner, term = copy.deepcopy((self.learner, self.term))
        given = (self.fit, self.held_out, self.training, self.weight, self.task_weight)
        tried = PictureLoop(learner, term, *given)
        is_cuda, taken = self.learner.device != "cpu", []
        with torch.random.fork_rng(devices=[]), repeatable(is_cuda):
            for _ in range(min(_TIMED, self.training.steps)):
                start = time.perf_counter()
                tried._learn()
                taken.append(time.perf_counter() - start)
            start = time.perf_counter()
            tried._look(np.zeros(2))
            look = time.perf_counter() - start
        n_looks = -(-self.training.steps // self.training.every)
        return float(np.median(taken)) * self.training.steps + look * n_looks

    def _learn(self) -> tuple[float, float]:
        """Take one step of gradient descent; give the two losses before it."""
        self.learner.train(True)
        try:
            entropy, extra = self._losses(self._batch())
            loss = self.task_weight * entropy
            if extra is not None:
                loss = loss + self.weight * extra
            if not math.isfinite(loss.item()):
                raise ValueError(
                    f"the training loss must be finite, got {loss.item()} at step "
                    f"{self.step + 1}; a lower training.rate may help"
                )
            self._optimiser.zero_grad()
            loss.backward()
            self._optimiser.step()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            n = self.training.batch
            rule = f"smaller than {n} pictures to fit into memory"
            raise ValueError(f"training.batch must be {rule}, got {n}") from error
        self._schedule.step()
        return entropy.item(), 0.0 if extra is None else extra.item()

    def _batch(self) -> Batch:
        rows = rows_of(
            len(self.fit.labels), self.training.batch, self.step, self.learner.seed
        )
        device = self.learner.device
        contrast = torch.from_numpy(self.fit.contrast[rows]).to(device)
        labels = torch.from_numpy(self.fit.labels[rows]).to(device)
        return Batch(self.step, rows, contrast, labels)

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        contrast = self.term.changed(self.learner, batch)
        if self.term.is_of_classes:
            contrast = contrast.detach().requires_grad_()
        logits = self.learner.logits(contrast)
        entropy = functional.cross_entropy(logits, batch.labels)
        return entropy, self.term.loss(self.learner, batch, contrast, logits)

    def _look(self, losses: np.ndarray) -> None:
        """Look at the pictures that are held out."""
        self.learner.settle(self.fit.contrast)
        logits = self.learner.asked(self.held_out.contrast, HELD_OUT)
        labels = torch.from_numpy(self.held_out.labels)
        entropy = functional.cross_entropy(logits, labels).item()
        right = (logits.argmax(1) == labels).float().mean().item()
        row = {"step": self.step, "cross_entropy": float(losses[0])}
        row |= {"term": float(losses[1]), "held_out_cross_entropy": entropy}
        self.history.append({**row, "held_out_correct": right})
        self._said = f"held out {right:.3f} correct"

    def _state(self) -> dict[str, Any]:
        device = self.learner.device
        is_cuda = device != "cpu"
        return {
            "step": self.step,
            "network": self.learner.network.state_dict(),
            "head": self.learner.head.state_dict(),
            "term": self.term.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "best": {},  # the last weights are the ones that count
            "history": self.history,
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state(device) if is_cuda else None,
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.learner.network.load_state_dict(state["network"])
        self.learner.head.load_state_dict(state["head"])
        self.term.load_state_dict(state["term"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self.step, self.history = state["step"], state["history"]
        torch.set_rng_state(state["rng"])
        if state["cuda_rng"] is not None:
            torch.cuda.set_rng_state(state["cuda_rng"], self.learner.device)


def rows_of(n: int, batch: int, step: int, seed: int) -> Int64[np.ndarray, " row"]:
    """Draw a step's rows: each once in a pass before any comes again.

    Examples
    --------
    >>> a_pass = [rows_of(10, 5, step, seed=1) for step in (0, 1)]
    >>> sorted(np.concatenate(a_pass).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    batch = min(batch, n)
    a_pass = n // batch
    order = np.random.default_rng([seed, step // a_pass]).permutation(n)
    first = step % a_pass * batch
    return order[first : first + batch]
