"""What a lab session refuses before it begins, in a sentence; and what it keeps."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.experiments.lab.recording import FAST, Recorder, run
from yoked.app.cli import cli
from yoked.app.commands.lab import lab
from yoked.experiments.lab import setup as lab_setup
from yoked.experiments.lab import window as lab_window
from yoked.experiments.lab.lock import session_lock
from yoked.experiments.lab.pages import pages, plain_text
from yoked.experiments.lab.request import Request
from yoked.experiments.lab.setup import choose_lut, find_monitor, require_screen, set_up
from yoked.experiments.lab.stage import Stage
from yoked.experiments.monitors.calibrations import calibrate, save_calibration
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Timing
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store

READINGS = [(v, 0.4 + 95 * (v / 255) ** 2.2) for v in range(0, 256, 15)]


@pytest.fixture(autouse=True)
def calibrations(tmp_path, monkeypatch):
    """A folder with the calibration of one monitor, and no record of PsychoPy's."""
    folder = tmp_path / "calibrations"
    monkeypatch.setenv("YOKED_CALIBRATIONS", str(folder))
    monkeypatch.setattr("yoked.experiments.lab.monitors.find_spec", lambda _: None)
    monkeypatch.setattr(lab_setup, "find_spec", lambda _: None)
    made = calibrate(
        "lab-1", READINGS, width_cm=53.0, size_px=(1920, 1080), distance_cm=57.0
    )
    save_calibration(made)
    return made


@pytest.fixture
def few(protocol):
    protocol = protocol.with_options(4, 0.227, FAST)
    return replace(protocol, catch=replace(protocol.catch, n_per_block=0))


# Monitor, distance, scale, table ----------------------------------------------------


def test_an_unknown_monitor_gets_the_nearest_name():
    with pytest.raises(
        LookupError, match="no monitor named 'lab1'; did you mean 'lab-1'"
    ):
        find_monitor("lab1")


@pytest.mark.parametrize("distance", [0.0, -57.0, 5.0, 5000.0, float("nan")])
def test_a_distance_that_nobody_sits_at_is_refused(distance):
    with pytest.raises(ValueError, match="distance must be from 10 to 1000 cm, got"):
        find_monitor("lab-1", distance)


def test_a_distance_at_which_no_scale_fits_says_which_would(protocol):
    close = find_monitor("lab-1", 20.0)
    with pytest.raises(ValueError, match=r"sit at 32 cm, or choose --scale"):
        set_up(protocol, close)
    assert set_up(protocol, close, scale=1).stage.scale == 1


def test_the_scale_is_the_nearest_to_the_protocol_s_size(protocol):
    setup = set_up(protocol, find_monitor("lab-1"))
    display = setup.display(protocol, Recorder(size_px=(1920, 1080), refresh_hz=60.0))
    assert display["scale"] == 2
    assert display["deg_per_element"] == pytest.approx(0.222, abs=0.001)
    assert display["px_per_degree"] == pytest.approx(36.04, abs=0.01)
    assert display["shown_ms"]["interval_ms"] == 100.0


def test_the_table_is_the_monitor_s_unless_somebody_wants_none(calibrations):
    monitor = find_monitor("lab-1")
    assert choose_lut("auto", monitor) == calibrations.lut
    assert choose_lut("identity", monitor) == tuple(range(256))
    assert choose_lut("auto", find_monitor("")) == tuple(range(256))
    with pytest.raises(
        ValueError, match="lut calibration must be that of a calibrated"
    ):
        choose_lut("calibration", find_monitor(""))


def test_a_screen_too_small_and_too_slow_gets_both_sentences(protocol):
    fast = replace(protocol, timing=Timing(interval_ms=5))
    with pytest.raises(ValueError, match="interval_ms must be within 25 %") as caught:
        require_screen(fast, Stage.of(fast, scale=20), (1280, 1024), 60.0)
    assert "at least 1040 x 1400 px at scale 20, got 1280 x 1024" in str(caught.value)


# Sessions ---------------------------------------------------------------------------


def test_a_session_says_where_it_ran(db_path, few, calibrations):
    said = []
    screen = Recorder(
        (400, 300), screen_px=(1920, 1080), background=calibrations.lut[128]
    )
    outcome = run(
        db_path, screen, said, protocol=few, participant="p01", monitor="lab-1", seed=5
    )
    store = open_store(db_path)
    row = store.session(outcome.session_id)
    store.close()
    assert row.observer == ObserverInfo("person", "p01")
    assert (row.presenter, row.seed, row.status) == ("lab", 5, "finished")
    assert row.display["calibration"]["id"] == calibrations.id
    assert row.display["lut"] == list(calibrations.lut)
    assert row.display["size_px"] == [400, 300]
    assert row.device["sitting"] == 1
    assert said[0] == "Screen: 400 x 300 px at 100.00 Hz."
    assert row.display["screen_px"] == [1920, 1080]


def test_a_screen_that_does_not_fit_leaves_no_session(db_path, few):
    with pytest.raises(ValueError, match="the screen must be at least"):
        run(db_path, Recorder(size_px=(40, 40)), protocol=few, participant="p01")
    store = open_store(db_path)
    assert store.sessions() == []
    store.close()


def test_who_resumes_keeps_table_scale_and_schedule(db_path, few, calibrations):
    screen = Recorder(
        (400, 300), screen_px=(1920, 1080), background=calibrations.lut[128]
    )
    screen.script, screen.page_script = [[("escape", 50)]], ["space"] * 3 + ["q"]
    asked = {"protocol": few, "participant": "p01", "monitor": "lab-1"}
    outcome = run(db_path, screen, **asked)
    assert not outcome.is_finished
    again, said = Recorder((400, 300), screen_px=(1920, 1080), refresh_hz=120.0), []
    finished = run(db_path, again, said, resume=outcome.session_id)
    assert finished.is_finished
    assert finished.session_id == outcome.session_id
    assert any("began at 100 Hz" in sentence for sentence in said)
    store = open_store(db_path)
    events = [e for e in store.events(outcome.session_id) if e["kind"] == "resumed"]
    store.close()
    assert events[0]["detail"]["next_trial"] == 1
    patch = again.shown[-20][:].max()
    assert patch <= max(calibrations.lut)


def test_a_finished_session_cannot_go_on(db_path, few):
    outcome = run(db_path, protocol=few, participant="p01")
    with pytest.raises(ValueError, match="must be unfinished, got finished"):
        run(db_path, resume=outcome.session_id)


def test_a_session_of_the_web_cannot_go_on_in_the_lab(db_path, few):
    store = open_store(db_path)
    web = Session.start(store, few, ObserverInfo("person", "p"), "web")
    store.close()
    with pytest.raises(ValueError, match="must be a session of the lab to go on here"):
        run(db_path, resume=web.id)


def test_a_session_goes_on_with_its_own_protocol_and_participant(db_path, few):
    store = open_store(db_path)
    own = Session.start(store, few, ObserverInfo("person", "p01"), "lab")
    store.close()
    with pytest.raises(ValueError, match="participant must be p01, whose session"):
        run(db_path, resume=own.id, participant="p02")
    with pytest.raises(ValueError, match="the protocol must be the one that session"):
        run(db_path, resume=own.id, protocol=load_protocol("bar-in-noise"))


def test_a_yoked_participant_sees_the_trials_of_another_session(db_path, few):
    first = Recorder()
    source = run(db_path, first, protocol=few, participant="p01", seed=9)
    second = Recorder(script=[[("j", 110)]] * 4)
    yoked = run(db_path, second, participant="p02", yoke_to=source.session_id)
    store = open_store(db_path)
    row = store.session(yoked.session_id)
    shown = [store.trials(s.session_id) for s in (source, yoked)]
    store.close()
    assert (row.yoked_to, row.observer.name) == (source.session_id, "p02")
    assert [t.spec for t in shown[0]] == [t.spec for t in shown[1]]
    assert {t.response.response for t in shown[1]} == {1}
    pixels = [
        [picture for picture in s.shown if not isinstance(picture, str)]
        for s in (first, second)
    ]
    for a, b in zip(pixels[0][2:], pixels[1][2:], strict=True):
        assert (a == b).all()


def test_an_unfinished_session_cannot_be_yoked_to(db_path, few):
    store = open_store(db_path)
    source = Session.start(store, few, ObserverInfo("person", "p01"), "lab")
    store.close()
    with pytest.raises(ValueError, match="must be finished before another is yoked"):
        run(db_path, participant="p02", yoke_to=source.id)


def test_a_session_is_run_once_at_a_time(db_path, few):
    store = open_store(db_path)
    own = Session.start(store, few, ObserverInfo("person", "p01"), "lab")
    store.close()
    with (
        session_lock(db_path, own.id),
        pytest.raises(ValueError, match="must be run once at a time, got a second"),
    ):
        run(db_path, resume=own.id)
    assert run(db_path, resume=own.id).is_finished
    assert [path.name for path in db_path.parent.glob("*.lock")] == []


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a POSIX signal")
def test_a_killed_process_gives_its_session_back(db_path):
    code = (
        "import os, sys\nfrom yoked.experiments.lab.lock import session_lock\n"
        "with session_lock(sys.argv[1], 'a'):\n    os.kill(os.getpid(), 9)\n"
    )
    process = subprocess.run([sys.executable, "-c", code, str(db_path)], check=False)
    assert process.returncode == -9
    assert list(db_path.parent.glob("*.lock"))
    with session_lock(db_path, "a"):
        pass
    assert not list(db_path.parent.glob("*.lock"))


_AS_NOBODY = """
import os, sys
from yoked.experiments.lab.request import Request
from yoked.experiments.lab.run import run_lab
from yoked.experiments.protocols.files import load_protocol
request = Request(load_protocol("bar-in-noise"), "p01")
if os.geteuid() == 0:  # who may write anything
    os.setuid(65534)
try:
    run_lab(sys.argv[1], request, print, lambda *_: 1 / 0, lambda *_: 1 / 0)
except ValueError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="rights are set in another way there")
def test_a_database_that_cannot_be_written_is_refused_before_a_window_opens():
    folder = Path(tempfile.mkdtemp())  # where anybody may look, unlike in tmp_path
    try:
        there = folder / "results.db"
        open_store(there).close()
        there.chmod(0o444)
        folder.chmod(0o555)
        for path in (there, folder / "new.db"):
            run = [sys.executable, "-c", _AS_NOBODY, str(path)]
            said = subprocess.run(run, capture_output=True, text=True, timeout=60)
            rule = "must be a database that can be written, got: "
            assert said.stdout.startswith(f"{str(path)!r} {rule}"), said.stderr
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({}, "participant must be a code"),
        ({"participant": "p"}, "a protocol must be given"),
        ({"resume": "a", "yoke_to": "b"}, "must be resumed or yoked, got both"),
        ({"resume": "a", "refresh_hz": 0.0}, "refresh must be from 1 to 1000 Hz"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(asked, sentence):
    with pytest.raises(ValueError, match=sentence):
        Request(**asked)


# The command ------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch):
    """Return a function that runs `yoked lab` as the whole command line does."""
    from yoked.app import cli as module

    monkeypatch.setitem(module.COMMANDS, "lab", ("lab:lab", "Run a session."))
    return lambda *arguments: CliRunner().invoke(cli, ["lab", *map(str, arguments)])


def test_without_psychopy_one_sentence_says_what_to_install(
    command, db_path, monkeypatch
):
    monkeypatch.setattr(lab_window, "find_spec", lambda _: None)
    result = command("bar-in-noise", db_path, "--participant", "p01")
    assert result.exit_code == 1
    assert (
        result.stderr == 'Error: yoked lab needs PsychoPy: pip install "yoked[lab]"\n'
    )
    assert not db_path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other desktops are always there")
def test_without_a_display_one_sentence_says_so(command, db_path, monkeypatch):
    monkeypatch.setattr(lab_window, "find_spec", lambda _: True)
    monkeypatch.delenv("DISPLAY", raising=False)
    result = command("bar-in-noise", db_path, "--participant", "p01")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {lab_window.NO_DISPLAY}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "arguments must be PROTOCOL DB, got none"),
        (("x.db",), "arguments must be PROTOCOL DB, got x.db"),
        (("bar-in-nose", "x.db"), "did you mean 'bar-in-noise'"),
        (("bar-in-noise", "x.db", "--no-dialog"), "--participant must be given"),
        (("bar-in-noise", "x.db", "--participant", "Ann Lee"), "participant must be 1"),
        (
            ("bar-in-noise", "x.db", "--participant", "p", "--distance", "1"),
            "distance_cm must be from 10 to 1000",
        ),
        (("x.db", "--resume", "s", "--scale", "2"), "leave out --scale"),
        (("x.db", "--resume", "s", "--distance", "60"), "leave out --distance"),
        (("x.db", "--resume", "s", "--trials", "9"), "need a PROTOCOL"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(command, arguments, sentence):
    result = command(*arguments)
    assert result.exit_code in {1, 2}
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_the_command_has_help_and_examples():
    assert lab.help is not None
    assert "yoked lab bar-in-noise results.db" in lab.help
    assert all(
        option.help for option in lab.params if option.param_type_name == "option"
    )


# Texts ------------------------------------------------------------------------------


def test_the_shipped_texts_lose_their_marks(protocol):
    text = plain_text(protocol.texts.instructions["en"])
    assert text.startswith("WHAT TO DO\n\nEach trial shows two brief")
    assert "• Press F if it was in the first pattern.\n• Press J" in text
    assert "*" not in text
    assert max(map(len, text.splitlines())) <= 76


def test_a_text_in_no_language_has_no_page():
    assert pages("") == []


def test_a_session_has_one_lock_by_whatever_name_the_database_is_reached(tmp_path):
    from yoked.experiments.lab.lock import session_lock

    db_path = tmp_path / "s.db"
    db_path.write_bytes(b"")
    link = tmp_path / "link.db"
    link.symlink_to(db_path)
    with (
        session_lock(link, "2026-01-10-kq7m4x2p"),
        pytest.raises(ValueError, match="2026-01-10-kq7m4x2p"),
        session_lock(db_path, "2026-01-10-kq7m4x2p"),
    ):
        pass
