"""The recording of Mahuas et al. 2020, as published."""

import numpy as np
import pytest

from tests.conftest import SHARED_DATA
from yoked.experiments.recordings.mahuas2020 import load_mahuas2020
from yoked.experiments.recordings.recording import RecordingError

FOLDER = SHARED_DATA / "mahuas2020"


@pytest.fixture(scope="module")
def recording():
    if not FOLDER.is_dir():
        pytest.skip(f"the recording of mahuas2020 is not in {FOLDER}")
    return load_mahuas2020(FOLDER)


def test_it_has_the_published_spikes(recording):
    published = [14295, 23005, 15287, 17762, 13325, 10707]
    assert recording.n_spikes("fit").tolist() == published


def test_every_part_is_as_long_as_published(recording):
    fit = recording.of("fit")
    assert len(fit) == 50
    assert {s.counts.shape for s in fit} == {(1, 21600, 6)}
    assert recording.of("repeats", with_stimulus=False)[0].counts.shape == (54, 2000, 6)
    assert recording.of("test")[0].n_repeats == 54
    assert recording.shape == (1, 31)


def test_a_frame_stays_for_ten_steps(recording):
    clock = recording.of("test")[0].frame_of_step
    assert np.array_equal(np.bincount(clock), np.full(len(clock) // 10, 10))


def test_a_folder_without_the_files_is_refused(tmp_path):
    with pytest.raises(RecordingError, match=r"got none of nonrepeat_data_bars\.mat"):
        load_mahuas2020(tmp_path)
