"""The self-test: a real window's pixels, and flips on a clock that is passed in."""

import math
from dataclasses import replace

import numpy as np
import pytest

from yoked.experiments.lab.check import NOT_SYNCHRONISED, PACED, run_check
from yoked.experiments.lab.flips import (
    count_dropped,
    key_latency,
    measure_refresh,
)
from yoked.experiments.lab.pixels import check_background, check_pixels
from yoked.experiments.lab.refresh import Flips
from yoked.experiments.lab.screen import Screen, place
from yoked.experiments.lab.stage import IDENTITY
from yoked.experiments.monitors.calibrations import calibrate
from yoked.experiments.monitors.luminance import levels_to_read
from yoked.experiments.protocols.files import load_protocol, protocol_names

PERIOD_MS = 1000 / 60
READINGS = [(v, 0.5 + 110 * (v / 255) ** 2.2) for v in levels_to_read(9)]
CALIBRATION = calibrate(
    "lab-1", READINGS, width_cm=53, size_px=(1280, 1024), distance_cm=57
)
SHIPPED = [load_protocol(name) for name in protocol_names()]


class Memory:
    """A screen in memory: pictures are put where `place` says, flips cost a period.

    `late` has the flips (from 0) that come two periods later than they should.
    """

    def __init__(self, size_px=(640, 480), background=128, late=(), period=PERIOD_MS):
        self.size_px = self.screen_px = size_px
        self.background, self.refresh = background, None
        self.refresh_hz = 1000 / period if period else math.inf
        self.n_flips, self.late, self.period = 0, set(late), period
        self.time = 0.0
        self._clear()

    def _clear(self):
        shape = self.size_px[::-1]
        self.pixels = np.full(shape, self.background, np.uint8)

    def prepare(self, pictures):
        return list(pictures)

    def release(self, handles):
        pass

    def draw(self, handle):
        top, left, height, width = place(handle.shape, self.size_px)
        self.pixels[top : top + height, left : left + width] = handle

    def write(self, text):
        pass

    def flip(self):
        self.time += self.period * (3 if self.n_flips in self.late else 1)
        self.n_flips += 1
        self._clear()
        return self.time

    def read_back(self, region=None):
        return self.pixels.copy()

    def now(self):
        return self.time

    def pause(self):
        self.time += 1

    def close(self):
        pass


class Faulty(Memory):
    """A screen that gets one pixel of every picture wrong, by 3 levels."""

    def draw(self, handle):
        super().draw(handle)
        self.pixels[self.size_px[1] // 2, self.size_px[0] // 2] += 3


def test_the_screen_in_memory_is_a_screen():
    assert isinstance(Memory(), Screen)


@pytest.mark.parametrize("name", ["identity", "calibration"])
def test_a_real_window_shows_every_protocol_at_every_scale(open_lab_window, name):
    lut = IDENTITY if name == "identity" else CALIBRATION.lut
    window = open_lab_window(background=lut[128])
    found = check_pixels(window, SHIPPED, {name: lut}, scales=(1, 2, 3, 4))
    assert len(found) == 4 * len(SHIPPED)
    assert all(entry.skipped is None for entry in found)
    assert all(entry.n_frames > 0 and entry.n_pixels > 0 for entry in found)
    assert [entry for entry in found if entry.n_wrong] == []
    assert check_background(window, lut) == (lut[128], lut[128])


def test_a_background_of_another_table_is_seen(open_lab_window):
    window = open_lab_window(background=128)
    assert check_background(window, CALIBRATION.lut) == (128, 186)


def test_a_window_that_we_pace_has_pixels_but_no_timing(open_lab_window):
    lut = CALIBRATION.lut
    window = open_lab_window(background=lut[128])
    found = run_check(
        window,
        SHIPPED[:1],
        calibration=CALIBRATION.to_dict(),
        scales=(1,),
        is_paced=True,
    )
    assert found.faults == (PACED,)
    assert (found.dropped, found.key_latency) == (None, None)
    assert found.background == (186, 186)
    assert found.calibration["id"] == CALIBRATION.id
    assert {"yoked", "psychopy"} <= set(found.software)


@pytest.mark.parametrize("size_px", [(640, 480), (641, 479)])
def test_even_and_odd_screens_are_compared_to_the_last_pixel(size_px):
    screen = Memory(size_px)
    found = check_pixels(screen, SHIPPED, {"identity": IDENTITY}, scales=(1, 2))
    assert sum(entry.n_wrong for entry in found) == 0
    (entry, *_) = check_pixels(
        Faulty(size_px), SHIPPED, {"identity": IDENTITY}, scales=(1,)
    )
    assert (entry.n_wrong, entry.largest) == (4, 3)  # one in each of four pictures


def test_a_picture_that_does_not_fit_is_not_compared():
    protocol = load_protocol("gabor-in-noise")
    small = Memory((200, 100))
    entries = check_pixels(small, [protocol], {"identity": IDENTITY}, scales=(1, 3))
    assert [entry.skipped is None for entry in entries] == [True, False]
    assert "do not fit the window" in entries[1].skipped


def test_a_patch_beside_another_is_compared_too():
    protocol = load_protocol("bar-in-noise")
    task = replace(protocol.task, kind="mafc")
    beside = replace(protocol, task=task)
    (entry,) = check_pixels(Memory(), [beside], {"identity": IDENTITY}, scales=(2,))
    assert (entry.n_frames, entry.n_wrong) == (4, 0)


def test_the_refresh_rate_is_the_median_of_the_flips():
    found = measure_refresh(Memory(late=(20, 60)), n=120)
    assert found.n == 120
    assert found.hz == pytest.approx(60)
    assert found.mad_ms == pytest.approx(0, abs=1e-9)
    assert found.is_synchronised


def test_an_operator_hears_of_late_and_irregular_flips():
    steady = measure_refresh(Memory(), n=120)
    assert (steady.n_dropped, steady.is_steady) == (0, True)
    late = measure_refresh(Memory(late=(20, 60)), n=120)
    assert (late.n_dropped, late.is_steady) == (2, True)
    wobbly = Flips(120, median_ms=16.7, mad_ms=1.2)
    assert not wobbly.is_steady
    assert wobbly.found() == "16.70 ms with a MAD of 1.20 ms, and 0 of 120 frames late"


def test_flips_that_do_not_wait_are_seen():
    assert not measure_refresh(Memory(period=0.2)).is_synchronised


def test_every_late_flip_is_counted_in_its_second():
    late = (30, 31, 200)  # flip 0 begins; 200 comes in the fourth second
    found = count_dropped(Memory(late=late), PERIOD_MS, seconds=5)
    assert found.n_dropped == 3
    assert found.longest_ms == pytest.approx(3 * PERIOD_MS)
    assert [worst > 2 * PERIOD_MS for worst in found.worst_ms] == [1, 0, 0, 1, 0]
    assert found.n == 300 - 2 * 3


def test_a_minute_of_good_flips_has_none_dropped():
    found = count_dropped(Memory(), PERIOD_MS, seconds=60)
    assert (found.n_dropped, len(found.worst_ms)) == (0, 60)
    assert found.n == pytest.approx(3600, abs=1)


def test_a_flip_within_one_and_a_half_periods_is_not_dropped():
    class Slow(Memory):
        def flip(self):
            self.time += 0.4 * self.period  # 1.4 periods in all
            return super().flip()

    assert count_dropped(Slow(), PERIOD_MS, seconds=2).n_dropped == 0


def test_no_time_to_watch_is_refused():
    with pytest.raises(ValueError, match="seconds must be more than 0, got 0"):
        count_dropped(Memory(), PERIOD_MS, seconds=0)


def test_a_good_screen_passes():
    stages = []
    found = run_check(
        Memory(),
        SHIPPED,
        seconds=2,
        scales=(1, 2),
        loopback=lambda: [1.0, 1.5, 4.0],
        loopback_device="serial loop-back",
        progress=lambda stage, done, total: stages.append((stage, done, total)),
    )
    assert found.passed
    assert found.to_dict()["faults"] == []
    assert found.key_latency == key_latency("serial loop-back", [1.0, 1.5, 4.0])
    assert found.key_latency.median_ms == 1.5
    n = 2 * len(SHIPPED)
    assert ("pixels", n, n) in stages
    assert ("dropped frames", 1, 2) in stages


def test_a_bad_screen_fails_with_a_sentence_for_each_fault():
    screen = Faulty(background=100, late=range(0, 4000, 50))
    found = run_check(screen, SHIPPED[:1], seconds=2, scales=(1,))
    assert not found.passed
    pixels, background, dropped = found.faults
    assert "pixels differ from the contract" in pixels
    assert background == "the background reads back as 100, not 128"
    assert "frames were dropped in 2 s" in dropped


def test_without_vsync_no_frame_is_called_dropped():
    found = run_check(Memory(period=0.2), SHIPPED[:1], seconds=2, scales=(1,))
    assert found.faults == (NOT_SYNCHRONISED,)
    assert found.dropped is None
