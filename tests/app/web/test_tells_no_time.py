"""How long the server works on a request tells neither target nor kind of trial.

What is timed is the process's own CPU time, which another process's work does not
lengthen; what is compared are ranks within runs of trials, so that a session's slow
course does not matter either.
"""

import hashlib
import itertools
import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from yoked.app.studies.arms import Arm
from yoked.app.studies.description import Study
from yoked.app.web import live
from yoked.app.web.server import create_app
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass
from yoked.experiments.session import session as sessions

from .participant import Participant, log, sent
from .test_studies import put

RUN = 50  # trials whose times are ranked together
SUSPICIOUS = 1e-4  # then other seeds are asked, so a test fails by chance in 1e-7
REQUESTS = ("next", "frames", "frames again", "response")


def clocked(request, *arguments) -> tuple:
    """Ask; give the CPU time that it took in s, and the reply."""
    start = time.process_time()
    reply = request(*arguments)
    return time.process_time() - start, reply


def timed_session(app) -> np.ndarray:
    """Take part; give the CPU time of each request of each trial in s."""
    participant = Participant(app.test_client(), "/study/bars")
    took: list[float] = []

    def timed(request, *arguments):
        took_s, reply = clocked(request, *arguments)
        took.append(took_s)
        return reply

    following = participant.next()
    while not following["done"]:
        timed(participant.next)
        pixels = timed(participant.get, following["frames"]).data
        # Who asks again and again gets nearer to what it takes.
        again = [clocked(participant.get, following["frames"])[0] for _ in range(4)]
        took.append(min(again))
        body = {**sent(0), "digest": hashlib.sha256(pixels).hexdigest()}
        following = timed(participant.post, following["trial"], body).json["next"]
        participant.sent = b""
    return np.reshape(took, (-1, len(REQUESTS)))


def p_of(times: np.ndarray, is_one: np.ndarray) -> float:
    """Test whether two groups of trials differ in time, in ranks within runs.

    The sums of ranks of all runs together, by their variance (van Elteren's test
    with equal weights).
    """
    excess = variance = 0.0
    for start in range(0, len(times), RUN):
        ones = is_one[start : start + RUN]
        n, n_ones = len(ones), int(ones.sum())
        ranks = rankdata(times[start : start + RUN])
        excess += ranks[ones].sum() - n_ones * (n + 1) / 2
        variance += n_ones * (n - n_ones) * (n + 1) / 12
    return 2 * float(norm.sf(abs(excess) / np.sqrt(variance)))


def groups_of(records: list) -> dict[str, np.ndarray]:
    """Give what a trial's time might tell, for each trial."""
    specs = [record.spec for record in records]
    return {
        "target": np.array([spec.target == 1 for spec in specs]),
        "catch": np.array([spec.block_kind == "catch" for spec in specs]),
        "shown before": np.array([spec.repeats is not None for spec in specs]),
    }


@pytest.fixture
def leaks(db_path, monkeypatch):
    """Return a function that looks for leaks in sessions of some seeds."""
    bars = load_protocol("bar-in-noise")
    protocol = replace(
        bars,
        blocks=(Block("main", 60, n_blocks=4),),
        double_pass=DoublePass(60, min_gap=20),
        catch=replace(bars.catch, n_per_block=10),
        screening=replace(bars.screening, min_trials=1000),
    )
    put(db_path, Study("bars", arms=(Arm("all", (protocol,)),)))
    app = create_app(db_path, clock=itertools.count(0.0, 10.0).__next__)
    timed_session(app)  # what is made once is made

    def look(*seeds: int) -> dict[tuple[str, str], float]:
        of_seed = iter(seeds).__next__
        monkeypatch.setattr(sessions, "fresh_seed", of_seed)
        times = np.concatenate([timed_session(app) for _ in seeds])
        with log(db_path) as store:
            rows = [row for row in store.sessions() if row.seed in seeds]
            records = [each for row in rows for each in store.trials(row.id)]
        found = {}
        for what, is_one in groups_of(records).items():
            for request, of_request in zip(REQUESTS, times.T, strict=True):
                found[what, request] = p_of(of_request, is_one)
        return {what: p for what, p in found.items() if p < SUSPICIOUS}

    yield look
    app.extensions["yoked"].close()


def test_times_of_replies_tell_nothing(leaks):
    suspicious = leaks(21, 22)
    assert not suspicious or not suspicious.keys() & leaks(23, 24).keys()


@pytest.mark.parametrize(
    ("leak_ms", "requests"),
    [
        (0.7, {"frames", "frames again", "response"}),
        pytest.param(0.1, {"frames again"}, marks=pytest.mark.slow),
    ],
)
def test_a_leak_would_be_found(leaks, monkeypatch, leak_ms, requests):
    render = live.LiveSession._render

    def leaking(self, trial):
        (spec,) = self.session.next_batch(1)
        until = time.process_time() + leak_ms / 1000 * spec.target
        while time.process_time() < until:
            pass
        return render(self, trial)

    monkeypatch.setattr(live.LiveSession, "_render", leaking)
    assert {("target", request) for request in requests} <= leaks(25, 26).keys()
