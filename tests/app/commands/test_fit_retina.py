"""`yoked fit-retina`: from a folder to a table, weights, and a front."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tests.app.commands.test_json_page import check
from tests.app.recordings.small import small
from yoked.app.cli import cli
from yoked.experiments.recordings.write_plain import write_plain
from yoked.models.ganglion_cells import fitting
from yoked.models.ganglion_cells.fitted_file import load_fitted


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("recording") / "small"
    write_plain(small(), path)
    return path


def fitted(folder, out, *models, code=0):
    asked = ["fit-retina", folder, *models, "--out", out, "--epochs", 2, "--json"]
    done = CliRunner().invoke(cli, [str(each) for each in asked])
    assert done.exit_code == code, done.output
    return done


def test_models_are_fitted_scored_and_written(folder, tmp_path):
    done = fitted(folder, tmp_path, "ln", "two-step-glm", "bn-cnn+couplings")
    rows = json.loads(done.stdout)
    assert [row["model"] for row in rows] == ["ln", "two-step-glm", "bn-cnn+couplings"]
    seen = set()
    for row in rows:
        check(row, "cell scores", seen)
    assert {"of cells", "bits per spike", "noise correlation error"} <= seen
    linear, coupled, _ = rows
    assert linear["psth"]["share"]["mean"]["value"] > 0.95
    assert linear["explained"]["explained"]["mean"]["value"] > 0.9
    # Nothing couples these cells: couplings change little.
    assert coupled["noise"]["rmse"]["value"] < 0.03
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == [
        "bn-cnn+couplings.pt",
        "ln.pt",
        "two-step-glm.pt",
    ]


def test_what_is_fitted_is_read_and_not_fitted_again(folder, tmp_path, monkeypatch):
    first = json.loads(fitted(folder, tmp_path, "ln").stdout)

    def never(*args, **kwargs):
        raise AssertionError("it was fitted again")

    monkeypatch.setattr(fitting, "fit_linear", never)
    assert json.loads(fitted(folder, tmp_path, "ln").stdout) == first


def test_weights_of_another_recording_are_refused(folder, tmp_path):
    fitted(folder, tmp_path, "ln")
    other = tmp_path / "other"
    write_plain(small(n_steps=3000), other)
    done = fitted(other, tmp_path, "ln", code=1)
    assert "must be of recording small, or removed, got one of small" in done.stderr


def test_a_model_that_is_not_there_is_told_before_anything_is_fitted(folder, tmp_path):
    done = fitted(folder, tmp_path / "out", "ln", "bn-cn", code=1)
    assert "got 'bn-cn'; did you mean 'bn-cnn'?" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_recording_is_one_sentence(tmp_path):
    done = fitted(tmp_path, tmp_path / "out", "ln", code=1)
    assert done.stderr.count("\n") == 1
    assert "recording" in done.stderr


def test_the_filters_of_the_file_are_the_cells(folder, tmp_path):
    fitted(folder, tmp_path, "ln")
    model, of = load_fitted(tmp_path / "ln.pt")
    assert of.name == "small"
    filters = model.by_lag()[:, 0]
    assert np.abs(filters).sum(axis=2).argmax(axis=1).tolist() == [2, 4]
    peaks = np.array([filters[0, 2].argmax(), filters[1, 4].argmin()])
    assert np.abs(peaks - 6).max() <= 2  # lag of the course


def test_cells_can_be_chosen(folder, tmp_path):
    (row,) = json.loads(fitted(folder, tmp_path, "ln", "--cell", "dark").stdout)
    assert row["cells"] == ["dark"]
    assert row["noise"] is None
    done = fitted(folder, tmp_path / "none", "ln", "--cell", "red", code=1)
    assert "a cell must be one of light, dark, got 'red'" in done.stderr


def test_weights_of_other_settings_are_refused(folder, tmp_path):
    fitted(folder, tmp_path, "ln")
    done = fitted(folder, tmp_path, "ln", "--likelihood", "bernoulli", code=1)
    assert "must be of the same likelihood, epochs and seed, or removed" in done.stderr


def test_a_bernoulli_model_is_scored_as_one(folder, tmp_path):
    asked = ("ln", "--likelihood", "bernoulli")
    (row,) = json.loads(fitted(folder, tmp_path, *asked).stdout)
    assert row["bits"]["law"] == "bernoulli"
    given = row["bits_given_spikes"]["mean"]["value"]
    assert row["bits"]["bits"]["mean"]["value"] == pytest.approx(given, rel=1e-6)


def test_a_device_that_is_not_there_is_one_sentence(folder, tmp_path):
    done = fitted(folder, tmp_path, "ln", "--device", "foo", code=1)
    assert "device must be cpu, or cuda where there is a GPU, got 'foo'" in done.stderr
