"""Trials that are left: repeats are among them, and what needs no trial is not."""

from dataclasses import replace

import pytest

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response


@pytest.fixture
def session(db_path):
    bars = load_protocol("bar-in-noise").with_options(12, 0.227)
    blocks = (Block("practice", 4), Block("main", 6, n_blocks=2))
    bars = replace(bars, blocks=blocks, double_pass=DoublePass())
    store = open_store(db_path)
    yield Session.start(store, bars, ObserverInfo("person", "p"), "web", seed=1)
    store.close()


def answer(session, valid: bool = True) -> None:
    response = Response(0, 400.0, valid=valid, invalid_reason=None if valid else "x")
    session.record(session.next_batch(1), [response])


def test_what_is_left_falls_by_one_and_stays_where_a_trial_is_shown_again(session):
    n = session.n_planned
    left = [session.n_left]
    for valid in (True, False, True, True, False):
        answer(session, valid)
        left.append(session.n_left)
    assert left == [n, n - 1, n - 1, n - 2, n - 3, n - 3]
    while not session.is_complete:
        answer(session)
        assert session.n_left == n + 2 - session.n_recorded
    assert session.n_left == 0
