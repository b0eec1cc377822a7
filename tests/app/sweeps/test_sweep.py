"""A sweep on one machine: real processes, of which one is killed and one fails."""

import os
import signal
import subprocess
import sys
import threading

import pandas as pd
import pytest

import yoked
from tests import ROOT
from yoked.app.sweeps.worker import died

MINE = '''
import os, signal, threading
from pathlib import Path

HERE = Path(__file__).parent


class Dies:
    """Dies of seed 2, the first time that it is asked."""

    def __init__(self, seed):
        self.name, self.seed = "dies", seed

    def prepare(self, viewing):
        mark = HERE / "died"
        if self.seed == 2 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def decide(self, frames, noise):
        print("what it prints is no answer")
        return frames.mean(axis=(2, 3, 4))


class Breaks:
    name = "breaks"

    def prepare(self, viewing):
        raise ValueError("the viewing must be another one")

    def decide(self, frames, noise):
        return frames.mean(axis=(2, 3, 4))


class Waits(Dies):
    def prepare(self, viewing):
        if self.seed == 2:
            threading.Event().wait()
'''
RECIPE = """
seeds = 2
protocols = ["bar-in-noise"]
trials = 200
contrast = 0.2
internal_noise = 0.5

[[observer]]
name = "template"

[[observer]]
name = "template"
label = "half"
options = { efficiency = 0.5 }

[[observer]]
name = "mine.py:Dies"

[[observer]]
name = "mine.py:Breaks"
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Give recipe and folder, and what came of it at once, and resumed with changes."""
    base = tmp_path_factory.mktemp("sweep")
    (base / "mine.py").write_text(MINE)
    recipe, out = base / "sweep.toml", base / "out"
    recipe.write_text(RECIPE)
    courses = []

    def told(course):
        courses.append(course.words)

    first = yoked.sweep(recipe, out, processes=2, progress=told)
    left = sorted(path.name for path in (out / "cells").iterdir())
    recipe.write_text(RECIPE.replace("efficiency = 0.5", "efficiency = 0.25"))
    second = yoked.sweep(recipe, out, processes=1, resume=True)
    return recipe, out, first, second, left, courses


def errors(table):
    failed = table[table["status"] == "failed"]
    return dict(zip(failed["cell"], failed["error"], strict=True))


def test_what_fails_or_is_killed_is_a_row_and_the_rest_is_done(swept):
    _, _, first, _, left, courses = swept
    broken = "the viewing must be another one"
    assert errors(first) == {
        "Dies--bar-in-noise--seed-2": died(-signal.SIGKILL),
        "Breaks--bar-in-noise--seed-1": broken,
        "Breaks--bar-in-noise--seed-2": broken,
    }
    assert list(first["status"]).count("done") == 5
    assert courses[0] == "0 of 8 cells"
    assert courses[-1] == "5 of 8 cells, 3 failed"
    # Nothing half-written is left, and a failed cell has its traceback.
    done = [f"{cell}" for cell in first.loc[first["status"] == "done", "cell"]]
    assert left == sorted([*done, *(f"{cell}.error.txt" for cell in errors(first))])


def test_a_resumed_sweep_does_what_was_not_done_and_nothing_else(swept):
    _, _, first, second, _, _ = swept
    assert list(errors(second)) == [
        "Breaks--bar-in-noise--seed-1",
        "Breaks--bar-in-noise--seed-2",
    ]
    was_done = (first["status"] == "done") & (first["observer"] != "half")
    for column in ("session", "seconds"):
        assert first[was_done][column].equals(second[was_done][column])


def test_a_cell_of_other_inputs_is_done_anew(swept):
    _, _, first, second, _, _ = swept
    changed = first["observer"] == "half"
    assert not set(first[changed]["session"]) & set(second[changed]["session"])
    assert set(second[changed]["options"]) == {'{"efficiency": 0.25}'}


def test_a_cell_is_what_a_run_by_itself_is(swept):
    _, out, _, second, _, _ = swept
    row = second.set_index("cell").loc["half--bar-in-noise--seed-1"]
    logged = yoked.load_session(out / "results.db", row["session"])
    assert (logged.observer, logged.seed, logged.status) == ("half", 1, "finished")
    again = yoked.run(
        yoked.load_protocol("bar-in-noise"),
        yoked.load_observer("template", efficiency=0.25),
        seed=1,
        internal_noise=0.5,
        trials=200,
        contrast=0.2,
        observer_seed=logged.row.observer_seed,
    )
    assert logged.trials["response"].equals(again.trials["response"])
    found = yoked.dprime(again)
    assert (row["dprime"], row["dprime_se"]) == (found.value, found.se)
    assert (row["dprime_low"], row["dprime_high"]) == (found.low, found.high)


def test_the_files_hold_what_was_returned(swept):
    _, out, _, second, _, _ = swept
    pd.testing.assert_frame_equal(pd.read_parquet(out / "results.parquet"), second)
    means = pd.read_csv(out / "summary.csv").set_index(["observer", "quantity"])
    row = means.loc["template", "dprime"]
    assert row["n_seeds"] == 2
    own = second.loc[second["observer"] == "template", "dprime"]
    assert own.min() < row["mean"] < own.max()
    assert means.loc["Breaks", "dprime"]["n_failed"] == 2


def test_a_folder_with_a_sweep_must_be_resumed(swept):
    recipe, out, *_ = swept
    with pytest.raises(ValueError, match=r"that of a sweep to be resumed \(--resume\)"):
        yoked.sweep(recipe, out)


def listen():
    """Let Ctrl-C be heard also where the tests run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_an_interrupt_leaves_what_is_done_and_says_how_to_go_on(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    recipe, out = tmp_path / "sweep.toml", tmp_path / "out"
    recipe.write_text(
        'seeds = 2\nprotocols = ["bar-in-noise"]\ntrials = 50\ncontrast = 0.2\n'
        '[[observer]]\nname = "mine.py:Waits"\n'
    )
    command = [sys.executable, "-m", "yoked", "sweep", recipe, "--out", out]
    run = subprocess.Popen(
        [*map(str, command), "--processes", "1"],
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        preexec_fn=listen,
    )
    with run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith("1 of 2 cells"):
                break
        run.send_signal(signal.SIGINT)
        ends = threading.Timer(60, run.kill)  # or a deaf one would be waited for
        ends.start()
        said = run.stderr.read()
        ends.cancel()
    assert run.returncode == 130
    assert f"what is done stays in {out}" in said
    assert "with --resume goes on" in said
    (done,) = (out / "cells").iterdir()
    assert done.name == "Waits--bar-in-noise--seed-1"
