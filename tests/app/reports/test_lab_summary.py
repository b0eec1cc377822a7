"""What the operator sees after a session: numbers, the kernel, each condition."""

from dataclasses import replace

import numpy as np
import pytest

import yoked
from tests.experiments.lab.recording import FAST, Recorder, run
from yoked.app.reports.lab_summary import session_summary, sketch
from yoked.experiments.session.results import session_data
from yoked.experiments.store.sqlite import open_store


@pytest.fixture
def few():
    protocol = yoked.load_protocol("bar-in-noise").with_options(4, 0.227, FAST)
    return replace(protocol, catch=replace(protocol.catch, n_per_block=0))


@pytest.fixture(scope="module")
def noises():
    return yoked.load_protocol("equivalent-noise").with_options(100)


def test_a_kernel_is_drawn_line_by_line():
    assert sketch(np.array([[[0.0, 7.0]], [[-7.0, 0.0]]])) == ["▅█", "▁▅"]


def test_the_operator_sees_numbers_and_the_kernel_so_far(db_path, few):
    protocol = few.with_options(trials=40)
    keys = [[("fj"[n % 2], 110)] for n in range(40)]
    outcome = run(db_path, Recorder(script=keys), protocol=protocol, participant="p01")
    store = open_store(db_path)
    summary = session_summary(session_data(store, outcome.session_id))
    store.close()
    assert summary.to_dict()["pooled"]["dprime"]["n"] == 40
    (lines,) = summary.table()
    assert lines["participant"] == "p01"
    assert len(str(lines["kernel so far"])) == 13


def test_a_session_without_trials_is_summed_up_too(db_path, few):
    screen = Recorder()
    screen.page_script = ["escape", "q"]
    outcome = run(db_path, screen, protocol=few, participant="p01")
    store = open_store(db_path)
    summary = session_summary(session_data(store, outcome.session_id))
    store.close()
    assert (summary.trials, summary.status) == (0, "unfinished")
    assert summary.table()[0]["kernel"]


def test_conditions_that_are_not_pooled_have_a_line_each(noises):
    session = yoked.run(noises, yoked.load_observer("template"), seed=3)
    summary = session_summary(session)
    assert summary.pooled is None
    assert "`yoked conditions`" in summary.note
    (lines,) = summary.table()
    names = [name for name in lines if name.startswith("d' ")]
    assert names == [f"d' {each.name}" for each in noises.conditions]
    assert all(str(lines[name]).endswith(", 20 trials") for name in names)
    assert len(summary.to_dict()["conditions"]["conditions"]) == 5


def test_conditions_without_a_trial_are_summed_up_too(tmp_path, noises):
    screen = Recorder()
    screen.page_script = ["escape", "q"]
    log = tmp_path / "log.db"
    outcome = run(log, screen, protocol=noises, participant="p01")
    store = open_store(log)
    summary = session_summary(session_data(store, outcome.session_id))
    store.close()
    (lines,) = summary.table()
    assert lines["d' no-noise"] == "-, 0 trials"
