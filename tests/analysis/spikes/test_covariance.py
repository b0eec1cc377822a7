"""Spike-triggered covariances: the filters of an energy cell, and none by chance."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from yoked.analysis.second_order.kernel import second_order_kernel
from yoked.analysis.spikes.covariance import triggered_covariance
from yoked.analysis.spikes.ensemble import SpikeEnsemble
from yoked.experiments.recordings.recording import Recording, Segment

STEPS, BARS, LAGS = 12_000, 4, 3
ONE = np.array([[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]) / 2  # (lag, bar)
OTHER = np.array([[0, 0, 0, 0], [1, 0, 0, -1], [1, 0, 0, -1]]) / 2


def made(rate_of, seed=1, blur=0.0, binary=False):
    """Return a recording of one cell whose rate depends on two filters' output."""
    rng = np.random.default_rng(seed)
    frames = rng.normal(size=(STEPS, BARS))
    if blur:
        frames = gaussian_filter1d(frames, blur, axis=0)
        frames /= frames.std()
    if binary:
        frames = np.sign(frames)
    along = [
        sum(np.roll(frames @ row, lag) for lag, row in enumerate(each))
        for each in (ONE, OTHER)
    ]
    counts = rng.poisson(rate_of(*along))[None, :, None].astype(np.uint8)
    clock = np.arange(STEPS, dtype=np.int32)
    segment = Segment("fit", counts, frames[:, None].astype(np.float32), clock)
    return Recording("made", 10.0, 10.0, ("a",), (segment,))


def energy(one, other):
    return 0.1 * (one**2 + 0.6 * other**2)


def linear(one, other):
    return 0.2 * np.exp(0.6 * one - 0.2)


def inside(filters, *true):
    """Return how much of each true filter lies in those found: 1 is all."""
    space = np.linalg.qr(filters.reshape(len(filters), -1).T)[0]
    return [np.linalg.norm(space.T @ w.ravel()) / np.linalg.norm(w) for w in true]


def test_an_energy_cell_has_its_two_filters():
    found = triggered_covariance(made(energy), "a", LAGS)
    assert found.n_significant == 2
    assert (found.values[:2] > 0).all()
    assert min(inside(found.filters, ONE, OTHER)) > 0.98
    assert found.p[0] == 0.01
    assert found.p[2] > 0.05
    assert found.values[0] > found.null_high[0]
    assert found.note is None


def test_it_is_the_difference_of_two_covariances():
    recording = made(energy)
    found = triggered_covariance(recording, "a", LAGS, n_shifts=19)
    ensemble = SpikeEnsemble.of(recording, LAGS, "frame")
    kernel = second_order_kernel(ensemble.responses(0), ensemble.source)
    np.testing.assert_allclose(found.kernel.kernel, kernel.kernel, atol=1e-12)
    segment = recording.segments[0]
    shown = segment.shown()[:, 0].astype(float)
    past = np.concatenate(
        [shown[LAGS - 1 - k : STEPS - k] for k in range(LAGS)], axis=1
    )
    times = segment.counts[0, LAGS - 1 :, 0]
    expected = np.cov(past.T, fweights=times) - np.cov(past.T)
    np.testing.assert_allclose(found.kernel.kernel, expected, atol=1e-10)


def test_a_cell_with_one_filter_and_an_exponential_has_no_other():
    """Its covariance is that of the stimulus: Gaussian, times an exponential."""
    found = triggered_covariance(made(linear, seed=2), "a", LAGS)
    assert found.n_significant == 0
    assert found.filters.shape == (0, LAGS, 1, BARS)


def test_without_the_linear_part_the_quadratic_one_is_left():
    def both(one, other):
        return 0.1 * np.maximum(1 + one, 0) ** 2 + 0.1 * other**2

    found = triggered_covariance(made(both), "a", LAGS, linear_part="remove")
    assert found.n_significant == 1
    assert inside(found.filters, OTHER)[0] > 0.97
    assert abs(float(found.filters[0].ravel() @ ONE.ravel())) < 0.15


def test_whitening_finds_the_filters_in_a_correlated_stimulus():
    recording = made(energy, blur=1.3)
    raw, white = (
        triggered_covariance(recording, "a", LAGS, passband=passband, n_shifts=39)
        for passband in (None, 0.01)
    )
    assert max(inside(raw.filters[:2], ONE, OTHER)) < 0.9
    assert white.n_significant == 2
    assert min(inside(white.filters, ONE, OTHER)) > 0.93


def test_bursts_that_know_nothing_of_the_stimulus_have_no_filter():
    rng = np.random.default_rng(3)
    found = []
    for seed in range(12):
        bursts = np.repeat(rng.poisson(0.05, STEPS // 10), 10)
        recording = made(lambda *_, b=bursts: 3.0 * b, seed, blur=2.0)
        found.append(triggered_covariance(recording, "a", 2, n_shifts=19).n_significant)
    assert np.count_nonzero(found) <= 3  # 5 % of 12, beyond 3 in .2 %


def test_shifted_spikes_are_as_many_and_in_their_segment():
    recording = made(energy)
    ensemble = SpikeEnsemble.of(recording, 50, "frame")
    shifted = ensemble.shifted(0, np.random.default_rng(1))
    own = ensemble.spikes[0]
    assert len(shifted) == len(own)
    assert shifted.min() >= 49
    assert shifted.max() < STEPS
    # Turned round: distances to the next are the same, but for one.
    gaps = [np.diff(np.sort(each)) for each in (own, shifted)]
    assert len(np.setdiff1d(*map(np.unique, gaps))) <= 2
    assert np.bincount(gaps[0])[0] == np.bincount(gaps[1])[0]


def test_of_a_binary_stimulus_the_number_of_filters_is_not_sure():
    found = triggered_covariance(made(linear, binary=True), "a", 2, n_shifts=19)
    assert found.note.startswith("the stimulus is not Gaussian (excess kurtosis -2.0)")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"cell": "b"}, "a cell must be one of a, got 'b'"),
        ({"linear_part": "both"}, "linear_part must be keep or remove, got 'both'"),
        ({"n_shifts": 18}, "n_shifts must be >= 19 for a test at alpha 0.05, got 18"),
        ({"alpha": 1.0}, r"alpha must be between 0 and 1, got 1\.0"),
        ({"passband": 1.0}, r"passband must be between 0 and 1, got 1\.0"),
        ({"n_lags": 600}, "elements must be at most 2,000 to have a covariance"),
    ],
)
def test_what_does_not_fit_is_refused(change, text):
    given = {"recording": made(linear), "cell": "a", "n_lags": 2, **change}
    with pytest.raises(ValueError, match=text):
        triggered_covariance(**given)
