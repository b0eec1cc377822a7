"""The operator's dialog: typed into by xdotool; a form where there is no dialog."""

import json
import os
import subprocess
import sys
import time

import pytest

from yoked.experiments.lab.dialog import (
    OperatorAnswers,
    answers_from,
    ask_operator,
    terminal_form,
    why_no_dialog,
)

ASK = """
import json, sys
from yoked.experiments.lab.dialog import ask_operator
def prompt(label, default):
    print(label, "?", default, file=sys.stderr)
    return input() or default
sitting = ask_operator(json.loads(sys.argv[1]), json.loads(sys.argv[2]), prompt,
                       lambda text: print(text, file=sys.stderr))
if sitting is not None and len(sys.argv) > 3:
    from yoked.experiments.lab.window import open_window
    window = open_window(full_screen=False, size_px=(200, 200), refresh_hz=1000)
    window.flip()
    assert window.read_back().shape == (200, 200)
    window.close()
print(json.dumps(sitting and vars(sitting)))
"""


@pytest.fixture
def dialogs(display):
    """Skip with the reason where Qt cannot start."""
    missing = why_no_dialog()
    if missing is not None:
        pytest.skip(f"no dialog here: {missing}")


def asking(texts, monitors=(), *more, **environment):
    """Start a process that asks the operator."""
    arguments = [json.dumps(texts), json.dumps(monitors), *more]
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", ASK, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def xdotool(*arguments):
    return subprocess.run(
        ["xdotool", *arguments], capture_output=True, text=True, check=False
    )


def focus_dialog(other_than="", seconds=30.0):
    """Wait for the dialog's window and give it the keys; return its number."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = xdotool("search", "--onlyvisible", "--name", "Yoked: lab session")
        number = found.stdout.split()[-1] if found.stdout.split() else ""
        if number and number != other_than:
            xdotool("windowfocus", "--sync", number)
            return number
        time.sleep(0.05)
    raise AssertionError("no dialog came up")


def answer_of(process):
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def test_what_is_typed_into_the_dialog_comes_out_and_a_window_still_opens(dialogs):
    process = asking({"distance_cm": 57.0}, ["lab-1", "lab-2"], "window")
    focus_dialog()
    xdotool("type", "--delay", "20", "p01")
    xdotool("key", "Tab", "BackSpace", "3", "Tab", "Down", "Down", "Tab")
    xdotool("key", "ctrl+a")
    xdotool("type", "--delay", "20", "70.5")
    xdotool("key", "Return")
    assert answer_of(process) == {
        "participant": "p01",
        "session": 3,
        "monitor": "lab-2",
        "distance_cm": 70.5,
    }


def test_the_dialog_chooses_no_monitor_and_no_distance_unasked(dialogs):
    process = asking({}, ["lab-1", "lab-2"])
    focus_dialog()
    xdotool("type", "--delay", "20", "p01")
    xdotool("key", "Return")
    answers = answer_of(process)
    assert (answers["monitor"], answers["distance_cm"]) == ("", None)


def test_escape_cancels_the_dialog(dialogs):
    process = asking({"participant": "p01"})
    focus_dialog()
    xdotool("key", "Escape")
    assert answer_of(process) is None


def test_a_fault_brings_the_dialog_back_with_what_was_typed(dialogs):
    process = asking({"participant": "Jane Doe", "distance_cm": 57.0})
    first = focus_dialog()
    xdotool("key", "Return")
    focus_dialog(other_than=first)
    xdotool("key", "ctrl+a")
    xdotool("type", "--delay", "20", "p02")
    xdotool("key", "Return")
    assert answer_of(process)["participant"] == "p02"


def test_qt_that_cannot_start_gives_a_form_in_the_terminal(display):
    process = asking({"session": 2}, ["lab-1"], QT_QPA_PLATFORM="no-such-platform")
    out, err = process.communicate("p07\n\nlab-1\n\n", timeout=60)
    assert process.returncode == 0, err
    assert "No dialog here, since Qt cannot start" in err
    assert json.loads(out) == {
        "participant": "p07",
        "session": 2,
        "monitor": "lab-1",
        "distance_cm": None,
    }


def test_without_a_display_there_is_a_form_too(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    answers, said = iter(["bad code", "1", "", "57", "p01", "1", "", "57"]), []
    sitting = ask_operator({}, [], lambda label, default: next(answers), said.append)
    assert sitting == OperatorAnswers("p01", 1, "", 57.0)
    assert said[0].startswith("No dialog here, since")
    assert "participant must be 1 to 32 letters" in said[1]


def test_the_form_offers_what_is_known():
    asked = []

    def prompt(label, default):
        asked.append((label, default))
        return default

    answers = terminal_form(
        {"monitor": "lab-1", "distance_cm": 70.0}, ["lab-1"], prompt
    )
    assert answers["monitor"] == "lab-1"
    assert asked[2:] == [("Monitor [lab-1]", "lab-1"), ("Viewing distance (cm)", "70")]


def test_what_the_operator_leaves_alone_is_not_chosen_for_them():
    """Neither the first monitor of the list, nor a distance that nobody measured."""
    asked = []

    def prompt(label, default):
        asked.append(default)
        return default

    answers = terminal_form({"participant": "p01"}, ["lab-1"], prompt)
    assert asked[2:] == ["", ""]
    assert answers_from(answers, ["lab-1"]) == OperatorAnswers("p01", 1, "", None)


def test_texts_become_a_sitting():
    texts = {"participant": " p01 ", "session": "2", "distance_cm": "62.5"}
    assert answers_from(texts) == OperatorAnswers("p01", 2, "", 62.5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"participant": ""}, "participant must be 1 to 32 letters, digits, - or _"),
        ({"participant": "Jane Doe"}, "letters, digits, - or _, got 'Jane Doe'"),
        ({"session": "0"}, "session must be from 1 to 999, got 0"),
        ({"session": "first"}, "session must be a whole number, got 'first'"),
        ({"distance_cm": "0.5"}, "distance_cm must be from 10 to 1000, got 0.5"),
        ({"distance_cm": "nan"}, "distance_cm must be from 10 to 1000, got nan"),
        (
            {"distance_cm": "far"},
            "distance_cm must be a number, or empty for the monitor's own, got 'far'",
        ),
        (
            {"monitor": "lab1"},
            "one of lab-1, scanner, got 'lab1'; did you mean 'lab-1'",
        ),
    ],
)
def test_a_sitting_that_cannot_be_is_refused(change, sentence):
    texts = {"participant": "p01", **change}
    with pytest.raises(ValueError, match=r"must be") as caught:
        answers_from(texts, ["lab-1", "scanner"])
    assert sentence in str(caught.value)


def test_every_fault_is_told_at_once():
    texts = {"participant": "", "session": "x", "distance_cm": "0", "monitor": "z"}
    with pytest.raises(ValueError, match="participant") as caught:
        answers_from(texts, ["lab-1"])
    assert len(str(caught.value).splitlines()) == 4
