"""Whose responses a network is made like: recorded, simulated, or a control's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, Int

from ...experiments.recordings.population import PopulationRecording
from ...experiments.recordings.population_files import load_population
from ...experiments.session.observer import ObserverNoise
from ...experiments.stimulus.seeds import derived_seed
from ..backbones.vone_block import VOneBlock, VOneConfig
from ..noise import drawn_for, without_noise
from .recipe import PopulationPart

_CELLS = 64  # simple ones, and as many complex, of which a simulated V1 has units
_AT_ONCE = 64
_HELD_OUT = 5  # one in so many of a recording's pictures

Responses = Float32[np.ndarray, " stimulus unit"]


@dataclass(frozen=True, eq=False)
class Target:
    """Pictures, and what a population had of them.

    Attributes
    ----------
    contrast
        In [-1, 1].
    responses
        Means over repeats, of each unit with mean 0 and SD 1 over the pictures.
    deg_per_px
        Degrees across a pixel of the pictures.
    """

    contrast: Float32[np.ndarray, " stimulus frame y x"]
    responses: Responses
    deg_per_px: float


def recorded(part: PopulationPart, base: Path, is_held_out: bool) -> Target:
    """Give a recording's pictures that are learnt from, or those that are held out.

    A fifth is held out: of pictures any, as one seed says; of movies the last.

    Raises
    ------
    RecordingError
        If the file is no recording, or its pictures or their size are not known.
    """
    stimuli = None if not part.stimuli else base / part.stimuli
    found = load_population(base / part.recording, stimuli, width_deg=part.width_deg)
    if part.region:
        found = found.of_region(part.region)
    if found.pictures is None or found.deg_per_px is None:
        rule = "known, and how large they were, for a network to be made alike"
        raise ValueError(f"pictures must be {rule}, got neither in {found.name}")
    chosen = parts_of(found)[is_held_out]
    responses = found.mean()[chosen]
    known = np.isfinite(responses).all(axis=0)
    contrast = np.ascontiguousarray(found.pictures[chosen])
    return Target(contrast, standardised(responses[:, known]), found.deg_per_px)


def parts_of(
    recording: PopulationRecording,
) -> tuple[Int[np.ndarray, " fit"], Int[np.ndarray, " held_out"]]:
    """Give the rows of stimuli that are learnt from, and of the fifth held out."""
    rows = np.arange(len(recording.stimuli))
    if recording.in_time is None:
        rows = np.random.default_rng(0).permutation(rows)
    cut = len(rows) - len(rows) // _HELD_OUT
    return np.sort(rows[:cut]), np.sort(rows[cut:])


def simulated(
    contrast: Float32[np.ndarray, " stimulus frame y x"],
    deg_per_px: float,
    part: PopulationPart,
    has_noise: bool = True,
) -> Target:
    """Give the responses of a simulated V1: units of a VOneBlock with its noise.

    Each unit is a cell at a place; cells and places are drawn by the part's seed. The
    noise is that of counts (Fano factor about 1), averaged over the showings.

    Parameters
    ----------
    contrast, deg_per_px
        The pictures.
    part
        How many units and showings, and the seed.
    has_noise
        False for what an endless number of showings would give.
    """
    config = VOneConfig(_CELLS, _CELLS, 15, 2, 1 / deg_per_px, seed=part.seed)
    cells = VOneBlock(1, config).eval()
    rng = np.random.default_rng([part.seed, part.units])
    rows, chosen = [], None
    seed = derived_seed("simulated V1", part.seed)
    for start in range(0, len(contrast), _AT_ONCE):
        batch = torch.from_numpy(contrast[start : start + _AT_ONCE])
        total = None
        for repeat in range(part.repeats if has_noise else 1):
            numbers = np.arange(start, start + len(batch)) + (repeat << 32)
            noise = drawn_for(ObserverNoise(seed, numbers))
            with torch.no_grad(), noise if has_noise else without_noise():
                one = cells(batch).flatten(1)
            total = one if total is None else total + one
        assert total is not None
        if chosen is None:
            n = total.shape[1]
            chosen = np.sort(rng.choice(n, min(part.units, n), replace=False))
        rows.append(total.numpy()[:, chosen])
    return Target(contrast, standardised(np.concatenate(rows)), deg_per_px)


def controlled(responses: Responses, control: str, rank: int, seed: int) -> Responses:
    """Give what a control has in place of the responses.

    'shuffled' gives each picture another's responses. The others know nothing of the
    pictures: 'random' is normal noise; 'rank-k' is normal noise of that rank;
    'spectrum-matched' has the singular values of the responses and random directions.

    Examples
    --------
    >>> given = standardised(np.random.default_rng(0).normal(size=(50, 8)))
    >>> int(np.linalg.matrix_rank(controlled(given, "rank-k", 3, seed=1)))
    3
    """
    rng = np.random.default_rng(derived_seed("control", seed))
    n, units = responses.shape
    if control == "shuffled":
        return responses[rng.permutation(n)]
    if control == "random":
        made = rng.normal(size=(n, units))
    elif control == "rank-k":
        made = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, units))
    elif control == "spectrum-matched":
        values = np.linalg.svd(responses, compute_uv=False)
        left, _ = np.linalg.qr(rng.normal(size=(n, len(values))))
        right, _ = np.linalg.qr(rng.normal(size=(units, len(values))))
        return ((left * values) @ right.T).astype(np.float32)
    else:
        return responses
    return standardised(made)


def standardised(responses: Float[np.ndarray, " stimulus unit"]) -> Responses:
    """Give each unit mean 0 and SD 1 over the pictures; one that is constant goes."""
    sd = responses.std(axis=0)
    varies = sd > 1e-9 * max(1.0, float(np.abs(responses).max()))
    if not varies.any():
        rule = "of one unit or more that is not the same for every picture"
        raise ValueError(f"responses must be {rule}, got none")
    kept = responses[:, varies]
    made = (kept - kept.mean(axis=0)) / sd[varies]
    return made.astype(np.float32)
