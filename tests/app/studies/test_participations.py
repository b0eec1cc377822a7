"""Participations: links, consents and codes, beside a trial log that knows nothing."""

import contextlib
import hashlib
import sqlite3

import pytest

from yoked.app.database import open_database, reader_of
from yoked.app.studies import participations as table
from yoked.app.studies.tokens import is_token, new_token
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store


@pytest.fixture
def session_id(db_path, protocol) -> str:
    store = open_store(db_path)
    session = Session.start(store, protocol, ObserverInfo("person", "p-1"), "web")
    store.close()
    return session.id


class Links:
    """What a server asks of the table, while others write to it."""

    def __init__(self, db_path) -> None:
        store = open_database(db_path)
        self._open = [reader_of(store, db_path), store]

    def find(self, token: str):
        with self._open[0].beside() as connection:
            return table.find(connection, token)

    def close(self) -> None:
        for each in self._open:
            each.close()


@pytest.fixture
def participations(db_path, session_id):
    participations = Links(db_path)
    yield participations
    participations.close()


def add(db_path, session: str) -> str:
    """Record a consent as the server does; give its token."""
    store, token = open_store(db_path), new_token()
    try:
        with store.transaction(), store.beside() as connection:
            table.add(connection, token, session, "en", "v1")
    finally:
        store.close()
    return token


def test_a_link_leads_to_its_session(db_path, participations, session_id):
    token = add(db_path, session_id)
    found = participations.find(token)
    assert (found.session, found.language, found.consent_version) == (
        session_id,
        "en",
        "v1",
    )
    assert len(found.completion_code) == 10


def test_another_link_leads_nowhere(db_path, participations, session_id):
    token = add(db_path, session_id)
    stored = hashlib.sha256(token.encode()).hexdigest()
    for other in ("", "x", token[:-1], token + "x", stored):
        assert participations.find(other) is None


def test_a_session_has_one_link(db_path, participations, session_id):
    add(db_path, session_id)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        add(db_path, session_id)


def test_a_link_needs_a_session(db_path, participations):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        add(db_path, "2026-01-10-zzz")


def test_opening_twice_changes_nothing(db_path, participations, session_id):
    token = add(db_path, session_id)
    again = Links(db_path)
    assert again.find(token) == participations.find(token)
    again.close()


def test_the_trial_log_opens_without_the_app(db_path, participations, session_id):
    store = open_store(db_path)
    assert [row.id for row in store.sessions()] == [session_id]
    store.close()
    with contextlib.closing(sqlite3.connect(db_path)) as other:
        names = {row[0] for row in other.execute("SELECT name FROM sqlite_master")}
    assert {"participations", "trials"} <= names


def test_a_code_says_how_the_session_ended(db_path, participations, session_id):
    token = add(db_path, session_id)
    open_code = participations.find(token).code
    assert open_code == participations.find(token).completion_code
    for outcome, begins in (("complete", "C-"), ("screened out", "S-")):
        store = open_store(db_path)
        with store.transaction(), store.beside() as connection:
            table.set_outcome(connection, session_id, outcome)
        store.close()
        assert participations.find(token).code == begins + open_code


def test_a_token_has_a_form_of_its_own():
    assert is_token(new_token())
    for other in ("", "x", "a" * 31, "a" * 33, "a" * 31 + "/", "a" * 31 + "\n"):
        assert not is_token(other)
