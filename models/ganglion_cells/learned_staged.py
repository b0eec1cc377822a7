"""Our own retina with constants that were learned from a recording, as a front.

Its channels are the four cell types, as in the fixed retina; the recorded cells, which
weighed them, are left behind. The image is scaled such that the parasols' learned
centre has the declared size. Lesions: horizontal cells are not listened to; synapses
and ganglion cells pass on all; amacrine cells do not measure contrast.
"""

import math
from dataclasses import asdict, replace
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..retina.bipolar import Bipolar, Synapse
from ..retina.ganglion import Ganglion
from ..retina.staged import STAGES, StagedRetina, StagedRetinaConfig
from .deep import Deep
from .eccentricity import centre_radius_deg
from .fitted_file import FittedModel
from .learned_config import LearnedConfig, whole_steps
from .staged_cells import CONTRAST, ELEMENT_DEG, StagedCells

LESIONS = ("surround", "rectification", "gain-control", "noise")


class LearnedStaged(nn.Module):
    """The staged retina with learned constants, for frames of a network.

    Parameters
    ----------
    fitted
        A model 'staged-retina' and what it was fitted to.
    config, deg_per_px, size_px, frame_ms
        As for `LearnedRetina`; `spacing_deg` follows from the cell types.

    Raises
    ------
    ValueError
        If a frame's duration is no whole number of steps, or a lesion is of what is not
        there.
    """

    def __init__(
        self,
        fitted: FittedModel,
        config: LearnedConfig,
        deg_per_px: float,
        size_px: tuple[int, int],
        frame_ms: float,
    ) -> None:
        super().__init__()
        config.require_lesions(LESIONS)
        learned = cast(StagedCells, cast(Deep, fitted.model).network).retina
        # Its constants are in ms: steps need not be the bins that it was fitted in.
        recorded_ms = fitted.model.step_ms
        per_step, held = whole_steps(frame_ms, recorded_ms)
        step_ms = per_step * recorded_ms
        element_deg = config.element_deg or ELEMENT_DEG * (
            centre_radius_deg(config.eccentricity_deg) / _parasol_radius_deg(learned)
        )
        scale = ELEMENT_DEG / element_deg  # from degrees outside to the retina's own
        lesions = set(config.lesions)
        types = learned.config.cell_types
        if "gain-control" in lesions:
            types = tuple(replace(each, gain_contrast=math.inf) for each in types)
        inside = StagedRetinaConfig(
            cell_types=types,
            step_ms=step_ms,
            tail_ms=config.tail_ms,
            noise="none" if "noise" in lesions else "gaussian",
            learnable=learned.config.learnable if config.learnable else (),
        )
        self.retina = StagedRetina(inside, deg_per_px * scale, size_px, held * step_ms)
        take_constants(self.retina, learned)
        _cut(self.retina, lesions)
        self.contrast = CONTRAST / config.contrast_of_sd
        self.n_channels, self.n_cells = self.retina.n_channels, self.retina.n_cells
        self.channels = self.retina.channels
        self.described: dict[str, Any] = {
            **asdict(config),
            "recording": fitted.of.name,
            "recording_sha256": fitted.of.sha256,
            "model": fitted.model.kind,
            "element_deg": element_deg,
            "step_ms": step_ms,
            "frame_ms": held * step_ms,
            "time_scale": held * step_ms / frame_ms,
        }

    def n_steps(self, n_frames: int) -> int:
        """Count the steps that so many frames give."""
        return self.retina.n_steps(n_frames)

    def forward(
        self, contrast: Float[Tensor, " image frame y x"]
    ) -> Float[Tensor, " image step channel row column"]:
        """Give firing rates in spikes/s, at the middle of every step."""
        return self.retina((self.contrast * contrast).clamp(min=-1.0))


def _parasol_radius_deg(retina: StagedRetina) -> float:
    """Give the mean radius to 1/e of the parasols' learned centres."""
    radii = []
    for name in ("on_parasol", "off_parasol"):
        subunit = cast(Bipolar, retina.bipolar[name]).constant("sigma_deg").item()
        pool = cast(Ganglion, retina.ganglion[name]).constant("sigma_deg").item()
        radii.append(math.sqrt(2 * (subunit**2 + pool**2)))
    return sum(radii) / len(radii)


def take_constants(retina: StagedRetina, learned: StagedRetina) -> None:
    """Take over every constant that was learned."""
    with torch.no_grad():
        for stage in STAGES:
            ours, theirs = (r.get_submodule(stage) for r in (retina, learned))
            kept = dict(ours.named_parameters()) | dict(ours.named_buffers())
            for name, value in theirs.named_parameters():
                if name in kept:  # not those of a part that is taken away
                    kept[name].copy_(value)


def _cut(retina: StagedRetina, lesions: set[str]) -> None:
    """Take parts away, for good."""
    with torch.no_grad():
        for name in retina.channels:
            if "surround" in lesions:
                cast(Bipolar, retina.bipolar[name]).constant("surround_gain").zero_()
            if "rectification" in lesions:
                cast(Synapse, retina.synapse[name]).constant("rectification").zero_()
                cast(Ganglion, retina.ganglion[name]).fires = nn.Identity()
