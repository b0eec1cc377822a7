"""What is wrong with a recording: each fault is told, and what is right is not."""

import time
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import SHARED_DATA
from tests.experiments.recordings.simulated import (
    CELLS,
    FRAME_MS,
    STEPS_A_FRAME,
    counts_of,
    earlier,
    recording,
    segment,
    slow,
    white,
)
from yoked.experiments.recordings.frame_durations import stay
from yoked.experiments.recordings.intervals import surely_short
from yoked.experiments.recordings.mahuas2020 import load_mahuas2020
from yoked.experiments.recordings.problems import check, problems
from yoked.experiments.recordings.recording import Recording, RecordingError, Segment
from yoked.experiments.recordings.spike_times import counts_in_steps


def made(seed=1, stimulus=white, **cells):
    """Return a recording without faults: three segments to fit, one to test."""
    rng = np.random.default_rng(seed)
    fit = [segment(rng, "fit", 1500, stimulus=stimulus, **cells) for _ in range(3)]
    test = segment(rng, "test", 300, n_repeats=10, stimulus=stimulus, **cells)
    return recording(*fit, test)


@pytest.fixture(scope="module")
def good():
    return made()


@pytest.fixture(scope="module")
def mahuas2020():
    folder = SHARED_DATA / "mahuas2020"
    if not folder.is_dir():
        pytest.skip(f"the recording of mahuas2020 is not in {folder}")
    return load_mahuas2020(folder)


def with_segment(recording, place, **changes):
    segments = list(recording.segments)
    segments[place] = replace(segments[place], **changes)
    return replace(recording, segments=tuple(segments))


def test_a_good_recording_has_none(good):
    assert problems(good) == []
    check(good)


def test_the_published_recording_has_none_and_is_checked_in_seconds(mahuas2020):
    start = time.process_time()
    assert problems(mahuas2020) == []
    assert time.process_time() - start < 10  # 2 where nothing else runs


def test_all_are_told_at_once(good):
    frames = np.zeros_like(good.segments[0].frames)
    counts = good.segments[3].counts.copy()
    counts[..., 2] = 0
    faulty = with_segment(with_segment(good, 0, frames=frames), 3, counts=counts)
    with pytest.raises(RecordingError) as caught:
        check(faulty)
    assert str(caught.value).splitlines() == [
        "a cell must have spikes in the segments for test, got none of on-2",
        "a stimulus must vary, got the same all the time in segment 0 (fit)",
    ]


# --- cells ---------------------------------------------------------------------------


def test_a_silent_cell_is_told(good):
    segments = []
    for each in good.segments[:3]:
        counts = each.counts.copy()
        counts[..., [1, 3]] = 0
        segments.append(replace(each, counts=counts))
    silent = replace(good, segments=(*segments, good.segments[3]))
    told = "a cell must have spikes in the segments for fit, got none of off-1, off-2"
    assert told in problems(silent)


@pytest.mark.parametrize(
    ("step_ms", "is_told"), [(0.5, True), (1.0, True), (2.0, False)]
)
def test_two_spikes_in_a_step_are_a_fault_where_a_cell_cannot_fire_so_soon(
    step_ms, is_told
):
    rng = np.random.default_rng(2)
    frames, clock = white(rng, 40), np.repeat(np.arange(40, dtype=np.int32), 100)
    counts = np.zeros((1, 4000, 2), np.uint8)
    counts[:, ::5] = rng.random((1, 800, 2)) < 0.5
    counts[..., 1] *= np.where(rng.random((1, 4000)) < 0.1, 2, 1).astype(np.uint8)
    one = Segment("fit", counts, frames, clock)
    found = problems(Recording("made-up", step_ms, 100 * step_ms, ("a", "b"), (one,)))
    n, n_all = int((counts[..., 1] == 2).sum()), int(counts[..., 1].sum()) - 1
    told = "intervals of b must be shorter than 1.5 ms in 1% at most"
    told = f"{told}, got {n / n_all:.1%} ({n} of {n_all})"
    assert [f for f in found if f.startswith("intervals")] == [told] * is_told


@pytest.mark.parametrize("step_ms", [0.05, 0.5, 1.0])
def test_one_cell_has_no_short_intervals_and_two_in_one_have(step_ms):
    """Spikes with a refractory period of 2 ms at 50 Hz, and those of two such cells."""
    rng = np.random.default_rng(3)
    trains = np.cumsum(0.002 + rng.exponential(0.018, size=(2, 5000)), axis=1)
    every, n_steps = np.sort(trains.ravel()), int(90_000 / step_ms)
    shares = []
    for times in (trains[0], every):
        counts, _ = counts_in_steps(times, n_steps, step_ms)
        short, of = surely_short(counts.reshape(1, -1, 1), step_ms, 1.5)
        shares.append(short[0] / of[0])
    assert shares[0] == 0
    # Of spikes of two cells, half of the neighbours are of the other one: within t, a
    # share of t / 20 ms; in one step of 1 ms, half as many as within 1 ms.
    within_ms = {0.05: 1.475, 0.5: 1.25, 1.0: 0.5}[step_ms]
    assert shares[1] == pytest.approx(within_ms / 20, rel=0.15)


def test_the_refractory_period_can_be_another(good):
    told = problems(good, refractory_ms=12.0)
    rule = "must be shorter than 12 ms in 1% at most, got"
    assert [
        f"intervals of {cell} {rule}" in f for cell, f in zip(CELLS, told, strict=True)
    ]


# --- stimulus and clock --------------------------------------------------------------


def test_a_flash_on_the_background_varies(good):
    clock = np.full(1500, -1, np.int32)
    clock[500:700] = 0
    frames = np.ones((1, 1, 12), np.float32)
    counts = np.tile(good.segments[3].counts, (1, 1, 1))
    flash = Segment("fit", counts, frames, clock)
    varied = replace(good, segments=(*good.segments, flash))
    assert problems(varied) == []
    constant = replace(varied, background=1.0)
    assert any(
        "the same all the time in segment 4 (fit)" in f for f in problems(constant)
    )


def test_frames_of_another_duration_are_told(good):
    other = replace(good, frame_ms=FRAME_MS * 1.25)
    where = "segments 0 (fit), 1 (fit), 2 (fit) and 1 more"
    told = f"a frame must stay for frame_ms, 25 ms, got 20 ms in {where}"
    assert told in problems(other)


def test_frames_that_drift_are_told(good):
    other = replace(good, frame_ms=FRAME_MS * 1.003)
    [told] = problems(other)
    assert told.startswith(
        "a frame must stay for frame_ms, 20.06 ms, got a drift of 4.3 frames "
        "(20 ms each) in segments 0 (fit), 1 (fit), 2 (fit)"
    )


def test_frames_that_were_dropped_or_stayed_longer_are_no_fault(good):
    clock = good.segments[0].frame_of_step.copy()
    clock[3000:3005] -= 1  # one stays twice as long, the next is dropped
    clock[5000:5010] = clock[5000]
    assert problems(with_segment(good, 0, frame_of_step=clock)) == []


@pytest.mark.parametrize(("step_ms", "frame_ms"), [(1, 50 / 3), (5, 50 / 3), (10, 4)])
def test_a_clock_in_steps_tells_how_long_frames_stay(step_ms, frame_ms):
    frame = (np.arange(20_000) + 0.5) * step_ms / frame_ms
    found = stay(frame.astype(np.int32), float(step_ms), float(frame_ms))
    assert found.ms == pytest.approx(frame_ms, abs=found.error_ms)
    assert found.drift(frame_ms) < 1
    assert found.drift(frame_ms * 1.001) > 1


def test_too_few_frames_tell_no_duration():
    assert stay(np.repeat(np.arange(4, dtype=np.int32), 5), 1.0, 5.0) is None
    assert stay(np.zeros(9, np.int32), 1.0, 5.0) is None


# --- order ---------------------------------------------------------------------------


def test_a_repeat_that_is_off_by_a_frame_is_told(good):
    counts = good.segments[3].counts.copy()
    counts[4] = np.roll(counts[4], STEPS_A_FRAME, axis=0)
    [told] = problems(with_segment(good, 3, counts=counts))
    assert told.startswith(
        "repeats must come at the same time in segment 3 (test), got repeat 4 20 ms "
        "later than others (z = "
    )


@pytest.mark.parametrize(("n_frames", "way"), [(1, "earlier"), (-1, "later")])
def test_a_segment_that_is_off_by_a_frame_is_told(n_frames, way):
    # Latencies of two frames: no spike comes before its frame.
    found = made(latency_frames=2)
    assert problems(found) == []
    segments = list(found.segments)
    segments[1] = earlier(segments[1], n_frames * STEPS_A_FRAME)
    [told] = problems(replace(found, segments=tuple(segments)))
    assert told.startswith(
        "spikes must follow their frames alike in all segments, got segment 1 (fit) "
        f"20 ms {way} than others (z = "
    )


@pytest.mark.parametrize("stimulus", [white, slow])
def test_spikes_that_come_a_frame_early_are_told(stimulus):
    found = made(stimulus=stimulus, rate_hz=20.0)
    assert problems(found) == []
    shifted = [earlier(each, STEPS_A_FRAME) for each in found.segments]
    [told] = problems(replace(found, segments=tuple(shifted)))
    assert told.startswith(
        "spikes must follow their frames, got some that foretell frames 20 ms later"
    )


def test_a_shift_within_the_latency_cannot_be_seen():
    found = made(latency_frames=2)
    shifted = [earlier(each, 2 * STEPS_A_FRAME) for each in found.segments]
    assert problems(replace(found, segments=tuple(shifted))) == []
    shifted = [earlier(each, 3 * STEPS_A_FRAME) for each in found.segments]
    assert len(problems(replace(found, segments=tuple(shifted)))) == 1


def test_frames_that_are_held_for_several_are_no_spikes_that_foretell():
    """A held frame foretells itself, which is no fault of the spikes."""
    rng = np.random.default_rng(5)
    segments = []
    for _ in range(3):
        frames = np.repeat(white(rng, 500), 3, axis=0)
        clock = np.repeat(np.arange(1500, dtype=np.int32), STEPS_A_FRAME)
        segments.append(Segment("fit", counts_of(rng, frames), frames, clock))
    found = recording(*segments)
    assert problems(found) == []
    shifted = [earlier(each, 3 * STEPS_A_FRAME) for each in segments]
    [told] = problems(recording(*shifted))
    assert "got some that foretell frames 60 ms later" in told


def test_no_alarm_in_many_recordings():
    """White and slow stimuli, with and without latency."""
    for seed in range(12):
        for stimulus in (white, slow):
            for latency_frames in (0, 2):
                found = made(seed, stimulus, latency_frames=latency_frames)
                assert problems(found) == [], (seed, stimulus, latency_frames)


def test_a_stimulus_that_can_be_foretold_tells_nothing(good):
    rng = np.random.default_rng(6)
    phase = np.arange(1500)[:, None, None] / 7 + np.arange(12)
    frames = np.sin(phase).astype(np.float32)
    clock = np.repeat(np.arange(1500, dtype=np.int32), STEPS_A_FRAME)
    grating = Segment("fit", counts_of(rng, frames), frames, clock)
    assert problems(recording(grating)) == []
    assert problems(recording(earlier(grating, STEPS_A_FRAME))) == []


def test_the_published_recording_shifted_by_its_latency_is_told(mahuas2020):
    shifted = [
        each if each.frames is None else earlier(each, 80)
        for each in mahuas2020.segments
    ]
    [told] = problems(replace(mahuas2020, segments=tuple(shifted)))
    assert told.startswith("spikes must follow their frames, got some that foretell")
