"""The plain format: what is written is read, and what is wrong is said."""

import resource
import textwrap
from dataclasses import fields

import numpy as np
import pytest

from tests import ROOT
from tests.experiments.recordings.simulated import recording, segment, slow
from yoked.experiments.recordings import plain
from yoked.experiments.recordings.files import load_recording
from yoked.experiments.recordings.plain import read_plain
from yoked.experiments.recordings.recording import Recording, RecordingError, Segment
from yoked.experiments.recordings.write_plain import write_plain

HEAD = """
format = "yoked-recording/1"
name = "two cells"
step_ms = 10
frame_ms = 20
cells = ["a", "b"]

[[segments]]
use = "fit"
frames = "frames.npy"
"""
SPIKES = "cell,repeat,time_s\na,0,0.005\nb,0,0.015\nb,1,0.0399\na,1,0.01\nb,1,0.5\n"
SPIKES_OF = 'spikes = "spikes.csv"\n'


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a folder of three frames and some spikes."""

    def write(rest, spikes=SPIKES, head=HEAD, **arrays):
        (tmp_path / "recording.toml").write_text(head + rest)
        (tmp_path / "spikes.csv").write_text(spikes)
        arrays = {"frames": np.arange(6.0).reshape(3, 2), **arrays}
        for name, array in arrays.items():
            np.save(tmp_path / f"{name}.npy", array)
        return tmp_path

    return write


def same(one, other):
    assert one == other or (one.sha256 == other.sha256)
    for name in ("name", "step_ms", "frame_ms", "cells", "background", "notes"):
        assert getattr(one, name) == getattr(other, name)
    assert one.element_um == other.element_um
    assert [s.use for s in one.segments] == [s.use for s in other.segments]


# --- reading -------------------------------------------------------------------------


def test_spike_times_are_counted_in_steps_of_their_repeat(write):
    found = read_plain(write(SPIKES_OF + "duration_s = 0.06"))
    counts = found.segments[0].counts
    assert counts.shape == (2, 6, 2)
    spikes = {tuple(map(int, at)) for at in zip(*np.nonzero(counts), strict=True)}
    assert spikes == {(0, 0, 0), (0, 1, 1), (1, 3, 1), (1, 1, 0)}
    told = (
        "of the 5 spikes of segment 0, 1 are before or after its 6 steps and are "
        "not counted"
    )
    assert found.notes == (told,)


def test_frames_come_one_after_the_other_unless_it_is_said_when(write):
    found = read_plain(write(SPIKES_OF + "n_steps = 8"))
    assert found.segments[0].frame_of_step.tolist() == [0, 0, 1, 1, 2, 2, -1, -1]
    assert found.shape == (1, 2)


def test_frames_without_times_last_as_long_as_the_steps(write):
    rule = r"3 frames of .* must be as long as the 20 steps of .*, to a frame, got"
    with pytest.raises(RecordingError, match=rule):
        read_plain(write(SPIKES_OF + "n_steps = 20"))


def test_onsets_may_have_the_end_of_the_last_frame(write):
    times = 'n_steps = 8\nstart_s = 1\nframe_times = "times.npy"\n'
    onsets = np.array([1.02, 1.04, 1.055])
    found = read_plain(write(SPIKES_OF + times, times=onsets))
    assert found.segments[0].frame_of_step.tolist() == [-1, -1, 0, 0, 1, 2, 2, 2]
    found = read_plain(write(SPIKES_OF + times, times=np.append(onsets, 1.07)))
    assert found.segments[0].frame_of_step.tolist() == [-1, -1, 0, 0, 1, 2, 2, -1]


def test_onsets_may_be_a_table(write):
    folder = write(SPIKES_OF + 'n_steps = 6\nframe_times = "times.csv"\n')
    (folder / "times.csv").write_text("time_s\n0\n0.01\n0.04\n")
    assert read_plain(folder).segments[0].frame_of_step.tolist() == [0, 1, 1, 1, 2, 2]


def test_a_repeat_without_spikes_counts_if_it_is_said(write):
    found = read_plain(write(SPIKES_OF + "n_steps = 6\nn_repeats = 4\n"))
    assert found.segments[0].n_repeats == 4


def test_repeats_may_have_no_known_stimulus(write):
    counts = np.ones((2, 6, 2), int)
    more = '[[segments]]\nuse = "repeats"\ncounts = "again.npy"\n'
    found = read_plain(write(SPIKES_OF + "n_steps = 6\n" + more, again=counts))
    assert found.segments[1].frames is None


def test_the_example_of_the_docs_runs_as_it_is_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "recordings.md").read_text(encoding="utf-8")
    section = page.split("\n### An example\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if not line or line[:4] == "    "]
    exec(textwrap.dedent("\n".join(lines)), {})
    found = load_recording("cells")
    assert found.cells == ("on-1", "off-1")
    assert [s.counts.shape[:2] for s in found.segments] == [(1, 30_000), (10, 1500)]
    assert found.n_spikes("fit").min() > 1000
    assert not found.notes


def test_the_docs_have_every_key():
    page = (ROOT / "docs" / "recordings.md").read_text(encoding="utf-8")
    keys = [f.name for kind in (plain._Head, plain._Part) for f in fields(kind)]
    missing = [key for key in keys if f"`{key}`" not in page]
    assert missing == ["segments"]  # it has a heading of its own, [[segments]]


# --- what is wrong -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("n_steps = 6\n", r"segments\[0\]\.spikes must be given, or else counts"),
        (SPIKES_OF, r"segments\[0\]\.n_steps must be given, or else duration_s"),
        (
            SPIKES_OF + "n_step = 6\n",
            r"segments\[0\]\.n_step must be one of .*did you mean 'n_steps'\?",
        ),
        (SPIKES_OF + "n_steps = -6\n", "n_steps must be more than 0, got -6"),
        (
            SPIKES_OF + "duration_s = 0.001\n",
            r"duration_s must be a step of 10 ms or longer, got 0\.001 s",
        ),
        ('counts = "no.npy"\n', r"segments\[0\]: no\.npy must be a file, got none"),
        (
            SPIKES_OF + 'n_steps = 6\nframe_times = "frames.npy"\n',
            r"frames\.npy must have one axis, got 2",
        ),
        ('counts = "spikes.csv"\n', r"spikes\.csv must be an array as NumPy keeps it"),
        (
            SPIKES_OF + "n_steps = 6\nn_repeats = 1\n",
            r"a repeat of spikes\.csv must be below n_repeats, 1, got 1",
        ),
    ],
)
def test_a_faulty_head_is_told(write, rest, message):
    with pytest.raises(RecordingError, match=message):
        read_plain(write(rest))


@pytest.mark.parametrize(
    ("spikes", "message"),
    [
        (
            SPIKES.replace("time_s", "time"),
            r"a column of spikes\.csv must be one of cell, repeat, time_s, got 'time'; "
            r"did you mean 'time_s'\?",
        ),
        ("cell,time_s\na,0.1\n", r"spikes\.csv must have a column repeat"),
        (
            "cell,repeat,time_s\na,0,0.1\nc,0,0.2\n",
            r"cell in row 2 of spikes\.csv must be one of a, b, got 'c'",
        ),
        (
            "cell,repeat,time_s\na,0.5,0.1\n",
            r"repeat in row 1 of spikes\.csv must be a whole number from 0, got '0\.5'",
        ),
        (
            "cell,repeat,time_s\na,0,soon\n",
            r"time_s in row 1 of spikes\.csv must be a finite number, got 'soon'",
        ),
        ("", r"spikes\.csv must be a CSV table, got"),
        (
            "cell,repeat,time_s\na,0,0.1,0.2\n",
            r"spikes\.csv must be a CSV table, got",
        ),
        (
            "cell,repeat,time_s\na,0\n",
            r"time_s in row 1 of spikes\.csv must be a finite number",
        ),
    ],
)
def test_a_faulty_table_is_told(write, spikes, message):
    with pytest.raises(RecordingError, match=message):
        read_plain(write(SPIKES_OF + "n_steps = 6\n", spikes))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"counts": np.full((1, 6, 2), 300)},
            r"counts\.npy must have whole numbers from 0 to 255, got from 300 to 300",
        ),
        (
            {"counts": np.full((1, 6, 2), -1)},
            "whole numbers from 0 to 255, got from -1",
        ),
        (
            {"counts": np.full((1, 6, 2), 0.5)},
            "whole numbers from 0 to 255, got from 0.5",
        ),
        (
            {"counts": np.ones((6, 2))},
            r"must be of \(repeat, step, cell\), got \(6, 2\)",
        ),
        (
            {"counts": np.ones((1, 6, 2)), "frames": np.ones(3)},
            r"frames\.npy must be of \(frame, y, x\), or \(frame, x\), got \(3,\)",
        ),
        (
            {"counts": np.ones((1, 6, 2)), "frames": np.array(["x"])},
            "must be an array of numbers, got <U1",
        ),
        (
            {"counts": np.ones((1, 6, 2)), "frames": np.full((3, 2), 1e300)},
            "a stimulus must be finite numbers, got 6 that are not",
        ),
    ],
)
def test_a_faulty_array_is_told(write, arrays, message):
    with pytest.raises(RecordingError, match=message):
        read_plain(write('counts = "counts.npy"\n', **arrays))


def test_a_clock_that_is_one_short_is_told(write):
    rest = SPIKES_OF + 'n_steps = 6\nframe_times = "times.npy"\n'
    message = "onsets of 3 frames, and of the end if it is known, got 2 .off by one"
    with pytest.raises(RecordingError, match=message):
        read_plain(write(rest, times=np.array([0.0, 0.02])))


def test_another_format_is_told(write):
    head = HEAD.replace("recording/1", "recording/2")
    message = "format must be 'yoked-recording/1', got 'yoked-recording/2'"
    with pytest.raises(RecordingError, match=message):
        read_plain(write(SPIKES_OF + "n_steps = 6\n", head=head))


def test_a_folder_without_a_head_is_told(tmp_path):
    with pytest.raises(RecordingError, match=r"must be a folder with recording\.toml"):
        read_plain(tmp_path)


# --- writing -------------------------------------------------------------------------


def made_up():
    rng = np.random.default_rng(1)
    fit = segment(rng, "fit", 60, stimulus=slow)
    clock = np.concatenate([np.full(7, -1), np.arange(20).repeat(3), np.full(40, -1)])
    counts = rng.integers(0, 256, size=(3, len(clock), 4)).astype(np.uint8)
    frames = rng.normal(size=(20, 1, 12)).astype(np.float32)
    test = Segment("test", counts, frames, clock.astype(np.int32))
    found = recording(fit, test, Segment("repeats", counts))
    plain = {"background": 0.1, "element_um": 47.3, "notes": ('a "note"\n\x7f ü',)}
    return Recording("a\\b", 5 / 3, 20.0, found.cells, found.segments, **plain)


def test_what_is_written_is_read_to_the_last_bit(tmp_path):
    kept = made_up()
    write_plain(kept, tmp_path / "kept")
    same(read_plain(tmp_path / "kept"), kept)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_regular_clock_is_left_out(tmp_path):
    rng = np.random.default_rng(1)
    kept = recording(segment(rng, "fit", 60))
    write_plain(kept, tmp_path / "kept")
    assert "frame_of_step" not in (tmp_path / "kept" / "recording.toml").read_text()
    same(read_plain(tmp_path / "kept"), kept)


def test_nothing_is_written_over(tmp_path):
    with pytest.raises(RecordingError, match="the folder must be a new one, got"):
        write_plain(made_up(), tmp_path)


def test_nothing_is_left_of_what_a_full_disk_cut_short(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_plain(made_up(), tmp_path / "kept")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())
