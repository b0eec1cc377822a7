"""Cells whose spikes change each other's rates, beside any model of their rates.

    log u_i(t) = h_i(t) + sum_j (J_ij * n_j)(t)

u_i are the expected spikes of a step; a cell does not fire in the `refractory` steps
after a spike. In the classical GLM h is the logarithm of the rate that was fitted
together with J. The two-step models [1]_ take any model's rate r as it is, and choose h
such that the rate stays r whatever spikes do:

- 'published' [1]_: h = log r - sum_j J_ij * r_j + c_i: couplings act on spikes beyond
  the expected ones, and c_i, the sum of r_i over the steps in which a cell would be
  refractory, makes up for that. This is right to first order in J: where a cell's own
  spikes silence it for long its rate comes out too high, in the recording of [1]_ by 13
  to 44 %.
- 'exact' (ours): h is set at every step such that the mean chance of a spike over 400
  simulated repeats is that of the model alone.

References
----------
.. [1] Mahuas, Isacchini, Marre, Ferrari & Mora (2020), NeurIPS 33.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64, UInt8
from torch import Tensor

from ...experiments.recordings.recording import Segment
from .cell_model import N_SIMULATED, CellModel, as_tensor, as_u
from .likelihood import log_likelihood
from .spiking import coupled_rates, coupled_spikes, mean_preserving_drive
from .spiking_numba import can_fire
from .temporal_basis import Bases, after_spikes

CORRECTIONS = ("none", "published", "exact")
_LEAST = 1e-9  # of a rate: its logarithm has to be finite
_FORBIDDEN = 1e-4  # spikes of a step in the refractory period: recordings have some
_SEED = 0  # of the simulated repeats that means are taken over


@dataclass(frozen=True, eq=False)
class Coupled(CellModel):
    """A model of rates, and couplings.

    Attributes
    ----------
    alone
        The model of rates.
    correction
        How rates are kept: one of `CORRECTIONS`.
    bases
        What filters are made of.
    couplings
        J of other cells, in weights of the coupling cosines; a cell's own are 0.
    own
        J of a cell itself.
    refractory
        Steps after a spike in which a cell does not fire.
    """

    kind: str
    alone: CellModel
    correction: str
    bases: Bases
    couplings: Float64[np.ndarray, " cell source basis"]
    own: Float64[np.ndarray, " cell own_basis"]
    refractory: Int64[np.ndarray, " cell"]

    def __post_init__(self) -> None:
        if self.correction not in CORRECTIONS:
            rule = f"one of {', '.join(CORRECTIONS)}"
            raise ValueError(f"a correction must be {rule}, got {self.correction!r}")
        for name in ("cells", "step_ms", "shape", "background", "likelihood"):
            object.__setattr__(self, name, getattr(self.alone, name))

    def rates(self, segment: Segment) -> Float64[np.ndarray, " step cell"]:
        """Give the expected spikes of every step, given the stimulus alone.

        Where they are not those of `alone` they are a mean over 400 simulated repeats.
        """
        if self.correction == "exact":
            return self.alone.rates(segment)
        lags, n, likelihood = self.by_lag(), N_SIMULATED, self.likelihood
        drive = self._drive(segment)
        return coupled_rates(drive, lags, self.refractory, n, _SEED, likelihood)

    def simulate(
        self, segment: Segment, n_repeats: int, seed: int
    ) -> UInt8[np.ndarray, " repeat step cell"]:
        """Let the cells fire to a segment's stimulus, several times."""
        lags, likelihood = self.by_lag(), self.likelihood
        drive = self._drive(segment)
        return coupled_spikes(drive, lags, self.refractory, n_repeats, seed, likelihood)

    def log_likelihood(self, segment: Segment) -> Float64[np.ndarray, " step cell"]:
        """Give the log-likelihood of a segment's spikes, each step given those before.

        A step in which a cell is refractory tells nothing, unless it has a spike: the
        model forbids it, and it is counted as one that comes once in 10,000 steps.
        """
        drive = as_tensor(self._drive(segment))
        free = can_fire(segment.counts, self.refractory)
        total = np.zeros(drive.shape)
        for counts, fires in zip(segment.counts, free, strict=True):
            n = as_tensor(counts)
            eta = drive + self._of_spikes(n)
            is_free = torch.from_numpy(fires).bool()
            eta = torch.where(is_free, eta, math.log(_FORBIDDEN))
            each = log_likelihood(n, eta, self.likelihood)
            total += torch.where(is_free | (n > 0), each, 0.0).double().numpy()
        return total

    def _drive(self, segment: Segment) -> Float64[np.ndarray, " step cell"]:
        """Give h."""
        rates = np.maximum(as_u(self.alone.rates(segment), self.likelihood), _LEAST)
        if self.correction == "none":
            return np.log(rates)
        if self.correction == "exact":
            lags, n, likelihood = self.by_lag(), N_SIMULATED, self.likelihood
            return mean_preserving_drive(
                np.log(rates), lags, self.refractory, n, _SEED, likelihood
            )
        expected = self._of_spikes(as_tensor(rates)).double().numpy()
        made_up = refractory_correction(rates, self.refractory)
        return np.log(rates) - expected + made_up

    def _of_spikes(self, n: Float32[Tensor, " step cell"]) -> Tensor:
        """Give what spikes, or expected ones, do to log u: (step, cell)."""
        others = after_spikes(n, as_tensor(self.bases.coupling.weights()))
        own = after_spikes(n, as_tensor(self.bases.own.weights()))
        by_others = torch.einsum("tjk,ijk->ti", others, as_tensor(self.couplings))
        return by_others + torch.einsum("tik,ik->ti", own, as_tensor(self.own))

    def by_lag(self) -> Float64[np.ndarray, " cell source lag"]:
        """Give what a spike of a source does to each cell; lag 0 is the next step."""
        one, other = self.bases.coupling.weights(), self.bases.own.weights()
        n_lags = max(one.shape[1], other.shape[1])
        found = np.zeros((*self.couplings.shape[:2], n_lags))
        found[..., : one.shape[1]] = self.couplings @ one
        for i, own in enumerate(self.own @ other):
            found[i, i, : len(own)] += own
        return found

    @property
    def n_parameters(self) -> int:
        """How many numbers it has learnt that are not 0."""
        learnt = (self.couplings, self.own, self.refractory)
        couplings = int(sum(np.count_nonzero(each) for each in learnt))
        return self.alone.n_parameters + couplings

    def settings(self) -> dict[str, Any]:
        """Give all but the weights, as plain data."""
        return {
            "alone": {"kind": self.alone.kind, "settings": self.alone.settings()},
            "correction": self.correction,
            "bases": asdict(self.bases),
        }

    def state(self) -> dict[str, Tensor]:
        """Give the weights."""
        names = ("couplings", "own", "refractory")
        ours = {name: torch.from_numpy(getattr(self, name)) for name in names}
        alone = {f"alone.{name}": each for name, each in self.alone.state().items()}
        return alone | ours


def refractory_correction(
    rates: Float64[np.ndarray, " step cell"], refractory: Int64[np.ndarray, " cell"]
) -> Float64[np.ndarray, " step cell"]:
    """Give c: the expected spikes in the steps that would make a cell refractory.

    Examples
    --------
    >>> found = refractory_correction(np.full((4, 1), 0.1), np.array([2]))
    >>> found.ravel().round(2).tolist()
    [0.0, 0.1, 0.2, 0.2]
    """
    summed = np.vstack([np.zeros((1, rates.shape[1])), np.cumsum(rates, axis=0)])
    steps = np.arange(len(rates))
    found = np.empty_like(rates)
    for i, n in enumerate(refractory):
        found[:, i] = summed[steps, i] - summed[np.maximum(steps - n, 0), i]
    return found
