"""Corruptions: repeatable, harder by severity, and no trace in global generators."""

import sys

import numpy as np
import pytest

from tests.models.robustness.eyes import LinearEye
from yoked.experiments.protocols.files import load_protocol
from yoked.models.robustness.corruptions import CORRUPTIONS, NO_PACKAGE, corrupted
from yoked.models.robustness.shown import Shown

# Two of each kind; glass blur is compiled first, which takes longest.
SOME = ("gaussian_noise", "impulse_noise", "defocus_blur", "glass_blur", "fog", "snow")


@pytest.fixture(scope="module")
def shown():
    return Shown(load_protocol("bar-in-noise"), LinearEye(), 100, 0.3)


@pytest.mark.parametrize("name", SOME)
def test_the_same_seed_gives_the_same_pictures(shown, name):
    frames = shown.frames[:2]
    one, again = (corrupted(frames, name, 3, seed=4) for _ in range(2))
    assert np.array_equal(one, again)
    assert one.shape == frames.shape
    assert not np.array_equal(one, frames)
    if name != "defocus_blur":  # which is not random
        assert not np.array_equal(one, corrupted(frames, name, 3, seed=5))


def test_noise_of_a_gray_picture_keeps_its_published_sd():
    """Gaussian noise of severity 1 and 3 has SD .08 and .18 of 255."""
    frames = np.full((2, 2, 1, 64, 64), 128, np.uint8)
    for severity, sd in ((1, 0.08), (3, 0.18)):
        found = corrupted(frames, "gaussian_noise", severity).std() / 255
        assert found == pytest.approx(sd, rel=0.03)


def test_each_frame_has_its_own_noise_whatever_stands_before_it():
    frames = np.full((3, 2, 1, 32, 32), 128, np.uint8)
    all_ = corrupted(frames, "gaussian_noise", 1)
    assert not np.array_equal(all_[0, 0], all_[0, 1])
    assert np.array_equal(corrupted(frames[:1], "gaussian_noise", 1), all_[:1])


def test_severity_lowers_accuracy_on_average(shown):
    names = ("motion_blur", "snow", "brightness", "contrast", "shot_noise")
    by_severity = [
        np.mean(
            [shown.correct_frames(corrupted(shown.frames, n, s)).mean() for n in names]
        )
        for s in (1, 5)
    ]
    clean = shown.correct_frames(shown.frames).mean()
    assert clean >= by_severity[0] > by_severity[1] + 0.05


def test_small_frames_are_enlarged_and_averaged_again():
    frames = np.full((1, 1, 1, 8, 20), 100, np.uint8)
    found = corrupted(frames, "gaussian_noise", 1)
    assert found.shape == frames.shape
    assert found.std() / 255 == pytest.approx(0.08 / 4, rel=0.3)  # of 4 x 4 blocks


def test_the_global_generator_is_as_it_was_and_nothing_is_printed(shown, capsys):
    before = np.random.get_state()
    for name in ("gaussian_noise", "glass_blur", "zoom_blur"):
        corrupted(shown.frames[:1], name, 2)
    after = np.random.get_state()
    assert np.array_equal(before[1], after[1])
    assert before[2:] == after[2:]
    assert capsys.readouterr().out == ""


def test_there_are_the_fifteen_of_the_package():
    from imagecorruptions import get_corruption_names

    assert tuple(get_corruption_names()) == CORRUPTIONS


def test_what_is_no_corruption_is_said(shown, monkeypatch):
    with pytest.raises(LookupError, match=r"no corruption named 'fogg'.*fog"):
        corrupted(shown.frames, "fogg", 1)
    with pytest.raises(ValueError, match="severity must be 1 to 5, got 6"):
        corrupted(shown.frames, "fog", 6)
    monkeypatch.setitem(sys.modules, "imagecorruptions", None)
    with pytest.raises(ModuleNotFoundError) as error:
        corrupted(shown.frames, "fog", 1)
    assert str(error.value) == NO_PACKAGE
