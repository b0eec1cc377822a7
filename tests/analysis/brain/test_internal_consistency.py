"""Internal consistency: the reliability that was simulated, and its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import ShuffleSplit

from tests.conftest import SHARED_DATA
from yoked.analysis.brain.internal_consistency import (
    internal_consistency,
    spearman_brown,
)
from yoked.analysis.trials.estimate import CannotTell
from yoked.experiments.recordings.mahuas2020 import load_mahuas2020
from yoked.experiments.recordings.population_of_cells import of_recording

from .made import population, reliability


@pytest.mark.parametrize(("noise", "repeats"), [(1.0, 2), (2.0, 6), (2.0, 20)])
def test_it_is_the_reliability_of_the_average(noise, repeats):
    _, responses = population(2000, repeats=repeats, noise=noise)
    found = internal_consistency(responses)
    assert found.consistency.value == pytest.approx(
        reliability(noise, repeats), abs=0.01
    )
    assert found.consistency.n == 40
    assert found.consistency.formula == "internal-consistency-spearman-brown/1"


def test_it_is_what_numpy_gives_from_the_halves_of_scikit_learn():
    _, responses = population(100, units=7)
    cuts = ShuffleSplit(10, train_size=0.5, random_state=1).split(responses)
    medians = []
    for train, test in cuts:
        one, other = responses[train].mean(0), responses[test].mean(0)
        r = [np.corrcoef(one[:, u], other[:, u])[0, 1] for u in range(7)]
        medians.append(np.median([2 * each / (1 + each) for each in r]))
    found = internal_consistency(responses)
    assert found.consistency.value == pytest.approx(np.mean(medians), abs=1e-12)
    assert found.split_sem == pytest.approx(np.std(medians) / np.sqrt(10), abs=1e-12)


def test_units_that_never_vary_do_not_count():
    _, responses = population(200, units=10)
    responses[:, :, 3] = 7.5
    found = internal_consistency(responses)
    assert found.consistency.n == 9
    assert found.consistency.note == "1 of 10 units do not count"
    assert np.isnan(found.per_unit[3])
    without = internal_consistency(np.delete(responses, 3, axis=2))
    assert found.consistency.value == pytest.approx(without.consistency.value)


def test_missing_repeats_are_left_out_of_the_averages():
    _, responses = population(1500, repeats=6, noise=1.0)
    whole = internal_consistency(responses).consistency.value
    gone = np.random.default_rng(2).random(responses.shape) < 0.1
    responses[gone] = np.nan
    found = internal_consistency(responses).consistency
    assert found.value == pytest.approx(whole, abs=0.03)
    assert found.value < whole


def test_the_interval_is_about_other_units():
    """Units of several reliabilities: the median moves with which were recorded."""
    rng = np.random.default_rng(3)
    noise = rng.uniform(0.5, 4.0, 2000)
    signal = rng.normal(size=(150, 2000))
    responses = signal + noise * rng.normal(size=(4, 150, 2000))
    truth = internal_consistency(responses).consistency.value
    held = 0
    for start in range(0, 2000, 40):
        found = internal_consistency(responses[:, :, start : start + 40]).consistency
        held += found.low <= truth <= found.high
    assert 0.85 <= held / 50 <= 1


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 100), st.floats(-50, 50))
def test_scale_and_offset_change_nothing(scale, offset):
    _, responses = population(60, units=5, noise=1.0)
    one = internal_consistency(responses).consistency.value
    other = internal_consistency(scale * responses + offset).consistency.value
    assert other == pytest.approx(one, abs=1e-8)


def test_published_cells_come_back_as_their_psth_does():
    """In bins of a frame .976; their PSTH, smoothed by two frames, .974 to .988."""
    folder = SHARED_DATA / "mahuas2020"
    if not folder.is_dir():
        pytest.skip(f"the recording of mahuas2020 is not in {folder}")
    found = of_recording(load_mahuas2020(folder))
    assert found.responses.shape == (54, 181, 6)
    assert found.pictures.shape == (181, 20, 1, 31)
    value = internal_consistency(found.responses).consistency.value
    assert value == pytest.approx(0.976, abs=0.005)


def test_two_repeats_have_one_cut_alone():
    _, responses = population(100, repeats=2)
    assert internal_consistency(responses).split_sem == pytest.approx(0, abs=1e-12)


def test_halves_that_agree_are_the_whole():
    assert spearman_brown(np.array([1.0, 0.0])).tolist() == [1.0, 0.0]


def test_one_repeat_and_two_stimuli_are_refused():
    _, responses = population(50)
    with pytest.raises(CannotTell, match="repetitions must be 2 or more to be halved"):
        internal_consistency(responses[:1])
    with pytest.raises(
        CannotTell, match="stimuli must be 3 or more to correlate, got 2"
    ):
        internal_consistency(responses[:, :2])


def test_constant_responses_have_no_consistency_and_say_why():
    found = internal_consistency(np.ones((4, 10, 3))).consistency
    assert found.value is None
    assert found.note.startswith("no unit's responses vary")
