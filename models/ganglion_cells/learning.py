"""How networks of cells learn: Adam on the Poisson likelihood, stopped in time.

Near to what was published for the networks of 2016: steps of .01 in batches of 5,000
bins, a fifth of the step after some epochs in which held-out spikes did not become
likelier, the end after twice as many (five and ten; published: ten and twenty), and the
weights of the best epoch. The likelihood is that of rates in
spikes/s, for which the published penalties are.

An epoch is a function of the seed, its number and the state before it, and states are
kept: an interrupted fit goes on to the same weights.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ...experiments.recordings.recording import Recording, RecordingError, Segment
from .binned import Chunks, Scale
from .cell_network import CellNetwork
from .kept import Kept
from .penalised import NotFinite
from .stimulus_fit import HELD_OUT, Progress

_ANSWERED = 100  # bins of a stretch
_MOST_ELEMENTS = 2**26  # of the stimulus in one pass


@dataclass(frozen=True)
class Learning:
    """How a network learns.

    Attributes
    ----------
    epochs
        At most.
    rate
        Of Adam at first.
    batch
        Bins of a batch.
    patience
        Epochs without a gain before the rate falls to a fifth; twice as many end it.
    seed
        Of the first weights, the order of stretches and the noise.
    """

    epochs: int = 60
    rate: float = 0.01
    batch: int = 5000
    patience: int = 5
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("epochs", "rate", "batch", "patience"):
            if not 0 < getattr(self, name) < math.inf:
                value = getattr(self, name)
                raise ValueError(f"{name} must be more than 0, got {value}")


def learn(
    make: Callable[[], CellNetwork],
    recording: Recording,
    scale: Scale,
    kept: Kept,
    learning: Learning,
    device: str,
    progress: Progress | None = None,
) -> CellNetwork:
    """Make a network and let it learn a recording's segments for fitting.

    Parameters
    ----------
    make
        Makes it; random weights are drawn from the learning's seed.
    kept
        Holds the state after the last epoch, and the best one.

    Raises
    ------
    RecordingError
        If there is too little to learn from.
    NotFinite
        If the loss is not finite: the message says at which epoch.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(learning.seed)
        network = make()
    bin_s = scale.steps * recording.step_ms / 1000
    fit, other = _parted(recording)
    data = [
        Chunks.of(part, scale, network.history, _ANSWERED, device)
        for part in (fit, other)
    ]
    if any(not len(part.starts) for part in data):
        rule = f"long enough for {HELD_OUT} stretches of {_ANSWERED} bins to learn from"
        got = f"{sum(s.n_steps for s in recording.of('fit'))} steps"
        raise RecordingError(f"segments for fitting must be {rule}, got {got}")
    counts = data[0].counts
    network.start_at(counts.nanmean(dim=0).cpu() / bin_s)
    run = _Run(network.to(device), data[0], data[1], learning, bin_s)
    state = kept.get("learning")
    if state is not None:
        run.load(state)
    while not run.is_over:
        run.epoch()
        kept.put("learning", run.state())
        if progress is not None:
            progress("learning", run.n_epochs, learning.epochs)
    network.load_state_dict(run.best)
    return network.eval().cpu()


def _parted(recording: Recording) -> tuple[list[Segment], list[Segment]]:
    """Part the segments into those to learn from and every fifth, to stop by."""
    segments = list(recording.of("fit"))
    if len(segments) < HELD_OUT:
        segments = [part for segment in segments for part in fifths(segment)]
    fit = [s for k, s in enumerate(segments) if k % HELD_OUT != HELD_OUT - 1]
    return fit, segments[HELD_OUT - 1 :: HELD_OUT]


def fifths(segment: Segment) -> list[Segment]:
    """Cut a segment into five of equal length."""
    n = segment.n_steps // HELD_OUT
    parts = []
    for k in range(HELD_OUT):
        at = slice(k * n, (k + 1) * n)
        clock = segment.frame_of_step
        assert clock is not None
        parts.append(
            Segment(segment.use, segment.counts[:, at], segment.frames, clock[at])
        )
    return parts


class _Run:
    """The state of one learning."""

    def __init__(
        self,
        network: CellNetwork,
        fit: Chunks,
        other: Chunks,
        learning: Learning,
        bin_s: float,
    ) -> None:
        self._network, self._fit, self._other = network, fit, other
        self._learning, self._bin_s = learning, bin_s
        self._history = network.history
        self._optimiser = torch.optim.Adam(network.parameters(), lr=learning.rate)
        self._schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self._optimiser,
            factor=0.2,
            patience=learning.patience - 1,  # torch waits for one more
            threshold=0.0,
            threshold_mode="abs",  # a share of a negative loss is on its other side
        )
        self.n_epochs = 0
        self._best_loss, self._best_epoch = math.inf, 0
        self.best: dict[str, Tensor] = {}

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to gain, or no epoch left."""
        learning = self._learning
        waited = self.n_epochs - self._best_epoch
        return self.n_epochs >= learning.epochs or waited >= 2 * learning.patience

    def epoch(self) -> None:
        """Learn from every stretch once."""
        self._network.train()
        n = len(self._fit.starts)
        a_batch = max(1, self._learning.batch // _ANSWERED)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed((1_000_003 * self._learning.seed + self.n_epochs) % 2**63)
            for chosen in torch.randperm(n).split(a_batch):
                self._optimiser.zero_grad()
                for part in chosen.split(self._at_once):
                    loss = self._loss(self._fit, part) * (len(part) / len(chosen))
                    loss.backward()
                self._optimiser.step()
        self.n_epochs += 1
        loss = self._held_out()
        if not math.isfinite(loss):
            rule = f"finite in every epoch, got {loss} in epoch {self.n_epochs}"
            raise NotFinite(f"the loss of a network must be {rule}")
        self._schedule.step(loss)
        if loss < self._best_loss:
            self._best_loss, self._best_epoch = loss, self.n_epochs
            state = self._network.state_dict()
            self.best = {name: v.detach().cpu().clone() for name, v in state.items()}

    @property
    def _at_once(self) -> int:
        """Stretches in one pass."""
        elements = self._fit.stimulus[0].numel() * self._fit.length * self._history
        return max(1, _MOST_ELEMENTS // elements)

    def _loss(self, data: Chunks, chosen: Tensor) -> Tensor:
        """Give the mean loss of stretches, with penalties while learning."""
        stimulus, counts = data.batch(chosen, self._history)
        rates = self._network(stimulus)
        per_s = counts / self._bin_s
        loss = (rates - per_s * torch.log(rates + 1e-6)).mean()
        if not self._network.training:
            return loss
        weights = [w for w in self._network.parameters() if w.dim() > 1]
        cost = self._network.l2 * torch.stack([w.square().sum() for w in weights]).sum()
        activity = rates.sum(dim=-1).mean()
        return loss + cost + self._network.activity_l1 * activity

    def _held_out(self) -> float:
        self._network.eval()
        total, n = 0.0, len(self._other.starts)
        with torch.no_grad():
            for part in torch.arange(n).split(self._at_once):
                total += float(self._loss(self._other, part)) * len(part)
        return total / n

    def state(self) -> dict[str, Tensor]:
        """Give all that the next epoch is a function of."""
        found = {f"best.{name}": value for name, value in self.best.items()}
        for name, value in self._network.state_dict().items():
            found[f"network.{name}"] = value.detach().cpu().clone()
        adam = self._optimiser.state_dict()["state"]
        for k, parts in adam.items():
            for name, value in parts.items():
                found[f"adam.{k}.{name}"] = torch.as_tensor(value).cpu().clone()
        plateau = self._schedule.state_dict()
        for name in ("best", "num_bad_epochs", "last_epoch"):
            found[f"plateau.{name}"] = torch.tensor(float(plateau[name])).double()
        numbers = (self.n_epochs, self._best_loss, self._best_epoch)
        rate = self._optimiser.param_groups[0]["lr"]
        found["numbers"] = torch.tensor([*numbers, rate], dtype=torch.float64)
        return found

    def load(self, state: dict[str, Tensor]) -> None:
        """Go on from a state."""

        def part(name: str) -> dict[str, Tensor]:
            start = f"{name}."
            return {k[len(start) :]: v for k, v in state.items() if k.startswith(start)}

        self._network.load_state_dict(part("network"))
        self.best = part("best")
        n, self._best_loss, best_epoch, rate = state["numbers"].tolist()
        self.n_epochs, self._best_epoch = int(n), int(best_epoch)
        whole = self._optimiser.state_dict()
        adam: dict[int, dict[str, Tensor]] = {}
        for name, value in part("adam").items():
            k, _, what = name.partition(".")
            adam.setdefault(int(k), {})[what] = value
        whole["state"], whole["param_groups"][0]["lr"] = adam, rate
        self._optimiser.load_state_dict(whole)
        plateau = {k: v.item() for k, v in part("plateau").items()}
        for name in ("num_bad_epochs", "last_epoch"):
            plateau[name] = int(plateau[name])
        self._schedule.load_state_dict(plateau)
