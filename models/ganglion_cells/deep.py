"""Cells that a network stands for: from a recording to a fitted model, and back."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from ...experiments.recordings.recording import Recording, Segment
from .binned import Scale
from .cell_model import CellModel, log_likelihood_of_rates, sampled_spikes
from .cell_network import CellNetwork
from .deep_retina import BatchNormCNN, DeepRetina2016, Windowed
from .kept import Kept
from .learning import Learning, learn
from .multiplexed import Multiplexed
from .recurrent import AmacrineFeedback
from .staged_cells import StagedCells
from .stimulus_fit import Progress

NETWORKS: dict[str, Callable[[tuple[int, int], int], CellNetwork]] = {
    "cnn-2016": DeepRetina2016,
    "bn-cnn": BatchNormCNN,
    "amacrine-feedback": AmacrineFeedback,
    "multiplexed": Multiplexed,
    "staged-retina": StagedCells,
}
_AT_ONCE = 500  # bins


def make_network(
    kind: str, shape: tuple[int, int], n_cells: int, bin_ms: float
) -> CellNetwork:
    """Make a network of a name for bins of a duration."""
    if kind == "staged-retina":
        return StagedCells(shape, n_cells, bin_ms)
    return NETWORKS[kind](shape, n_cells)


@dataclass(frozen=True, eq=False)
class Deep(CellModel):
    """Cells that a network stands for; their spikes are Poisson.

    Attributes
    ----------
    scale
        What the network sees.
    network
        From (sequence, bin, y, x) to rates in spikes/s.
    """

    kind: str
    cells: tuple[str, ...]
    step_ms: float
    shape: tuple[int, int]
    background: float
    likelihood: str
    scale: Scale
    network: CellNetwork

    def rates(self, segment: Segment) -> Float64[np.ndarray, " step cell"]:
        """Give the expected spikes of every step; equal within a bin."""
        history = self.network.history
        stimulus = self.scale.stimulus(segment, history)
        found = []
        with torch.no_grad():
            # What a recurrent network remembers must not end with a part.
            is_windowed = isinstance(self.network, Windowed)
            at_once = _AT_ONCE if is_windowed else len(stimulus)
            for first in range(0, len(stimulus) - history + 1, at_once):
                part = stimulus[first : first + at_once + history - 1]
                found.append(self.network(part[None])[0])
        per_step = torch.cat(found).double().numpy() * self.step_ms / 1000
        return np.repeat(per_step, self.scale.steps, axis=0)[: segment.n_steps]

    def log_likelihood(self, segment: Segment) -> Float64[np.ndarray, " step cell"]:
        """Give the log-likelihood of a segment's spikes."""
        return log_likelihood_of_rates(segment, self.rates(segment), self.likelihood)

    def simulate(
        self, segment: Segment, n_repeats: int, seed: int
    ) -> UInt8[np.ndarray, " repeat step cell"]:
        """Draw spikes, independent of each other."""
        return sampled_spikes(self.rates(segment), n_repeats, seed, self.likelihood)

    @property
    def n_parameters(self) -> int:
        """How many numbers it has learnt."""
        return sum(weights.numel() for weights in self.network.parameters())

    def settings(self) -> dict[str, Any]:
        """Give all but the weights, as plain data."""
        return {"scale": asdict(self.scale)}

    def state(self) -> dict[str, Tensor]:
        """Give the weights."""
        return self.network.state_dict()


def fit_deep(
    kind: str,
    recording: Recording,
    kept: Kept,
    *,
    learning: Learning | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Deep:
    """Let a network learn a recording.

    Parameters
    ----------
    kind
        One of `NETWORKS`.
    """
    scale = Scale.of(recording)
    shape, n = recording.shape, recording.n_cells
    network = learn(
        lambda: make_network(kind, shape, n, scale.steps * recording.step_ms),
        recording,
        scale,
        kept,
        learning or Learning(),
        device,
        progress,
    )
    return Deep(
        kind,
        recording.cells,
        recording.step_ms,
        shape,
        recording.background,
        "poisson",
        scale,
        network,
    )
