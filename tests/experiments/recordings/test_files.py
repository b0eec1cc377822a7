"""A recording by its path: each kind is known, and problems are refused."""

import numpy as np
import pytest

from tests.conftest import SHARED_DATA
from tests.experiments.recordings.simulated import recording, segment
from yoked.experiments.recordings.files import load_recording
from yoked.experiments.recordings.recording import RecordingError
from yoked.experiments.recordings.write_plain import write_plain


@pytest.fixture
def kept(tmp_path):
    rng = np.random.default_rng(1)
    found = recording(segment(rng, "fit", 1200), segment(rng, "test", 100, 5))
    write_plain(found, tmp_path / "kept")
    return found, tmp_path / "kept"


def test_the_plain_format_is_known(kept):
    found, folder = kept
    assert load_recording(folder).sha256 == found.sha256
    assert load_recording(str(folder)).name == "simulated"


def test_the_published_recording_is_known():
    folder = SHARED_DATA / "mahuas2020"
    if not folder.is_dir():
        pytest.skip(f"the recording of mahuas2020 is not in {folder}")
    assert load_recording(folder).name == "mahuas2020"


def test_what_has_problems_is_refused(kept):
    _, folder = kept
    np.save(folder / "segment-000-frames.npy", np.zeros((1200, 1, 12), np.float32))
    with pytest.raises(RecordingError, match="a stimulus must vary, got the same all"):
        load_recording(folder)


def test_steps_are_said_of_files_alone_that_have_none(kept):
    _, folder = kept
    message = "step_ms must be left out where a recording has its own, got 2"
    with pytest.raises(RecordingError, match=message):
        load_recording(folder, step_ms=2.0)


@pytest.mark.parametrize("name", ["nothing.nwb", "nothing", "."])
def test_anything_else_is_told(tmp_path, name):
    message = r"must be a folder with recording\.toml, a folder with the files of mahua"
    with pytest.raises(RecordingError, match=message):
        load_recording(tmp_path / name)
