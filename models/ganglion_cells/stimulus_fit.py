"""The stimulus filters of cells: fitted, with penalties chosen by cross-validation.

A filter is a sum of raised cosines in time for each element of the stimulus. Its
weights cost their size (L1, so that few elements count) and their unevenness over
space (the squared second differences of neighbouring elements), as in [1]_.

How much is chosen for each cell by the likelihood of held-out segments.

References
----------
.. [1] Mahuas, Isacchini, Marre, Ferrari & Mora (2020), NeurIPS 33, appendix: L1 50 and
   Laplacian 500 in their units; the usual grid holds what that is in ours.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor

from ...experiments.recordings.recording import Recording, RecordingError, Segment
from .binned import Scale
from .cell_model import as_tensor
from .kept import Kept
from .penalised import (
    ROUGHLY,
    Chunk,
    Penalty,
    fit_weights,
    total_log_likelihood,
)
from .temporal_basis import Cosines, filtered

# In units of what noise alone makes of the slope of a weight, sqrt(spikes) SD of the
# stimulus, and of its curvature, spikes SD^2: the same for any recording.
L1 = (2.0, 1.0, 0.5, 0.25, 0.125)  # from the strongest: each starts at the last
SMOOTHNESS = (0.025, 0.25, 0.0025, 0.00025)
TRIED_MS = (
    8.4  # steps are put together up to this to choose penalties: filters are slow
)
LEAST = 10  # of these in each fifth
HELD_OUT = 5  # every fifth segment, or a fifth of the only one
MOST_WEIGHTS = 3000  # of a cell: the matrix of second derivatives is their square
Progress = Callable[[str, float, int], None]


@dataclass(frozen=True)
class Grid:
    """Penalties that cross-validation chooses from.

    Attributes
    ----------
    l1
        Factors on the size of weights, from the strongest; all are tried with the first
        smoothness.
    smoothness
        Factors on the squared second differences over space; the others are tried with
        the factor on size that was chosen.
    """

    l1: tuple[float, ...]
    smoothness: tuple[float, ...]

    @classmethod
    def usual(cls, n_spikes: float, sd: float) -> "Grid":
        """Give the grid for a cell of so many spikes and a stimulus of this SD.

        Examples
        --------
        >>> [round(each) for each in Grid.usual(n_spikes=12_000, sd=0.37).l1]
        [81, 41, 20, 10, 5]
        """
        slope, curvature = max(n_spikes, 1.0) ** 0.5 * sd, max(n_spikes, 1.0) * sd**2
        return cls(
            tuple(each * slope for each in L1),
            tuple(each * curvature for each in SMOOTHNESS),
        )

    @property
    def n(self) -> int:
        """How many pairs there are."""
        return len(self.l1) + len(self.smoothness) - 1


@dataclass(frozen=True, eq=False)
class Tried:
    """A pair of penalties, and what came of it.

    Attributes
    ----------
    l1, smoothness
        The penalties.
    weights
        Fitted with them.
    value
        Log-likelihood of what was held out.
    """

    l1: float
    smoothness: float
    weights: Float64[np.ndarray, " weight"]
    value: float


@dataclass(frozen=True, eq=False)
class StimulusFit:
    """What the fit came to.

    Attributes
    ----------
    filters
        Weights of the cosines, of every cell and element.
    bias
        Logarithm of the expected spikes of a step without stimulus.
    l1, smoothness
        The penalties that were chosen for each cell.
    """

    filters: Float64[np.ndarray, " cell y x basis"]
    bias: Float64[np.ndarray, " cell"]
    l1: Float64[np.ndarray, " cell"]
    smoothness: Float64[np.ndarray, " cell"]


def stimulus_design(
    segment: Segment, basis: Cosines, background: float, device: str = "cpu"
) -> Float32[Tensor, " step weight"]:
    """Give the filtered stimulus of every step, and a column of ones at the end."""
    shown = as_tensor(segment.shown(background) - background, device).flatten(1)
    weights = as_tensor(basis.weights(), device)
    columns = filtered(shown, weights).flatten(1)  # (step, element * basis)
    return torch.cat([columns, torch.ones_like(columns[:, :1])], dim=1)


def stimulus_penalty(
    shape: tuple[int, int], n_basis: int, l1: float, smoothness: float
) -> Penalty:
    """Give what a cell's weights cost; the bias is free."""
    n = shape[0] * shape[1] * n_basis
    rough = np.kron(_roughness(shape), np.eye(n_basis))
    quadratic = np.zeros((n + 1, n + 1))
    quadratic[:n, :n] = smoothness * rough
    return Penalty(np.append(np.full(n, l1), 0.0), quadratic)


def _roughness(shape: tuple[int, int]) -> Float64[np.ndarray, " element element"]:
    """Give the matrix of the summed squared second differences, down and across."""
    down, across = (_second_differences(n) for n in shape)
    return np.kron(down, np.eye(shape[1])) + np.kron(np.eye(shape[0]), across)


def _second_differences(n: int) -> np.ndarray:
    if n < 3:
        return np.zeros((n, n))
    differences = np.diff(np.eye(n), 2, axis=0)
    return differences.T @ differences


def fit_stimulus(
    recording: Recording,
    basis: Cosines,
    likelihood: str,
    grid: Grid | None,
    kept: Kept,
    device: str = "cpu",
    progress: Progress | None = None,
) -> StimulusFit:
    """Fit the stimulus filters of all cells, each for itself.

    Raises
    ------
    RecordingError
        If a frame has too many elements for this model, or there are too few steps.
    """
    rows, columns = recording.shape
    n_weights = rows * columns * basis.n
    if n_weights > MOST_WEIGHTS:
        rule = f"{MOST_WEIGHTS} or fewer weights of a cell, fewer elements"
        got = f"{rows} x {columns} elements of {basis.n} weights"
        raise RecordingError(f"a linear filter must have {rule}, got {got}")
    parts, scale = designs(recording, basis, device), Scale.of(recording)
    shortest = min(len(n) for _, n in parts)
    least = LEAST * HELD_OUT * tried_steps(recording)
    if shortest < least:
        rule = f"long enough to hold out a fifth, {least} steps or more, of each"
        got = f"{shortest} after the first steps"
        raise RecordingError(f"segments for fitting must be {rule}, got {got}")
    coarse = [coarser(*part, tried_steps(recording)) for part in parts]
    shown = [k for k, one in enumerate(recording.of("fit")) for _ in one.counts]
    found = []
    for i, cell in enumerate(recording.cells):
        chunks = [Chunk(design, as_tensor(n[:, i], device)) for design, n in parts]
        tried_on = [Chunk(d, n[:, i], offset) for d, n, offset in coarse]
        spikes = float(sum(chunk.counts.sum() for chunk in chunks))
        tried = grid or Grid.usual(spikes, scale.sd)
        told = _told(progress, f"{cell}: stimulus", tried.n + 1)
        parted = held_out(tried_on, shown)
        of_cell = _CellFit(chunks, parted, recording.shape, likelihood, told)
        found.append(kept.part(f"stimulus of {cell}", partial(of_cell.chosen, tried)))
    weights = torch.stack([part["weights"] for part in found]).numpy()
    shape = (recording.n_cells, rows, columns, basis.n)
    l1, smoothness = (
        np.array([float(part[name]) for part in found]) for name in ("l1", "smoothness")
    )
    return StimulusFit(weights[:, :-1].reshape(shape), weights[:, -1], l1, smoothness)


def designs(
    recording: Recording, basis: Cosines, device: str = "cpu"
) -> list[tuple[Tensor, np.ndarray]]:
    """Give the design and the counts (step, cell) of each showing that is fitted on.

    The first steps, whose stimulus was partly before the recording began, are left out.
    """
    found = []
    for segment in recording.of("fit"):
        first = min(basis.length - 1, segment.n_steps // 2)
        design = stimulus_design(segment, basis, recording.background, device)[first:]
        found += [(design, counts[first:]) for counts in segment.counts]
    return found


def tried_steps(recording: Recording) -> int:
    """Give how many steps are put together to choose penalties."""
    return max(1, int(TRIED_MS / recording.step_ms))


def coarser(
    design: Float32[Tensor, " step weight"],
    counts: UInt8[np.ndarray, " step cell"],
    n: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Put n steps together: mean design, summed counts, and the log of n."""
    rows = len(design) // n
    means = design[: rows * n].view(rows, n, -1).mean(dim=1)
    summed = as_tensor(counts[: rows * n], design.device).view(rows, n, -1).sum(dim=1)
    return means, summed, torch.full_like(means[:, 0], math.log(n))


def held_out(
    chunks: Sequence[Chunk], segments: Sequence[int]
) -> tuple[list[Chunk], list[Chunk]]:
    """Part the steps into those to fit on and those to choose penalties by.

    Parameters
    ----------
    segments
        Which stimulus each chunk was shown: it is held out in all its showings.

    Returns
    -------
    tuple
        Every fifth segment is in the second; of fewer than five the last fifth of each.
    """
    if len(set(segments)) < HELD_OUT:
        parts = [_cut(chunk) for chunk in chunks]
        return [one for each in parts for one in each[:-1]], [p[-1] for p in parts]
    is_held = [segment % HELD_OUT == HELD_OUT - 1 for segment in segments]
    fit = [c for c, held in zip(chunks, is_held, strict=True) if not held]
    return fit, [c for c, held in zip(chunks, is_held, strict=True) if held]


def _cut(chunk: Chunk) -> list[Chunk]:
    """Cut a chunk into as many parts as one of which is held out."""
    n = -(-len(chunk.counts) // HELD_OUT)
    parts = []
    for k in range(0, len(chunk.counts), n):
        at = slice(k, k + n)
        offset = None if chunk.offset is None else chunk.offset[at]
        counted = None if chunk.counted is None else chunk.counted[at]
        parts.append(Chunk(chunk.design[at], chunk.counts[at], offset, counted))
    return parts


class _CellFit:
    """The fit of one cell: what is fitted on, what is held out, what was tried."""

    def __init__(
        self,
        chunks: list[Chunk],
        parted: tuple[list[Chunk], list[Chunk]],
        shape: tuple[int, int],
        likelihood: str,
        told: Callable[[int], None],
    ) -> None:
        self._all, self._shape, self._likelihood = chunks, shape, likelihood
        self._fit, self._other = parted
        self._told, self._n_tried = told, 0
        self._steps = sum(len(chunk.counts) for chunk in self._fit)
        other = sum(len(chunk.counts) for chunk in self._other)
        self._share = 1 + other / self._steps
        n_weights = chunks[0].design.shape[1]
        self._n_basis = (n_weights - 1) // (shape[0] * shape[1])
        spikes = float(sum(chunk.counts.sum() for chunk in self._fit))
        self._start = np.zeros(n_weights)
        offset = self._fit[0].offset  # the logarithm of how many are put together
        self._start[-1] = math.log(max(spikes, 0.5) / self._steps)
        self._start[-1] -= 0.0 if offset is None else float(offset[0])

    def chosen(self, grid: Grid) -> dict[str, Tensor]:
        """Choose the penalties, and fit with them on all steps."""
        smoothness, weights, tried = grid.smoothness[0], self._start, []
        for l1 in grid.l1:
            tried.append(self._tried(l1, smoothness, weights))
            weights = tried[-1].weights
        best = max(tried, key=lambda one: one.value)
        for smoothness in grid.smoothness[1:]:
            tried.append(self._tried(best.l1, smoothness, best.weights))
        best = max(tried, key=lambda one: one.value)
        # What noise makes of a slope grows with the root of the steps.
        l1, smoothness = best.l1 * math.sqrt(self._share), best.smoothness
        penalty = stimulus_penalty(self._shape, self._n_basis, l1, smoothness)
        weights = fit_weights(self._all, penalty, self._likelihood, best.weights)
        self._told(grid.n + 1)
        return {
            "weights": torch.from_numpy(weights),
            "l1": torch.tensor(l1),
            "smoothness": torch.tensor(smoothness),
        }

    def _tried(self, l1: float, smoothness: float, start: np.ndarray) -> Tried:
        penalty = stimulus_penalty(self._shape, self._n_basis, l1, smoothness)
        likelihood = self._likelihood
        weights = fit_weights(self._fit, penalty, likelihood, start, tolerance=ROUGHLY)
        value = total_log_likelihood(self._other, weights, likelihood)
        self._n_tried += 1
        self._told(self._n_tried)
        return Tried(l1, smoothness, weights, value)


def _told(progress: Progress | None, stage: str, total: int) -> Callable[[int], None]:
    """Give a function that tells how many fits of a stage are done."""

    def told(done: int) -> None:
        if progress is not None:
            progress(stage, done, total)

    return told
