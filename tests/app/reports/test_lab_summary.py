"""What the operator sees after a session whose conditions are not pooled."""

import pytest

import yoked
from tests.experiments.lab.recording import Recorder, run
from yoked.app.reports.lab_summary import session_summary
from yoked.experiments.session.results import session_data
from yoked.experiments.store.sqlite import open_store


@pytest.fixture(scope="module")
def protocol():
    return yoked.load_protocol("equivalent-noise").with_options(100)


def test_conditions_that_are_not_pooled_have_a_line_each(protocol):
    session = yoked.run(protocol, yoked.load_observer("template"), seed=3)
    summary = session_summary(session)
    assert summary.pooled is None
    assert "`yoked conditions`" in summary.note
    (lines,) = summary.table()
    names = [name for name in lines if name.startswith("d' ")]
    assert names == [f"d' {each.name}" for each in protocol.conditions]
    assert all(str(lines[name]).endswith(", 20 trials") for name in names)
    assert len(summary.to_dict()["conditions"]["conditions"]) == 5


def test_conditions_without_a_trial_are_summed_up_too(tmp_path, protocol):
    screen = Recorder()
    screen.page_script = ["escape", "q"]
    log = tmp_path / "log.db"
    outcome = run(log, screen, protocol=protocol, participant="p01")
    store = open_store(log)
    summary = session_summary(session_data(store, outcome.session_id))
    store.close()
    (lines,) = summary.table()
    assert lines["d' no-noise"] == "-, 0 trials"
