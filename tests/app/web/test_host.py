"""A server: many at once, restarts, a full disk, and what may not be served."""

import sqlite3
import threading
from dataclasses import replace

import pytest

from yoked.app.studies.description import alone
from yoked.app.web.host import Host
from yoked.app.web.live import StaleSession
from yoked.app.web.responses import parse_response
from yoked.experiments.protocols.parts import Texts
from yoked.experiments.store.sqlite import StoreError

from .participant import N_TRIALS, Participant, log, recorded, sent, served


def test_a_server_that_starts_anew_goes_on_where_it_was(db_path, protocol):
    with served(db_path, protocol) as app:
        participant = Participant(app.test_client())
        following = participant.next()
    while not following["done"]:
        with served(db_path, protocol) as app:
            participant.client = app.test_client()
            assert participant.next() == following
            following = participant.respond(following).json["next"]
    assert [record.spec.trial for record in recorded(db_path)] == list(range(N_TRIALS))


def test_many_participants_at_once_lose_nothing(app, db_path):
    participants = [Participant(app.test_client()) for _ in range(8)]
    threads = [threading.Thread(target=p.finish) for p in participants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with log(db_path) as store:
        assert [row.n_trials for row in store.sessions()] == [N_TRIALS] * 8
        assert {row.status for row in store.sessions()} == {"finished"}


def test_sessions_that_memory_has_no_room_for_come_back(app, db_path, monkeypatch):
    monkeypatch.setattr("yoked.app.web.live_sessions.MOST_IN_MEMORY", 1)
    first, second = (Participant(app.test_client()) for _ in range(2))
    for _ in range(3):
        for participant in (first, second):
            assert participant.respond(participant.next()).status_code == 200
    with log(db_path) as store:
        assert [row.n_trials for row in store.sessions()] == [3, 3]


def test_a_full_disk_is_told_and_nothing_is_lost(app, participant, db_path):
    store = app.extensions["yoked"]._store
    following = participant.next()
    events = [{"kind": "blur", "at_ms": i, "detail": "x" * 40} for i in range(50)]
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    while True:
        reply = participant.respond(following, events=events)
        if reply.status_code != 200:
            break
        following = reply.json["next"]
    assert reply.status_code == 503
    assert "cannot store anything now" in reply.json["error"]
    assert len(recorded(db_path)) == following["trial"]

    store._db.execute("PRAGMA max_page_count = 1000000")
    assert participant.respond(following, events=events).status_code == 200
    participant.finish()
    assert len(recorded(db_path)) == N_TRIALS


def test_who_waited_for_a_write_that_failed_takes_the_session_up_anew(
    app, participant, db_path
):
    session = participant.client.application.extensions["yoked"]
    (row,) = session.store.sessions()
    live, following = session.live(row.id), participant.next()
    participant.get(following["frames"])
    store = session.store
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    given = parse_response(
        sent(events=[{"kind": "blur", "at_ms": 1.0}] * 50), live.session.protocol
    )

    def until_full() -> None:
        while True:
            live.record(live.session.n_recorded, given)
            live.frames(live.session.n_recorded)

    with pytest.raises(sqlite3.OperationalError, match="full"):
        until_full()
    store._db.execute("PRAGMA max_page_count = 1000000")
    n = store.n_recorded(row.id)
    # The same response, sent twice, and the page: they had waited for the same object.
    for ask in (lambda: live.record(n, given), live.next, lambda: live.is_complete):
        with pytest.raises(StaleSession, match="must be taken up anew"):
            ask()
    assert session.live(row.id).next()["trial"] == n


def test_a_file_that_is_not_ours_is_refused(db_path, protocol):
    db_path.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="must be a trial log of Yoked"):
        Host(db_path, alone(protocol))


def test_a_study_without_a_consent_text_is_refused(db_path, protocol):
    with pytest.raises(
        ValueError, match="must be one with a consent text to be served"
    ):
        Host(db_path, alone(replace(protocol, texts=Texts())))
    assert not db_path.exists()


def test_a_table_of_another_name_is_refused(db_path, protocol):
    with pytest.raises(LookupError, match="lut must be one of srgb, identity, got 'x'"):
        Host(db_path, alone(protocol, lut="x"))
    assert not db_path.exists()
