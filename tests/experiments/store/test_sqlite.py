"""The trial log: append-only, idempotent, all or nothing, and only ours."""

import sqlite3
import threading
from contextlib import closing

import pytest

from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.schema import APPLICATION_ID, VERSION
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response
from yoked.experiments.store.trial_log import StoreError

PERSON = ObserverInfo("person", "p1")


@pytest.fixture
def store(db_path):
    store = open_store(db_path)
    yield store
    store.close()


@pytest.fixture
def session(store, protocol):
    return Session.start(store, protocol, PERSON, "web", seed=5)


def respond(session, n, response=0):
    for _ in range(n):
        spec = session.next_batch(1)[0]
        session.record(
            [spec], [Response(response, rt_ms=321.5, onsets_ms=(0.0, 600.0))]
        )


def test_a_stored_trial_cannot_be_changed_or_deleted(session, store, db_path):
    respond(session, 2)
    other = sqlite3.connect(db_path)
    with pytest.raises(sqlite3.IntegrityError, match="a stored trial must not change"):
        other.execute("UPDATE trials SET response = 1")
    with pytest.raises(
        sqlite3.IntegrityError, match="must not be deleted but by withdrawal"
    ):
        other.execute("DELETE FROM trials")
    other.close()


def test_the_log_opens_in_plain_sqlite(store, session, db_path):
    respond(session, 2)
    plain = sqlite3.connect(db_path)
    rows = plain.execute("SELECT trial, response, rt_ms FROM trials").fetchall()
    assert rows == [(0, 0, 321.5), (1, 0, 321.5)]
    assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
    plain.close()


def test_a_missing_database_is_not_made_for_reading(db_path):
    with pytest.raises(FileNotFoundError, match="a database must exist, got "):
        open_store(db_path, create=False)
    assert not db_path.exists()


def test_a_file_that_is_no_database_is_refused_and_left_alone(db_path):
    db_path.write_bytes(b"participant,response\n" * 100)
    with pytest.raises(
        StoreError, match="must be a trial log of Yoked, got a file that is no"
    ):
        open_store(db_path)
    assert db_path.read_bytes() == b"participant,response\n" * 100


def test_another_programs_database_is_refused_and_left_alone(db_path):
    other = sqlite3.connect(db_path)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.commit()
    other.close()
    before = db_path.read_bytes()
    with pytest.raises(StoreError, match="got another program's SQLite database"):
        open_store(db_path)
    assert db_path.read_bytes() == before


def test_a_newer_database_is_refused_and_left_alone(db_path):
    other = sqlite3.connect(db_path)
    other.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    other.execute("PRAGMA user_version = 99")
    other.close()
    before = db_path.read_bytes()
    with pytest.raises(
        StoreError, match=f"of schema version {VERSION} or older, got 99; a newer Yoked"
    ):
        open_store(db_path)
    assert db_path.read_bytes() == before


def test_two_connections_write_in_turn(store, db_path, protocol):
    other = open_store(db_path)
    sessions = [Session.start(s, protocol, PERSON, "web") for s in (store, other)]
    for _ in range(5):
        for session in sessions:
            respond(session, 1)
    assert [row.n_trials for row in store.sessions()] == [5, 5]
    other.close()


def test_a_log_whose_making_was_interrupted_is_made_again(db_path, protocol):
    """SQLite marks WAL in the header before our first table is there."""
    half = sqlite3.connect(db_path)
    half.execute("PRAGMA journal_mode = wal")
    half.close()
    store = open_store(db_path)
    Session.start(store, protocol, PERSON, "web")
    store.close()


def test_a_log_is_read_without_a_change_to_its_file(db_path, protocol):
    store = open_store(db_path)
    session = Session.start(store, protocol, PERSON, "web", seed=5)
    respond(session, 2)
    store.close()
    before = db_path.read_bytes()
    reader = open_store(db_path, to_read=True)
    assert len(reader.trials(session.id)) == 2
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.add_event(session.id, "early key", {})
    reader.close()
    assert db_path.read_bytes() == before


def test_a_trial_of_one_thread_is_no_part_of_anothers_transaction(tmp_path, protocol):
    path, begun = tmp_path / "s.db", threading.Event()
    with closing(open_store(path)) as store:
        session = Session.start(store, protocol, PERSON, "web", seed=5)

        def other() -> None:
            assert begun.wait(30)
            respond(session, 1)

        thread = threading.Thread(target=other)
        thread.start()

        def end_badly() -> None:
            with store.transaction():
                begun.set()
                thread.join(0.5)  # it comes to the store, and waits for this to end
                raise InterruptedError

        with pytest.raises(InterruptedError):
            end_badly()
        thread.join(30)
        with closing(open_store(path, to_read=True)) as reader:
            assert reader.n_recorded(session.id) == 1
