"""Layers of networks beside recordings that copy one of them: it is found."""

from dataclasses import replace

import numpy as np
import pytest

import yoked
from yoked.analysis.brain.predictivity import neural_predictivity
from yoked.app.brain.layer_features import layer_features
from yoked.app.brain.layer_scores import layer_scores
from yoked.experiments.recordings.recording import RecordingError

from .made import recording


@pytest.fixture(scope="module")
def observer():
    return yoked.load_observer("cornet-z", seed=1)


@pytest.fixture(scope="module")
def made():
    return recording()


def test_the_layer_that_units_copy_foretells_them_best(made, observer):
    found = layer_scores(made, [observer], ["v1", "v4", "it"], "ridge-cv")
    by_layer = {each.layer: each for each in found}
    best = max(found, key=lambda each: each.raw.value)
    assert best.layer == "v4"
    assert best.square_over_ceiling.value > by_layer["v1"].square_over_ceiling.value
    assert best.raw.value > 0.6
    assert best.consistency.value == pytest.approx(1 / (1 + 0.25 / 4), abs=0.02)


def test_a_score_is_that_of_its_features(made, observer):
    (found,) = layer_scores(made, [observer], ["it"], "pls")
    features = layer_features(observer, ["it"], made)["it"]
    expected = neural_predictivity(features, made.responses)
    assert found.raw == expected.score
    assert found.n_features == features.shape[1]
    r, c = found.raw.value, found.consistency.value
    assert found.square_over_ceiling.value == pytest.approx(r**2 / c)
    assert found.square_of_ratio.value == pytest.approx((r / c) ** 2)


def test_the_layer_is_chosen_on_another_recording(made, observer):
    other = recording(seed=2, name="public")
    (found,) = layer_scores(made, [observer], ["v1", "v4"], "ridge-cv", commit_on=other)
    assert (found.layer, found.chosen_on) == ("v4", "public")
    assert set(found.chosen_by) == {"v1", "v4"}
    (alone,) = layer_scores(made, [observer], ["v4"], "ridge-cv")
    assert found.raw.value == pytest.approx(alone.raw.value)
    with pytest.raises(ValueError, match="must be of other pictures than"):
        layer_scores(made, [observer], ["v1"], "ridge", commit_on=made)


def test_the_other_measures_have_what_belongs_to_them(made, observer):
    (cka,) = layer_scores(made, [observer], ["v4"], "cka")
    assert cka.raw.formula == "cka-linear-unbiased/1"
    assert cka.square_over_ceiling is None
    (rsa,) = layer_scores(made, [observer], ["v4"], "rsa")
    assert rsa.lower_ceiling.value <= rsa.upper_ceiling.value
    assert rsa.raw.n == 3
    one, two = layer_scores(made, [observer], ["v1", "it"], "encoding")
    assert one.n_features == two.n_features
    assert one.unmatched.formula == "neural-predictivity-ridge-cv/1"


def test_a_region_has_its_units_alone(made, observer):
    (found,) = layer_scores(made, [observer], ["it"], "ridge", region="IT")
    assert (found.region, found.n_units) == ("IT", 6)


def test_one_repeat_has_no_ceiling_and_says_so(made, observer):
    once = replace(made, responses=made.responses[:1])
    (found,) = layer_scores(once, [observer], ["it"], "ridge")
    assert found.square_over_ceiling.value is None
    assert (
        found.consistency.note
        == "the stimuli were shown once: there is nothing to halve"
    )


def test_objects_are_spread_where_they_are_named(made, observer):
    named = replace(made, objects=("car", "face") * 45)
    (spread,) = layer_scores(named, [observer], ["it"], "ridge")
    (plain,) = layer_scores(named, [observer], ["it"], "ridge", spread_objects=False)
    (without,) = layer_scores(made, [observer], ["it"], "ridge")
    assert plain.raw == without.raw
    assert spread.raw != without.raw


def test_progress_is_told_of_all_pictures(made, observer):
    told = []
    layer_features(observer, ["it"], made, progress=lambda *args: told.append(args))
    assert [(done, total) for _, done, total in told] == [(64, 90), (90, 90)]
    assert told[0][0] == f"pictures through {observer.name}"


def test_frames_are_shown_one_by_one_or_as_a_movie_as_the_network_takes_them(
    made, observer
):
    movies = np.concatenate([made.pictures, -made.pictures], axis=1)
    shown = replace(made, pictures=movies, frame_ms=50.0)
    features = layer_features(observer, ["it"], shown)["it"]
    still = layer_features(observer, ["it"], made)["it"]
    assert np.allclose(features[:, : still.shape[1]], still, atol=1e-5)
    assert features.shape == (90, 2 * still.shape[1])
    whole = yoked.load_observer("cornet-z", seed=1, over_time="channels")
    assert layer_features(whole, ["it"], shown)["it"].shape == still.shape


def test_what_does_not_fit_is_refused(made, observer):
    with pytest.raises(LookupError, match=r"measure must be one of pls, .*'plz'"):
        layer_scores(made, [observer], ["it"], "plz")
    with pytest.raises(ValueError, match="layers must be one or more, each once"):
        layer_scores(made, [observer], ["it", "it"])
    with pytest.raises(ValueError, match="to choose a layer by, got 'cka'"):
        layer_scores(made, [observer], ["it"], "cka", commit_on=made)
    with pytest.raises(RecordingError, match="pictures must be known to be shown"):
        layer_scores(replace(made, pictures=None), [observer], ["it"])
    with pytest.raises(RecordingError, match="the size of pictures must be known"):
        layer_scores(replace(made, deg_per_px=None), [observer], ["it"])
    with pytest.raises(ValueError, match="observer must be a network that can"):
        layer_scores(made, [yoked.load_observer("template")], ["it"])
