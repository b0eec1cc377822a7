"""A BrainModel of Yoked for an environment of Brain-Score: it calls `yoked look-at`.

Copy this file into that environment; it needs brainscore_core and nothing of Yoked.
Networks run in Yoked's environment, and what they give comes back as a file.

    model = YokedBrainModel(
        "cornet-z",
        region_layers={"V1": "v1", "V4": "v4", "IT": "it"},
        behavioral_layer="it",
        visual_degrees=4,
        command=["/path/to/yokeds/environment/bin/yoked"],
    )
    model.start_recording("IT", time_bins=[(70, 170)])
    assembly = model.look_at(stimulus_set)
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from brainscore_core.supported_data_standards.brainio.assemblies import (
    BehavioralAssembly,
    NeuroidAssembly,
)

try:
    from brainscore_vision.model_interface import BrainModel
except ImportError:  # benchmarks ask for the methods, not for the class
    BrainModel = object

LABEL = "image_label"
Bins = Sequence[tuple[float, float]]


class YokedBrainModel(BrainModel):
    """A network of Yoked that Brain-Score's benchmarks can call.

    Parameters
    ----------
    observer
        What `yoked look-at` takes: a name, `file.py:network`, a .safetensors file.
    region_layers
        Of each region the layer that stands for it, or several.
    behavioral_layer
        What probabilities and odd ones are read from.
    visual_degrees
        What the network sees.
    identifier
        By default the observer.
    times
        Of a region of a network that runs in time, when each call of its layer is.
    classes
        For the task label: a file with the names of the network's outputs (.txt), or
        with the numbers of each label's (.toml).
    command
        How Yoked is started.
    seed
        Of the network's own noise; each look has the next one.
    options
        More words for `yoked look-at`, such as ["--option", "seed=2"].
    """

    def __init__(
        self,
        observer: str,
        region_layers: Mapping[str, str | Sequence[str]] | None = None,
        behavioral_layer: str | None = None,
        visual_degrees: int = 8,
        identifier: str | None = None,
        times: Mapping[str, Bins] | None = None,
        classes: str | Path | None = None,
        command: Sequence[str] = ("yoked",),
        seed: int = 0,
        options: Sequence[str] = (),
    ) -> None:
        self._observer, self._degrees = observer, visual_degrees
        self._identifier = identifier or observer
        self._regions, self._times = dict(region_layers or {}), dict(times or {})
        self._layer, self._classes = behavioral_layer, classes
        self._command, self._options = list(command), list(options)
        self._asked: list[str] | None = None
        self._fitting: Any = None
        self._task = ""
        self._next_seed = seed

    @property
    def identifier(self) -> str:
        """Give the model's name."""
        return self._identifier

    def visual_degrees(self) -> int:
        """Say how many degrees of visual angle the network sees."""
        return self._degrees

    def start_recording(self, recording_target: str, time_bins: Bins) -> None:
        """Begin to record from a region."""
        region = str(recording_target)
        layers = self._regions[region]
        layers = [layers] if isinstance(layers, str) else layers
        words = [w for each in layers for w in ("--record", f"{region}={each}")]
        words += [w for a, b in time_bins for w in ("--time-bin", str(a), str(b))]
        steps = self._times.get(region, ())
        words += [w for a, b in steps for w in ("--step", str(a), str(b))]
        self._asked, self._fitting, self._task = words, None, ""

    def start_task(
        self,
        task: str,
        fitting_stimuli: Any = None,
        number_of_trials: int = 1,
        require_variance: bool = False,
    ) -> None:
        """Begin a task: passive, label, probabilities or odd_one_out."""
        name = str(getattr(task, "value", task))
        if name == "passive":
            self._asked = None if self._task else self._asked
            self._task = ""
            return
        words = ["--task", name]
        if self._layer is not None:
            words += ["--behavioral-layer", self._layer]
        if name == "probabilities":
            words += ["--fit-trials", str(number_of_trials)]
        elif name == "label":
            words += ["--classes", str(self._classes)]
            if not isinstance(fitting_stimuli, str):
                words += [w for each in fitting_stimuli for w in ("--label", str(each))]
        self._asked, self._task = words, name
        self._fitting = fitting_stimuli if name == "probabilities" else None

    def look_at(
        self, stimuli: Any, number_of_trials: int = 1, require_variance: bool = False
    ) -> Any:
        """Show stimuli to the network, in its own process, and give its assembly."""
        if require_variance:
            raise ValueError("require_variance must be False, got True")
        if self._asked is None:
            return None
        with tempfile.TemporaryDirectory(prefix="yoked-look-at-") as name:
            folder = Path(name)
            columns = written(stimuli, folder / "stimuli.csv")
            words = [*self._asked, "--trials", str(number_of_trials)]
            if self._fitting is not None:
                written(self._fitting, folder / "fit.csv")
                words += ["--fit", str(folder / "fit.csv")]
            self._call(folder, words)
            with xr.open_dataarray(folder / "found.nc") as opened:
                found = opened.load()
        return self._assembly(found, columns)

    def _call(self, folder: Path, words: list[str]) -> dict[str, Any]:
        """Run `yoked look-at`; what it says of an error is raised."""
        done = subprocess.run(
            [
                *self._command,
                "look-at",
                str(folder / "stimuli.csv"),
                self._observer,
                *words,
                "--degrees",
                str(self._degrees),
                "--identifier",
                self._identifier,
                "--seed",
                str(self._next_seed),
                *self._options,
                "-o",
                str(folder / "found.nc"),
                "--json",
            ],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        self._next_seed += 1
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return json.loads(done.stdout)

    def _assembly(self, found: Any, columns: dict[str, Any]) -> Any:
        """Lay out what came back, with the stimuli's own columns in their own types."""
        coords = {
            name: (each.dims, each.values)
            for name, each in found.coords.items()
            if each.dims != ("presentation",)
        }
        if self._task == "odd_one_out":
            coords["stimulus_id"] = ("presentation", found["stimulus_id"].values)
        else:
            coords |= {n: ("presentation", values) for n, values in columns.items()}
        if self._task == "label":
            coords.setdefault("label", ("presentation", found.values[0]))
        if self._task == "probabilities":
            named = {str(each): each for each in self._fitting[LABEL]}
            coords["choice"] = [named[str(each)] for each in found["choice"].values]
        kind = BehavioralAssembly if self._task else NeuroidAssembly
        return kind(found.values, coords=coords, dims=found.dims, attrs=found.attrs)


def written(stimuli: Any, path: Path) -> dict[str, Any]:
    """Write stimuli for `yoked look-at`, and give all their columns.

    Parameters
    ----------
    stimuli
        A StimulusSet or a list of files.
    """
    if isinstance(stimuli, pd.DataFrame):
        files = [str(stimuli.get_stimulus(each)) for each in stimuli["stimulus_id"]]
        columns = {str(name): np.array(stimuli[name].tolist()) for name in stimuli}
    else:
        files = list(map(str, stimuli))
        columns = {"stimulus_id": np.array(files)}
    columns.setdefault("stimulus_path", np.array(files))
    table = pd.DataFrame({"stimulus_id": columns["stimulus_id"]})
    table["stimulus_path"] = [str(Path(file).resolve()) for file in files]
    if LABEL in columns:
        table[LABEL] = columns[LABEL]
    table.to_csv(path, index=False)
    return columns
