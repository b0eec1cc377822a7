"""The one interface of all models of ganglion cells."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from ...experiments.recordings.recording import Recording, RecordingError, Segment
from .likelihood import log_likelihood

N_SIMULATED = 400  # repeats that a rate is the mean of: its SD is then a twentieth


class CellModel(ABC):
    """From a stimulus to the spikes of several cells.

    Attributes
    ----------
    kind
        Name of the model, as `yoked fit-retina` takes it.
    cells
        Names of the cells.
    step_ms
        Duration of a step: that of the recordings it can be asked about.
    shape
        Elements of a frame, (y, x).
    background
        What is shown before and between frames.
    likelihood
        'poisson', or 'bernoulli': a step has one spike at most.
    """

    kind: str
    cells: tuple[str, ...]
    step_ms: float
    shape: tuple[int, int]
    background: float
    likelihood: str

    @abstractmethod
    def rates(self, segment: Segment) -> Float64[np.ndarray, " step cell"]:
        """Give the expected spikes of every step, given the stimulus alone."""

    @abstractmethod
    def log_likelihood(self, segment: Segment) -> Float64[np.ndarray, " step cell"]:
        """Give the log-likelihood of a segment's spikes in nats, over its repeats.

        Of a model with couplings each step is given the spikes before it.
        """

    @abstractmethod
    def simulate(
        self, segment: Segment, n_repeats: int, seed: int
    ) -> UInt8[np.ndarray, " repeat step cell"]:
        """Let the cells fire to a segment's stimulus, several times."""

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """How many numbers it has learnt."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Give all but the weights, as plain data."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Give the weights."""

    def require(self, recording: Recording) -> None:
        """Refuse a recording that it cannot be asked about.

        Raises
        ------
        RecordingError
            If cells, steps or frames are others.
        """
        for what, ours, theirs in (
            ("cells", list(self.cells), list(recording.cells)),
            ("steps in ms", round(self.step_ms, 6), round(recording.step_ms, 6)),
            ("elements of a frame", self.shape, recording.shape),
        ):
            if ours != theirs:
                rule = f"the model's, {ours}"
                raise RecordingError(
                    f"{what} of a recording must be {rule}, got {theirs}"
                )


def sampled_spikes(
    rates: Float64[np.ndarray, " step cell"],
    n_repeats: int,
    seed: int,
    likelihood: str = "poisson",
) -> UInt8[np.ndarray, " repeat step cell"]:
    """Draw counts of these means, independent of each other."""
    rng, shape = np.random.default_rng(seed), (n_repeats, *rates.shape)
    if likelihood == "bernoulli":
        return (rng.random(shape) < rates).astype(np.uint8)
    return np.minimum(rng.poisson(rates, shape), 255).astype(np.uint8)


def as_u(
    rates: Float64[np.ndarray, " step cell"], likelihood: str
) -> Float64[np.ndarray, " step cell"]:
    """Give u, whose logarithm models make, of expected spikes.

    They are the same of Poisson counts; where a step has one spike at most they are
    1 - exp(-u).

    Examples
    --------
    >>> as_u(np.array([[0.5]]), "bernoulli").round(3).tolist()
    [[0.693]]
    """
    if likelihood == "poisson":
        return rates
    return -np.log1p(-np.minimum(rates, 1 - 1e-9))


def log_likelihood_of_rates(
    segment: Segment, rates: Float64[np.ndarray, " step cell"], likelihood: str
) -> Float64[np.ndarray, " step cell"]:
    """Give the log-likelihood of spikes that are independent of each other.

    Added up over repeats.
    """
    counts = torch.from_numpy(segment.counts).double()
    u = torch.from_numpy(as_u(rates, likelihood))
    eta = u.clamp(min=1e-9).log().expand_as(counts)
    return log_likelihood(counts, eta, likelihood).sum(dim=0).numpy()


def as_tensor(values: np.ndarray, device: str | torch.device = "cpu") -> Tensor:
    """Give an array as float32 on a device."""
    return torch.as_tensor(np.ascontiguousarray(values, np.float32), device=device)
