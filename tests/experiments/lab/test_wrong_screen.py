"""A screen that is not the monitor's, or that does not keep its time, is refused."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from tests.experiments.lab.real.test_check import Memory
from tests.experiments.lab.recording import FAST, Recorder, run
from yoked.app.commands import lab as command
from yoked.experiments.lab import setup as lab_setup
from yoked.experiments.lab import window as lab_window
from yoked.experiments.lab.check import run_check
from yoked.experiments.lab.flips import measure_refresh
from yoked.experiments.lab.refresh import Flips
from yoked.experiments.lab.request import Request
from yoked.experiments.lab.setup import find_monitor
from yoked.experiments.monitors.calibrations import calibrate, save_calibration
from yoked.experiments.store.sqlite import open_store

READINGS = [(v, 0.4 + 95 * (v / 255) ** 2.2) for v in range(0, 256, 15)]
IRREGULAR = Flips(120, median_ms=11.82, mad_ms=4.0, n_dropped=17)  # 84.6 Hz
ONE_LATE = Flips(120, median_ms=10.0, mad_ms=0.02, n_dropped=1)


@pytest.fixture(autouse=True)
def calibrations(tmp_path, monkeypatch):
    """A monitor that is stored as 1280 x 1024 px, and no record of PsychoPy's."""
    monkeypatch.setenv("YOKED_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setattr("yoked.experiments.lab.monitors.find_spec", lambda _: None)
    monkeypatch.setattr(lab_setup, "find_spec", lambda _: None)
    made = calibrate(
        "lab-1", READINGS, width_cm=53.0, size_px=(1280, 1024), distance_cm=80.0
    )
    save_calibration(made)
    return made


@pytest.fixture
def few(protocol):
    protocol = protocol.with_options(4, 0.227, FAST)
    return replace(protocol, catch=replace(protocol.catch, n_per_block=0))


def stored(db_path):
    """Return the sessions of a file, and the events of the first."""
    store = open_store(db_path)
    rows = store.sessions()
    events = store.events(rows[0].id) if rows else []
    store.close()
    return rows, events


# Its size ---------------------------------------------------------------------------


def test_a_screen_of_another_size_than_the_monitor_is_stored_with_is_refused(
    db_path, few
):
    screen = Recorder(size_px=(1920, 1080), screen_px=(1920, 1080))
    with pytest.raises(
        ValueError,
        match="the screen must be 1280 x 1024 px, as monitor lab-1 is stored, got 1920 "
        r"x 1080: 1 degree would be shown as 0\.67; .*"
        "yoked calibrate lab-1 --size-px 1920x1080",
    ):
        run(db_path, screen, protocol=few, participant="p01", monitor="lab-1")
    assert stored(db_path)[0] == []


def test_a_window_smaller_than_the_screen_is_compared_by_the_screen(db_path, few):
    screen = Recorder(size_px=(400, 300), screen_px=(1280, 1024))
    outcome = run(db_path, screen, protocol=few, participant="p01", monitor="lab-1")
    assert outcome.is_finished
    display = stored(db_path)[0][0].display
    assert (display["size_px"], display["screen_px"]) == ([400, 300], [1280, 1024])
    small = Recorder(size_px=(400, 300), screen_px=(640, 512))
    with pytest.raises(ValueError, match="1 degree would be shown as 2; set it"):
        run(db_path, small, protocol=few, participant="p02", monitor="lab-1")


def test_a_monitor_without_a_stored_size_fits_any_screen(db_path, few):
    screen = Recorder(size_px=(400, 300), screen_px=(1920, 1080))
    assert run(db_path, screen, protocol=few, participant="p01").is_finished


def test_a_session_goes_on_at_the_resolution_at_which_it_began(db_path, few):
    screen = Recorder(size_px=(400, 300), screen_px=(1280, 1024))
    screen.script, screen.page_script = [[("escape", 50)]], ["space"] * 3 + ["q"]
    asked = {"protocol": few, "participant": "p01", "monitor": "lab-1"}
    begun = run(db_path, screen, **asked)
    other = Recorder(size_px=(400, 300), screen_px=(1920, 1080))
    rule = "must be 1280 x 1024 px, as when the session began, got 1920 x 1080"
    with pytest.raises(ValueError, match=rule):
        run(db_path, other, resume=begun.session_id)
    again = Recorder(size_px=(400, 300), screen_px=(1280, 1024))
    assert run(db_path, again, resume=begun.session_id).is_finished


def test_the_self_test_says_it_too(few):
    found = run_check(
        Memory(size_px=(640, 480)), [few], seconds=1, monitor=find_monitor("lab-1")
    )
    assert not found.passed
    (fault,) = found.faults
    assert fault.startswith(
        "the screen must be 1280 x 1024 px, as monitor lab-1 is stored, got 640 x 480"
    )
    assert found.to_dict()["screen_px"] == (640, 480)
    assert found.to_dict()["monitor_size_px"] == (1280, 1024)


def test_the_command_s_self_test_asks_the_monitor_that_it_was_given(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(lab_window, "require_lab", lambda: None)
    monkeypatch.setattr(
        lab_window, "open_window", lambda **_: Memory((640, 480), background=186)
    )
    report = tmp_path / "check.html"
    arguments = ["--check", "--monitor", "lab-1", "--seconds", "1"]
    result = CliRunner().invoke(command.lab, [*arguments, "--report", str(report)])
    assert result.exit_code == 0, result.exception
    answer = json.loads(result.stdout)
    assert not answer["passed"]
    assert any("as monitor lab-1 is stored, got 640" in f for f in answer["faults"])
    assert "as monitor lab-1 is stored, got 640 x 480" in report.read_text()


# Its time ---------------------------------------------------------------------------


def test_an_irregular_screen_starts_no_session(db_path, few):
    screen = Recorder(refresh=IRREGULAR)
    with pytest.raises(
        ValueError,
        match="the refresh must be steady, got 11.82 ms with a MAD of 4.00 ms, and 17 "
        r"of 120 frames late.*--accept-irregular",
    ):
        run(db_path, screen, protocol=few, participant="p01")
    assert stored(db_path)[0] == []


def test_the_reason_for_which_it_was_accepted_is_stored(db_path, few):
    screen = Recorder(refresh=IRREGULAR)
    asked = {"protocol": few, "participant": "p01"}
    said = []
    run(db_path, screen, said, **asked, accept_irregular="rehearsal on a laptop")
    rows, events = stored(db_path)
    assert rows[0].display["refresh_is"] == "measured"
    assert rows[0].display["refresh_accepted"] == "rehearsal on a laptop"
    (event,) = [e["detail"] for e in events if e["kind"] == "irregular_refresh"]
    assert event == {
        "reason": "rehearsal on a laptop",
        "median_ms": 11.82,
        "mad_ms": 4.0,
        "n_late": 17,
        "n": 120,
    }
    assert any("accepted: rehearsal on a laptop" in sentence for sentence in said)


def test_a_steady_screen_needs_no_reason_and_stores_none(db_path, few):
    screen = Recorder(refresh=ONE_LATE)
    run(
        db_path,
        screen,
        protocol=few,
        participant="p01",
        accept_irregular="to be sure",
    )
    rows, events = stored(db_path)
    assert rows[0].display["refresh_accepted"] is None
    assert "irregular_refresh" not in [e["kind"] for e in events]


def test_a_session_does_not_go_on_at_an_irregular_screen_either(db_path, few):
    screen = Recorder(refresh=ONE_LATE)
    screen.script, screen.page_script = [[("escape", 50)]], ["space"] * 3 + ["q"]
    begun = run(db_path, screen, protocol=few, participant="p01")
    with pytest.raises(ValueError, match="the refresh must be steady"):
        run(db_path, Recorder(refresh=IRREGULAR), resume=begun.session_id)
    again = Recorder(refresh=IRREGULAR)
    run(db_path, again, resume=begun.session_id, accept_irregular="last of the day")
    kinds = [e["kind"] for e in stored(db_path)[1]]
    assert kinds.count("irregular_refresh") == 1


@pytest.mark.parametrize(
    ("mad_ms", "n_late", "is_steady"),
    [(0.1, 0, True), (0.5, 2, True), (0.6, 0, False), (0.1, 3, False)],
)
def test_steady_is_a_mad_of_5_percent_and_2_percent_late(mad_ms, n_late, is_steady):
    assert Flips(120, 10.0, mad_ms, n_late).is_steady is is_steady


def test_a_reason_must_say_something():
    with pytest.raises(ValueError, match="accept_irregular must be a reason, got ' '"):
        Request(resume="s", accept_irregular=" ")


def test_the_self_test_says_that_a_screen_is_irregular(few):
    class Wobbly(Memory):
        def flip(self):
            self.time += (self.n_flips % 3) * 4.0
            return super().flip()

    found = run_check(Wobbly(), [few], seconds=1, scales=(1,))
    assert any(fault.startswith("the refresh must be steady") for fault in found.faults)


def test_one_hiccup_while_the_window_opens_is_measured_again():
    late = {30, 31, 32, 33}  # of the first 127 flips
    assert measure_refresh(Memory(late=late)).is_steady
