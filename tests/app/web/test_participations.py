"""Participations: links, consents and codes, beside a trial log that knows nothing."""

import contextlib
import hashlib
import sqlite3

import pytest

from yoked.app.web.participations import Participations
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store


@pytest.fixture
def session_id(db_path, protocol) -> str:
    store = open_store(db_path)
    session = Session.start(store, protocol, ObserverInfo("person", "p-1"), "web")
    store.close()
    return session.id


@pytest.fixture
def participations(db_path, session_id):
    participations = Participations(db_path)
    yield participations
    participations.close()


def test_a_link_leads_to_its_session(participations, session_id):
    token = participations.add(session_id, "en", "v1")
    found = participations.find(token)
    assert (found.session, found.language, found.consent_version) == (
        session_id,
        "en",
        "v1",
    )
    assert len(found.completion_code) == 10


def test_another_link_leads_nowhere(participations, session_id):
    token = participations.add(session_id, "en", "v1")
    stored = hashlib.sha256(token.encode()).hexdigest()
    for other in ("", "x", token[:-1], token + "x", stored):
        assert participations.find(other) is None


def test_a_session_has_one_link(participations, session_id):
    participations.add(session_id, "en", "v1")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        participations.add(session_id, "en", "v1")


def test_a_link_needs_a_session(participations):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        participations.add("2026-01-10-zzz", "en", "v1")


def test_opening_twice_changes_nothing(db_path, participations, session_id):
    token = participations.add(session_id, "en", "v1")
    again = Participations(db_path)
    assert again.find(token) == participations.find(token)
    again.close()


def test_the_trial_log_opens_without_the_app(db_path, participations, session_id):
    store = open_store(db_path)
    assert [row.id for row in store.sessions()] == [session_id]
    store.close()
    with contextlib.closing(sqlite3.connect(db_path)) as other:
        names = {row[0] for row in other.execute("SELECT name FROM sqlite_master")}
    assert {"participations", "trials"} <= names
