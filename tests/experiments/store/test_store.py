"""The trial log in each database: append-only, idempotent, all or nothing."""

import sqlite3
from dataclasses import replace

import pytest

from yoked.experiments.session.session import Session
from yoked.experiments.store.connection import DatabaseFault
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response
from yoked.experiments.store.trial_log import StoreError, TrialConflict

PERSON = ObserverInfo("person", "p1")


@pytest.fixture
def store(place):
    store = open_store(place)
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


def test_a_trial_comes_back_as_it_went_in(store, session):
    spec = session.next_batch(1)[0]
    full = Response(
        1,
        432.1,
        0.7,
        (0.25, -1.5),
        "ab" * 32,
        (0.0, 600.1),
        12,
        1,
        False,
        "one frame late",
    )
    record = session.record([spec], [full])[0]
    assert store.trials(session.id) == [record]


def test_the_same_trial_again_is_no_new_one(store, session):
    respond(session, 3)
    records = store.trials(session.id)
    store.append_trials(session.id, records)
    assert store.trials(session.id) == records


def test_a_different_trial_under_the_same_number_is_refused(store, session):
    respond(session, 3)
    records = store.trials(session.id)
    other = replace(records[1], response=replace(records[1].response, response=1))
    new = replace(records[2], spec=replace(records[2].spec, trial=3))
    with pytest.raises(
        TrialConflict, match=r"trial 1 of .* must be sent as it was stored"
    ):
        store.append_trials(session.id, [new, other])
    assert store.trials(session.id) == records


def test_a_stored_trial_cannot_be_changed_or_deleted_by_anybody(session, store):
    respond(session, 2)
    for statement, rule in (
        ("UPDATE trials SET response = 1", "a stored trial must not change"),
        ("DELETE FROM trials", "must not be deleted but by withdrawal"),
    ):
        with (
            pytest.raises((sqlite3.IntegrityError, DatabaseFault), match=rule),
            store.transaction(),
            store.beside() as connection,
        ):
            connection.execute(statement)
    assert len(store.trials(session.id)) == 2


def test_withdrawal_deletes_the_trials_for_good(store, session):
    respond(session, 2)
    store.add_event(session.id, "early key", {"key": "f"})
    store.withdraw(session.id)
    assert store.trials(session.id) == []
    assert store.events(session.id) == []
    assert store.session(session.id).status == "withdrawn"
    with pytest.raises(ValueError, match="must not be withdrawn to go on"):
        Session.resume(store, session.id)


def test_a_transaction_is_all_or_nothing(store, session, protocol):
    spec = session.next_batch(1)[0]

    def fail_half_way():
        with store.transaction():
            session.record([spec], [Response(0)])
            Session.start(store, protocol, PERSON, "web")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert store.trials(session.id) == []
    assert len(store.sessions()) == 1


def test_events_and_exclusions_are_kept(store, session):
    respond(session, 3)
    store.add_event(session.id, "early key", {"key": "f", "at_ms": 12.5})
    store.exclude(session.id, [1, 2], by="maria", reason="phone rang")
    assert store.events(session.id)[0]["detail"] == {"key": "f", "at_ms": 12.5}
    assert store.excluded(session.id) == {1, 2}


def test_the_protocol_comes_back_from_the_log(store, session, protocol):
    row = store.session(session.id)
    assert store.protocol(row.protocol_hash) == protocol
    assert row.stimulus_hash == protocol.stimulus_hash


def test_an_unknown_session_is_named(store):
    with pytest.raises(
        LookupError, match="must be in the database, got '2026-01-01-abc'"
    ):
        store.session("2026-01-01-abc")


def test_a_session_that_is_over_takes_no_more_trials(store, session):
    respond(session, 2)
    record = store.trials(session.id)[1]
    more = replace(record, spec=replace(record.spec, trial=2))
    store.withdraw(session.id)
    with pytest.raises(StoreError, match="must be unfinished to take more trials"):
        store.append_trials(session.id, [more])
    store.finish(session.id)
    assert store.session(session.id).status == "withdrawn"


def test_a_conflict_late_in_a_long_list_writes_nothing(store, session):
    respond(session, 1)
    record = store.trials(session.id)[0]
    many = [replace(record, spec=replace(record.spec, trial=i)) for i in range(1, 7000)]
    twice = replace(many[-1], response=replace(record.response, response=1))
    with pytest.raises(TrialConflict, match="trial 6999 of"):
        store.append_trials(session.id, [*many, twice])
    assert len(store.trials(session.id)) == 1


def test_parameters_may_be_numpy_numbers_but_not_nan(store, protocol):
    import numpy as np

    given = ObserverInfo("model", "m", {"gain": np.float32(0.5), "seed": np.int64(3)})
    session = Session.start(store, protocol, given, "model")
    assert store.session(session.id).observer.parameters == {"gain": 0.5, "seed": 3}
    bad = ObserverInfo("model", "m", {"gain": float("nan")})
    with pytest.raises(ValueError, match="Out of range float values"):
        Session.start(store, protocol, bad, "model")
