"""The figure of controls in small: what is measured, kept, added and refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.app.brain.made import recording, write
from tests.experiments.pictures.made import bars
from yoked.app.cli import cli
from yoked.app.reproduce.control_recordings import recorded
from yoked.app.reproduce.v1_controls import ControlsExtent, cells_of, v1_controls


@pytest.fixture(scope="module")
def extent(tmp_path_factory):
    file = write(recording(), tmp_path_factory.mktemp("brain") / "made.npz")
    return ControlsExtent(
        layer="stage1",
        weights=("random",),
        activations=("relu", "linear"),
        poolings=("average",),
        n_seeds=1,
        steps=3,
        n_fit=100,
        n_test=20,
        recordings=recorded([file]),
        n_features=24,
    )


@pytest.fixture(scope="module")
def made(extent, tmp_path_factory):
    out = tmp_path_factory.mktemp("controls")
    return out, v1_controls(out, extent, digits=bars(), processes=2)


def test_every_network_is_measured(made):
    _, found = made
    assert not found.failed
    assert [each.activation for each in found.means] == ["relu", "linear"]
    for each in found.means:
        names = ["similarity", "variance", "complexity", "texture", "digit"]
        assert list(each.measures) == [*names, "encoding: made V4", "encoding: made IT"]
        told = {name for name, one in each.measures.items() if one.value is not None}
        assert set(each.measures) - told == {"similarity"}
        assert "not at hand" in each.measures["similarity"].note
    relu, linear = (each.measures for each in found.means)
    assert linear["complexity"].value == pytest.approx(0, abs=1e-3)
    assert relu["complexity"].value > 0.05
    assert relu["encoding: made V4"].formula == "encoding-matched-units-ridge-cv/1"


def test_what_is_shuffled_is_what_was_trained(made, extent, tmp_path):
    out = tmp_path / "controls"
    shutil.copytree(made[0], out)
    asked = replace(extent, weights=("shuffled",), activations=("tanh",), recordings=())
    trained, shuffled = cells_of(out, asked)
    assert (trained.is_training, shuffled.is_training) == (True, False)
    assert shuffled.weights_of == trained.folder
    told = trained.do(), shuffled.do()
    assert [each["weights"] for each in told] == ["trained", "shuffled"]
    assert 0 <= told[0]["held_out_correct"] <= 1
    assert told[0]["measures"]["complexity"] != told[1]["measures"]["complexity"]
    kept = Path(trained.folder) / "weights.safetensors"
    before = kept.stat().st_mtime_ns
    assert trained.do() == told[0]
    assert kept.stat().st_mtime_ns == before


def test_a_recording_is_learnt_and_what_is_held_out_foretold(made, extent, tmp_path):
    out = tmp_path / "controls"
    shutil.copytree(made[0], out)
    asked = replace(extent, weights=("responses",), activations=("relu",))
    (cell,) = cells_of(out, asked)
    assert cell.recipe["regime"]["task_weight"] == 0
    measures = cell.do()["measures"]
    learnt, before = "held out: made V4", "held out, untrained: made V4"
    assert measures[learnt]["formula"].startswith("neural-predictivity-train-test")
    assert measures[learnt]["value"] != measures[before]["value"]
    assert "encoding: made V4" not in measures
    assert measures["encoding: made IT"]["value"] is not None
    # What it was before is the random network of the same seed.
    observer, recording = cell._begun(tmp_path / "begun.safetensors"), extent.recordings
    again = recording[0].foretold_held_out(observer, "stage1")
    assert again.value == pytest.approx(measures[before]["value"])
    with pytest.raises(ValueError, match="recordings must be one or more to be learnt"):
        replace(asked, recordings=())


def test_what_is_written_says_the_same_and_more_is_added(made, extent):
    out, found = made
    kept = json.loads((out / "v1-controls.json").read_text(encoding="utf-8"))
    assert kept["format"] == "yoked-v1-controls/1"
    assert kept["means"] == [each.to_dict() for each in found.means]
    assert kept["claims"] == [each.to_dict() for each in found.claims]
    before = {p: p.stat().st_mtime_ns for p in out.glob("cells/*/cell.json")}
    told = []
    again = v1_controls(out, extent, told=told.append)
    assert [each.n_done for each in told] == [2]
    assert [e.to_dict() for e in again.means] == [e.to_dict() for e in found.means]
    assert before == {path: path.stat().st_mtime_ns for path in before}
    picture = (out / "controls.svg").read_text(encoding="utf-8")
    for said in ("complexity", "average pooling", "ReLU", "made IT"):
        assert said in picture


def test_a_folder_of_another_extent_is_refused(made, extent):
    said = r"with the same layer, got stage1 in .*stage2"
    with pytest.raises(ValueError, match=said):
        v1_controls(made[0], replace(extent, layer="stage2"))
    with pytest.raises(ValueError, match="with the same recordings"):
        v1_controls(made[0], replace(extent, recordings=()))


def test_shuffled_weights_are_of_trained_ones():
    found = ControlsExtent(weights=("shuffled",), activations=("relu",))
    assert [each[0] for each in found.controls] == ["trained"] * 3 + ["shuffled"] * 3
    assert found.to_dict()["n_networks"] == 18
    with pytest.raises(ValueError, match="poolings must be some of max, average, none"):
        ControlsExtent(poolings=("min",))


def test_a_recording_without_pictures_is_refused(tmp_path):
    file = write(recording(), tmp_path / "a.npz")
    assert [each.name for each in recorded([file])] == ["a V4", "a IT"]
    with pytest.raises(ValueError, match="must each have a name, got a V4, a IT, a V4"):
        recorded([file, file])
    import numpy as np

    np.savez(tmp_path / "bare.npz", responses=np.ones((2, 30, 4)))
    with pytest.raises(ValueError, match=r"known, and of known width, got bare\.npz"):
        recorded([tmp_path / "bare.npz"])


def test_the_command_says_what_is_to_be_done(tmp_path):
    given = ["reproduce", "v1-controls", "-o", str(tmp_path / "new"), "--dry-run"]
    found = CliRunner().invoke(cli, [*given, "--seeds", "2", "--pooling", "max"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["n_networks"] == 24
    assert "24 networks, 8 of them trained for 200 steps" in found.stderr
    assert not (tmp_path / "new").exists()
    both = CliRunner().invoke(cli, [*given, "--without-cells", "--ringach", "."])
    assert both.exit_code == 2
    assert "--without-cells must stand without --ringach" in both.output
