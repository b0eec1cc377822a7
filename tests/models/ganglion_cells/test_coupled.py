"""Coupled cells: what spikes do is found from repeats, and rates are kept."""

from dataclasses import replace

import numpy as np
import pytest

from tests.models.ganglion_cells.simulated import coupled_spikes, noise_bars
from yoked.analysis.spikes.noise_correlations import noise_correlation_error
from yoked.experiments.recordings.recording import Recording, RecordingError, Segment
from yoked.models.ganglion_cells.fitting import FitSettings, fit
from yoked.models.ganglion_cells.stimulus_fit import Grid

STEP_MS = 5 / 3
REFRACTORY = 2
LIGHT = FitSettings(grid=Grid(l1=(10.0, 1.0), smoothness=(1.0,)))
LAGS = np.arange(25)
# Size of what a spike of a source (column) does to a cell (row) at the next step, and
# over how many steps it decays. A cell's own spikes make it less likely to fire.
SIZES = np.array([[-2.0, 1.2, 0.0], [0.8, -2.0, 0.0], [0.0, -1.2, -2.0]])
KERNELS = np.exp(-LAGS / 5.0)[:, None, None] * SIZES  # (lag, cell, source)


def stimulus(rng, n_steps, frame_steps=10):
    frames = noise_bars(rng, n_steps // frame_steps, n_bars=3)
    return frames, np.repeat(np.arange(len(frames), dtype=np.int32), frame_steps)


def drive_of(frames, clock):
    """Log rate from the bars as they were over the last 60 steps."""
    shown = frames[clock, 0].astype(float)
    t = LAGS.repeat(3)[:60] / 6
    kernel = t * np.exp(1 - t) / 30
    drive = np.stack([np.convolve(x, kernel)[: len(x)] for x in shown.T], axis=1)
    return np.log(0.04) + 1.5 * drive


@pytest.fixture(scope="module")
def recording():
    rng = np.random.default_rng(1)
    frames, clock = stimulus(rng, 60_000)
    alone = coupled_spikes(rng, drive_of(frames, clock)[None], KERNELS, REFRACTORY)
    segments = [Segment("fit", alone, frames, clock)]
    for use, n in (("repeats", 2000), ("test", 1500)):
        frames, clock = stimulus(rng, n)
        drive = np.broadcast_to(drive_of(frames, clock), (80, n, 3))
        counts = coupled_spikes(rng, drive, KERNELS, REFRACTORY)
        segments.append(Segment(use, counts, frames, clock))
    return Recording("coupled", STEP_MS, 10 * STEP_MS, ("a", "b", "c"), tuple(segments))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("kept") / "linear"


@pytest.fixture(scope="module")
def two_steps(recording, kept):
    return fit("two-step-glm", recording, settings=LIGHT, kept=kept)


@pytest.fixture(scope="module")
def at_once(recording, kept):
    return fit("glm", recording, settings=LIGHT, kept=kept)


def whole_effects(model):
    """Sum what a spike of another cell does over the lags: (cell, source)."""
    return model.by_lag().sum(axis=2)[~np.eye(3, dtype=bool)]


def true_effects():
    return KERNELS.sum(axis=0)[~np.eye(3, dtype=bool)]


def standard_errors(recording):
    """Whole effects of each fifth of the repeats, as if it were all there is."""
    (repeats,) = recording.of("repeats")
    found = []
    for k in range(5):
        fifth = replace(repeats, counts=repeats.counts[k::5])
        part = replace(recording, segments=(recording.segments[0], fifth))
        found.append(whole_effects(fit("two-step-glm", part, settings=LIGHT)))
    return np.std(found, axis=0, ddof=1) / np.sqrt(5)


def test_couplings_are_found_from_repeats(recording, two_steps):
    found, truth = whole_effects(two_steps), true_effects()
    errors = np.maximum(standard_errors(recording), 0.1)
    assert np.abs((found - truth) / errors).max() < 4
    assert np.array_equal(np.sign(found[truth != 0]), np.sign(truth[truth != 0]))
    by_lag = two_steps.by_lag()
    for cell, source in ((0, 1), (1, 0), (2, 1)):
        ours, lags = by_lag[cell, source], KERNELS[:, cell, source]
        assert np.corrcoef(ours, lags)[0, 1] > 0.9


def test_couplings_are_found_together_with_filters_where_nothing_else_couples(at_once):
    found, truth = whole_effects(at_once), true_effects()
    assert np.abs(found - truth).max() < 1.5
    assert np.corrcoef(found, truth)[0, 1] > 0.97


def test_refractory_periods_are_the_steps_that_are_silent(two_steps, at_once):
    assert two_steps.refractory.tolist() == [REFRACTORY] * 3
    # As published it is the shortest interval, which is one step more.
    assert at_once.refractory.tolist() == [REFRACTORY + 1] * 3


def test_noise_correlations_are_those_of_the_cells(recording, two_steps):
    (test,) = recording.of("test")
    coupled, alone = (
        noise_correlation_error(test.counts, one.simulate(test, 160, 1), width=25)
        for one in (two_steps, two_steps.alone)
    )
    assert coupled.rmse.value < min(0.06, alone.rmse.value / 3)


def test_the_exact_correction_keeps_the_rates_of_ln(recording, two_steps):
    (test,) = recording.of("test")
    rates = two_steps.rates(test)
    assert np.array_equal(rates, two_steps.alone.rates(test))
    simulated = two_steps.simulate(test, 1000, seed=3).mean(axis=0)
    assert simulated.mean(axis=0) == pytest.approx(rates.mean(axis=0), rel=0.02)


def test_the_published_correction_gives_rates_that_are_too_high(
    recording, two_steps, kept
):
    published = fit("two-step-glm-published", recording, settings=LIGHT, kept=kept)
    (test,) = recording.of("test")
    more = published.rates(test).mean() / two_steps.rates(test).mean()
    assert 1.0 < more < 1.5


def test_couplings_make_spikes_likelier(recording, two_steps, at_once):
    (test,) = recording.of("test")
    alone = two_steps.alone.log_likelihood(test).sum()
    assert two_steps.log_likelihood(test).sum() > alone
    assert at_once.log_likelihood(test).sum() > alone


def test_a_simulated_cell_never_fires_in_its_refractory_period(recording, two_steps):
    (test,) = recording.of("test")
    spikes = two_steps.simulate(test, 20, seed=1).astype(bool)
    for lag in range(1, REFRACTORY + 1):
        assert not (spikes[:, lag:] & spikes[:, :-lag]).any()


def test_couplings_need_repeats(recording, kept):
    fit_alone = replace(recording, segments=recording.segments[:1])
    rule = "recording coupled must have one segment for repeats or more, got none"
    with pytest.raises(RecordingError, match=rule):
        fit("two-step-glm", fit_alone, settings=LIGHT)


def test_couplings_need_a_segment_that_was_shown_twice(recording):
    fit_one, repeats, _ = recording.segments
    once = replace(repeats, counts=repeats.counts[:1])
    rule = "repeats must be a segment that was shown twice or more, to fit couplings"
    with pytest.raises(RecordingError, match=rule):
        fit(
            "two-step-glm",
            replace(recording, segments=(fit_one, once)),
            settings=LIGHT,
        )


def test_a_forbidden_spike_costs_and_is_not_free(recording, two_steps):
    (test,) = recording.of("test")
    longer = replace(two_steps, refractory=two_steps.refractory + 6)
    assert longer.log_likelihood(test).sum() < two_steps.log_likelihood(test).sum()
