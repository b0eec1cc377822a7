"""PostgreSQL keeps what SQLite keeps, for many processes, and says no one's values."""

import signal
import threading
from contextlib import closing

import numpy as np
import pytest
from sqlite_utils.migrations import Migrations

from tests.experiments.store.test_store import respond
from yoked.experiments.session.session import Session
from yoked.experiments.store import postgres as postgres_store
from yoked.experiments.store.connection import DatabaseFault
from yoked.experiments.store.copying import copy_sessions
from yoked.experiments.store.noise import PART_BYTES
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial_log import StoreError

PERSON = ObserverInfo("person", "p1")


@pytest.fixture
def url(postgres):
    return postgres.new()


@pytest.fixture
def store(url):
    with closing(open_store(url)) as store:
        yield store


def test_a_log_goes_on_where_another_process_left_it(url, store, protocol):
    session = Session.start(store, protocol, PERSON, "web", seed=5)
    respond(session, 2)
    with closing(open_store(url)) as other:
        again = Session.resume(other, session.id)
        respond(again, 1)
        assert other.n_recorded(session.id) == store.n_recorded(session.id) == 3
    with closing(open_store(url, to_read=True)) as reader:
        assert reader.trial_cells(session.id) == store.trial_cells(session.id)


def test_what_is_held_is_held_off_until_the_transaction_ends(url, store):
    order, begun = [], threading.Event()

    def second() -> None:
        with closing(open_store(url)) as other, other.transaction():
            begun.set()
            other.hold("a place")
            order.append("second")

    with store.transaction():
        store.hold("a place")
        thread = threading.Thread(target=second)
        thread.start()
        assert begun.wait(30)
        with closing(open_store(url)) as third, third.transaction():
            third.hold("another place")  # which nobody has
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_sessions_are_copied_into_a_file_cell_by_cell(store, protocol, tmp_path):
    noise = np.zeros((3, 2, 1, 1, 13), np.float32)
    source = f"stored:{store.add_noise(noise)}"
    sessions = [Session.start(store, protocol, PERSON, "web", seed=n) for n in (5, 6)]
    respond(sessions[0], 3)
    store.add_event(sessions[0].id, "blur", {"trial": 1})
    store.exclude(sessions[0].id, [1], "k", "a sneeze")
    with store.transaction(), store.beside() as connection:
        connection.execute("UPDATE sessions SET noise_source = ?", [source])
    to = tmp_path / "copy.db"
    with store.beside() as connection:
        copy_sessions(connection, [sessions[0].id], to)
    with closing(open_store(to, to_read=True)) as copy:
        (row,) = copy.sessions()
        assert row == store.session(sessions[0].id)
        assert copy.trial_cells(row.id) == store.trial_cells(row.id)
        assert copy.events(row.id) == store.events(row.id)
        assert copy.excluded(row.id) == {1}
        assert copy.protocol(protocol.hash) == protocol
        assert copy.noise(source.removeprefix("stored:")).shape == noise.shape


def test_noise_is_read_after_the_log_is_closed(url):
    noise = np.zeros((2, 1, 1, 1, PART_BYTES // 4), np.float32)  # in parts
    store = open_store(url)
    found = store.noise(store.add_noise(noise))
    store.close()
    assert found[np.array([1]), 0].shape == (1, 1, 1, PART_BYTES // 4)


def test_who_withdraws_takes_their_noise_along(store, protocol):
    source = f"stored:{store.add_noise(np.zeros((1, 2, 1, 1, 13), np.float32))}"
    session = Session.start(store, protocol, PERSON, "web", seed=5)
    with store.transaction(), store.beside() as connection:
        connection.execute("UPDATE sessions SET noise_source = ?", [source])
    store.withdraw(session.id)
    store.forget_journal()
    with store.beside() as connection:
        assert connection.execute("SELECT count(*) FROM noise").fetchone() == (0,)


def test_a_database_of_a_later_version_is_refused_and_left_alone(url):
    later = Migrations("yoked-app")

    @later(name="9999_later")
    def _later(db) -> None:
        db.execute("CREATE TABLE later (at TEXT) STRICT")

    open_store(url, beside=[later]).close()
    with pytest.raises(StoreError, match="a newer Yoked wrote it"):
        open_store(url, beside=[Migrations("yoked-app")])


def test_an_empty_database_is_not_made_for_reading(url):
    with pytest.raises(StoreError, match="must hold a trial log of Yoked, got none"):
        open_store(url, to_read=True)


def test_a_fault_tells_neither_password_nor_values(url, store):
    insert = "INSERT INTO protocols VALUES (?, ?, ?, ?)"
    row = ["hash", "hash", "a name of somebody", "{}"]
    with store.transaction(), store.beside() as connection:
        connection.execute(insert, row)
    with (
        pytest.raises(DatabaseFault) as refused,
        store.transaction(),
        store.beside() as connection,
    ):
        connection.execute(insert, row)
    assert "duplicate key" in str(refused.value)
    assert "somebody" not in str(refused.value)
    nowhere = "postgresql://yoked:secret@127.0.0.1:1/yoked"
    with pytest.raises(DatabaseFault, match=r"yoked@127\.0\.0\.1:1") as unreached:
        open_store(nowhere)
    assert "secret" not in str(unreached.value)


def test_a_server_that_falls_is_found_again(postgres, url, store, protocol):
    session = Session.start(store, protocol, PERSON, "web", seed=5)
    respond(session, 1)
    postgres.stop(signal.SIGQUIT)
    try:
        with pytest.raises(DatabaseFault):
            store.sessions()
    finally:
        postgres.start()
    assert store.n_recorded(session.id) == 1
    respond(session, 1)
    assert store.n_recorded(session.id) == 2


def test_a_server_that_was_away_for_long_is_found_as_soon(
    postgres, url, protocol, monkeypatch
):
    # The pool of connections would wait ever longer before it tried again.
    monkeypatch.setattr(postgres_store, "_REACH_S", 1)
    with closing(open_store(url)) as store:
        postgres.stop(signal.SIGQUIT)
        try:
            for _ in range(5):
                with pytest.raises(DatabaseFault):
                    store.sessions()
        finally:
            postgres.start()
        assert store.sessions() == []
