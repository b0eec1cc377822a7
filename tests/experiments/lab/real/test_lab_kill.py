"""Killed at random moments, a session loses no finished trial and goes on."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests import ROOT
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.store.sqlite import open_store

from .watching import fast, run_in_process

# Minutes on a slow machine, which is no fault.
pytestmark = pytest.mark.timeout(1800)

PRESENTER = Path(__file__).with_name("presenter.py")
PATH = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(ROOT)]).strip(os.pathsep)
N_KILLS = 10
SEED = 7


@pytest.fixture
def protocol():
    protocol = fast(load_protocol("bar-in-noise"))
    few = tuple(
        replace(
            block, n_trials={"practice": 4, "calibration": 20, "main": 20}[block.kind]
        )
        for block in protocol.blocks
    )
    pairs = replace(protocol.double_pass, n_pairs=20, min_gap=10)
    return replace(protocol, blocks=few, double_pass=pairs)


def start(db_path, protocol, resume) -> subprocess.Popen:
    settings = {"protocol": protocol.to_dict(), "seed": SEED, "resume": resume}
    path = db_path.with_suffix(".json")
    path.write_text(json.dumps(settings))
    environment = os.environ | {"PYTHONPATH": PATH, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, PRESENTER, db_path, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def wait_for_session(process) -> str:
    """Return the id that the presenter says when its session is on."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Session "):
            return line.split()[1].rstrip(",")
    assert process.stderr is not None
    raise AssertionError(process.stderr.read())


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a POSIX signal")
def test_a_session_that_is_killed_again_and_again_ends_as_if_it_had_not_been(
    db_path, display, protocol
):
    rng = random.Random(1)
    session, stored = None, []
    n_killed_inside = 0
    for _ in range(N_KILLS):
        process = start(db_path, protocol, session)
        session = wait_for_session(process)
        for _ in range(rng.randint(0, 6)):  # the marks, then trials
            process.stdout.readline()
        time.sleep(rng.uniform(0, 0.05))  # a random moment, which is what is tested
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        store = open_store(db_path)
        now = store.trials(session)
        store.close()
        # Nothing that was there is gone or changed, and no number was left out.
        assert now[: len(stored)] == stored
        assert [t.spec.trial for t in now] == list(range(len(now)))
        n_killed_inside += len(now) > len(stored)
        stored = now
    assert n_killed_inside >= N_KILLS // 2  # most of the time trials were running
    process = start(db_path, protocol, session)
    assert wait_for_session(process) == session
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.splitlines()[-1] == "finished"

    store = open_store(db_path)
    trials, events = store.trials(session), store.events(session)
    assert store.session(session).status == "finished"
    store.close()
    expected = run_in_process(protocol, SEED)
    assert [t.spec for t in trials] == [t.spec for t in expected]
    responses = [t.response.response for t in trials]
    assert responses == [t.response.response for t in expected]
    assert all(t.response.valid and t.response.digest for t in trials)
    assert {t.response.rt_ms for t in trials} == {trials[0].response.rt_ms}
    # A trial and its flips were stored together.
    flips = [e["detail"]["trial"] for e in events if e["kind"] == "flips"]
    assert flips == list(range(len(trials)))
    assert [e["kind"] for e in events].count("resumed") == N_KILLS
    check = sqlite3.connect(db_path)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()


def test_a_session_that_is_on_cannot_be_run_a_second_time(db_path, display, protocol):
    first = start(db_path, protocol, None)
    session = wait_for_session(first)
    first.send_signal(signal.SIGSTOP)  # as if it waited for a participant
    second = start(db_path, protocol, session)
    _, err = second.communicate(timeout=60)
    first.kill()
    first.communicate()
    assert f"session {session} must be run once at a time" in err
    assert second.returncode == 1
