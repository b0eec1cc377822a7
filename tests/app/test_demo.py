"""The demonstration: with and without the published human, once and again."""

import contextlib

import pytest

from yoked.app import demo
from yoked.experiments.imports.fetch import FetchError
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response

# Minutes on a slow machine, which is no fault.
pytestmark = pytest.mark.timeout(1800)

# The network is left out of this test by hand: retina-cnn trains for most of a minute.
FAST = tuple(step for step in demo.STEPS if step.observer != "retina-cnn")


@contextlib.contextmanager
def no_bar(name):
    yield lambda stage, done, n: None


@pytest.fixture
def fast_steps(monkeypatch):
    monkeypatch.setattr(demo, "STEPS", FAST)
    # Kernels of 961 elements take half a minute each; test_report.py has small ones.
    monkeypatch.setattr(demo, "orders_of", lambda session: 0)


# The person of the demonstration has 9,900 trials: two minutes. Another has 500.
@pytest.mark.parametrize("experiment", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_the_demo_ends_with_a_report_and_does_nothing_twice(
    tmp_path, shared_data, fast_steps, experiment
):
    human = shared_data(f"murray2015/experiment{experiment}_subject01.txt")
    said = []
    places = demo.run_demo(tmp_path / "demo", said.append, no_bar, human)
    store = open_store(places.db)
    sessions = store.sessions()
    store.close()
    assert [row.status for row in sessions] == ["finished"] * 5
    assert sum(row.yoked_to == sessions[0].id for row in sessions) == 2
    assert f"murray2015-exp{experiment}-observer1" in places.report.read_text()
    again = []
    demo.run_demo(tmp_path / "demo", again.append, no_bar, human)
    assert again == [f"The report is at {places.report}."]
    places.report.unlink()

    def stop(said):
        if "Writing the report" in said:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.run_demo(tmp_path / "demo", stop, no_bar, human)


def test_the_demo_goes_on_without_the_published_human(
    tmp_path, monkeypatch, fast_steps
):
    def offline(folder):
        raise FetchError("no connection to the file's host")

    monkeypatch.setattr(demo, "fetch_murray2015", offline)
    said = []
    places = demo.run_demo(
        tmp_path / "demo", said.append, no_bar, tmp_path / "none.txt"
    )
    sentence = "Going on without the published human observer: no connection"
    assert any(text.startswith(sentence) for text in said)
    assert "template" in places.report.read_text()


def test_who_finishes_is_found_in_the_report(
    tmp_path, protocol, monkeypatch, fast_steps
):
    monkeypatch.setattr(demo, "_human", lambda *args: None)
    said = []
    places = demo.run_demo(tmp_path / "demo", said.append, no_bar)
    keeper = demo.ReportKeeper(places, said.append)
    store = open_store(places.db)
    person = ObserverInfo("person", "visitor-7")
    short = protocol.with_options(trials=40, contrast=0.3)
    session = Session.start(store, short, person, "web", seed=4)
    while specs := session.next_batch(8):
        session.record(specs, [Response(spec.trial % 2) for spec in specs])
    keeper.look()
    assert "visitor-7" not in places.report.read_text()
    session.finish()
    store.close()
    keeper.start()
    keeper.stop()
    assert "visitor-7" in places.report.read_text()
    assert said[-1].startswith("You are in the report now")
