"""A killed process loses no acknowledged trial: it is killed, many times."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response

# Records trials one at a time and says so after each, as a presenter is told.
_PRESENTER = """
import sys
from yoked.experiments.session.session import Session
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response

session = Session.resume(open_store(sys.argv[1]), sys.argv[2])
while specs := session.next_batch(1):
    session.record(specs, [Response(specs[0].trial % 2)])
    print(specs[0].trial, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a POSIX signal")
def test_no_acknowledged_trial_is_lost_when_the_process_is_killed(db_path, protocol):
    store = open_store(db_path)
    person = ObserverInfo("person", "p1")
    session = Session.start(store, protocol, person, "web", seed=5)
    acknowledged = -1
    # Killed while it writes, at another moment each time: after 1, 7, 13, ... trials.
    for n_before in range(1, 80, 6):
        process = subprocess.Popen(
            [sys.executable, "-c", _PRESENTER, str(db_path), session.id],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        for _ in range(n_before):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()  # acknowledged before the signal came
        acknowledged = int(rest[-1]) if rest else acknowledged
        process.stdout.close()
        process.wait()
        numbers = [record.spec.trial for record in store.trials(session.id)]
        assert numbers == list(range(len(numbers)))
        # One trial may be durable whose acknowledgement never came out.
        assert acknowledged + 1 <= len(numbers) <= acknowledged + 2
    _complete(store, session.id)
    plain = open_store(":memory:")
    uninterrupted = Session.start(plain, protocol, person, "web", seed=5)
    _complete(plain, uninterrupted.id)
    sent = [(r.spec, r.response) for r in store.trials(session.id)]
    assert sent == [(r.spec, r.response) for r in plain.trials(uninterrupted.id)]
    check = sqlite3.connect(db_path)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()
    store.close()
    plain.close()


def _complete(store, session_id):
    session = Session.resume(store, session_id)
    while specs := session.next_batch(1):
        session.record(specs, [Response(specs[0].trial % 2)])
    session.finish()
