"""The report of a self-test: what was measured is said, and what was not as well."""

import re
from html.parser import HTMLParser

import pytest

from yoked.app.reports.lab_report import bars, render_check, tables, write_check
from yoked.experiments.lab.check import ScreenCheck
from yoked.experiments.lab.flips import Dropped, KeyLatency
from yoked.experiments.lab.pixels import Pixels
from yoked.experiments.lab.refresh import Flips

PERIOD = 1000 / 60


def check(**changes) -> ScreenCheck:
    """Return a check in which all went well."""
    known = {
        "made_at": "2026-01-10T12:34:56.000+00:00",
        "size_px": (1920, 1080),
        "screen_px": (1920, 1080),
        "nominal_hz": 60.0,
        "refresh": Flips(120, PERIOD, 0.02),
        "is_paced": False,
        "dropped": Dropped(3.0, 180, 0, 17.0, (16.9, 17.0, 16.8)),
        "pixels": tuple(
            Pixels("bar-in-noise", scale, lut, n_frames=4, n_pixels=1000)
            for scale in (1, 2)
            for lut in ("identity", "calibration")
        ),
        "background": (186, 186),
        "software": {"psychopy": "2026.2.5"},
    }
    return ScreenCheck(**(known | changes))


def words(page: str) -> str:
    """Return a page's text as a reader sees it, on one line."""
    parts = []

    class Reader(HTMLParser):
        def handle_data(self, data):
            parts.append(data)

    Reader().feed(page)
    return re.sub(r"\s+", " ", " ".join(parts))


def test_a_good_screen_has_nothing_to_put_right():
    text = words(render_check(check()))
    assert "Nothing to put right." in text
    assert "60.00 Hz: median 16.667 ms, MAD 0.020 ms" in text
    assert "0 of 180 in 3 s; the longest interval was 17.00 ms" in text
    assert "level 186 , as it should be" in text or "level 186, as it should be" in text
    assert "psychopy 2026.2.5" in text


def test_what_was_not_measured_is_named_as_such():
    page = render_check(check(refresh=Flips(120, 0.2, 0.01), dropped=None))
    text = words(page)
    assert "not measured : a flip takes 0.20 ms" in text
    assert "not measured: it needs flips that wait for the screen" in text
    assert "not measured: no loop-back device" in text
    assert "none: luminance of this screen is unknown" in text
    assert "Put this right before the first participant:" in text
    assert "<svg" not in page


def test_a_rate_that_was_given_is_not_a_measurement():
    text = words(render_check(check(is_paced=True, dropped=None)))
    assert "not measured : the computer's clock paced the flips, at 60.00 Hz" in text
    assert "the screen's timing was not measured" in text


def test_wrong_pixels_and_a_wrong_background_are_shouted():
    wrong = Pixels("gabor-in-noise", 3, "identity", 4, 5000, n_wrong=1234, largest=7)
    text = words(render_check(check(pixels=(wrong,), background=(128, 186))))
    assert "1,234 of 5,000 pixels differ from the contract" in text
    assert "1,234 pixels wrong, by up to 7" in text
    assert "the background reads back as 128, not 186" in text


def test_dropped_frames_are_a_fault_and_red_in_the_chart():
    dropped = Dropped(3.0, 179, 1, 33.4, (16.9, 33.4, 16.8))
    page = render_check(check(dropped=dropped))
    assert "1 of 179 frames were dropped in 3 s" in words(page)
    assert page.count('fill="#a3231f"') == 1


def test_a_loop_back_and_a_calibration_are_named():
    latency = KeyLatency("serial loop-back on COM3", 20, 1.25, 0.1, 2.5)
    made_at = "2026-01-09T08:00:00.000+00:00"
    calibration = {"id": "ab" * 32, "monitor": "lab-1", "made_at": made_at}
    text = words(render_check(check(key_latency=latency, calibration=calibration)))
    assert "serial loop-back on COM3: median 1.25 ms, MAD 0.10 ms" in text
    assert "lab-1, 2026-01-09, 1 day old, abababababababab" in text


def test_what_does_not_fit_says_so():
    entry = Pixels("gabor-in-noise", 4, "identity", skipped="900 px do not fit")
    assert "900 px do not fit" in words(render_check(check(pixels=(entry,))))
    assert check(pixels=(entry,)).faults == (
        "no pixel was compared: no protocol fits the window",
    )


def test_the_page_needs_nothing_else_and_runs_nothing():
    page = render_check(check())
    assert not re.search(r"(src|href)=|<script|@import|url\(", page)


def test_a_name_cannot_break_out_of_the_page():
    calibration = {"id": "a", "monitor": "<script>alert(1)</script>", "made_at": None}
    page = render_check(check(calibration=calibration))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_bars_are_in_proportion_and_within_the_chart():
    chart = bars(Dropped(2.0, 120, 1, 40.0, (20.0, 40.0)), 20.0)
    low, high = chart["bars"]
    assert high["height"] == pytest.approx(2 * low["height"], abs=0.02)
    assert 0 <= high["y"] < low["y"]
    assert (low["late"], high["late"]) == (False, True)
    assert chart["late_y"] < chart["period_y"]


def test_entries_are_arranged_by_table_protocol_and_scale():
    found = tables(check().pixels)
    assert list(found) == ["identity", "calibration"]
    assert list(found["identity"]["bar-in-noise"]) == [1, 2]


def test_the_file_is_the_page(tmp_path):
    write_check(check(), tmp_path / "check.html")
    text = (tmp_path / "check.html").read_text(encoding="utf-8")
    assert text == render_check(check())


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder of .* must exist"):
        write_check(check(), tmp_path / "none" / "check.html")
