"""Runs in Brain-Score's environment: a benchmark's calls, on Yoked behind a process.

Reads what to do as JSON (folder, command, script) and prints what came out as JSON.
"""

import json
import sys

import numpy as np
import pandas as pd
from brainscore_core.metrics import Metric, Score
from brainscore_core.supported_data_standards.brainio.assemblies import (
    BehavioralAssembly,
    NeuroidAssembly,
    walk_coords,
)
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

told = json.loads(sys.argv[1])
sys.path.insert(0, told["script"])
from yoked_brain_model import YokedBrainModel  # noqa: E402

stimuli = StimulusSet.from_files(told["folder"] + "/set.csv", told["folder"])
stimuli.identifier = "six"
model = YokedBrainModel(
    "cornet-z",
    {"V4": "v4", "IT": ["v4", "it"]},
    behavioral_layer="it",
    visual_degrees=4,
    classes=told["folder"] + "/classes.txt",
    command=told["command"],
    options=["--option", "seed=1"],
)


class Same(Metric):
    """The mean over objects of a correlation: what a benchmark would compute."""

    def __call__(self, first, second):
        by_object = [
            each.multi_groupby(["object_name"]).mean("presentation")
            for each in (first, second)
        ]
        a, b = (each.transpose("object_name", "neuroid") for each in by_object)
        return Score(np.corrcoef(a.values.ravel(), b.values.ravel())[0, 1])


model.start_task("passive")
nothing = model.look_at(stimuli)
model.start_recording("IT", time_bins=[(70, 170)])
one = model.look_at(stimuli, number_of_trials=2)
one.validate()
model.start_recording("V4", time_bins=[(50, 100), (100, 150)])
two = model.look_at(stimuli)
two.validate()
model.start_task("probabilities", stimuli)
p = model.look_at(stimuli)
model.start_task("label", ["yes", "no"])
label = model.look_at(stimuli)
model.start_task("odd_one_out")
odd = model.look_at(stimuli)
by_files = model
by_files.start_recording("V4", time_bins=[(70, 170)])
files = by_files.look_at([str(each) for each in stimuli.stimulus_paths.values()])
try:
    by_files.start_recording("V4", time_bins=[(70, 60)])
    by_files.look_at(stimuli)
    refused = ""
except RuntimeError as error:
    refused = str(error)

print(
    json.dumps(
        {
            "numpy": np.__version__,
            "pandas": pd.__version__,
            "degrees": model.visual_degrees(),
            "nothing": nothing is None,
            "kinds": [
                isinstance(one, NeuroidAssembly),
                isinstance(p, BehavioralAssembly),
            ],
            "dims": [list(each.dims) for each in (one, two, p, label, odd)],
            "coords": sorted(name for name, _, _ in walk_coords(two)),
            "ids": one["stimulus_id"].values.tolist(),
            "one": one.values.tolist(),
            "two": two.values.tolist(),
            "by_files": files.values.tolist(),
            "p": p.values.tolist(),
            "sel": float(p.sel(stimulus_id=103, choice=7).values.item()),
            "choices": p["choice"].values.tolist(),
            "label": label.values[0].tolist(),
            "odd": odd.values[0].tolist(),
            "score": float(Same()(one, one)),
            "refused": refused,
        }
    )
)
