"""The three models with linear filters, fitted to a recording."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ...experiments.recordings.recording import Recording, Segment
from .cell_model import CellModel
from .coupled import Coupled
from .couplings_fit import fit_couplings, fit_together, refractory_steps, split
from .kept import Kept
from .linear import Linear
from .stimulus_fit import Grid, Progress, StimulusFit, fit_stimulus
from .temporal_basis import Bases

# The models, and how each keeps LN's rate.
LINEAR = {
    "ln": "none",
    "two-step-glm": "exact",
    "two-step-glm-published": "published",
    "glm": "none",
}


def fit_linear(
    kind: str,
    recording: Recording,
    kept: Kept,
    *,
    likelihood: str = "poisson",
    grid: Grid | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Linear | Coupled:
    """Fit LN, the two-step GLM or the classical GLM to all cells of a recording.

    Parameters
    ----------
    kind
        'ln': stimulus filters alone. 'two-step-glm': those, and couplings from the
        repeats; 'two-step-glm-published' differs in how LN's rate is kept, see
        `coupled`. 'glm': filters and couplings at once, with the penalties on filters
        that LN chose.
    kept
        What was computed before is not computed again.
    likelihood
        'poisson' or 'bernoulli', of the stimulus filters; couplings from repeats are
        fitted by where spikes fell, in either case.
    grid
        Penalties that cross-validation chooses from.

    Raises
    ------
    RecordingError
        If there is nothing to fit on, or no repeats to take couplings from.
    """
    bases = Bases.scaled(recording.step_ms)
    alone = fit_stimulus(
        recording, bases.stimulus, likelihood, grid, kept, device, progress
    )
    rates = Linear(
        "ln",
        recording.cells,
        recording.step_ms,
        recording.shape,
        recording.background,
        likelihood,
        bases.stimulus,
        alone.filters,
        alone.bias,
    )
    if kind == "ln":
        return rates
    if kind != "glm":
        return with_couplings(rates, recording, kept, kind, LINEAR[kind], progress)
    refractory, found = refractory_steps(recording, as_published=True), []
    for i, cell in enumerate(recording.cells):
        make = partial(_together, recording, i, bases, refractory, likelihood, alone)
        found.append(kept.part(f"all at once of {cell}", make))
        if progress is not None:
            progress("all at once", i + 1, recording.n_cells)
    stimulus = torch.stack([part["stimulus"] for part in found]).numpy()
    filters = stimulus[:, :-1].reshape(alone.filters.shape)
    rates = replace(rates, filters=filters, bias=stimulus[:, -1].copy())
    weights = [part["couplings"].numpy() for part in found]
    return _coupled(kind, rates, "none", bases, weights, refractory)


def with_couplings(
    rates: CellModel,
    recording: Recording,
    kept: Kept,
    kind: str,
    correction: str = "exact",
    progress: Progress | None = None,
) -> Coupled:
    """Give a model of rates couplings, which are fitted to a recording's repeats.

    Parameters
    ----------
    rates
        Any model of the same cells.
    correction
        How it keeps its rates; see `coupled`.

    Raises
    ------
    RecordingError
        If nothing was repeated.
    """
    bases, as_published = Bases.scaled(recording.step_ms), correction == "published"
    refractory = refractory_steps(recording, as_published)
    name = "couplings as published of" if as_published else "couplings of"
    repeats = recording.of("repeats", with_stimulus=False)
    weights = []
    for i, cell in enumerate(recording.cells):
        make = partial(_from_repeats, repeats, i, bases, refractory)
        weights.append(kept.part(f"{name} {cell}", make)["couplings"].numpy())
        if progress is not None:
            progress("couplings", i + 1, recording.n_cells)
    return _coupled(kind, rates, correction, bases, weights, refractory)


def _coupled(
    kind: str,
    rates: CellModel,
    correction: str,
    bases: Bases,
    weights: list[np.ndarray],
    refractory: np.ndarray,
) -> Coupled:
    """Lay out the weights of all cells' couplings."""
    n = len(weights)
    parts = [split(each, i, n, bases) for i, each in enumerate(weights)]
    couplings, own = (np.stack(each) for each in zip(*parts, strict=True))
    return Coupled(kind, rates, correction, bases, couplings, own, refractory)


def _from_repeats(
    repeats: Sequence[Segment], cell: int, bases: Bases, refractory: np.ndarray
) -> dict[str, Tensor]:
    found = fit_couplings(repeats, cell, bases, refractory)
    return {"couplings": torch.from_numpy(found)}


def _together(
    recording: Recording,
    cell: int,
    bases: Bases,
    refractory: np.ndarray,
    likelihood: str,
    alone: StimulusFit,
) -> dict[str, Tensor]:
    """Fit the filter of one cell and the couplings to it at once."""
    penalties = float(alone.l1[cell]), float(alone.smoothness[cell])
    found = fit_together(recording, cell, bases, refractory, likelihood, *penalties)
    n = alone.filters[0].size + 1
    return {
        "stimulus": torch.from_numpy(found[:n]),
        "couplings": torch.from_numpy(found[n:]),
    }
