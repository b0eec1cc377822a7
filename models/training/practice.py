"""Training: a network learns a task from practice trials that no session shows."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ...experiments.protocols.basis_facts import basis_facts
from ...experiments.protocols.parts import FULL_CONTRAST
from ...experiments.protocols.picture import highest_beside
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.signal import signal_template
from ...experiments.session.observer import Practice
from ..retina.mosaic import as_contrast_tensor
from .losses import task_loss

Progress = Callable[[int, int], None]  # steps done, steps in all
VERSION = 3  # raise it when the same plan would give other weights
_FIRST_TRIAL = 100_000  # below are the trials that decisions are calibrated on
_TRIALS_A_SEED = 100_000
_N_SEEDS_APART = 64  # practice has ten million trials: further seeds share theirs


@dataclass(frozen=True)
class TrainingPlan:
    """How a network is trained.

    Attributes
    ----------
    n_steps, batch
        Steps of gradient descent, and new trials for each.
    rate
        Highest learning rate; it rises and falls once (one cycle).
    decay
        Weight decay of AdamW.
    ideal_dprimes
        The trials' contrasts, as the d' that an ideal observer has there. From hard to
        easy, and a function of the stimulus alone, so that one training serves every
        contrast of a session.
    """

    n_steps: int = 300
    batch: int = 256
    rate: float = 3e-3
    decay: float = 1e-2
    ideal_dprimes: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0)

    def __post_init__(self) -> None:
        if not 2 <= self.n_steps * self.batch <= _TRIALS_A_SEED:
            rule = f"at most {_TRIALS_A_SEED}"
            got = self.n_steps * self.batch
            raise ValueError(f"n_steps * batch must be {rule} trials, got {got}")
        if self.batch % (2 * len(self.ideal_dprimes)):
            rule = f"a multiple of {2 * len(self.ideal_dprimes)}"
            raise ValueError(f"batch must be {rule}, got {self.batch}")


def training_contrasts(
    protocol: Protocol, ideal_dprimes: tuple[float, ...]
) -> tuple[float, ...]:
    """Give the contrasts at which an ideal observer has these d', within headroom.

    The ideal d' of one interval is contrast |g1 - g0| ||t|| / sd (methods of linear
    observers), g the gains and t the template. In noise on a basis it is the
    template's d' that is meant; of a signal with variants, d' of who is told which.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> training_contrasts(load_protocol("bar-in-noise"), (1.0, 2.0))
    (0.1, 0.2)
    """
    room = FULL_CONTRAST - protocol.noise.max_level()
    highest = min(highest_beside(own, room) for own in protocol.variants)
    at_one = max(_dprime_at_full_contrast(own) for own in protocol.variants)
    return tuple(min(dprime / at_one, highest) for dprime in ideal_dprimes)


def _dprime_at_full_contrast(protocol: Protocol) -> float:
    facts = basis_facts(protocol)
    if facts is not None:
        return facts.template_dprime / max(protocol.contrast.values)
    without, with_target = protocol.signal.gains
    size = np.linalg.norm(signal_template(protocol)) * abs(with_target - without)
    return float(size) / protocol.noise.sd


def train(
    network: nn.Module,
    practice: Practice,
    seed: int,
    plan: TrainingPlan,
    device: str = "cpu",
    progress: Progress | None = None,
) -> None:
    """Train a network in place.

    Parameters
    ----------
    network
        From contrast (trial, alternative, frame, y, x) to (trial, alternative).
    practice
        Gives the trials.
    seed
        Chooses the trials; two seeds learn from different ones.
    plan
        How long, and on what.
    device
        Where the network is.
    progress
        Called after every step with steps done and steps in all.

    Raises
    ------
    ValueError
        If the loss stops being a number.
    """
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=plan.rate, weight_decay=plan.decay
    )
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.rate, total_steps=plan.n_steps
    )
    network.train()
    batches = practice_batches(practice, seed, plan)
    with one_thread():
        for step, (frames, targets) in enumerate(batches):
            variables = network(as_contrast_tensor(torch.from_numpy(frames), device))
            error = task_loss(
                practice.protocol.task, variables, torch.from_numpy(targets).to(device)
            )
            if not math.isfinite(error.item()):
                raise ValueError(
                    f"the training loss must be finite, got {error.item()}"
                )
            optimiser.zero_grad()
            error.backward()
            optimiser.step()
            cycle.step()
            if progress is not None:
                progress(step + 1, plan.n_steps)
    network.eval()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute in one thread, then as before.

    The sums of a small network so have one order on every machine, and threads that
    wait for each other on a busy machine cost many times what they save.
    """
    import numba  # which takes .25 s

    before = torch.get_num_threads()
    # It starts Numba's threads. Left to the first stimulus that is rendered, they would
    # set torch's number, too, and what is to be one thread would be one for each core.
    numba.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def practice_batches(
    practice: Practice, seed: int, plan: TrainingPlan
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield new trials for every step: frames and targets, all contrasts in each."""
    if practice.protocol.task.identifies:
        rule = "one with a decision variable for each interval to train a network"
        raise ValueError(f"the task must be {rule}, got identify")
    contrasts = training_contrasts(practice.protocol, plan.ideal_dprimes)
    n = plan.batch // len(contrasts)
    first = _FIRST_TRIAL + _TRIALS_A_SEED * (seed % _N_SEEDS_APART)
    for _ in range(plan.n_steps):
        drawn = []
        for contrast in contrasts:
            drawn.append(practice.draw(n, first, contrast))
            first += n
        frames = np.concatenate([frames for _, frames in drawn])
        yield frames, np.concatenate([table["target"] for table, _ in drawn])
