"""`yoked look-at`: what a network gives as an assembly in a file."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import yoked
from tests.models.brain_score.made import written
from yoked.app.cli import cli

xarray = pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")
NET = ("--option", "seed=1")


@pytest.fixture
def folder(tmp_path):
    """Hold six pictures and a table whose paths are relative to it."""
    table = written(tmp_path / "pictures", image_label=list("xyxyxy"), age=range(6))
    names = [f"pictures/{each}.png" for each in table["stimulus_id"]]
    table = table.assign(path=names, stimulus_id=[f"00{k}" for k in range(6)])
    table.to_csv(tmp_path / "set.csv", index=False)
    return tmp_path


def invoked(folder, *words):
    given = ["look-at", folder / "set.csv", "cornet-z", "-o", folder / "found.nc"]
    return CliRunner().invoke(cli, [str(each) for each in (*given, *NET, *words)])


def looked(folder, *words):
    done = invoked(folder, *words, "--json")
    assert done.exit_code == 0, done.output
    with xarray.open_dataarray(folder / "found.nc", engine="h5netcdf") as opened:
        return json.loads(done.stdout), opened.load()


def model(**options):
    return yoked.as_brain_model(yoked.load_observer("cornet-z", seed=1), **options)


def files(folder):
    return [str(folder / f"pictures/picture-{k}.png") for k in range(6)]


def test_a_recording_is_the_file_that_python_gives(folder):
    bins = ("--time-bin", 70, 170, "--time-bin", 170, 270)
    words = ("--record", "V4=v4", "--record", "V4=it", *bins)
    said, found = looked(folder, *words, "--identifier", "mine")
    assert said["dimensions"] == ["presentation", "neuroid", "time_bin"]
    assert said["shape"] == list(found.shape)
    assert said["identifier"] == "mine"
    assert said["formula"] is None
    same = model(region_layers={"V4": ["v4", "it"]})
    same.start_recording("V4", [(70, 170), (170, 270)])
    np.testing.assert_array_equal(found.values, same.look_at(files(folder)).values)
    assert found["stimulus_id"].values.tolist() == [f"00{k}" for k in range(6)]
    assert found["age"].values.tolist() == list(range(6))
    assert found["time_bin_end"].values.tolist() == [170, 270]
    assert set(found["layer"].values) == {"v4", "it"}


def test_a_recording_can_be_read_as_a_population(folder):
    """BrainIO's layout: what was written is read by our own reader of it."""
    looked(folder, "--record", "IT=it", "--time-bin", 70, 170)
    found = yoked.load_population(folder / "found.nc")
    same = model(region_layers={"IT": "it"})
    same.start_recording("IT", [(70, 170)])
    np.testing.assert_allclose(
        found.responses[0], same.look_at(files(folder)).values, rtol=1e-6
    )
    assert found.stimuli == tuple(f"00{k}" for k in range(6))
    assert set(found.regions) == {"IT"}


def test_probabilities_are_fitted_to_another_table(folder):
    words = ("--task", "probabilities", "--fit", folder / "set.csv")
    said, found = looked(folder, *words, "--behavioral-layer", "v1")
    assert said["formula"] == "probabilities-logistic-regression/1"
    np.testing.assert_allclose(found.sum("choice"), 1)
    assert found["choice"].values.tolist() == ["x", "y"]


def test_the_odd_one_is_named_as_asked(folder):
    _, index = looked(folder, "--task", "odd_one_out")
    said, named = looked(folder, "--task", "odd_one_out", "--odd-as", "stimulus_id")
    assert said["dimensions"] == ["choice", "presentation"]
    places = [3 * k + int(each) for k, each in enumerate(index.values[0])]
    assert named.values[0].tolist() == [f"00{k}" for k in places]
    assert named["stimulus_id"].values[0] == "000|001|002"


@pytest.mark.parametrize(
    ("name", "text"), [("c.txt", "no\nyes\n"), ("c.toml", "no = [0]\nyes = [1]\n")]
)
def test_labels_are_chosen_by_the_networks_outputs(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")
    _, found = looked(folder, "--task", "label", "--classes", folder / name)
    same = model(classes=["no", "yes"])
    same.start_task("label", "imagenet")
    expected = same.look_at(files(folder)).values[0].tolist()
    assert found.values[0].tolist() == expected


def test_steps_of_a_network_in_time_are_told(folder):
    given = ["look-at", folder / "set.csv", "cornet-rt", "-o", folder / "found.nc"]
    words = ["--record", "IT=it", "--step", 0, 50, "--step", 50, 100]
    words += ["--time-bin", 25, 75, "--json"]
    done = CliRunner().invoke(cli, [str(each) for each in (*given, *words)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["formula"] == "time-bins-overlap-mean/1"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "a region or a task must be given, one of them, got neither"),
        (("--record", "V1=v1", "--task", "label"), "one of them, got both"),
        (("--record", "V1"), "--record must be REGION=LAYER, got 'V1'"),
        (("--record", "V1=v1", "--record", "V2=v2"), "must be one region, got V1, V2"),
        (("--record", "V1=v5"), "no layer named 'v5'"),
        (("--task", "probabilities"), "given for probabilities, a table with image_la"),
        (("--task", "label"), "classes must be given"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(folder, words, sentence):
    done = invoked(folder, *words)
    assert done.exit_code != 0
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_a_table_that_is_none_is_one_sentence(folder):
    (folder / "set.csv").write_text("", encoding="utf-8")
    done = invoked(folder, "--record", "V1=v1")
    assert "set.csv must be a table (.csv), got No columns" in done.output


def test_a_picture_that_is_missing_is_named(folder):
    (folder / "pictures/picture-3.png").unlink()
    done = invoked(folder, "--record", "V1=v1")
    assert "picture-3.png' (1 missing)" in done.output
