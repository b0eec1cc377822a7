"""Files of fitted models: every kind comes back as it was, and damage is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.models.ganglion_cells.simulated import noise_bars, segment
from yoked.experiments.recordings.recording import Recording, RecordingError
from yoked.models.ganglion_cells.deep_retina import BatchNormCNN, DeepRetina2016
from yoked.models.ganglion_cells.fitted_file import load_fitted, save_fitted
from yoked.models.ganglion_cells.fitting import MODELS, FitSettings, fit
from yoked.models.ganglion_cells.learning import Learning
from yoked.models.ganglion_cells.stimulus_fit import Grid

ONE_EPOCH = FitSettings(grid=Grid((3.0,), (1.0,)), learning=Learning(epochs=1))


@pytest.fixture(scope="module")
def recording():
    rng = np.random.default_rng(1)
    parts = []
    for use, n_repeats, n in (("fit", 1, 2000), ("repeats", 12, 400), ("test", 3, 300)):
        frames = noise_bars(rng, n, n_bars=7)
        rates = 0.2 + 0.1 * frames[:, 0, 2:5]
        parts.append(segment(use, frames, rng.poisson(rates, (n_repeats, n, 3))))
    return Recording(
        "made-up", 10.0, 10.0, ("a", "b", "c"), tuple(parts), element_um=70.0
    )


def fitted(kind, recording):
    return fit(kind, recording, settings=ONE_EPOCH)


@pytest.mark.parametrize("kind", MODELS)
def test_every_kind_comes_back_as_it_was(kind, recording, tmp_path):
    model, path = fitted(kind, recording), tmp_path / "retina.pt"
    save_fitted(path, model, recording)
    again, to = load_fitted(path)
    (test,) = recording.of("test")
    rates = model.rates(test)
    assert rates.shape == (300, 3)
    assert np.isfinite(rates).all()
    assert (rates >= 0).all()
    assert np.array_equal(again.rates(test), rates)
    assert np.array_equal(again.simulate(test, 2, 7), model.simulate(test, 2, 7))
    assert np.array_equal(again.log_likelihood(test), model.log_likelihood(test))
    assert (again.kind, again.n_parameters) == (model.kind, model.n_parameters)
    again.require(recording)
    assert (to.name, to.sha256, to.element_um) == ("made-up", recording.sha256, 70.0)


def test_the_networks_are_as_large_as_published():
    for network, n in ((DeepRetina2016, 185_757), (BatchNormCNN, 138_362)):
        weights = network((50, 50), 5).parameters()
        assert sum(each.numel() for each in weights) == n


@pytest.mark.parametrize("kind", ["ln", "bn-cnn"])
def test_a_damaged_file_is_refused(kind, recording, tmp_path):
    path = tmp_path / "retina.pt"
    save_fitted(path, fitted(kind, recording), recording)
    whole = path.read_bytes()
    rule = "a learned retina, retina.pt, must be of format yoked-ganglion-cells/1, got"
    for damaged in (whole[: len(whole) // 2], b"", b"not weights"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=rule):
            load_fitted(path)


@pytest.mark.parametrize("broken", ["filters", "format", "kind"])
def test_a_file_that_lacks_something_is_refused(broken, recording, tmp_path):
    path = tmp_path / "retina.pt"
    save_fitted(path, fitted("ln", recording), recording)
    data = torch.load(path, weights_only=True)
    if broken == "filters":
        del data["state"]["filters"]
    elif broken == "format":
        data["format"] = "yoked-ganglion-cells/99"
    else:
        data["settings"] = {"scale": {}}
    torch.save(data, path)
    with pytest.raises(ValueError, match=r"retina\.pt, must be of format yoked-gangli"):
        load_fitted(path)


def test_no_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be a file that fit-retina wrote"):
        load_fitted(tmp_path / "none.pt")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda r: r.only(("a", "b")), r"cells of a recording must be the model's, \["),
        (
            lambda r: replace(r, step_ms=5.0),
            "steps in ms of a recording must be the mo",
        ),
        (lambda r: wider(r), "elements of a frame of a recording must be the model's"),
    ],
)
def test_a_model_refuses_another_recording(change, rule, recording):
    model = fitted("ln", recording)
    model.require(recording)
    with pytest.raises(RecordingError, match=rule):
        model.require(change(recording))


def wider(recording):
    segments = tuple(
        replace(s, frames=np.concatenate([s.frames] * 2, axis=2))
        for s in recording.segments
    )
    return replace(recording, segments=segments)


def test_an_unknown_model_gets_the_nearest_name(recording):
    rule = "a model of ganglion cells must be one of .*, got 'bncnn'; did you mean 'bn-"
    with pytest.raises(ValueError, match=rule):
        fit("bncnn", recording)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("rate", -0.1),
        ("rate", float("nan")),
        ("rate", float("inf")),
        ("batch", -1),
        ("patience", 0),
    ],
)
def test_learning_refuses_what_is_not_more_than_0(name, value):
    with pytest.raises(ValueError, match=f"{name} must be more than 0, got {value}"):
        Learning(**{name: value})


def test_settings_refuse_another_likelihood():
    rule = "the likelihood must be one of poisson, bernoulli, got 'gauss'"
    with pytest.raises(ValueError, match=rule):
        FitSettings(likelihood="gauss")
