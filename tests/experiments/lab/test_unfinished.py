"""An unfinished session is asked about before another begins, and after a full disk."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from tests.experiments.lab.recording import FAST, Recorder
from yoked.app.cli import cli
from yoked.experiments.lab import run as room
from yoked.experiments.lab import setup as lab_setup
from yoked.experiments.lab import window as lab_window
from yoked.experiments.lab.request import Request, Unfinished
from yoked.experiments.lab.run import run_lab
from yoked.experiments.lab.trial import plan_trial
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store


@pytest.fixture(autouse=True)
def no_monitors(tmp_path, monkeypatch):
    monkeypatch.setenv("YOKED_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setattr("yoked.experiments.lab.monitors.find_spec", lambda _: None)
    monkeypatch.setattr(lab_setup, "find_spec", lambda _: None)


@pytest.fixture
def few(protocol):
    protocol = protocol.with_options(4, 0.227, FAST)
    return replace(protocol, catch=replace(protocol.catch, n_per_block=0))


def recorded(protocol, quits=False):
    """Return a screen at which somebody sits, to the end or up to the first page."""
    screen = Recorder()
    screen.plan = plan_trial(protocol, screen.refresh_hz)
    screen.page_script = ["escape", "q"] if quits else []
    return screen


def run(db_path, protocol, quits=False, **asked):
    screen = recorded(protocol, quits)
    request = Request(**{"protocol": protocol, "participant": "p01", **asked})
    return run_lab(db_path, request, print, lambda *_: screen, lambda *_: screen)


def statuses(db_path):
    store = open_store(db_path)
    rows = [(row.observer.name, row.status) for row in store.sessions()]
    store.close()
    return rows


def test_who_has_an_unfinished_session_begins_no_other_unasked(db_path, few):
    begun = run(db_path, few, quits=True)
    with pytest.raises(Unfinished, match=f"p01 has an unfinished .*{begun.session_id}"):
        run(db_path, few)
    assert statuses(db_path) == [("p01", "unfinished")]


def test_it_is_asked_before_a_window_opens(db_path, few):
    run(db_path, few, quits=True)
    request = Request(few, "p01")
    with pytest.raises(Unfinished, match="p01 has an unfinished session"):
        run_lab(db_path, request, print, lambda *_: 1 / 0, lambda *_: 1 / 0)


def test_a_variant_of_the_protocol_is_asked_about_too(db_path, few):
    """A rehearsal of --trials 4 that broke off is one of the same protocol."""
    run(db_path, few, quits=True)
    with pytest.raises(Unfinished, match="unfinished"):
        run(db_path, few.with_options(trials=6))


def test_other_participants_and_protocols_are_not_asked_about(db_path, few):
    run(db_path, few, quits=True)
    assert run(db_path, few, participant="p02").is_finished
    assert run(db_path, replace(few, name="another")).is_finished


def test_who_says_new_gets_a_new_one_and_is_not_asked_again(db_path, few):
    run(db_path, few, quits=True)
    assert run(db_path, few, is_new=True).is_finished
    assert run(db_path, few).is_finished  # the last one was finished
    assert [status for _, status in statuses(db_path)] == [
        "unfinished",
        "finished",
        "finished",
    ]


def test_who_resumes_is_not_asked(db_path, few):
    begun = run(db_path, few, quits=True)
    again = run(db_path, few, resume=begun.session_id)
    assert again == replace(begun, is_finished=True)


def test_a_session_of_the_web_or_a_model_is_none_to_go_on_with(db_path, few):
    store = open_store(db_path)
    Session.start(store, few, ObserverInfo("person", "p01"), "web")
    store.close()
    assert run(db_path, few).is_finished


def test_a_session_is_resumed_or_new_and_not_both():
    with pytest.raises(ValueError, match="must be resumed or new, got both"):
        Request(resume="s", is_new=True)


# The command ------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch, few):
    """Return a function that runs `yoked lab` on recorded screens."""
    monkeypatch.setattr(lab_window, "require_lab", lambda: None)
    quits = []

    def run_recorded(db, request, say, began):
        protocol = request.protocol
        if protocol is None:
            store = open_store(db)
            protocol = store.protocol(store.session(request.resume).protocol_hash)
            store.close()
        screen = recorded(protocol, quits=bool(quits))
        opening = lambda *_: screen  # noqa: E731
        return run_lab(db, request, say, opening, opening, began)

    def command(*arguments, quitting=False):
        quits[:] = [True] if quitting else []
        return CliRunner().invoke(cli, ["lab", *map(str, arguments)])

    monkeypatch.setattr(room, "run_lab", run_recorded)
    return command


def test_both_commands_are_spelled_out(command, db_path):
    asked = ["bar-in-noise", db_path, "--participant", "p01", "--trials", "4"]
    asked += ["--contrast", "0.3", "--windowed", "--size-px", "400x300"]
    first = command(*asked, quitting=True)
    assert first.exit_code == 0, first.output
    session_id = first.stderr.split("--resume ")[1].split()[0]
    again = command(*asked)
    assert again.exit_code == 1
    resume = f"yoked lab {db_path} --resume {session_id} --windowed --size-px 400x300"
    new = f"yoked lab bar-in-noise {db_path} --participant p01 --trials 4 "
    new += "--contrast 0.3 --new --windowed --size-px 400x300"
    assert resume in again.stderr
    assert new in again.stderr
    assert command(*new.split()[2:]).exit_code == 0
    assert command(*resume.split()[2:]).exit_code == 0


def test_after_a_full_disk_the_advice_resumes(command, db_path, monkeypatch):
    opened = room.open_store

    def nearly_full(path, create=True):
        store = opened(path, create=create)
        (n_pages,) = store._db.execute("PRAGMA page_count").fetchone()
        store._db.execute(f"PRAGMA max_page_count = {n_pages + 6}")
        return store

    asked = ["bar-in-noise", db_path, "--participant", "p01", "--trials", "40"]
    asked += ["--contrast", "0.3"]
    with monkeypatch.context() as patch:
        patch.setattr(room, "open_store", nearly_full)
        full = command(*asked)
    assert full.exit_code == 1
    store = open_store(db_path)
    (row,) = store.sessions()
    store.close()
    assert row.status == "unfinished"
    assert 0 < row.n_trials < 40
    advice = f"yoked lab {db_path} --resume {row.id}"
    assert "the disk is full" in full.stderr
    assert "run the same command again" not in full.stderr
    assert advice in full.stderr
    resumed = command(*advice.split()[2:])
    assert resumed.exit_code == 0, resumed.output
    assert statuses(db_path) == [("p01", "finished")]
