"""Killed at random moments, a session loses no finished trial and goes on."""

import contextlib
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.processes import PROCESSES
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.store.sqlite import open_store

from .presenter import present
from .watching import fast, run_in_process

# Minutes on a slow machine, which is no fault.
pytestmark = pytest.mark.timeout(1800)

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


class Presenter:
    """A presenter's process, and what it says."""

    def __init__(self, db_path, protocol, resume: str | None) -> None:
        settings = {"protocol": protocol.to_dict(), "seed": SEED, "resume": resume}
        self._hearing, saying = PROCESSES.Pipe(duplex=False)
        arguments = str(db_path), settings, os.environ["DISPLAY"], saying.send
        self.process = PROCESSES.Process(target=present, args=arguments)
        self.process.start()
        saying.close()

    def said(self) -> Iterator[str]:
        """Yield what it says, until it ends."""
        with contextlib.suppress(EOFError):
            while True:
                yield self._hearing.recv()

    def session(self) -> str:
        """Return the id that it says when its session is on."""
        line = next(each for each in self.said() if each.startswith("Session "))
        return line.split()[1].rstrip(",")


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a POSIX signal")
def test_a_session_that_is_killed_again_and_again_ends_as_if_it_had_not_been(
    db_path, display, protocol
):
    rng = random.Random(1)
    session, stored = None, []
    n_killed_inside = 0
    for _ in range(N_KILLS):
        presenter = Presenter(db_path, protocol, session)
        session = presenter.session()
        for _ in zip(range(rng.randint(0, 6)), presenter.said(), strict=False):
            pass  # the marks, then trials
        time.sleep(rng.uniform(0, 0.05))  # a random moment, which is what is tested
        presenter.process.kill()
        presenter.process.join()
        assert presenter.process.exitcode == -signal.SIGKILL
        store = open_store(db_path)
        now = store.trials(session)
        store.close()
        # Nothing that was there is gone or changed, and no number was left out.
        assert now[: len(stored)] == stored
        assert [t.spec.trial for t in now] == list(range(len(now)))
        n_killed_inside += len(now) > len(stored)
        stored = now
    assert n_killed_inside >= N_KILLS // 2  # most of the time trials were running
    presenter = Presenter(db_path, protocol, session)
    assert presenter.session() == session
    assert [*presenter.said()][-1] == "finished"
    presenter.process.join(120)
    assert presenter.process.exitcode == 0

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
    first = Presenter(db_path, protocol, None)
    session = first.session()
    os.kill(first.process.pid, signal.SIGSTOP)  # as if it waited for a participant
    second = Presenter(db_path, protocol, session)
    *_, last = second.said()
    second.process.join(60)
    first.process.kill()
    first.process.join()
    assert f"session {session} must be run once at a time" in last
    assert second.process.exitcode == 1
