"""Health: a monitor is told what a participant would meet."""

import pytest

from yoked.app.web.health import GOOD_FOR_S

from .participant import rows, served


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(db_path, protocol, clock):
    with served(db_path, protocol, clock=clock) as app:
        yield app


def test_a_monitor_is_told_that_all_is_well_and_nothing_stays(client, db_path):
    assert client.get("/healthz").text == "ok\n"
    assert rows(db_path, "SELECT count(*) FROM health") == [(0,)]


def test_a_full_disk_is_not_healthy_until_there_is_room(app, client, clock):
    connection = app.extensions["yoked"]._store._db
    connection.execute("VACUUM")  # a migration leaves pages that could be used
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    assert client.get("/healthz").status_code == 503
    connection.execute("PRAGMA max_page_count = 1000000")
    clock.now = GOOD_FOR_S
    assert client.get("/healthz").status_code == 200


def test_a_server_that_cannot_show_a_trial_is_not_healthy(client, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("no locator available")

    monkeypatch.setattr("yoked.app.web.health.render", fail)
    reply = client.get("/healthz")
    assert (reply.status_code, reply.text) == (503, "not healthy\n")


def test_the_outcome_is_remembered_for_ten_seconds(client, clock, monkeypatch):
    tried = []
    monkeypatch.setattr("yoked.app.web.health.render", lambda *_: tried.append(1))
    for at in (0.0, 9.9, 10.0, 19.0):
        clock.now = at
        assert client.get("/healthz").status_code == 200
    assert len(tried) == 2


def test_a_procedure_that_cannot_be_asked_is_told(db_path, protocol, monkeypatch):
    from yoked.experiments.session.procedures import AskTell

    def refuse(self):
        raise ValueError("a procedure must be asked")

    monkeypatch.setattr(AskTell, "ask", refuse)
    with served(db_path, protocol) as app:
        assert app.test_client().get("/healthz").status_code == 503
