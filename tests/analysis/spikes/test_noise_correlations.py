"""Noise correlations: a shared gain, none, and what two halves differ by."""

import numpy as np
import pytest

from tests.conftest import SHARED_DATA
from yoked.analysis.spikes.noise_correlations import (
    noise_correlation_error,
    noise_correlations,
)
from yoked.experiments.recordings.mahuas2020 import load_mahuas2020

FOLDER = SHARED_DATA / "mahuas2020"
WIDTH, BINS = 10, 60
PAIRS = np.triu_indices(4, 1)


def made(n_repeats, rng, spread=0.25, n_cells=4):
    """Return counts of cells whose gain is shared in each bin of each repeat.

    Counts of a bin have the mean m and the covariances m_i m_j v (i not j), m + m^2 v.
    """
    mean = np.linspace(1.5, 4, n_cells) * (1 + np.sin(np.arange(BINS) / 3)[:, None])
    gain = np.ones((n_repeats, BINS, 1))
    if spread:
        gain = rng.gamma(1 / spread, spread, gain.shape)
    rate = np.repeat(gain * mean / WIDTH, WIDTH, axis=1)
    covariance = spread * (mean.T @ mean) / BINS
    covariance[np.diag_indices(n_cells)] += mean.mean(axis=0)
    return rng.poisson(rate), covariance, mean.var(axis=0)


def test_a_shared_gain_is_recovered():
    counts, covariance, _ = made(400, np.random.default_rng(1))
    sd = np.sqrt(np.diag(covariance))
    expected = covariance / np.outer(sd, sd)
    found = noise_correlations(counts, WIDTH)
    z = (found.r - expected)[PAIRS] / found.se[PAIRS]
    assert np.abs(z).max() < 3.5
    assert found.se[PAIRS].max() < 0.02
    np.testing.assert_allclose(np.diag(found.r), 1)


def test_the_total_kind_is_a_share_of_all_variance():
    counts, covariance, signal = made(400, np.random.default_rng(2))
    sd = np.sqrt(np.diag(covariance) + signal)
    expected = covariance / np.outer(sd, sd)
    found = noise_correlations(counts, WIDTH, "total")
    assert np.abs((found.r - expected)[PAIRS] / found.se[PAIRS]).max() < 3.5
    np.testing.assert_allclose(np.diag(found.r), np.diag(expected), atol=0.02)


def test_few_repeats_do_not_bias_it_and_its_errors_are_those_of_other_repeats():
    rng = np.random.default_rng(3)
    found, ses = [], []
    for _ in range(80):
        counts, covariance, _ = made(12, rng)
        one = noise_correlations(counts, WIDTH)
        found.append(one.r[PAIRS])
        ses.append(one.se[PAIRS])
    sd = np.sqrt(np.diag(covariance))
    expected = (covariance / np.outer(sd, sd))[PAIRS]
    error = np.std(found, axis=0) / np.sqrt(80)
    assert np.abs((np.mean(found, axis=0) - expected) / error).max() < 3.5
    assert np.mean(ses) == pytest.approx(np.mean(np.std(found, axis=0)), rel=0.15)


def test_cells_that_share_nothing_have_none():
    counts, *_ = made(100, np.random.default_rng(4), spread=0)
    found = noise_correlations(counts, WIDTH)
    assert np.abs(found.r[PAIRS] / found.se[PAIRS]).max() < 3.5
    assert found.mean.low < 0 < found.mean.high


def test_a_drift_over_repeats_is_one():
    rng = np.random.default_rng(5)
    drift = np.linspace(0.5, 1.5, 60)[:, None, None]
    counts = rng.poisson(0.3 * np.broadcast_to(drift, (60, 600, 2)))
    assert noise_correlations(counts, WIDTH).r[0, 1] > 0.1


def test_a_simulation_of_the_truth_is_at_the_floor_that_halves_say():
    rng = np.random.default_rng(6)
    rmse, floor = [], []
    for seed in range(25):
        measured, simulated = made(30, rng)[0], made(90, rng)[0]
        found = noise_correlation_error(
            measured, simulated, WIDTH, n_splits=20, seed=seed
        )
        rmse.append(found.rmse.value)
        floor.append(found.rmse_floor.value)
        assert found.n_pairs == 6
    found, said = (np.sqrt(np.mean(np.square(each))) for each in (rmse, floor))
    assert found == pytest.approx(said, rel=0.15)


def test_a_simulation_without_shared_noise_is_off_by_all_of_it():
    rng = np.random.default_rng(7)
    (measured, covariance, _), (simulated, *_) = made(60, rng), made(60, rng, spread=0)
    found = noise_correlation_error(measured, simulated, WIDTH)
    sd = np.sqrt(np.diag(covariance))
    expected = (covariance / np.outer(sd, sd))[PAIRS]
    assert found.mean_difference.low < -expected.mean() < found.mean_difference.high
    assert found.rmse.value > 5 * found.rmse_floor.value
    assert found.rmse_of_halves.value > found.rmse_floor.value


def test_two_cells_have_no_correlation_over_pairs():
    rng = np.random.default_rng(8)
    one, other = (made(10, rng, n_cells=2)[0] for _ in range(2))
    found = noise_correlation_error(one, other, WIDTH, n_splits=3)
    assert "must be three or more to be correlated, got 1" in found.r.note
    assert found.r_ceiling.value is None


def test_the_published_range_is_met():
    """Of the whole test recording: .007 to .114, after the first 200 steps."""
    if not FOLDER.is_dir():
        pytest.skip(f"the recording of mahuas2020 is not in {FOLDER}")
    counts = load_mahuas2020(FOLDER).of("test")[0].counts[:, 200:]
    found = noise_correlations(counts, 25, "total").r[np.triu_indices(6, 1)]
    assert (found.min(), found.max()) == pytest.approx((0.007, 0.114), abs=0.005)
    error = noise_correlation_error(counts[:27], counts[27:], 25, "total")
    assert error.r_ceiling.value > 0.9


@pytest.mark.parametrize(
    ("shape", "kind", "text"),
    [
        ((2, 60, 2), "noise", "repeats must be 3 or more to tell signal from noise"),
        ((5, 60, 1), "noise", "cells must be two or more, got 1"),
        ((5, 60, 2), "shared", "kind must be noise or total, got 'shared'"),
        ((5, 60, 2), "noise", "every cell must have noise to have a noise correlation"),
    ],
)
def test_what_does_not_fit_is_refused(shape, kind, text):
    with pytest.raises(ValueError, match=text):
        noise_correlations(np.ones(shape, np.uint8), WIDTH, kind)


def test_other_cells_cannot_be_compared():
    rng = np.random.default_rng(9)
    one, other = made(10, rng)[0], made(10, rng, n_cells=3)[0]
    with pytest.raises(ValueError, match="must be of the 4 measured cells, got 3"):
        noise_correlation_error(one, other, WIDTH)
