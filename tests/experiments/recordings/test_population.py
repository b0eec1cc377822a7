"""Population recordings: arrays in files, recordings of cells as movies, refusals."""

import numpy as np
import pytest

from yoked.experiments.recordings.population import PopulationRecording, as_contrast
from yoked.experiments.recordings.population_files import load_population
from yoked.experiments.recordings.population_of_cells import of_recording
from yoked.experiments.recordings.recording import Recording, RecordingError, Segment
from yoked.experiments.recordings.write_plain import write_plain


def responses(repeats=3, stimuli=4, units=2, seed=1):
    return np.random.default_rng(seed).normal(size=(repeats, stimuli, units))


def test_every_key_of_a_file_is_read_back(tmp_path):
    made = responses()
    pictures = np.random.default_rng(2).integers(0, 256, (4, 5, 6), dtype=np.uint8)
    np.savez(
        tmp_path / "it.npz",
        responses=made,
        stimuli=list("abcd"),
        units=["u", "v"],
        objects=["car", "face"] * 2,
        regions=["V4", "IT"],
        subjects=["m1", "m2"],
        pictures=pictures,
        deg_per_px=0.1,
        frame_ms=100,
        name="both",
    )
    found = load_population(tmp_path / "it.npz")
    assert np.array_equal(found.responses, made)
    assert (found.stimuli, found.units) == (tuple("abcd"), ("u", "v"))
    assert (found.name, found.deg_per_px, found.frame_ms) == ("both", 0.1, 100)
    assert found.pictures.shape == (4, 1, 5, 6)
    assert found.pictures[:, 0] == pytest.approx(pictures / 127.5 - 1, abs=1e-6)
    assert found.of_region("IT").units == ("v",)
    assert found.of_region("IT").subjects == ("m2",)
    assert np.array_equal(found.of_region("IT").responses, made[:, :, 1:])


def test_averaged_responses_are_one_repeat(tmp_path):
    np.savez(tmp_path / "x.npz", responses=np.ones((7, 3)))
    found = load_population(tmp_path / "x.npz", width_deg=8)
    assert found.responses.shape == (1, 7, 3)
    assert found.pictures is None
    assert found.deg_per_px is None


def test_a_width_makes_a_size_of_pixels(tmp_path):
    np.savez(
        tmp_path / "x.npz", responses=np.ones((7, 3)), pictures=np.zeros((7, 4, 16))
    )
    assert load_population(tmp_path / "x.npz", width_deg=8).deg_per_px == 0.5


def test_a_width_that_the_file_says_stays_and_is_noted(tmp_path):
    arrays = {"responses": np.ones((7, 3)), "pictures": np.zeros((7, 4, 16))}
    np.savez(tmp_path / "x.npz", **arrays, deg_per_px=0.25)
    found = load_population(tmp_path / "x.npz", width_deg=8)
    assert found.deg_per_px == 0.25
    assert found.notes == ("its pictures are 4 degrees wide, as it says, and not 8",)
    np.savez(tmp_path / "x.npz", **arrays, deg_per_px=[0.25, 0.5])
    with pytest.raises(RecordingError, match="deg_per_px must be one number, got"):
        load_population(tmp_path / "x.npz")


def test_code_values_are_contrast_from_minus_1_to_1():
    assert as_contrast(np.array([0, 255], np.uint8)).tolist() == [-1, 1]
    assert (np.diff(as_contrast(np.arange(256, dtype=np.uint8))) > 0).all()


def test_means_are_over_the_repeats_there_are_and_units_without_any_are_left_out():
    made = responses()
    made[1, 0, 0] = np.nan
    made[:, 2, 1] = np.nan
    found = PopulationRecording("x", made, tuple("abcd"), ("u", "v"))
    assert found.mean()[0, 0] == pytest.approx(made[[0, 2], 0, 0].mean())
    assert np.isnan(found.mean()[2, 1])
    kept = found.complete()
    assert kept.units == ("u",)
    assert kept.notes == ("1 of 2 units without a response to some stimulus left out",)


def test_cells_answer_to_movies_of_the_last_frames():
    """A cell that fires where the frame two before was bright follows the movies."""
    rng = np.random.default_rng(3)
    shown = rng.choice([-2.0, 6.0], (30, 1, 4)).astype(np.float32)  # about 2
    clock = np.repeat(np.arange(30, dtype=np.int32), 3)
    bright = np.concatenate([[0, 0], shown[:-2, 0, 1] > 0]).astype(np.uint8)
    counts = np.repeat(bright, 3)[None, :, None] * np.ones((2, 1, 1), np.uint8)
    segment = Segment("test", counts, shown, clock)
    cells = Recording("made-up", 5.0, 15.0, ("a",), (segment,), background=2.0)
    found = of_recording(cells, frames=4)
    assert found.pictures.shape == (27, 4, 1, 4)
    assert set(np.unique(found.pictures)) == {-1.0, 1.0}
    assert np.array_equal(found.pictures[0, :, 0], (shown[:4, 0] - 2) / 4)
    two_before = found.pictures[:, 1, 0, 1] > 0
    assert np.array_equal(found.responses[0, :, 0], 3.0 * two_before)
    assert found.stimuli[0] == "segment-0-bin-3"
    assert found.frame_ms == 15.0


def test_a_folder_of_the_plain_format_is_read_as_movies(tmp_path):
    rng = np.random.default_rng(4)
    shown = rng.choice([-1.0, 1.0], (240, 1, 5)).astype(np.float32)
    counts = rng.integers(0, 2, (3, 960, 2), dtype=np.uint8)
    clock = np.repeat(np.arange(240, dtype=np.int32), 4)
    parts = tuple(Segment(use, counts, shown, clock) for use in ("fit", "test"))
    write_plain(Recording("x", 5.0, 20.0, ("a", "b"), parts), tmp_path / "cells")
    found = load_population(tmp_path / "cells", frames=10, width_deg=1.0)
    assert found.responses.shape == (3, 231, 2)
    assert found.deg_per_px == 0.2
    assert "overlap" in found.notes[0]


def test_what_breaks_a_rule_is_refused_in_a_sentence(tmp_path):
    made = responses()
    names = {"stimuli": tuple("abcd"), "units": ("u", "v")}
    make = PopulationRecording
    with pytest.raises(RecordingError, match="stimuli must be one for each of 4"):
        make("x", made, tuple("abc"), ("u", "v"))
    with pytest.raises(RecordingError, match="units must differ in name, got 'u'"):
        make("x", made, tuple("abcd"), ("u", "u"))
    with pytest.raises(RecordingError, match="responses must be finite or NaN, got 24"):
        make("x", made * np.inf, **names)
    pictures = np.array([0, 255, 0, 0], np.float32).reshape(4, 1, 1, 1)
    with pytest.raises(RecordingError, match=r"of contrast in \[-1, 1\], got 0 to 255"):
        make("x", made, **names, pictures=pictures)
    with pytest.raises(RecordingError, match="deg_per_px must be more than 0, got -1"):
        make("x", made, **names, deg_per_px=-1.0)
    found = make("x", made, **names)
    with pytest.raises(RecordingError, match="regions must be known of the units"):
        found.of_region("IT")
    found = make("x", made, **names, regions=("V4", "IT"))
    with pytest.raises(LookupError, match="region must be one of IT, V4, got 'it'"):
        found.of_region("it")
    found = make("x", made * np.nan, **names)
    with pytest.raises(RecordingError, match="must have one unit or more with"):
        found.complete()
    with pytest.raises(RecordingError, match="a population must be arrays"):
        load_population("it.txt")
    np.savez(tmp_path / "x.npz", response=made)
    with pytest.raises(RecordingError, match="'response'; did you mean 'responses'"):
        load_population(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", units=["a"])
    with pytest.raises(RecordingError, match=r"x.npz must have responses, got units"):
        load_population(tmp_path / "x.npz")
    (tmp_path / "x.npz").write_text("no arrays", encoding="utf-8")
    with pytest.raises(RecordingError, match=r"x.npz must be arrays without Python"):
        load_population(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", responses=np.array([{}], dtype=object))
    with pytest.raises(RecordingError, match=r"x.npz must be arrays without Python"):
        load_population(tmp_path / "x.npz")
