"""The command line: what its commands print and write."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tests import ROOT
from yoked.app.cli import COMMANDS, cli


def run(*arguments: object):
    """Run a command that must succeed, as in a pipe."""
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result


def printed(*arguments: object):
    """Return what a command prints as JSON."""
    return json.loads(run(*arguments).stdout)


@pytest.fixture
def simulated(db_path):
    """Return the id of a session of 40 main trials in `db_path`."""
    response = printed("simulate", "bar-in-noise", "template", db_path, "--trials", 40)
    return response["session"]


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_help_lists_every_command(option):
    text = run(option).stdout
    assert all(f"\n  {name} " in text for name in COMMANDS)


def test_the_version_is_the_packages():
    from importlib.metadata import version

    assert run("--version").stdout.split()[-1] == version("yoked")


def test_a_wrong_command_gets_the_nearest_right_one():
    result = CliRunner().invoke(cli, ["simulte"])
    assert result.exit_code == 2
    assert "no command named 'simulte'; did you mean 'simulate'?" in result.stderr


def test_a_wrong_option_is_still_an_option():
    assert "--hepl" in CliRunner().invoke(cli, ["--hepl"]).stderr


def test_the_traceback_can_be_asked_for():
    result = CliRunner().invoke(cli, ["--traceback", "preview", "x", "-o", "x.png"])
    assert isinstance(result.exception, LookupError)


def test_protocols_are_listed_with_their_hash():
    rows = printed("protocols")
    assert "bar-in-noise" in [row["name"] for row in rows]
    assert all(len(row["stimulus_hash"]) == 64 for row in rows)


def test_observers_are_listed():
    assert {"template", "guesser"} <= {row["name"] for row in printed("observers")}


@pytest.mark.parametrize("case", range(3))
def test_preview_prints_the_digest_of_the_published_frame(case, tmp_path):
    vectors = json.loads((ROOT / "tests" / "vectors" / "yoked-1.json").read_text())
    frame = vectors["frames"][case]
    shipped = (ROOT / "experiments" / "protocols" / "bar-in-noise.toml").read_text()
    bars = shipped.replace("element_px = [52, 4]", "element_px = [32, 4]")
    (tmp_path / "bars.toml").write_text(bars)
    options = ["--seed", frame["seed"], "--stimulus-id", frame["stimulus_id"]]
    picture = tmp_path / "frame.png"
    response = printed(
        *("preview", tmp_path / "bars.toml", "-o", picture),
        *(*options, "--target", frame["target"], "--contrast", 0.227),
    )
    assert response["digest"] == frame["sha256"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_preview_of_a_scene_has_its_cue_and_says_for_whom_it_is_how_hard(tmp_path):
    picture = tmp_path / "scene.png"
    asked = ("--target", "1", "--place", "2", "--cue", "-1")
    row = printed("preview", "cued-detection", "-o", picture, *asked)
    assert (row["place"], row["cue"]) == (2, None)
    places = row["places"]
    assert places["ideal_dprime"] > places["template_dprime"] > places["linear_dprime"]
    with Image.open(picture) as image:
        levels = np.array(image)
    times = levels.shape[0] // (150 + 2 * 38)
    assert (levels[:, : 188 * times] == 1).any()  # the arrows of the cue, then patches
    assert levels.shape[1] == (2 * (150 + 38) + 38) * times


def test_preview_of_a_movie_is_a_gif(tmp_path):
    printed("preview", "movie-bar", "-o", tmp_path / "movie.gif")
    assert (tmp_path / "movie.gif").read_bytes().startswith(b"GIF89a")


def test_simulate_makes_a_session_that_sessions_lists(db_path, simulated):
    (row,) = printed("sessions", db_path)
    assert row["session"] == simulated
    assert (row["observer"], row["status"]) == ("template", "finished")


def test_the_same_seed_simulates_the_same_trials(tmp_path):
    def trials(name, seed):
        db = tmp_path / name
        options = ("--trials", 40, "--seed", seed, "--internal-noise", 1)
        run("simulate", "bar-in-noise", "template", db, *options)
        rows = csv.DictReader(run("export", db).stdout.splitlines())
        columns = (
            "stimulus_id",
            "contrast",
            "target",
            "response",
            "decision_variables",
        )
        return [[row[column] for column in columns] for row in rows]

    first = trials("a.db", 5)
    assert first == trials("b.db", 5)
    assert first != trials("c.db", 6)


def test_a_yoked_model_gets_the_trials_of_its_source(db_path, simulated):
    response = printed("simulate", "guesser", db_path, "--yoke-to", simulated)
    rows = list(csv.DictReader(run("export", db_path).stdout.splitlines()))
    events = ("trial", "stimulus_id", "contrast", "target", "pass", "repeats")
    source, yoked = (
        [[row[name] for name in events] for row in rows if row["session"] == session]
        for session in (simulated, response["session"])
    )
    assert source == yoked
    assert printed("sessions", db_path)[1]["yoked_to"] == simulated


def test_simulate_shows_progress_on_stderr_only(db_path):
    result = run("simulate", "bar-in-noise", "guesser", db_path, "--trials", 40)
    json.loads(result.stdout)
    assert "guesser: trials" in result.stderr


def test_an_observer_of_ones_own_takes_part(tmp_path, db_path):
    (tmp_path / "mine.py").write_text(OWN_OBSERVER)
    name = f"{tmp_path / 'mine.py'}:FirstInterval"
    printed("simulate", "bar-in-noise", name, db_path, "--trials", 40)
    rows = csv.DictReader(run("export", db_path).stdout.splitlines())
    assert {row["response"] for row in rows if row["block_kind"] == "main"} == {"0"}


OWN_OBSERVER = """
import numpy as np

class FirstInterval:
    name = "first-interval"

    def prepare(self, viewing):
        pass

    def decide(self, frames, noise):
        return np.tile([1.0, 0.0], (len(frames), 1))

class Averager(FirstInterval):
    def __init__(self, seed=1):
        self.weights_hash = f"of-seed-{seed}"

    def learn(self, practice, progress):
        _, frames = practice.draw(64)
        self.mean = frames.mean(axis=(0, 1))
        progress(1, 1)

    def save(self, path):
        np.save(path, self.mean)
"""


def test_train_writes_the_weights_of_an_observer_that_learns(tmp_path):
    (tmp_path / "mine.py").write_text(OWN_OBSERVER)
    weights = tmp_path / "weights.npy"
    name = f"{tmp_path / 'mine.py'}:Averager"
    result = run("train", name, "bar-in-noise", "-o", weights, "--seed", 3)
    assert json.loads(result.stdout)["weights_hash"] == "of-seed-3"
    assert "first-interval: training" in result.stderr
    mean = np.load(weights)
    assert mean.shape == (1, 52, 52)
    assert mean.mean() == pytest.approx(128, abs=3)


def test_an_observer_that_cannot_learn_is_not_trained(tmp_path):
    command = ["train", "guesser", "bar-in-noise", "-o", str(tmp_path / "w.pt")]
    result = CliRunner().invoke(cli, command)
    assert "must be one that is trained, got 'guesser'" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_export_writes_a_row_a_trial_with_its_session(db_path, simulated, tmp_path):
    run("export", db_path, tmp_path / "trials.csv")
    text = (tmp_path / "trials.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["session"] for row in rows} == {simulated}
    assert [int(row["trial"]) for row in rows] == list(range(len(rows)))
    assert text == run("export", db_path).stdout


def test_export_of_one_session_leaves_out_the_others(db_path, simulated):
    printed("simulate", "bar-in-noise", "guesser", db_path, "--trials", 40)
    rows = csv.DictReader(
        run("export", db_path, "--session", simulated).stdout.splitlines()
    )
    assert {row["session"] for row in rows} == {simulated}


def test_analyse_prints_a_row_a_session(db_path, simulated):
    (row,) = printed("analyse", db_path)
    assert row["session"] == simulated
    assert simulated in run("analyse", db_path, "--table").stdout


def test_bench_prints_ratios_with_the_machine_they_are_of(monkeypatch):
    for name in ("N_TRIALS", "N_ON_DISK"):
        monkeypatch.setattr(f"yoked.app.bench_models.{name}", 600)
    result = printed("bench", "--rounds", 1)
    assert result["machine"]["cores"] == os.cpu_count()
    for row in result["contests"]:
        assert row["ratio"] > 0
        rates = row["ours_per_s"] / row["against_per_s"]
        assert rates == pytest.approx(row["ratio"])
    goals = [row["goal"] for row in result["contests"] if "goal" in row]
    assert goals == [0.25, 0.5, 5.0, 2.5, 2.0]


@pytest.fixture
def hears_ctrl_c():
    """Let a process that a test starts hear Ctrl-C, whoever started the tests.

    Under `nohup` or `&` a shell has Ctrl-C ignored, and children inherit that; a
    signal that is handled here is at its default there.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_ends_a_command_with_one_line(db_path):
    command = [sys.executable, "-m", "yoked", "simulate", "bar-in-noise", "template"]
    process = subprocess.Popen(
        [*command, db_path, "--trials", "2000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not db_path.exists() and process.poll() is None:
        assert time.monotonic() < deadline
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in stderr


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_ends_the_server_in_good_order(db_path):
    command = [sys.executable, "-m", "yoked", "serve", db_path, "--port", "0"]
    command += ["--protocol", "bar-in-noise"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    announcement = process.stderr.readline()
    url = announcement.split(" at ")[1].split()[0]
    with urllib.request.urlopen(url, timeout=30) as page:
        assert page.status == 200
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0
    assert stderr == ""


def test_a_reader_that_stops_early_is_no_error(db_path, simulated):
    command = f'"{sys.executable}" -m yoked export "{db_path}" | head -n 1'
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60
    )
    assert result.stdout.startswith("session,observer,")
    assert result.stderr == ""
