"""In the lab, too: patterns to be identified, and a signal drawn from variants."""

from dataclasses import replace

import pytest

from tests.experiments.lab.recording import FAST, Recorder
from yoked.experiments.lab.request import Request
from yoked.experiments.lab.run import run_lab
from yoked.experiments.lab.trial import plan_trial
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Signal, Task
from yoked.experiments.protocols.patterns import Pattern
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.render import digest
from yoked.experiments.store.sqlite import open_store

BARS = tuple(Pattern("bar", columns=(c, c)) for c in (2, 6, 10))
PATTERNS = {
    "task": Task("identify", ("1", "2", "3")),
    "signal": Signal("patterns", patterns=BARS),
}


@pytest.mark.parametrize(
    ("name", "changes"),
    [("bar-in-noise", PATTERNS), ("polarity-unknown", {}), ("phase-unknown", {})],
)
def test_a_lab_session_shows_the_pixels_that_its_log_gives(
    name, changes, tmp_path, monkeypatch
):
    monkeypatch.setenv("YOKED_CALIBRATIONS", str(tmp_path / "calibrations"))
    protocol = load_protocol(name).with_options(12, 0.2, FAST)
    catch = replace(protocol.catch, n_per_block=0)
    protocol = replace(protocol, catch=catch, **changes)
    screen = Recorder()
    screen.plan = plan_trial(protocol, screen.refresh_hz)
    keys = protocol.task.keys
    screen.script = [[(keys[trial % len(keys)], 110)] for trial in range(12)]
    outcome = run_lab(
        tmp_path / "log.db",
        Request(protocol, "p01"),
        print,
        lambda *_: screen,
        lambda *_: screen,
    )
    store = open_store(tmp_path / "log.db")
    session = Session.resume(store, outcome.session_id)
    trials = store.trials(outcome.session_id)
    frames = session.frames([trial.spec for trial in trials])
    read = {t.spec.trial: t.response.digest for t in trials if t.response.digest}
    assert read  # of a few, back from the screen
    assert read == {n: digest(frames[n]) for n in read}
    assert [t.response.response for t in trials] == [n % len(keys) for n in range(12)]
    assert {t.spec.target for t in trials} == set(range(protocol.task.n_targets))
    store.close()
