"""Files of NWB, written by pynwb and read back; and what is told where parts lack."""

import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.image import ImageSeries, OpticalSeries

from tests.experiments.recordings.simulated import recording, segment
from yoked.experiments.recordings.files import load_recording
from yoked.experiments.recordings.nwb import load_nwb
from yoked.experiments.recordings.recording import RecordingError

FRAMES = np.arange(40.0).reshape(10, 2, 2)
FRAME_S = 0.02
LATER = {"rate": 1 / FRAME_S, "starting_time": 1.0}
OPTICAL = {"distance": 1.0, "field_of_view": [1.0, 1.0], "orientation": "upper left"}


class Lab:
    """What a laboratory would put into a file; parts can be left out or changed."""

    def __init__(self):
        self.spikes = {"a": [0.011, 0.055, 3.0], "b": [0.139]}
        self.observed = None
        self.stimuli = [self.series()]
        self.rows = [{"start_time": 0.0, "stop_time": 0.2}]
        self.columns = ()
        self.as_epochs = False

    @staticmethod
    def series(name="bars", kind=TimeSeries, data=FRAMES, **times):
        times = times or {"rate": 1 / FRAME_S, "starting_time": 0.0}
        return kind(name=name, data=data, unit="n.a.", **times)

    def write(self, path):
        when = datetime(2026, 1, 10, tzinfo=UTC)
        file = NWBFile("bars", "identifier", when)
        if self.spikes:
            file.add_unit_column("unit_name", "what it is called")
        for name, times in self.spikes.items():
            more = {} if self.observed is None else {"obs_intervals": self.observed}
            file.add_unit(unit_name=name, spike_times=np.array(times), **more)
        for series in self.stimuli:
            file.add_stimulus(series)
        for column in self.columns:
            if not self.as_epochs:
                file.add_trial_column(column, "what it says")
        for row in self.rows:
            if self.as_epochs:
                file.add_epoch(**row)
            else:
                file.add_trial(**row)
        with NWBHDF5IO(str(path), "w") as io:
            io.write(file)
        return path


@pytest.fixture
def lab():
    return Lab()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cells.nwb"


# --- what is there -------------------------------------------------------------------


def test_spikes_and_frames_are_read(lab, path):
    found = load_nwb(lab.write(path), step_ms=10.0)
    assert (found.name, found.cells, found.frame_ms) == ("cells", ("a", "b"), 20.0)
    [one] = found.segments
    assert one.use == "fit"
    assert np.argwhere(one.counts).tolist() == [[0, 1, 0], [0, 5, 0], [0, 13, 1]]
    assert np.array_equal(one.frames, FRAMES)
    assert one.frame_of_step.tolist() == np.repeat(np.arange(10), 2).tolist()
    told = "of the 4 spikes of all units, 1 are in no segment and are not counted"
    assert found.notes == (told,)


@pytest.mark.parametrize("kind", [TimeSeries, ImageSeries, OpticalSeries])
def test_every_kind_of_series_and_of_bars_is_read(lab, path, kind):
    optical = {
        "distance": 1.0,
        "field_of_view": [1.0, 1.0],
        "orientation": "upper left",
    }
    more = optical if kind is OpticalSeries else {}
    times = {"timestamps": np.arange(10) * FRAME_S + 0.004}
    lab.stimuli = [lab.series(kind=kind, **times, **more)]
    found = load_nwb(lab.write(path), step_ms=5.0)
    assert found.shape == (2, 2)
    lab.stimuli = [lab.series(data=FRAMES.reshape(10, 4), **times)]
    found = load_nwb(lab.write(path), step_ms=5.0)
    assert found.shape == (1, 4)
    clock = found.segments[0].frame_of_step.tolist()
    assert clock == [-1, *np.repeat(np.arange(10), 4).tolist()[:-1]]
    assert found.background == FRAMES.mean()
    assert "the stimulus is the mean of its frames, 19.5" in found.notes[1]


def test_a_frame_has_a_whole_number_of_steps_next_to_1_ms(lab, path):
    lab.stimuli = [lab.series(rate=60.0, starting_time=0.0)]
    lab.rows = [{"start_time": 0.0, "stop_time": 10 / 60}]
    found = load_nwb(lab.write(path))
    assert found.step_ms == pytest.approx(1000 / 60 / 17)
    assert np.bincount(found.segments[0].frame_of_step).tolist() == [17] * 10


def test_conversion_and_offset_are_applied(lab, path):
    numbers = {"conversion": 0.5, "offset": -1.0, "rate": 50.0, "starting_time": 0.0}
    lab.stimuli = [lab.series(**numbers)]
    [one] = load_nwb(lab.write(path)).segments
    assert np.array_equal(one.frames, FRAMES * 0.5 - 1)


def test_after_a_pause_the_background_is_shown(lab, path):
    onsets = np.array([0, 1, 2, 8, 9, 10, 12, 13, 14, 15]) * FRAME_S
    lab.stimuli = [lab.series(timestamps=onsets)]
    lab.rows = [{"start_time": 0.0, "stop_time": 0.34}]
    [one] = load_nwb(lab.write(path), step_ms=20.0).segments
    # The frame at 10 stays for two; that at 2 does not stay until 8.
    clock = [0, 1, 2, -1, -1, -1, -1, -1, 3, 4, 5, 5, 6, 7, 8, 9, -1]
    assert one.frame_of_step.tolist() == clock


def row(start_s, stop_s, use="test", repeat=0, stimulus="again"):
    times = {"start_time": start_s, "stop_time": stop_s}
    return {**times, "use": use, "repeat": repeat, "stimulus": stimulus}


def with_repeats(lab, late_s=0.0):
    """Put two segments to fit and one of three repeats in; the second may be late."""
    again = np.tile(FRAMES[:3], (4, 1, 1))
    lab.stimuli = [lab.series("long"), lab.series("again", data=again, **LATER)]
    lab.columns = ("use", "repeat", "stimulus")
    lab.rows = [
        row(0.0, 0.1, "fit", 0, "long"),
        row(1.0, 1.06),
        row(1.06 + late_s, 1.12 + late_s, repeat=1),
        row(1.18, 1.24, repeat=2),
        row(0.1, 0.2, "fit", 0, "long"),
        row(2.0, 2.1, "repeats", 0, ""),
        row(5.0, 5.1, ""),
    ]
    lab.spikes = {"a": [0.03, 0.13, 1.011, 1.071, 1.191, 2.05], "b": [1.215]}


def test_repeats_are_rows_that_show_the_same(lab, path):
    with_repeats(lab)
    found = load_nwb(lab.write(path), step_ms=10.0)
    assert [s.use for s in found.segments] == ["fit", "fit", "test", "repeats"]
    fit, more, test, repeats = found.segments
    assert np.array_equal(fit.frames, FRAMES[:5])
    assert np.array_equal(more.frames, FRAMES[5:])
    assert np.array_equal(test.frames, FRAMES[:3])
    places = [[0, 1, 0], [1, 1, 0], [2, 1, 0], [2, 3, 1]]
    assert np.argwhere(test.counts).tolist() == places
    assert repeats.frames is None


def test_a_repeat_may_be_late_by_less_than_half_a_frame(lab, path):
    with_repeats(lab, late_s=0.004)
    assert load_nwb(lab.write(path), step_ms=10.0).segments[2].n_repeats == 3


def test_a_repeat_that_is_late_by_a_frame_shows_something_else(lab, path):
    with_repeats(lab, late_s=0.02)
    with pytest.raises(RecordingError, match="row 2 must show the frames of row 1 at"):
        load_nwb(lab.write(path), step_ms=10.0)


def test_epochs_are_read_where_there_are_no_trials(lab, path):
    lab.as_epochs = True
    assert len(load_nwb(lab.write(path)).segments) == 1


def test_a_simulated_recording_comes_back(lab, path):
    """Its spikes, frames and clock, through times in seconds; and no problems."""
    rng = np.random.default_rng(1)
    one, other = segment(rng, "fit", 1500), segment(rng, "test", 300)
    kept = recording(one, other)
    starts, spikes = (10.0, 50.0), {cell: [] for cell in kept.cells}
    lab.stimuli, lab.rows = [], []
    lab.columns = ("use", "stimulus")
    for start, part in zip(starts, kept.segments, strict=True):
        onsets = start + np.arange(len(part.frames)) * FRAME_S
        lab.stimuli.append(lab.series(part.use, data=part.frames, timestamps=onsets))
        stop = start + len(onsets) * FRAME_S
        row = {"start_time": start, "stop_time": stop}
        lab.rows.append({**row, "use": part.use, "stimulus": part.use})
        for c, cell in enumerate(kept.cells):
            steps = np.flatnonzero(part.counts[0, :, c])
            spikes[cell] += list(start + (steps + 0.5) * kept.step_ms / 1000)
    lab.spikes, lab.observed = spikes, [[9.0, 41.0], [49.0, 60.0]]
    found = load_recording(lab.write(path), step_ms=kept.step_ms)
    assert found.cells == kept.cells
    for mine, theirs in zip(found.segments, kept.segments, strict=True):
        assert np.array_equal(mine.counts, theirs.counts)
        assert np.array_equal(mine.frames, theirs.frames)
        assert np.array_equal(mine.frame_of_step, theirs.frame_of_step)


# --- what is not there ---------------------------------------------------------------


def no_units(lab):
    lab.spikes = {}


def no_stimulus(lab):
    lab.stimuli = []


def no_rows(lab):
    lab.rows = []


def two_stimuli(lab):
    lab.stimuli.append(lab.series("other"))


def a_wrong_use(lab):
    lab.columns, lab.rows = ("use",), [{**lab.rows[0], "use": "tests"}]


def a_wrong_stimulus(lab):
    lab.columns, lab.rows = ("stimulus",), [{**lab.rows[0], "stimulus": "bar"}]


def an_overlap(lab):
    lab.rows.append({"start_time": 0.1, "stop_time": 0.2})


def a_second_repeat_alone(lab):
    lab.columns, lab.rows = ("repeat",), [{**lab.rows[0], "repeat": 1}]


def not_observed(lab):
    lab.observed = [[0.0, 0.1], [0.15, 0.3]]


def no_frames_then(lab):
    lab.rows = [{"start_time": 7.0, "stop_time": 7.2}]


def too_short(lab):
    lab.rows = [{"start_time": 0.0, "stop_time": 0.0005}]


def color(lab):
    lab.stimuli = [lab.series(data=np.zeros((10, 2, 2, 3)))]


def elsewhere(lab):
    more = {"external_file": ["film.avi"], "format": "external", "timestamps": [0.0]}
    lab.stimuli = [ImageSeries(name="film", unit="n.a.", starting_frame=[0], **more)]


def other_rates(lab):
    lab.stimuli.append(lab.series("fast", rate=100.0, starting_time=1.0))
    lab.columns = ("stimulus",)
    lab.rows = [
        {"start_time": 0.0, "stop_time": 0.1, "stimulus": "bars"},
        {"start_time": 1.0, "stop_time": 1.1, "stimulus": "fast"},
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (no_units, "must have units with spike_times, got no units"),
        (no_stimulus, r"must have a stimulus in nwb\.stimulus, got none"),
        (no_rows, "must have trials or epochs, whose rows are segments, got neither"),
        (
            two_stimuli,
            "must be named in a column stimulus where there are several, bars, other",
        ),
        (a_wrong_use, "one of fit, repeats, test, or empty, got 'tests'; did you mean"),
        (
            a_wrong_stimulus,
            "must be one of bars, or empty, got 'bar'; did you mean",
        ),
        (an_overlap, r"segments must not overlap, got row 1 from 0\.1 s in row 0"),
        (
            a_second_repeat_alone,
            "numbered 0, 1, 2 and so on in their order, got 1 in row 0 instead of 0",
        ),
        (
            not_observed,
            r"row 0 must be in one of the obs_intervals of every unit, got 0 to 0\.2 s",
        ),
        (no_frames_then, r"row 0 must have frames of bars, got none from 7 to 7\.2 s"),
        (too_short, "row 0 must be a step of 1 ms or longer, got 0.0005 s"),
        (color, r"bars must be of \(frame, y, x\), or \(frame, x\), got \(10, 2, 2, 3"),
        (elsewhere, "film must be kept with its frames in the file, got an external"),
        (
            other_rates,
            "stay equally long in all stimuli, got 20 ms in bars, 10 ms in fast",
        ),
    ],
)
def test_what_lacks_or_contradicts_is_told(lab, path, change, message):
    change(lab)
    with pytest.raises(RecordingError, match=message):
        load_nwb(lab.write(path))


def test_another_file_is_told(path):
    path.write_bytes(b"spikes")
    with pytest.raises(RecordingError, match=r"cells\.nwb must be an NWB file, got"):
        load_recording(path)


def test_a_missing_extra_is_told(path, monkeypatch):
    path.write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pynwb", None)
    sentence = r'^NWB files need pynwb: pip install "yoked\[nwb\]"$'
    with pytest.raises(ModuleNotFoundError, match=sentence):
        load_nwb(path)
