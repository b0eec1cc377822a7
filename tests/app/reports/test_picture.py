"""Pictures keep every contrast level of the trial that they show."""

import numpy as np
import pytest
from PIL import Image, ImageSequence

from yoked.app.reports.picture import side_by_side, write_picture
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.stimulus.render import render
from yoked.experiments.stimulus.sources import noise_source


def frames_of(protocol):
    table = {
        "stimulus_id": [7],
        "contrast": [max(protocol.contrast.values)],
        "target": [1],
        "block_kind": ["main"],
    }
    source = noise_source(protocol.noise.source, protocol, 20261120)
    return render(protocol, source, table)[0]


@pytest.fixture
def pictured(tmp_path):
    """Return a function from a protocol to its picture's pixels and duration in ms."""

    def write_and_read(protocol, suffix):
        path = tmp_path / f"trial{suffix}"
        with path.open("wb") as file:
            write_picture(file, suffix, protocol, frames_of(protocol))
        with Image.open(path) as image:
            frames = ImageSequence.Iterator(image)
            pixels = np.stack([np.asarray(frame.convert("L")) for frame in frames])
            return pixels, image.info.get("duration")

    return write_and_read


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("bar-in-noise", ".png"), ("bar-polarity", ".png"), ("movie-bar", ".gif")],
)
def test_a_picture_holds_the_levels_unchanged(pictured, name, suffix):
    protocol = load_protocol(name)
    pixels, _ = pictured(protocol, suffix)
    assert np.array_equal(pixels, side_by_side(frames_of(protocol)))


def test_every_interval_can_be_cut_out_again():
    frames = frames_of(load_protocol("bar-in-noise"))
    wide = side_by_side(frames)[0]
    times = wide.shape[1] // (2 * 52 + 3 * 13)
    small = wide[::times, ::times]
    assert np.array_equal(small[13:65, 13:65], frames[0, 0])
    assert np.array_equal(small[13:65, 78:130], frames[1, 0])


def test_a_movie_runs_at_its_own_pace(pictured):
    protocol = load_protocol("movie-bar")
    pixels, duration_ms = pictured(protocol, ".gif")
    assert len(pixels) == 9
    assert abs(duration_ms - protocol.timing.frame_ms) < 5


def test_a_movie_is_not_a_png(pictured):
    with pytest.raises(ValueError, match=r"a movie must end in \.gif, got '\.png'"):
        pictured(load_protocol("movie-bar"), ".png")


def test_a_picture_is_not_a_jpeg(pictured):
    match = r"must end in \.png or \.gif, got '\.jpg'"
    with pytest.raises(ValueError, match=match):
        pictured(load_protocol("bar-in-noise"), ".jpg")
