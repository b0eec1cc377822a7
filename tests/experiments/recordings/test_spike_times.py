"""Times in steps: no spike is lost unsaid, none is moved, and clocks rise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.experiments.recordings.recording import RecordingError
from yoked.experiments.recordings.spike_times import clock_of_frames, counts_in_steps

times = st.lists(st.floats(-1, 3), max_size=40).map(lambda t: np.array(t, float))


@given(times, st.integers(1, 50), st.floats(0.5, 60))
def test_every_spike_is_counted_or_told(times_s, n_steps, step_ms):
    counts, n_outside = counts_in_steps(times_s, n_steps, step_ms)
    assert counts.sum() + n_outside == len(times_s)
    assert counts.shape == (n_steps,)


@given(st.integers(0, 9_999_999), st.integers(0, 600))
def test_a_sample_of_a_20_khz_clock_is_in_its_millisecond(sample, start_s):
    times_s = np.array([start_s + sample / 20_000])
    counts, _ = counts_in_steps(times_s, 500_000, 1.0, float(start_s))
    assert np.flatnonzero(counts).tolist() == [sample // 20]


@given(times, st.floats(-100, 100))
def test_another_origin_changes_nothing(times_s, start_s):
    times_s = np.round(times_s, 2) + 0.005  # in the middle of their steps
    here, _ = counts_in_steps(times_s, 200, 10.0)
    there, _ = counts_in_steps(times_s + start_s, 200, 10.0, start_s)
    assert np.array_equal(here, there)


def test_a_frame_is_shown_from_the_step_whose_middle_it_reaches():
    onsets = np.array([0.0014, 0.0036, 0.0101])
    clock = clock_of_frames(onsets, n_steps=12, step_ms=1.0)
    assert clock.tolist() == [-1, 0, 0, 0, *[1] * 6, 2, 2]


def test_the_clock_counts_from_the_start():
    onsets = np.arange(10) * 0.02 + 7
    clock = clock_of_frames(onsets, n_steps=20, step_ms=5.0, start_s=7.1)
    assert clock.tolist() == list(np.repeat([5, 6, 7, 8, 9], 4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: counts_in_steps(np.array([0.1, np.nan]), 9, 1.0),
            "spike times must be finite numbers, got 1 that are not",
        ),
        (
            lambda: counts_in_steps(np.full(256, 0.0031), 9, 1.0),
            "spikes must be at most 255 of a cell in a step, got 256 in step 3",
        ),
        (
            lambda: counts_in_steps(np.array([0.1]), 0, 1.0),
            "n_steps must be 1 or more, got 0",
        ),
        (
            lambda: counts_in_steps(np.array([0.1]), 5, -1.0),
            "step_ms must be more than 0, got -1.0",
        ),
        (
            lambda: counts_in_steps(np.array([0.1]), 5, 1.0, np.inf),
            "start_s must be a finite number, got inf",
        ),
        (
            lambda: clock_of_frames(np.array([0.0, 0.02, 0.02]), 9, 1.0),
            r"onsets of frames must rise, got 0\.02 s of frame 2 after 0\.02 s",
        ),
        (
            lambda: clock_of_frames(np.array([0.0, np.inf]), 9, 1.0),
            "onsets of frames must be finite numbers, got 1 that are not",
        ),
        (
            lambda: clock_of_frames(np.array([], float), 9, 1.0),
            "onsets of frames must be one or more, got none",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(RecordingError, match=message):
        call()
