"""Couplings between cells: from repeats, or together with the stimulus filters.

From repeats [1]_: what the stimulus does at a step is the same in all of them, so it is
a free number, which is taken out exactly. With N_t the spikes of a cell at step t over
all repeats and x_rt what spikes before did in repeat r, the log-likelihood of J is

    sum_t ( sum_r n_rt J x_rt  -  N_t log sum_r exp(J x_rt) ),

which is the likelihood of *where* the N_t spikes fell (a conditional logit). [1]_ keeps
the free numbers under a penalty of 1e-6, whose limit this is.

References
----------
.. [1] Mahuas, Isacchini, Marre, Ferrari & Mora (2020), NeurIPS 33.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64, UInt8
from torch import Tensor

from ...experiments.recordings.recording import Recording, RecordingError, Segment
from .cell_model import as_tensor
from .penalised import Chunk, Penalty, fit_weights
from .penalised_numba import minimise_quadratic
from .spiking_numba import can_fire
from .stimulus_fit import designs, stimulus_penalty
from .temporal_basis import Bases, after_spikes

L1 = 0.1  # on couplings, as in [1]
_SHORTEST = 10  # intervals whose median is a cell's refractory period
_ROUNDS = 50
_TOLERANCE = 1e-6
_SMALLEST_SHARE = 2.0**-20


def refractory_steps(
    recording: Recording, as_published: bool = False
) -> Int64[np.ndarray, " cell"]:
    """Give the silent steps after each cell's spikes, by its ten shortest intervals.

    Their median, rounded down, is the shortest interval, and one more than the steps
    that were silent. As published [1]_ it is taken for these, which forbids intervals
    that did occur. 0 for a cell with fewer intervals than ten.
    """
    shortest = [np.empty(0, np.int64) for _ in recording.cells]
    for segment in recording.segments:
        if segment.use == "test":
            continue
        for repeat in segment.counts:
            for i in range(recording.n_cells):
                gaps = np.diff(np.flatnonzero(repeat[:, i]))
                shortest[i] = np.sort(np.append(shortest[i], gaps))[:_SHORTEST]
    medians = np.zeros(recording.n_cells)
    for i, each in enumerate(shortest):
        if len(each) == _SHORTEST:
            medians[i] = np.median(each)
    shortest_interval = np.floor(medians).astype(np.int64)
    return shortest_interval if as_published else np.maximum(shortest_interval - 1, 0)


def history(
    counts: UInt8[np.ndarray, " step cell"], cell: int, bases: Bases
) -> Float32[Tensor, " step weight"]:
    """Give what the spikes before may do to a cell: of the others, then its own."""
    n = as_tensor(counts)
    others = [k for k in range(n.shape[1]) if k != cell]
    by_others = after_spikes(n[:, others], as_tensor(bases.coupling.weights()))
    own = after_spikes(n[:, [cell]], as_tensor(bases.own.weights()))
    return torch.cat([by_others.flatten(1), own.flatten(1)], dim=1)


def split(
    weights: Float64[np.ndarray, " weight"], cell: int, n_cells: int, bases: Bases
) -> tuple[Float64[np.ndarray, " source basis"], Float64[np.ndarray, " own_basis"]]:
    """Part the weights of `history` into those of all sources and a cell's own."""
    n = (n_cells - 1) * bases.coupling.n
    couplings = np.zeros((n_cells, bases.coupling.n))
    others = [k for k in range(n_cells) if k != cell]
    couplings[others] = weights[:n].reshape(n_cells - 1, bases.coupling.n)
    return couplings, weights[n:]


def fit_couplings(
    segments: Sequence[Segment],
    cell: int,
    bases: Bases,
    refractory: Int64[np.ndarray, " cell"],
) -> Float64[np.ndarray, " weight"]:
    """Fit what spikes do to one cell, from segments that were shown several times.

    Raises
    ------
    RecordingError
        If none was shown twice.
    """
    repeated = [segment for segment in segments if segment.n_repeats > 1]
    if not repeated:
        rule = "a segment that was shown twice or more, to fit couplings from"
        raise RecordingError(f"repeats must be {rule}, got none")
    parts = [_Repeats(segment, cell, bases, refractory) for segment in repeated]
    w = np.zeros(parts[0].design.shape[2])
    l1 = np.full(len(w), L1)
    found, cost = _conditional(parts, w), np.inf
    for _ in range(_ROUNDS):
        value, slope, curvature = found
        new = -value + l1 @ np.abs(w)
        if cost - new < _TOLERANCE * max(1.0, abs(new)):
            break
        cost, step = new, minimise_quadratic(curvature, -slope, l1, w) - w
        share = 1.0
        while share > _SMALLEST_SHARE:  # half as far each time that the cost rises
            found = _conditional(parts, w + share * step)
            if -found[0] + l1 @ np.abs(w + share * step) <= cost:
                w = w + share * step
                break
            share /= 2
    return w


def _conditional(
    parts: "Sequence[_Repeats]", w: Float64[np.ndarray, " weight"]
) -> tuple[float, np.ndarray, np.ndarray]:
    """Add up the conditional log-likelihood, its slope and minus its curvature."""
    each = [part.likelihood(w) for part in parts]
    value, slope, curvature = zip(*each, strict=True)
    return sum(value), np.sum(slope, axis=0), np.sum(curvature, axis=0)


class _Repeats:
    """One segment's repeats: spikes of a cell, and what spikes before may have done."""

    def __init__(
        self,
        segment: Segment,
        cell: int,
        bases: Bases,
        refractory: Int64[np.ndarray, " cell"],
    ) -> None:
        self.design = torch.stack(
            [history(counts, cell, bases) for counts in segment.counts], dim=1
        ).double()  # (step, repeat, weight)
        free = can_fire(segment.counts, refractory)[..., cell].T
        self._free = torch.from_numpy(free.astype(np.float64))  # (step, repeat)
        spikes = segment.counts[..., cell].T.astype(np.float64)
        self._n = torch.from_numpy(spikes) * self._free
        has_spikes = self._n.sum(dim=1) > 0  # other steps tell nothing
        self.design = self.design[has_spikes]
        self._free, self._n = self._free[has_spikes], self._n[has_spikes]

    def likelihood(
        self, w: Float64[np.ndarray, " weight"]
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Give the conditional log-likelihood, its slope and minus its curvature."""
        eta = self.design @ torch.from_numpy(w)
        most = eta.amax(dim=1, keepdim=True)  # taken off, so that nothing overflows
        share = (eta - most).exp() * self._free
        total = share.sum(dim=1, keepdim=True)
        n = self._n.sum(dim=1, keepdim=True)
        value = float((self._n * eta).sum() - (n * (total.log() + most)).sum())
        share = share / total
        mean = torch.einsum("tr,trw->tw", share, self.design)
        slope = torch.einsum("tr,trw->w", self._n, self.design) - (n * mean).sum(dim=0)
        weighted = (share * n)[..., None] * self.design
        outer = torch.einsum("trw,trv->wv", weighted, self.design)
        curvature = outer - mean.T @ (n * mean)
        return value, slope.numpy(), curvature.numpy()


def fit_together(
    recording: Recording,
    cell: int,
    bases: Bases,
    refractory: Int64[np.ndarray, " cell"],
    likelihood: str,
    l1: float,
    smoothness: float,
) -> Float64[np.ndarray, " weight"]:
    """Fit a cell's stimulus filter, bias and couplings at once: the classical GLM.

    Returns
    -------
    array
        Weights of the stimulus, the bias, then those of `history`.
    """
    chunks = []
    parts = iter(designs(recording, bases.stimulus))
    for segment in recording.of("fit"):
        free = can_fire(segment.counts, refractory)
        for counts, fires in zip(segment.counts, free, strict=True):
            design, n = next(parts)
            first = len(counts) - len(n)
            spikes = history(counts, cell, bases)[first:]
            both = torch.cat([design, spikes], dim=1)
            counted = as_tensor(fires[first:, cell])
            chunks.append(Chunk(both, as_tensor(n[:, cell]), None, counted))
    of_stimulus = stimulus_penalty(recording.shape, bases.stimulus.n, l1, smoothness)
    n_stimulus = len(of_stimulus.l1)
    n_spikes = chunks[0].design.shape[1] - n_stimulus
    quadratic = np.zeros((n_stimulus + n_spikes, n_stimulus + n_spikes))
    quadratic[:n_stimulus, :n_stimulus] = of_stimulus.quadratic
    penalty = Penalty(np.append(of_stimulus.l1, np.full(n_spikes, L1)), quadratic)
    start = np.zeros(len(penalty.l1))
    spikes_in_all = sum(float(chunk.counts.sum()) for chunk in chunks)
    steps = sum(len(chunk.counts) for chunk in chunks)
    start[n_stimulus - 1] = np.log(max(spikes_in_all, 0.5) / steps)
    return fit_weights(chunks, penalty, likelihood, start)
