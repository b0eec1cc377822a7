"""Brain-Score in an environment of its own uses our networks: docs/brain-score/.

sh docs/brain-score/make-environment.sh brainscore-env
YOKED_BRAINSCORE_PYTHON=brainscore-env/bin/python pytest tests/app/brain
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import yoked
from tests import ROOT
from tests.models.brain_score.made import written

pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")
VARIABLE = "YOKED_BRAINSCORE_PYTHON"
PYTHON = os.environ.get(VARIABLE)


@pytest.mark.skipif(
    not PYTHON,
    reason=f"{VARIABLE} must be the Python of an environment that "
    "docs/brain-score/make-environment.sh made, got none",
)
def test_brainscores_assemblies_hold_what_our_adapter_gives(tmp_path):
    """Recordings, probabilities, labels and odd ones, through files, are the same."""
    labels = [7, 3, 7, 3, 7, 3]  # whose types are the stimulus set's own
    table = written(tmp_path, object_name=list("aabbcc"), image_label=labels)
    table["filename"] = [Path(each).name for each in table.pop("path")]
    table["stimulus_id"] = range(101, 107)
    table.to_csv(tmp_path / "set.csv", index=False)
    (tmp_path / "classes.txt").write_text("no\nyes\n", encoding="utf-8")
    found = inside(tmp_path)
    assert found["numpy"] < "2"
    assert found["nothing"]
    assert found["kinds"] == [True, True]
    assert found["degrees"] == 4
    assert found["dims"] == [
        ["presentation", "neuroid"],
        ["presentation", "neuroid", "time_bin"],
        ["presentation", "choice"],
        ["choice", "presentation"],
        ["choice", "presentation"],
    ]
    shown = {"filename", "image_label", "object_name", "stimulus_id", "stimulus_path"}
    cells = {"neuroid_id", "neuroid_num", "model", "layer", "region"}
    bins = {"time_bin_start", "time_bin_end"}
    assert set(found["coords"]) == shown | cells | bins
    assert found["ids"] == list(range(101, 107))
    assert found["score"] == pytest.approx(1)
    assert "time_bins must be one or more pairs" in found["refused"]
    files = [tmp_path / name for name in table["filename"]]
    table["path"] = list(map(str, files))
    same = yoked.as_brain_model(
        yoked.load_observer("cornet-z", seed=1),
        {"V4": "v4", "IT": ["v4", "it"]},
        "it",
        visual_degrees=4,
        classes=["no", "yes"],
    )
    for key, region in (("one", "IT"), ("by_files", "V4")):
        same.start_recording(region, [(70, 170)])
        np.testing.assert_allclose(found[key], same.look_at(table).values, rtol=1e-6)
    same.start_recording("V4", [(50, 100), (100, 150)])
    np.testing.assert_allclose(found["two"], same.look_at(table).values, rtol=1e-6)
    same.start_task("probabilities", table)
    p = same.look_at(table)
    np.testing.assert_allclose(found["p"], p.values, rtol=1e-6)
    assert found["choices"] == p["choice"].values.tolist()
    assert found["sel"] == pytest.approx(p.sel(stimulus_id=103, choice=7).item())
    same.start_task("label", ["yes", "no"])
    assert found["label"] == same.look_at(table).values[0].tolist()
    same.start_task("odd_one_out")
    assert found["odd"] == same.look_at(table).values[0].tolist()


def inside(folder):
    """Run the other environment's part, and return what it says."""
    told = {"folder": str(folder), "script": str(ROOT / "docs" / "brain-score")}
    told["command"] = [sys.executable, "-m", "yoked"]
    script = Path(__file__).with_name("inside_brainscore.py")
    words = [str(PYTHON), "-W", "ignore", str(script), json.dumps(told)]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
