"""Real key events: xdotool presses what a template chose from the back buffer."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from tests import ROOT
from yoked.experiments.lab.keys import open_keyboard, wait_for_key
from yoked.experiments.lab.run import run_lab
from yoked.experiments.lab.stage import Stage
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Timing
from yoked.experiments.session.session import Session
from yoked.experiments.store.sqlite import open_store

from .watching import Watcher, ideal_observer, request, response_to

TIMING = Timing(
    fixation_ms=50,
    interval_ms=50,
    gap_ms=50,
    response_ms=5000,
    feedback_ms=0,
    earliest_ms=0,
)
PATH = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(ROOT)]).strip(os.pathsep)
COMMAND = "from yoked.app.commands.lab import lab; lab()"
SPACE_EVERY_S = 0.15


def press(key: str) -> None:
    subprocess.Popen(["xdotool", "key", key])


class Presser(Watcher):
    """Watches in real time, and presses real keys."""

    def __post_init__(self):
        super().__post_init__()
        self._pressed_page = None

    def flip(self):
        super().flip()
        return self.window.now()

    def now(self):
        return self.window.now()

    def pause(self):
        if self._is_page:
            self._press_space()
        elif self._stimuli and len(self._pictures) == len(self._stimuli):
            (chosen,) = (press.name for press in self.presses())
            press(chosen)
        self.window.pause()

    def _press_space(self):
        page = len(self.texts)
        if self._pressed_page != page:
            self._pressed_page = page
            press("space")


def protocol_of(trials):
    return load_protocol("bar-in-noise").with_options(trials, 0.227, TIMING)


@pytest.mark.parametrize(("backend", "n_trials"), [("ptb", 40), ("event", 10)])
def test_a_real_key_is_the_response_that_the_template_chose(
    db_path, open_lab_window, backend, n_trials
):
    window = open_lab_window(refresh_hz=60.0)
    protocol = protocol_of(n_trials)
    said = []
    keyboard = open_keyboard(backend, said.append)
    assert (keyboard.backend, said) == (backend, [])
    watcher = Presser(window, protocol, Stage.of(protocol))
    asked = request(protocol, seed=3)
    outcome = run_lab(
        db_path, asked, said.append, lambda *_: watcher, lambda *_: keyboard
    )
    assert outcome.is_finished
    store = open_store(db_path)
    trials = store.trials(outcome.session_id)
    session = Session.resume(store, outcome.session_id)
    frames = session.frames([t.spec for t in trials])
    events = store.events(outcome.session_id)
    store.close()
    # A machine that is busy may drop frames, and so repeat trials; they are answered.
    assert len(trials) >= n_trials
    assert np.array_equal(np.array(watcher.trials), frames)
    template = ideal_observer(protocol)
    responses = [response_to(template, shown) for shown in frames]
    assert [t.response.response for t in trials] == responses
    rt_ms = [t.response.rt_ms for t in trials]
    assert all(time_ms is not None and 20 < time_ms < 5000 for time_ms in rt_ms)
    flips = [e["detail"] for e in events if e["kind"] == "flips"]
    assert [f["trial"] for f in flips] == list(range(len(trials)))


def test_a_key_that_was_let_go_before_anybody_looked_is_not_lost(open_lab_window):
    window = open_lab_window()
    keyboard = open_keyboard("ptb", print)
    keyboard.clear()
    before = window.now()
    for key in ("f", "j", "space"):
        subprocess.run(["xdotool", "key", key], check=True)
    after = window.now()
    deadline = after + 2000
    found = []
    while len(found) < 3 and window.now() < deadline:
        found += keyboard.presses()
        window.pause()
    assert [press.name for press in found] == ["f", "j", "space"]
    assert all(before <= press.time_ms <= after + 50 for press in found)
    assert keyboard.presses() == []


def test_a_page_waits_for_its_own_keys(open_lab_window):
    window = open_lab_window()
    keyboard = open_keyboard("ptb", print)
    waiting = iter(["x", "Return"])
    deadline = window.now() + 5000

    def pause():
        if (key := next(waiting, None)) is not None:
            press(key)
        window.pause()
        assert window.now() < deadline, "the keys never came"

    assert wait_for_key(keyboard, ("space", "return"), pause).name == "return"


def test_the_command_runs_a_session_by_keys_alone(db_path, display):
    """Escape, then space, then keys until it is over; the summary is printed."""
    options = ["--participant", "p01", "--windowed", "--size-px", "400x300"]
    options += ["--refresh", "60", "--trials", "4", "--contrast", "0.4", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "bar-in-noise", str(db_path), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": PATH},
    )
    deadline = time.monotonic() + 90
    keys = 0
    while process.poll() is None and time.monotonic() < deadline:
        subprocess.run(["xdotool", "key", ("space", "f", "j")[keys % 3]], check=True)
        keys += 1
        time.sleep(SPACE_EVERY_S)  # keys come at a participant's pace
    out, err = process.communicate(timeout=10)
    assert process.returncode == 0, err
    summary = json.loads(out)
    assert (summary["participant"], summary["status"]) == ("p01", "finished")
    assert summary["trials"] >= 4
    dprime = summary["pooled"]["dprime"]  # by chance every key may come too soon
    assert dprime["value"] is not None or dprime["note"]
    store = open_store(db_path)
    row = store.session(summary["session"])
    answered = [t for t in store.trials(row.id) if t.response.response is not None]
    store.close()
    assert answered
    assert row.presenter == "lab"
    assert row.device["keys"] == "ptb"
    assert row.display["size_px"] == [400, 300]
