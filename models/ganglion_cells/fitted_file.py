"""A fitted model of ganglion cells as a file: weights and plain settings, no code."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...experiments.recordings.recording import Recording
from ..whole_files import whole
from .binned import Scale
from .cell_model import CellModel
from .coupled import Coupled
from .deep import Deep, make_network
from .linear import Linear
from .temporal_basis import Bases, Cosines

FORMAT = "yoked-ganglion-cells/1"


@dataclass(frozen=True)
class FittedTo:
    """What a model was fitted to.

    Attributes
    ----------
    name, sha256
        Of the recording.
    element_um
        Size of its stimulus elements on the retina; None where it is not known.
    stimulus_mean, stimulus_sd
        Of the stimulus that was fitted on, in the recording's unit.
    fit
        Hash of the recording and the settings of the fit; empty where not known.
    """

    name: str
    sha256: str
    element_um: float | None
    stimulus_mean: float
    stimulus_sd: float
    fit: str = ""

    @classmethod
    def of(cls, recording: Recording, fit: str = "") -> "FittedTo":
        """Give that of a recording."""
        scale = Scale.of(recording)
        return cls(
            recording.name,
            recording.sha256,
            recording.element_um,
            scale.mean,
            scale.sd,
            fit,
        )


class FittedModel(NamedTuple):
    """A model, and what it was fitted to."""

    model: CellModel
    of: FittedTo


def save_fitted(
    path: str | Path, model: CellModel, recording: Recording, fit: str = ""
) -> None:
    """Write a model; the file is there whole or not at all.

    Parameters
    ----------
    fit
        Hash of all that the weights are a function of, as `fit_hash` gives it; empty
        where it is not known.

    Raises
    ------
    OSError
        If it cannot be written; what was there before stays.

    Examples
    --------
        model = yoked.fit_cells("ln", recording)
        yoked.save_cells(Path("ln.pt"), model, recording)
        model, of = yoked.load_cells(Path("ln.pt"))
    """
    data = {
        "format": FORMAT,
        "kind": model.kind,
        "cells": list(model.cells),
        "step_ms": model.step_ms,
        "shape": list(model.shape),
        "background": model.background,
        "likelihood": model.likelihood,
        "settings": model.settings(),
        "state": {name: value.cpu() for name, value in model.state().items()},
        "recording": vars(FittedTo.of(recording, fit)),
    }
    with whole(Path(path)) as file:
        torch.save(data, file)


def load_fitted(path: str | Path) -> FittedModel:
    """Read a model and what it was fitted to.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no file of ours, or damaged.

    Examples
    --------
        model, of = yoked.load_cells(Path("retina/ln.pt"))
        of.name  # 'mahuas2020'
    """
    path = Path(path)
    if not path.is_file():
        rule = "a file that fit-retina wrote"
        raise FileNotFoundError(f"a learned retina must be {rule}, got {str(path)!r}")
    with path.open("rb") as file:
        try:
            data = torch.load(file, map_location="cpu", weights_only=True)
            if data["format"] != FORMAT:
                raise ValueError(data["format"])
            made = _made(data["kind"], data["settings"], data["state"], data)
            return FittedModel(made, FittedTo(**data["recording"]))
        except Exception as error:  # torch raises many kinds on damaged files
            rule = f"of format {FORMAT}, got a damaged or other file"
            raise ValueError(
                f"a learned retina, {path.name}, must be {rule}"
            ) from error


def _made(
    kind: str, settings: Any, state: Mapping[str, Tensor], data: Mapping[str, Any]
) -> CellModel:
    """Make a model of its plain parts; a coupled one has another inside."""
    shared = {
        "kind": kind,
        "cells": tuple(data["cells"]),
        "step_ms": data["step_ms"],
        "shape": tuple(data["shape"]),
        "background": data["background"],
        "likelihood": data["likelihood"],
    }
    if "alone" in settings:
        start = "alone."
        inside = {k[len(start) :]: v for k, v in state.items() if k.startswith(start)}
        rates = _made(
            settings["alone"]["kind"], settings["alone"]["settings"], inside, data
        )
        bases = Bases(**{k: Cosines(**v) for k, v in settings["bases"].items()})
        names = ("couplings", "own", "refractory")
        weights = [state[name].numpy() for name in names]
        return Coupled(kind, rates, settings["correction"], bases, *weights)
    if "basis" in settings:
        basis = Cosines(**settings["basis"])
        weights = state["filters"].numpy(), state["bias"].numpy()
        return Linear(**shared, basis=basis, filters=weights[0], bias=weights[1])
    scale, n = Scale(**settings["scale"]), len(shared["cells"])
    bin_ms = scale.steps * shared["step_ms"]
    network = make_network(kind, shared["shape"], n, bin_ms)
    network.load_state_dict(dict(state))
    return Deep(**shared, scale=scale, network=network.eval())
