"""What is new in a frame: known processes are taken apart, and nothing else is new."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from tests.experiments.recordings.simulated import FRAME_MS, recording, slow, white
from yoked.experiments.recordings.frame_rows import frame_rows
from yoked.experiments.recordings.innovations import innovations
from yoked.experiments.recordings.recording import Segment


def rows_of(frames, steps=5):
    n = len(frames)
    counts = np.zeros((1, n * steps, 4), np.uint8)
    counts[:, ::7] = 1
    clock = np.repeat(np.arange(n, dtype=np.int32), steps)
    return frame_rows(recording(Segment("fit", counts, frames, clock)))


def gaze(rng, n_frames):
    """Return patches of a smooth image under a gaze that drifts, and jumps."""
    image = gaussian_filter1d(rng.normal(size=20_000), 5)
    place, frames = 0, np.zeros((n_frames, 1, 12), np.float32)
    for k in range(n_frames):
        jumps = k % int(rng.integers(10, 21)) == 0
        place = rng.integers(100, 19_000) if jumps else place + rng.integers(-1, 2)
        frames[k, 0] = image[place : place + 12]
    return frames


def test_all_of_white_noise_is_new():
    rows = rows_of(white(np.random.default_rng(1), 4000))
    new = innovations(rows).new[rows.place >= 8]
    assert np.corrcoef(new.ravel(), rows.frames[rows.place >= 8].ravel())[0, 1] > 0.95


def test_the_noise_that_drives_a_process_is_what_is_new():
    frames = slow(np.random.default_rng(2), 6000)
    drive = frames[8:, 0] - 0.9 * frames[7:-1, 0]
    rows = rows_of(frames)
    new = innovations(rows).new[rows.place >= 8]
    assert np.corrcoef(new.ravel(), drive.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("stimulus", [white, slow, gaze])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_new_goes_along_with_no_earlier_frame(stimulus, seed):
    """Also where elements and frames are nearly equal to their neighbours."""
    rows = rows_of(stimulus(np.random.default_rng(seed), 6000))
    found = innovations(rows)
    known = np.flatnonzero(rows.place >= 8)
    for lag in range(1, 9):
        earlier, new = rows.frames[known - lag], found.new[known].astype(float)
        size = np.sqrt(np.square(earlier).sum() * np.square(new).sum())
        assert np.abs(earlier.T @ new).max() < 1e-4 * size


def test_a_grating_has_nothing_new():
    phase = np.arange(3000)[:, None, None] / 7 + np.arange(12)
    assert innovations(rows_of(np.sin(phase).astype(np.float32))) is None


def test_frames_that_are_few_or_alike_tell_nothing():
    frames = white(np.random.default_rng(3), 219)
    assert rows_of(frames) is None
    assert rows_of(np.ones((400, 1, 12), np.float32)) is None


def test_frames_that_are_held_are_one():
    frames = white(np.random.default_rng(4), 1000)
    rows = rows_of(np.repeat(frames, 4, axis=0))
    assert rows.frame_ms == 4 * FRAME_MS
    assert (rows.place >= 0).sum() == 1000


def test_a_stimulus_that_comes_again_is_known_by_its_first_showing():
    rng = np.random.default_rng(5)
    frames, other = white(rng, 600), white(rng, 600)
    counts = np.ones((1, 3000, 4), np.uint8)
    clock = np.repeat(np.arange(600, dtype=np.int32), 5)
    shown = [Segment("fit", counts, each, clock) for each in (frames, other, frames)]
    rows = frame_rows(recording(*shown))
    first = {int(at): rows.first[rows.segment == at] for at in range(3)}
    assert np.array_equal(first[2], first[0])
    assert not set(first[1]) & set(first[0])
