"""Stimuli that overlap: what is held out shares nothing with what is fitted to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.analysis.brain.encoding import encoding
from yoked.analysis.brain.predictivity import neural_predictivity
from yoked.analysis.brain.splits import splits
from yoked.experiments.recordings.population import InTime, PopulationRecording
from yoked.experiments.recordings.recording import RecordingError

WIDTH, N = 10, 300


def movies(rng, n_units):
    """Sum the last ten of independent frames, as each stimulus of a movie has them."""
    frames = rng.normal(size=(N + WIDTH - 1, n_units))
    return np.stack([frames[k : k + WIDTH].sum(0) for k in range(N)])


def test_what_knows_nothing_foretells_nothing_in_time_and_something_at_random():
    rng = np.random.default_rng(1)
    features, responses = movies(rng, 250), movies(rng, 15)
    order = InTime(("one",) * N, WIDTH - 1)
    at_random = neural_predictivity(features, responses, "ridge-cv")
    in_time = neural_predictivity(features, responses, "ridge-cv", order)
    assert at_random.score.value > 0.5  # of responses that have nothing to do with them
    assert abs(in_time.score.value) < 0.15
    assert in_time.score.formula == "neural-predictivity-in-time-ridge-cv/1"
    assert not in_time.is_stratified


def test_what_knows_the_truth_foretells_it_in_time():
    rng = np.random.default_rng(2)
    features = movies(rng, 12)
    responses = features @ rng.normal(size=(12, 8))
    order = InTime(("one",) * 150 + ("two",) * 150, WIDTH - 1)
    found = neural_predictivity(features, responses, "ridge-cv", order)
    assert found.score.value > 0.99
    sets = {"true": features, "wide": movies(rng, 40)}
    made = encoding(sets, responses, objects=order)
    assert made.matched["true"].score.value > 0.99 > made.matched["wide"].score.value
    formula = made.matched["true"].score.formula
    assert formula == "encoding-matched-in-time-units-ridge-cv/1"


@given(st.integers(40, 120), st.integers(0, 6), st.integers(1, 3))
def test_every_stimulus_is_held_out_once_and_none_overlaps_with_the_fit(n, reach, k):
    runs = tuple(f"run-{i * k // n}" for i in range(n))
    made = splits(n, InTime(runs, reach))
    assert sorted(np.concatenate([held for _, held in made]).tolist()) == [*range(n)]
    for fit, held_out in made:
        for stimulus in held_out:
            near = np.abs(fit - stimulus) <= reach
            assert not any(runs[i] == runs[stimulus] for i in fit[near])


def test_runs_that_cannot_be_are_told():
    with pytest.raises(RecordingError, match="reach must be 0 or more, got -1"):
        InTime(("a",), -1)
    with pytest.raises(RecordingError, match="in one piece, got pieces of 'a'"):
        InTime(("a", "b", "a"), 1)
    with pytest.raises(ValueError, match="one for each of the 50 stimuli, got 1"):
        splits(50, InTime(("a",), 1))
    with pytest.raises(ValueError, match="with 3 of 20 stimuli each, got 10"):
        splits(20, InTime(("a",) * 20, 1))
    with pytest.raises(ValueError, match=r"outside what overlaps .* got fewer of 50"):
        splits(50, InTime(("a",) * 50, 60))
    responses = np.zeros((1, 2, 1))
    with pytest.raises(RecordingError, match="one for each of the 2 stimuli, got 1"):
        PopulationRecording(
            "x", responses, ("a", "b"), ("u",), in_time=InTime(("a",), 1)
        )
