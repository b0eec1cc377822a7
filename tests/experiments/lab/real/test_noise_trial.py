"""Our trials in a script of PsychoPy: its window, real keys, both logs."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from tests import ROOT
from yoked.experiments.lab.borrowed import BorrowedWindow
from yoked.experiments.lab.noise_trial import NoiseTrial
from yoked.experiments.lab.screen import place
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Timing
from yoked.experiments.session.results import SessionData, load_session
from yoked.experiments.stimulus.render import digest, render
from yoked.experiments.stimulus.sources import noise_source
from yoked.experiments.store.sqlite import open_store

PATH = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(ROOT)]).strip(os.pathsep)
TIMING = Timing(
    fixation_ms=50, interval_ms=50, gap_ms=50, response_ms=5000, feedback_ms=0,
    earliest_ms=0, tolerance_ms=500,
)  # fmt: skip
EVERY_S = 0.15  # keys come at a participant's pace


@contextmanager
def pressing(*keys: str) -> Iterator[None]:
    """Press keys in turn, until the block is over."""
    over = threading.Event()

    def press() -> None:
        number = 0
        while not over.wait(EVERY_S):
            subprocess.run(["xdotool", "key", keys[number % len(keys)]], check=True)
            number += 1

    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def run_script(folder, text: str, *keys: str) -> str:
    """Run a script in a process of its own under a hail of keys; give what it said."""
    path = folder / "script.py"
    path.write_text(text)
    with pressing(*keys):
        process = subprocess.run(
            [sys.executable, path.name], cwd=folder, capture_output=True, text=True,
            timeout=120, check=False, env=os.environ | {"PYTHONPATH": PATH},
        )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return process.stdout


def only_session(path) -> SessionData:
    """Return the session of a log that has one."""
    store = open_store(path, to_read=True)
    (row,) = store.sessions()
    store.close()
    return load_session(path, row.id)


@pytest.fixture
def open_window(open_lab_window, display):
    """Return a function that opens a window as a script would, one at a time."""
    from psychopy import visual

    open_lab_window().close()  # its own is no longer the newest
    opened = []

    def opening(**options):
        while opened:
            opened.pop().close()
        options = {"size": (500, 400), "units": "height", "allowGUI": False} | options
        opened.append(visual.Window(**options, checkTiming=False))
        return opened[0]

    yield opening
    while opened:
        opened.pop().close()


@pytest.fixture
def protocol():
    return load_protocol("bar-in-noise").with_options(4, 0.227, TIMING)


def frames_of(protocol, row) -> np.ndarray:
    """Render what a row says was shown."""
    source = noise_source("yoked-1", protocol, row["seed"])
    names = ("stimulus_id", "contrast", "target", "block_kind")
    return render(protocol, source, {name: [row[name]] for name in names})[0]


def test_the_script_of_the_page_runs_and_its_responses_are_in_the_log(
    tmp_path, display
):
    page = (ROOT / "docs" / "psychopy.md").read_text()
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len([line for line in script.splitlines() if line.strip()]) < 15
    said = run_script(tmp_path, script, "f", "j")
    session = only_session(tmp_path / "results.db")
    trials = session.trials
    printed = [
        line.split() for line in said.splitlines() if re.match(r"\d+ [01] ", line)
    ]
    assert [int(words[0]) for words in printed] == trials["trial"].tolist()
    assert [words[2] for words in printed] == [
        "None" if response is None else str(response)
        for response in trials["response"]
        .astype(object)
        .where(trials["response"].notna(), None)
    ]
    assert (session.status, session.row.presenter) == ("finished", "lab")
    assert trials["response"].notna().any()
    assert session.n_events["script"] == 1


@pytest.mark.parametrize("use_fbo", [False, True])
def test_the_pixels_are_ours_and_the_window_is_given_back(
    open_window, display, protocol, use_fbo
):
    ImageGrab = pytest.importorskip("PIL.ImageGrab", reason="Pillow is not here")
    from psychopy import visual

    win = open_window(useFBO=use_fbo, color="red", blendMode="avg")
    cover = visual.Rect(win, 2, 2, fillColor="blue")
    cover.autoDraw = win.mouseVisible = True
    win.flip()
    seen = []

    class Looking(NoiseTrial):
        def _tell(self, shown):
            super()._tell(shown)
            # The last picture of the trial is the empty stage: its middle is gray.
            grabbed = np.array(ImageGrab.grab(xdisplay=display).convert("RGB"))
            x, y = win.pos
            seen.append(grabbed[y + 200, x + 100].tolist())

    trial = Looking(win, protocol, refresh_hz=60.0, read_back="every")
    with pressing("f"):
        rows = list(trial)
    trial.close()
    assert trial.is_over
    assert [row["digest"] for row in rows] == [
        digest(frames_of(protocol, row)) for row in rows
    ]
    assert seen == [[128, 128, 128]] * len(rows)
    assert (win.useFBO, win.colorSpace, win.mouseVisible) == (use_fbo, "rgb", True)
    assert win.color.tolist() == [1, -1, -1]
    assert win._toDraw == [cover]
    win.flip()
    middle = win._getPixels(rect=(250, 200, 1, 1), buffer="back", includeAlpha=False)
    assert middle[0, 0].tolist() == [255, 0, 0]  # cleared, in the script's colour


def test_with_a_frame_buffer_object_the_screen_itself_shows_the_pixels(
    open_window, display
):
    ImageGrab = pytest.importorskip("PIL.ImageGrab", reason="Pillow is not here")
    win = open_window(useFBO=True)
    window = BorrowedWindow(win, 128)
    picture = np.random.default_rng(1).integers(0, 256, (60, 80)).astype(np.uint8)
    with window.taken():
        (handle,) = window.prepare([picture])
        window.draw(handle)
        window.flip()
        grabbed = np.array(ImageGrab.grab(xdisplay=display).convert("L"))
        top, left, height, width = place(picture.shape, window.size_px)
        x, y = win.pos
        found = grabbed[y + top :, x + left :][:height, :width]
    assert np.array_equal(found, picture)


def test_a_script_can_have_a_schedule_and_a_log_of_its_own(open_window, protocol):
    trial = NoiseTrial(open_window(), protocol, seed=11, refresh_hz=60.0)
    with pressing("j"):
        first = trial.show(contrast=0.1, target=0, stimulus_id=5)
        second = trial.show(contrast=0.2, target=1)
    assert (first["stimulus_id"], second["stimulus_id"]) == (5, 1)
    assert (second["response"], second["correct"]) == (1, True)
    assert first["digest"] == digest(frames_of(protocol, first))
    assert not trial.is_over
    with pytest.raises(
        ValueError, match=r"contrast must be from 0 to 0\.227, got 0\.5"
    ):
        trial.show(contrast=0.5, target=0)
    with pytest.raises(ValueError, match="target must be from 0 to 1, got 2"):
        trial.show(contrast=0.1, target=2)
    with pytest.raises(ValueError, match="stimulus_id must be 0 or more, got -1"):
        trial.show(contrast=0.1, target=1, stimulus_id=-1)
    trial.close()


def test_both_logs_have_what_happened_when_it_happened(
    open_window, protocol, db_path, tmp_path
):
    from psychopy import core, logging

    before = logging.defaultClock
    logging.setDefaultClock(core.Clock())  # as Builder's scripts do
    log = logging.LogFile(str(tmp_path / "psychopy.log"), level=logging.EXP)
    try:
        trial = NoiseTrial(
            open_window(), protocol, log=db_path, participant="p01", refresh_hz=60.0
        )
        with pressing("x", "f"):
            rows = list(trial)
        trial.close()
        logging.flush()
    finally:
        logging.root.removeTarget(log)
        logging.setDefaultClock(before)
    lines = (tmp_path / "psychopy.log").read_text().splitlines()
    ours = [line.split("\t", 2) for line in lines if "yoked: " in line]
    at = {said.strip(): float(time) for time, _, said in ours}
    for row in rows:
        name = f"yoked: trial {row['trial']}"
        onset = at[f"{name}, interval 1 on"]
        assert onset - at[f"{name}, interval 0 on"] == pytest.approx(
            (row["onsets_ms"][1] - row["onsets_ms"][0]) / 1000, abs=1e-3
        )
        if row["response"] is not None:
            right = "correct" if row["correct"] else "wrong"
            said = f"response {row['response']} ({right}, {row['rt_ms']:g} ms)"
            response_at = at[f"{name}, {said}"]
            assert response_at - onset == pytest.approx(row["rt_ms"] / 1000, abs=1e-3)
    assert any("key x is no response" in said for said in at)
    session = load_session(db_path, trial.session_id)
    assert session.trials["rt_ms"].dropna().between(0, 5000).all()
    assert session.trials["digest"].notna().any()


def test_escape_ends_a_trial_and_the_session_can_go_on(open_window, protocol, db_path):
    win = open_window()
    asked = {"log": db_path, "participant": "p01", "refresh_hz": 60.0}
    trial = NoiseTrial(win, protocol, **asked)
    with pressing("Escape"):
        (row,) = trial
    assert trial.paused
    assert (row["valid"], row["invalid_reason"][:6]) == (False, "paused")
    trial.close()
    sentence = (
        f"p01 has an unfinished session .* go on with resume='{trial.session_id}'"
    )
    with pytest.raises(ValueError, match=sentence):
        NoiseTrial(win, protocol, **asked)
    again = NoiseTrial(win, protocol, **asked, resume=trial.session_id)
    with pytest.raises(ValueError, match="run by `run` where a log is given"):
        again.show(contrast=0.1, target=0)
    with pressing("f"):
        rows = list(again)
    again.close()
    assert [row["trial"] for row in rows] == list(range(1, len(rows) + 1))
    assert load_session(db_path, trial.session_id).status == "finished"


def test_a_window_that_cannot_show_pixels_is_refused(open_window, protocol):
    win = open_window()
    win.viewScale = (0.5, 0.5)
    win.flip()
    with pytest.raises(
        ValueError, match=r"pixel for pixel, got .* of 256 px otherwise"
    ):
        NoiseTrial(win, protocol, refresh_hz=60.0)
    win.close()
    with pytest.raises(ValueError, match="win must be an open window, got a closed"):
        NoiseTrial(win, protocol, refresh_hz=60.0)


def test_a_window_that_does_not_wait_for_the_screen_needs_a_rate(open_window, protocol):
    with pytest.raises(ValueError, match="say the rate with refresh_hz"):
        NoiseTrial(open_window(size=(200, 150), waitBlanking=False), protocol)
