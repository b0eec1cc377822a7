"""Any BrainModel does trials of ours: its d' and kernels are the network's own."""

import numpy as np
import pandas as pd
import pytest
from torch import nn

import yoked
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing

xarray = pytest.importorskip("xarray")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("sklearn")
PROTOCOL = "bar-in-noise"


class Filters(nn.Module):
    """Means of squares of one degree."""

    def __init__(self):
        super().__init__()
        self.seen = nn.Sequential(nn.AvgPool2d(20), nn.Flatten())

    def forward(self, x):
        return self.seen(x)


class BrightnessModel:
    """A BrainModel of somebody else's: one neuroid, a picture's mean, backwards."""

    identifier = "brightness"

    def __init__(self):
        self.fitted = None
        self.calls = []

    def visual_degrees(self):
        return 8

    def start_recording(self, recording_target, time_bins):
        self.calls.append((recording_target, list(time_bins)))

    def start_task(self, task, fitting_stimuli):
        assert task == "probabilities"
        means = pd.Series(self.means(fitting_stimuli))
        by_label = means.groupby(fitting_stimuli["image_label"].tolist()).mean()
        self.fitted = by_label.sort_index()

    def means(self, stimuli):
        means, self.sizes = [], set()
        for each in stimuli["stimulus_id"]:
            with Image.open(stimuli.get_stimulus(each)) as picture:
                means.append(float(np.asarray(picture.convert("L")).mean()))
                self.sizes.add(picture.size)
        return means

    def look_at(self, stimuli, number_of_trials=1):
        means = np.array(self.means(stimuli))[::-1, None]
        ids = ("presentation", stimuli["stimulus_id"].tolist()[::-1])
        if self.fitted is None:
            dims = ["presentation", "neuroid"]
            return xarray.DataArray(means, {"stimulus_id": ids}, dims)
        middle, slope = self.fitted.mean(), 1.0
        p = 1 / (1 + np.exp(-slope * (means - middle)))
        dims, choices = ["presentation", "choice"], ["no target", "target"]
        coords = {"stimulus_id": ids, "choice": choices}
        return xarray.DataArray(np.hstack([1 - p, p]), coords, dims)


def filters(light):
    """Return the network as an observer, in gray, a pixel for each of the stimulus."""
    preprocess = yoked.Preprocess(light, 1, "none")
    options = {"readout": "linear", "fit_trials": 256, "preprocess": preprocess}
    return yoked.from_torch(
        Filters(), name="filters", layer="seen", field_deg=8.0, size_px=160, **options
    )


@pytest.mark.parametrize("light", ["linear", "srgb"])
def test_a_network_as_a_model_does_the_trials_as_it_does_itself(light):
    """Through picture files of 8 bits and back: the same d', the same kernel."""
    protocol = yoked.load_protocol(PROTOCOL)
    told = {"seed": 5, "trials": 400, "contrast": 0.5}
    direct = yoked.run(protocol, filters(light), **told)
    model = yoked.as_brain_model(filters(light), {"V1": "seen"})
    observer = yoked.from_brain_model(model, "V1", light=light, fit_trials=256)
    around = yoked.run(protocol, observer, **told)
    first, second = (yoked.dprime(each) for each in (direct, around))
    assert first.low < second.value < first.high
    assert first.value > 0.8
    ours, theirs = (each.trials["response"].to_numpy() for each in (direct, around))
    assert np.mean(ours == theirs) > 0.98
    kernels = [np.ravel(yoked.kernel(each).kernel) for each in (direct, around)]
    assert np.corrcoef(*kernels)[0, 1] > 0.98
    assert observer.parameters["readout"]["n_features"] == 64


def test_all_that_is_bright_is_the_targets():
    """A stranger's model with one unit, which gives its rows in another order."""
    protocol = yoked.load_protocol(PROTOCOL)
    model = BrightnessModel()
    observer = yoked.from_brain_model(model, "V1", light="linear", fit_trials=64)
    observer.prepare(Viewing.of(protocol))
    observer.learn(Practice(protocol))
    _, frames = Practice(protocol).draw(8, 50, 0.4)
    found = observer.decide(frames, ObserverNoise(1, np.arange(8)))
    means = frames.astype(float).mean(axis=(2, 3, 4))
    assert found.shape == means.shape
    assert np.corrcoef(found.ravel(), means.ravel())[0, 1] == pytest.approx(1, abs=1e-3)
    assert model.calls[-1] == ("V1", [(70.0, 170.0)])
    assert model.sizes == {(160, 160)}  # 8 degrees at .05 a pixel
    assert observer.name == "brightness"


def test_a_models_own_probabilities_decide():
    """The decision is the log odds of the target, at a slope of 1 the mean itself."""
    protocol = yoked.load_protocol(PROTOCOL)
    observer = yoked.from_brain_model(
        BrightnessModel(), task="probabilities", light="linear", fit_trials=64
    )
    observer.prepare(Viewing.of(protocol))
    observer.learn(Practice(protocol))
    _, frames = Practice(protocol).draw(8, 50, 0.4)
    found = observer.decide(frames, ObserverNoise(1, np.arange(8)))
    means = frames.astype(float).mean(axis=(2, 3, 4)).ravel()
    slope = np.polyfit(means, found.ravel(), 1)[0]
    height, width = frames.shape[-2:]
    assert slope == pytest.approx(height * width / 160**2, rel=0.05)


def test_a_session_can_be_run_and_analysed():
    protocol = yoked.load_protocol(PROTOCOL)
    observer = yoked.from_brain_model(
        BrightnessModel(), task="probabilities", fit_trials=64
    )
    session = yoked.run(protocol, observer, seed=2, trials=60, contrast=0.4)
    assert yoked.dprime(session).value > 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "region or task must be given, one of them, got neither"),
        ({"region": "V1", "task": "probabilities"}, "one of them, got both"),
        ({"task": "label"}, "task must be probabilities, got 'label'"),
        ({"region": "V1", "light": "dark"}, "light must be one of srgb, linear"),
        ({"region": "V1", "fit_trials": 100}, "fit_trials must be a multiple of 64"),
        ({"region": "V1", "at_once": 0}, "at_once must be 1 or more, got 0"),
        ({"region": "V1", "time_bins": ()}, "time_bins must be one or more pairs"),
    ],
)
def test_options_out_of_range_are_one_sentence(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        yoked.from_brain_model(BrightnessModel(), **options)


def test_what_is_no_model_is_refused():
    with pytest.raises(
        ValueError, match="an object with identifier, as BrainModel has"
    ):
        yoked.from_brain_model(object(), "V1")


class Short(BrightnessModel):
    """Forgets a picture."""

    def look_at(self, stimuli, number_of_trials=1):
        return super().look_at(stimuli)[1:]


class Mute(BrightnessModel):
    """Says nothing."""

    def look_at(self, stimuli, number_of_trials=1):
        return None


class Narrow(BrightnessModel):
    """Sees one degree."""

    def visual_degrees(self):
        return 1


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (Short, "one row for each of 128 pictures, got 127"),
        (Mute, "an assembly along presentation, got NoneType"),
        (Narrow, "within the 1 degrees that brightness sees, got"),
    ],
)
def test_what_does_not_answer_is_one_sentence(model, sentence):
    protocol = yoked.load_protocol(PROTOCOL)
    observer = yoked.from_brain_model(model(), "V1", fit_trials=64)
    with pytest.raises(ValueError, match=sentence):
        yoked.run(protocol, observer, seed=1, trials=8)
