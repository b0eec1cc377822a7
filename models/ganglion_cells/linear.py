"""Cells with linear filters and an exponential: LN.

    log u_i(t) = b_i + (K_i * s)(t)

u_i are the expected spikes of a step, s the stimulus less its background. Where a step
has one spike at most (Bernoulli) its chance is 1 - exp(-u_i).
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from ...experiments.recordings.recording import Segment
from .cell_model import CellModel, as_tensor, log_likelihood_of_rates, sampled_spikes
from .temporal_basis import Cosines, filtered


@dataclass(frozen=True, eq=False)
class Linear(CellModel):
    """LN cells.

    Attributes
    ----------
    likelihood
        'poisson' or 'bernoulli': what it was fitted with.
    basis
        What filters are made of.
    filters, bias
        K, in weights of the cosines, and b.
    """

    kind: str
    cells: tuple[str, ...]
    step_ms: float
    shape: tuple[int, int]
    background: float
    likelihood: str
    basis: Cosines
    filters: Float64[np.ndarray, " cell y x basis"]
    bias: Float64[np.ndarray, " cell"]

    def rates(self, segment: Segment) -> Float64[np.ndarray, " step cell"]:
        """Give the expected spikes of every step."""
        shown = as_tensor(segment.shown(self.background) - self.background).flatten(1)
        columns = filtered(shown, as_tensor(self.basis.weights()))
        weights = as_tensor(self.filters.reshape(len(self.cells), -1))
        linear = columns.flatten(1) @ weights.T
        u = np.exp(linear.double().numpy() + self.bias)
        return u if self.likelihood == "poisson" else -np.expm1(-u)

    def log_likelihood(self, segment: Segment) -> Float64[np.ndarray, " step cell"]:
        """Give the log-likelihood of a segment's spikes."""
        return log_likelihood_of_rates(segment, self.rates(segment), self.likelihood)

    def simulate(
        self, segment: Segment, n_repeats: int, seed: int
    ) -> UInt8[np.ndarray, " repeat step cell"]:
        """Draw spikes, independent of each other."""
        rates = self.rates(segment)
        return sampled_spikes(rates, n_repeats, seed, self.likelihood)

    def by_lag(self) -> Float64[np.ndarray, " cell y x lag"]:
        """Give the filters; lag 0 is the step itself."""
        return self.filters @ self.basis.weights()

    @property
    def n_parameters(self) -> int:
        """How many numbers it has learnt that are not 0."""
        return int(np.count_nonzero(self.filters) + np.count_nonzero(self.bias))

    def settings(self) -> dict[str, Any]:
        """Give all but the weights, as plain data."""
        return {"likelihood": self.likelihood, "basis": asdict(self.basis)}

    def state(self) -> dict[str, Tensor]:
        """Give the weights."""
        return {
            "filters": torch.from_numpy(self.filters),
            "bias": torch.from_numpy(self.bias),
        }
