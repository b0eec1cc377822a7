"""Repeats against each other: a shifted one is found, and those alike are not."""

import numpy as np
import pytest
from scipy import stats

from tests.experiments.recordings.simulated import (
    FRAME_MS,
    STEP_MS,
    STEPS_A_FRAME,
    counts_of,
    slow,
    white,
)
from yoked.experiments.recordings.shifts import shifted_repeats, z_by_blocks


def repeats(seed, n_repeats=20, stimulus=white):
    rng = np.random.default_rng(seed)
    return counts_of(rng, stimulus(rng, 300), n_repeats)


def moved(counts, repeat, n_steps):
    counts = counts.copy()
    counts[repeat] = np.roll(counts[repeat], n_steps, axis=0)
    return counts


@pytest.mark.parametrize("n_frames", [-2, -1, 1, 3])
def test_a_repeat_that_is_off_by_frames_is_found(n_frames):
    counts = moved(repeats(1), 7, n_frames * STEPS_A_FRAME)
    [found] = shifted_repeats(counts, STEP_MS, FRAME_MS)
    assert found.place == 7
    assert found.shift_ms == pytest.approx(n_frames * FRAME_MS, abs=STEP_MS)
    assert found.z > 5


def test_several_are_found_and_the_others_are_not():
    counts = moved(repeats(2), 3, STEPS_A_FRAME)
    counts = moved(counts, 12, -STEPS_A_FRAME)
    found = shifted_repeats(counts, STEP_MS, FRAME_MS)
    assert sorted(shift.place for shift in found) == [3, 12]


def test_of_two_repeats_one_is_named():
    rng = np.random.default_rng(3)
    counts = counts_of(rng, white(rng, 600), n_repeats=2, rate_hz=40.0)
    assert not shifted_repeats(counts, STEP_MS, FRAME_MS)
    counts = moved(counts, 1, 2 * STEPS_A_FRAME)
    assert len(shifted_repeats(counts, STEP_MS, FRAME_MS)) == 1


def test_no_alarm_in_a_thousand_repeats():
    for seed in range(25):
        for stimulus in (white, slow):
            counts = repeats(seed, stimulus=stimulus)
            assert not shifted_repeats(counts, STEP_MS, FRAME_MS), seed


def test_no_alarm_where_cells_fire_in_bursts():
    rng = np.random.default_rng(4)
    for _ in range(20):
        counts = repeats(int(rng.integers(1000)))
        for step in (1, 2, 3):  # three more spikes after each
            counts[:, step:] |= counts[:, :-step]
        assert not shifted_repeats(counts, STEP_MS, FRAME_MS)


def test_a_latency_that_drifts_by_a_step_is_no_shift():
    counts = moved(repeats(5, n_repeats=40), 7, 1)
    assert not shifted_repeats(counts, STEP_MS, FRAME_MS)


def test_what_is_too_short_or_silent_tells_nothing():
    assert not shifted_repeats(repeats(6)[:, :20], STEP_MS, FRAME_MS)
    assert not shifted_repeats(np.zeros((5, 900, 2), np.uint8), STEP_MS, FRAME_MS)
    assert not shifted_repeats(repeats(6)[:1], STEP_MS, FRAME_MS)


def test_z_is_normal_where_noise_is():
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(4000, 600))
    noise[:, 1:] += noise[:, :-1]  # goes along with its neighbour
    z = [z_by_blocks(float(each.sum()), each, 20) for each in noise]
    assert stats.kstest(z, "norm").pvalue > 0.01
