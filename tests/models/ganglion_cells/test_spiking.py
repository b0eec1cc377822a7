"""Simulated spikes of coupled cells, and the drive that keeps a rate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.ganglion_cells.simulated import coupled_spikes as in_numpy
from yoked.models.ganglion_cells.spiking import coupled_spikes, mean_preserving_drive
from yoked.models.ganglion_cells.spiking_numba import can_fire
from yoked.models.ganglion_cells.temporal_basis import Bases, Cosines

NO_REST = np.zeros(2, np.int64)

PUBLISHED = Bases.scaled(5 / 3)


def couplings(size):
    lags = np.exp(-np.arange(12) / 4)
    return np.array([[-1.0, size], [size, -1.0]])[..., None] * lags


@settings(max_examples=10)
@given(
    size=st.floats(min_value=-1.5, max_value=0.8),
    rest=st.integers(min_value=0, max_value=4),
    likelihood=st.sampled_from(["poisson", "bernoulli"]),
)
def test_the_drive_keeps_the_rate_at_every_step(size, rest, likelihood):
    steps = np.arange(200)
    log_rate = np.log(0.05 + 0.04 * np.sin(steps / 15))[:, None].repeat(2, axis=1)
    args = couplings(size), np.full(2, rest)
    drive = mean_preserving_drive(log_rate, *args, 2000, 1, likelihood)
    spikes = coupled_spikes(drive, *args, 4000, 2, likelihood)
    u = np.exp(log_rate)
    expected = u if likelihood == "poisson" else -np.expm1(-u)
    blocks = spikes.mean(axis=0).reshape(10, 20, 2).mean(axis=1)
    assert blocks == pytest.approx(expected.reshape(10, 20, 2).mean(axis=1), rel=0.06)


@pytest.mark.parametrize("likelihood", ["poisson", "bernoulli"])
def test_the_rate_is_kept_where_a_chance_cannot_rise_further(likelihood):
    log_rate = np.full((400, 2), np.log(0.3))
    excited = np.full((2, 2, 3), 1.0)  # u beyond 2 in the wake of both cells' spikes
    args = excited, np.ones(2, np.int64)
    drive = mean_preserving_drive(log_rate, *args, 1000, 1, likelihood)
    spikes = coupled_spikes(drive, *args, 1000, 2, likelihood)
    expected = 0.3 if likelihood == "poisson" else -np.expm1(-0.3)
    assert spikes[:, 10:].mean() == pytest.approx(expected, rel=0.02)


def test_without_couplings_the_drive_is_the_rate():
    log_rate = np.log(np.linspace(0.01, 0.5, 100))[:, None].repeat(2, axis=1)
    none = np.zeros((2, 2, 1))
    drive = mean_preserving_drive(log_rate, none, NO_REST, 50, 1, "poisson")
    assert drive == pytest.approx(log_rate)


def test_spikes_are_those_of_another_simulation():
    size, rest, rng = couplings(0.8), 3, np.random.default_rng(1)
    drive = np.full((300, 2), np.log(0.05))
    ours = coupled_spikes(drive, size, np.full(2, rest), 3000, 1, "poisson")
    theirs = in_numpy(
        rng, np.broadcast_to(drive, (3000, 300, 2)), size.transpose(2, 0, 1), rest
    )
    for lag in range(8):
        for i, j in ((0, 0), (0, 1), (1, 0)):
            one, other = (
                (s[:, lag:, i] & s[:, : 300 - lag, j]).mean() for s in (ours, theirs)
            )
            assert one == pytest.approx(other, rel=0.08, abs=2e-4)


def test_where_a_cell_can_fire_follows_from_its_spikes():
    spikes = np.zeros((1, 8, 1), np.uint8)
    spikes[0, [1, 5], 0] = 1
    free = can_fire(spikes, np.array([2]))
    assert free.ravel().tolist() == [1, 1, 0, 0, 1, 1, 0, 0]


def test_cosines_are_as_published():
    weights = PUBLISHED.stimulus.weights()
    assert weights.shape == (6, 200)
    assert weights.sum(axis=1) == pytest.approx(1)
    peaks = np.log(weights.argmax(axis=1) + 50)
    assert np.diff(peaks) == pytest.approx(np.log(220 / 51) / 5, abs=0.03)
    assert weights.argmax(axis=1)[[0, -1]].tolist() == [1, 170]
    # Where no cosine is cut off, they add up to a constant in log time.
    t = np.log(np.arange(200) + 50)
    raw = weights / weights.max(axis=1, keepdims=True)
    inside = (t > peaks[1]) & (t < peaks[-2])
    assert raw.sum(axis=0)[inside] == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("step_ms", [1.0, 5 / 3, 2.0, 5.0, 10.0, 1000 / 60, 1000 / 30])
def test_cosines_reach_over_the_same_time_at_any_step(step_ms):
    scaled = Bases.scaled(step_ms)
    for one, published in zip(
        vars(scaled).values(), vars(PUBLISHED).values(), strict=True
    ):
        length_ms = published.length * 5 / 3
        assert one.length * step_ms == pytest.approx(length_ms, abs=step_ms)
        weights = one.weights()
        assert weights.sum(axis=1) == pytest.approx(1)
        assert np.linalg.matrix_rank(weights) == len(weights)


def test_peaks_beyond_the_end_are_refused():
    rule = r"must be in \[0, 10\), the first before the last, got 0 and 12"
    with pytest.raises(ValueError, match=rule):
        Cosines(n=3, first=0, last=12, stretch=1, length=10)
    with pytest.raises(
        ValueError, match="n of raised cosines must be 2 or more, got 1"
    ):
        Cosines(n=1, first=0, last=5, stretch=1, length=10)
