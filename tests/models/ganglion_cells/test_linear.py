"""LN cells: filters and rates that are known are found again, and fits are refused."""

from dataclasses import replace

import numpy as np
import pytest

from tests.models.ganglion_cells.simulated import (
    biphasic,
    bump,
    over_time,
    poisson_recording,
)
from yoked.analysis.spikes.scores import explained_variance
from yoked.experiments.recordings.recording import RecordingError
from yoked.models.ganglion_cells.fitting import FitSettings, fit
from yoked.models.ganglion_cells.stimulus_fit import Grid

LIGHT = FitSettings(grid=Grid(l1=(10.0, 3.0, 1.0), smoothness=(3.0,)))
BIAS = np.log([0.1, 0.2])
# (cell, bar, lag): an OFF cell and a faster ON cell beside it.
FILTERS = np.stack(
    [
        -0.9 * np.outer(bump(15, 6.0, 1.5), biphasic(peak=6.0)),
        0.7 * np.outer(bump(15, 9.0, 2.0), biphasic(peak=4.0)),
    ]
)


def true_rates(frames):
    drive = np.zeros((len(frames), 2))
    for cell, by_bar in enumerate(FILTERS):
        for bar, kernel in enumerate(by_bar):
            drive[:, cell] += over_time(frames[:, 0, bar : bar + 1], kernel)[:, 0]
    return np.exp(drive + BIAS)


@pytest.fixture(scope="module")
def recording():
    return poisson_recording(true_rates, seed=1, n_fit=30_000, n_test=1500)


@pytest.fixture(scope="module")
def model(recording):
    return fit("ln", recording, settings=LIGHT)


def test_filters_over_space_and_time_are_found(model):
    found = model.by_lag()[:, 0, :, : FILTERS.shape[2]]
    for ours, truth in zip(found, FILTERS, strict=True):
        assert np.corrcoef(ours.ravel(), truth.ravel())[0, 1] > 0.95
        assert np.linalg.norm(ours) == pytest.approx(np.linalg.norm(truth), rel=0.15)


def test_biases_are_found(model):
    assert model.bias == pytest.approx(BIAS, abs=0.1)


def test_rates_of_a_stimulus_it_never_saw_are_explained(model, recording):
    (test,) = recording.of("test")
    rates = model.rates(test)[40:]
    explained = explained_variance(rates, test.counts[:, 40:], width=1).explained
    assert min(cell.value for cell in explained.cells) > 0.9


def test_it_simulates_spikes_at_its_rates(model, recording):
    (test,) = recording.of("test")
    spikes = model.simulate(test, 400, seed=1)
    rates = model.rates(test)
    error = (spikes.mean(axis=0) - rates) / np.sqrt(rates / 400)
    assert abs(error.mean()) < 0.1
    assert error.std() == pytest.approx(1, abs=0.1)
    assert np.array_equal(spikes, model.simulate(test, 400, seed=1))


def test_a_bernoulli_fit_of_at_most_one_spike_a_step_finds_the_same_filters(recording):
    (one,) = recording.of("fit")
    seen = replace(recording, segments=(replace(one, counts=one.counts.clip(max=1)),))
    model = fit("ln", seen, settings=replace(LIGHT, likelihood="bernoulli"))
    found = model.by_lag()[:, 0, :, : FILTERS.shape[2]]
    for ours, truth in zip(found, FILTERS, strict=True):
        assert np.corrcoef(ours.ravel(), truth.ravel())[0, 1] > 0.95
        assert np.linalg.norm(ours) == pytest.approx(np.linalg.norm(truth), rel=0.15)
    assert model.simulate(one, 2, seed=1).max() == 1


def test_a_stimulus_in_other_units_about_another_background_gives_the_same_rates(
    recording, model
):
    moved = tuple(
        replace(s, frames=(2 * s.frames + 5).astype(np.float32))
        for s in recording.segments
    )
    other = replace(recording, segments=moved, background=5.0)
    # What weights cost is in units of the stimulus: half the weights, half the cost.
    doubled = Grid(l1=(20.0, 6.0, 2.0), smoothness=(12.0,))
    again = fit("ln", other, settings=FitSettings(grid=doubled))
    ours, theirs = model.rates(recording.segments[1]), again.rates(moved[1])
    assert np.abs(np.log(ours / theirs)).max() < 0.05


def test_the_strongest_penalty_leaves_the_bias_alone(recording):
    strong = FitSettings(grid=Grid(l1=(1e6,), smoothness=(1.0,)))
    model = fit("ln", recording, settings=strong)
    assert not model.filters.any()
    (one,) = recording.of("fit")
    mean = one.counts[0, 32:].mean(axis=0)  # but for steps before a filter is filled
    assert np.exp(model.bias) == pytest.approx(mean, rel=1e-3)
    assert model.n_parameters == 2


def test_too_many_elements_are_refused(recording):
    (one,) = recording.of("fit")
    wide = np.zeros((2, 30, 30), np.float32)
    clock = np.minimum(one.frame_of_step, 1)
    large = replace(
        recording, segments=(replace(one, frames=wide, frame_of_step=clock),)
    )
    rule = r"must have 3000 or fewer weights of a cell, fewer elements, got 30 x 30 ele"
    with pytest.raises(RecordingError, match=rule):
        fit("ln", large)


def test_a_recording_that_is_too_short_is_refused():
    rule = (
        "must be long enough to hold out a fifth, 50 steps or more, of each, got 10 a"
    )
    with pytest.raises(RecordingError, match=rule):
        fit("ln", poisson_recording(true_rates, 1, 20))
