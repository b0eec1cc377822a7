"""Neural predictivity: the ceiling of a known truth, Brain-Score's splits, refusals."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from yoked.analysis.brain.mappings import ALPHAS, fitted
from yoked.analysis.brain.predictivity import (
    neural_predictivity,
    transfer_predictivity,
)
from yoked.analysis.brain.splits import splits

from .made import population, reliability


@pytest.mark.parametrize("mapping", ["pls", "ridge", "ridge-cv", "ols"])
def test_the_true_features_reach_the_root_of_the_reliability(mapping):
    features, responses = population(1500)
    found = neural_predictivity(features, responses, mapping, n_components=20)
    assert found.score.value == pytest.approx(np.sqrt(reliability()), abs=0.02)
    assert found.score.low < found.score.value < found.score.high
    assert len(found.per_unit) == 40


@pytest.mark.parametrize("mapping", ["pls", "ridge", "ridge-cv", "single-unit"])
def test_unrelated_features_score_about_0(mapping):
    _, responses = population(400)
    other = np.random.default_rng(9).normal(size=(400, 60))
    score = neural_predictivity(other, responses, mapping).score
    assert abs(score.value) < 0.05


def test_it_is_what_scikit_learn_and_scipy_give_step_by_step():
    """Brain-Score's: PLS of 25 without scaling, strata, medians, mean over splits."""
    features, responses = population(200, p=30, units=6)
    objects = np.array(["bear", "car", "face", "plane"])[np.arange(200) % 4]
    y, medians = responses.mean(axis=0), []
    drawn = StratifiedShuffleSplit(10, train_size=0.9, random_state=1)
    for train, test in drawn.split(y, objects):
        model = PLSRegression(n_components=25, scale=False)
        predicted = model.fit(features[train], y[train]).predict(features[test])
        r = [pearsonr(predicted[:, u], y[test, u]).statistic for u in range(6)]
        medians.append(np.median(r))
    found = neural_predictivity(features, responses, objects=list(objects))
    assert found.score.value == pytest.approx(np.mean(medians), abs=1e-12)
    assert found.split_sem == pytest.approx(np.std(medians) / np.sqrt(10), abs=1e-12)
    assert found.score.formula == "neural-predictivity-pls-25/1"
    assert found.is_stratified


@pytest.mark.parametrize(
    ("mapping", "model"),
    [
        ("pls", PLSRegression(n_components=25, scale=False)),
        ("ridge", Ridge(alpha=1)),
        ("ridge-cv", RidgeCV(alphas=ALPHAS)),
        ("ols", LinearRegression()),
    ],
)
def test_more_features_than_stimuli_are_rotated_without_changing_a_score(
    mapping, model
):
    """scikit-learn is given all of 700 features, of other sizes and offsets."""
    rng = np.random.default_rng(8)
    features = 5 + rng.normal(size=(100, 700)) * rng.uniform(0.2, 2, 700)
    responses = features @ rng.normal(size=(700, 5)) + 20 * rng.normal(size=(100, 5))
    expected = []
    for train, test in ShuffleSplit(10, train_size=0.9, random_state=1).split(features):
        predicted = model.fit(features[train], responses[train]).predict(features[test])
        r = [pearsonr(predicted[:, u], responses[test, u]).statistic for u in range(5)]
        expected.append(r)
    found = neural_predictivity(features, responses, mapping)
    assert found.r == pytest.approx(np.array(expected), abs=1e-6)
    assert found.n_features == 700


def test_features_of_a_low_rank_are_no_fault():
    """Twenty-five components are asked for, and five there are."""
    rng = np.random.default_rng(4)
    source = rng.normal(size=(150, 5))
    features = source @ rng.normal(size=(5, 60))
    responses = source @ rng.normal(size=(5, 8))
    assert neural_predictivity(features, responses).score.value == pytest.approx(1)


def test_single_unit_finds_the_feature_that_each_unit_copies():
    features, _ = population(300)
    responses = features[:, [4, 0, 7]] * 3 + 1
    found = neural_predictivity(features, responses, "single-unit")
    assert found.score.value == pytest.approx(1)
    assert found.per_unit == pytest.approx(np.ones(3))


def test_the_penalties_are_99_from_a_hundredth_to_ten_million():
    assert len(ALPHAS) == 99
    assert (ALPHAS[0], ALPHAS[-1]) == (0.01, 1e7)
    assert (np.diff(ALPHAS) > 0).all()


def test_splits_hold_out_a_tenth_and_spread_objects():
    objects = ["a", "b"] * 50
    for train, test in splits(100, objects):
        assert (len(train), len(test)) == (90, 10)
        assert not set(train) & set(test)
        assert np.bincount(test % 2).tolist() == [5, 5]


def test_another_recording_of_the_same_units_is_scored_by_what_one_fits():
    features, responses = population(1500)
    found = transfer_predictivity(
        features[:1000], responses[:, :1000], features[1000:], responses[:, 1000:]
    )
    assert found.score.value == pytest.approx(np.sqrt(reliability()), abs=0.03)
    assert found.score.formula == "neural-predictivity-train-test-ridge-cv/1"
    assert found.split_sem is None
    with pytest.raises(ValueError, match="500 of 500 stimuli with the same responses"):
        transfer_predictivity(features, responses, features[1000:], responses[:, 1000:])
    with pytest.raises(ValueError, match="units to score by must be the 40 of those"):
        transfer_predictivity(
            features[:900], responses[:, :900], features[900:], responses[:, 900:, :3]
        )


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 10), st.floats(-5, 5), st.integers(0, 100))
def test_units_scale_and_offset_change_nothing_of_ridge(scale, offset, seed):
    features, responses = population(60, units=4, noise=0.5, seed=seed)
    one = neural_predictivity(features, responses, "ridge").score.value
    other = neural_predictivity(features, scale * responses + offset, "ridge")
    assert other.score.value == pytest.approx(one, abs=1e-8)


def test_units_that_do_not_vary_do_not_count():
    features, responses = population(100, units=6)
    responses[:, :, 2] = 1.0
    found = neural_predictivity(features, responses, "ridge")
    assert found.score.n == 5
    assert found.score.note == "1 of 6 units do not count"
    nothing = neural_predictivity(features, np.ones((100, 3)), "ridge").score
    assert nothing.value is None
    assert nothing.note.startswith("no unit's responses and predictions both vary")


def test_missing_repeats_are_averaged_over_those_there_are():
    features, responses = population(60, units=3)
    responses[0, 5, 1] = np.nan
    neural_predictivity(features, responses, "ridge")
    responses[:, 5, 1] = np.nan
    with pytest.raises(ValueError, match="got none of unit 1 to stimulus 5"):
        neural_predictivity(features, responses, "ridge")


def test_what_does_not_fit_is_refused_in_a_sentence():
    features, responses = population(60, p=10, units=3)
    with pytest.raises(
        ValueError, match="at most 10, with 54 stimuli to fit and 10 fea"
    ):
        neural_predictivity(features, responses)
    with pytest.raises(
        ValueError, match=r"features must be of the 60 stimuli .*, got 59"
    ):
        neural_predictivity(features[:59], responses, "ridge")
    with pytest.raises(ValueError, match=r"stimuli must be 21 or more, .*, got 20"):
        neural_predictivity(features[:20], responses[:, :20], "ridge")
    with pytest.raises(LookupError, match=r"mapping must be one of pls, .*'pls-25'"):
        neural_predictivity(features, responses, "pls-25")
    with pytest.raises(ValueError, match="features must be finite numbers, got 60"):
        neural_predictivity(features * [[np.nan] + [1] * 9], responses, "ridge")
    with pytest.raises(ValueError, match="responses must be finite or missing, got 1"):
        neural_predictivity(features, np.where(responses == responses.max(), np.inf, 0))
    with pytest.raises(ValueError, match="objects must be one for each of the 60"):
        neural_predictivity(features, responses, "ridge", ["a"] * 59)
    with pytest.raises(ValueError, match="got one of 'odd'"):
        neural_predictivity(features, responses, "ridge", ["a"] * 59 + ["odd"])
    with pytest.raises(ValueError, match=r"no more than the 6 stimuli .*, got 20"):
        neural_predictivity(
            features, responses, "ridge", list("abcdefghijklmnopqrst") * 3
        )


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    monkeypatch.setitem(sys.modules, "sklearn.cross_decomposition", None)
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", None)
    sentence = r'brain measures need scikit-learn: pip install "yoked\[brain\]"'
    with pytest.raises(ModuleNotFoundError, match=sentence):
        fitted("ridge", np.eye(4), np.eye(4))
    with pytest.raises(ModuleNotFoundError, match=sentence):
        splits(100)
