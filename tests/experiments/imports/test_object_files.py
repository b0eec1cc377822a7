"""Trials with two objects and probabilities, from tables and Brain-Score's NetCDF."""

import numpy as np
import pandas as pd
import pytest

from yoked.experiments.imports.object_files import (
    read_object_probabilities,
    read_object_trials,
)

ROWS = {
    "image": ["a.png", "a.png", "b.png"],
    "target": ["dog", "dog", "cat"],
    "distractor": ["cat", "cup", "dog"],
    "choice": ["dog", "cup", "cat"],
}
GIVEN = {"image": ["a.png", "b.png"], "observer": "net"}
GIVEN |= {"probability_cat": [0.25, 0.5], "probability_dog": [0.75, 0.5]}


def trials(**changed):
    return read_object_trials(pd.DataFrame({**ROWS, **changed}))


def test_a_table_and_a_data_frame_are_read_alike(tmp_path):
    frame = pd.DataFrame(ROWS)
    frame.to_csv(tmp_path / "people.csv", index=False)
    for source in (frame, tmp_path / "people.csv"):
        found = read_object_trials(source)
        assert (found.image, found.distractor) == (
            tuple(ROWS["image"]),
            tuple(ROWS["distractor"]),
        )
        assert (found.target, found.choice) == (
            tuple(ROWS["target"]),
            tuple(ROWS["choice"]),
        )
    pd.DataFrame(GIVEN).to_csv(tmp_path / "net.csv", index=False)
    for source in (pd.DataFrame(GIVEN), tmp_path / "net.csv"):
        given = read_object_probabilities(source)
        assert (given.observer, given.object) == ("net", ("cat", "dog"))
        assert given.probability.tolist() == [[0.25, 0.75], [0.5, 0.5]]


def test_trials_in_the_published_layout_are_read(tmp_path):
    xarray = pytest.importorskip("xarray")
    along = "presentation"
    coordinates = {
        "stimulus_id": (along, ["s1", "s2", "s1"]),
        "truth": (along, ["dog", "cat", "dog"]),
        "sample_obj": (along, ["dog", "cat", "dog"]),
        "dist_obj": (along, ["cat", "dog", "elk"]),
        "worker_id": (along, [3, 3, 4]),
    }
    said = np.array(["cat", "cat", "dog"], object)
    array = xarray.DataArray(said, coords=coordinates, dims=[along], name="data")
    array.to_netcdf(tmp_path / "objectome.nc", engine="h5netcdf")
    found = read_object_trials(tmp_path / "objectome.nc")
    assert found.image == ("s1", "s2", "s1")
    assert found.target == ("dog", "cat", "dog")
    assert found.distractor == ("cat", "dog", "elk")
    assert found.choice == ("cat", "cat", "dog")


@pytest.mark.parametrize("image", ["image_id", "stimulus_id"])
@pytest.mark.parametrize(
    "dims", [("presentation", "choice"), ("choice", "presentation")]
)
def test_probabilities_in_the_published_layout_are_read(tmp_path, image, dims):
    xarray = pytest.importorskip("xarray")
    coordinates = {
        image: ("presentation", ["s1", "s2", "s3"]),
        "object_name": ("presentation", ["dog", "cat", "dog"]),
        "choice": ("choice", ["cat", "dog"]),
    }
    p = np.array([[0.25, 0.75], [0.5, 0.5], [0.1, 0.9]])
    array = xarray.DataArray(
        p, coords=coordinates, dims=["presentation", "choice"], name="data"
    )
    file = tmp_path / "alexnet-probabilities.nc"
    array.transpose(*dims).to_netcdf(file, engine="h5netcdf")
    found = read_object_probabilities(file)
    assert found.observer == "alexnet-probabilities"
    assert (found.image, found.object) == (("s1", "s2", "s3"), ("cat", "dog"))
    assert found.probability.tolist() == p.tolist()
    with pytest.raises(ValueError, match="must lie along presentation, got"):
        read_object_trials(file)


def test_a_missing_response_is_left_out_and_said():
    found = trials(choice=["dog", "", "cat"])
    assert len(found) == 2
    assert found.notes == ("1 trials without a response were left out",)


def test_what_is_wrong_is_said_in_one_sentence():
    with pytest.raises(ValueError, match="choice must be 'dog' or 'cup' in row 2, got"):
        trials(choice=["dog", "cat", "cat"])
    with pytest.raises(ValueError, match="distractor must be another object than the"):
        trials(distractor=["dog", "cup", "dog"])
    with pytest.raises(
        ValueError, match=r"target of a\.png must be one, got dog and c"
    ):
        trials(target=["dog", "cup", "cat"], distractor=["cat", "dog", "dog"])
    with pytest.raises(ValueError, match="must have a column dist_obj or distractor"):
        read_object_trials(pd.DataFrame(ROWS).drop(columns="distractor"))
    with pytest.raises(ValueError, match="must have columns probability_OBJECT, got"):
        read_object_probabilities(pd.DataFrame(ROWS))
    twice = pd.DataFrame({**GIVEN, "image": "a.png"})
    with pytest.raises(ValueError, match=r"once for each image, got 'a\.png' twice"):
        read_object_probabilities(twice)
    with pytest.raises(ValueError, match=r"must be a number >= 0, got -0\.25"):
        read_object_probabilities(pd.DataFrame({**GIVEN, "probability_cat": -0.25}))
    both = pd.DataFrame({**GIVEN, "observer": ["net", "other"]})
    with pytest.raises(LookupError, match=r"must be one of .*, net, other; got none"):
        read_object_probabilities(both)
    with pytest.raises(FileNotFoundError, match="no file"):
        read_object_trials("nowhere.nc")
