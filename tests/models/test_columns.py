"""A model's session by columns: the rows that single trials would leave."""

import json
from dataclasses import replace

import numpy as np
import pytest

from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.parts import Block, Contrast, DoublePass, Task
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.session.results import session_data
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.render import digest
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response
from yoked.experiments.store.trial_columns import TRIAL_COLUMNS
from yoked.models.observers.template import Template
from yoked.models.simulate import run

# What can be run: published noise of disk-polarity can only be yoked to.
RUNNABLE = [
    name for name in protocol_names() if load_protocol(name).noise.source == "yoked-1"
]


@pytest.fixture
def store():
    opened = open_store(":memory:")
    yield opened
    opened.close()


def short(name: str) -> Protocol:
    """Give a protocol with all its kinds of blocks, and fewer trials."""
    protocol = load_protocol(name)
    blocks = [
        replace(
            block, n_trials=min(block.n_trials, 60), n_blocks=min(block.n_blocks, 2)
        )
        for block in protocol.blocks
    ]
    plan = DoublePass(n_pairs=0 if protocol.conditions else 40, min_gap=30)
    return replace(protocol, blocks=tuple(blocks), double_pass=plan)


def three_contrasts() -> Protocol:
    contrast = Contrast((0.1, 0.2, 0.3), keep_correct=(0.0, 1.0))
    return replace(
        short("bar-in-noise"), contrast=contrast, blocks=(Block("main", 120),)
    )


def rating() -> Protocol:
    task = Task("rating", tuple("123456"))
    return replace(short("bar-polarity"), task=task)


def one_by_one(store, session, protocol, yoked_to=None):
    """Record a session's responses as a person's presenter does, trial by trial."""
    given = session.trials.set_index("trial")
    again = Session.start(
        store, protocol, ObserverInfo("person", "p"), "web",
        seed=session.seed, yoked_to=yoked_to,
    )  # fmt: skip
    while specs := again.next_batch(1):
        row = given.loc[specs[0].trial]
        response = Response(
            int(row["response"]),
            decision_variables=tuple(json.loads(row["decision_variables"])),
            digest=digest(again.frames(specs)[0]),
        )
        again.record(specs, [response])
    again.finish()
    return session_data(store, again.id)


def rows(store, session):
    """Give all that the log has of the trials, but when they were stored."""
    cells = store.trial_cells(session.id)
    return [cells[name] for name in TRIAL_COLUMNS if name != "received_at"]


@pytest.mark.parametrize("name", [*RUNNABLE, "three contrasts", "rating"])
def test_columns_leave_the_rows_that_single_trials_leave(store, name):
    made = {"three contrasts": three_contrasts, "rating": rating}
    protocol = made[name]() if name in made else short(name)
    session = run(protocol, Template(), store=store, seed=7, internal_noise=1.0)
    by_trial = one_by_one(store, session, protocol)
    assert rows(store, session) == rows(store, by_trial)
    kinds = set(session.trials["block_kind"])
    assert {block.kind for block in protocol.blocks} <= kinds
    assert ("catch" in kinds) == (protocol.catch.n_per_block > 0)
    assert session.trials["repeats"].notna().sum() == protocol.double_pass.n_pairs


def test_columns_of_a_yoked_session_leave_the_rows_of_single_trials(store):
    protocol = short("bar-in-noise")
    source = Session.start(store, protocol, ObserverInfo("person", "p"), "web", seed=1)
    while specs := source.next_batch(1):
        trial = specs[0].trial
        response = Response(trial % 2, rt_ms=400.5, valid=trial % 11 > 0)
        source.record(specs, [response])
    source.finish()
    session = run(None, Template(), store=store, yoke_to=source.id)
    by_trial = one_by_one(store, session, protocol, source.id)
    assert rows(store, session) == rows(store, by_trial)
    assert len(session.trials) > source.n_planned - 1  # with the spoiled ones


def test_the_session_that_is_returned_is_the_one_in_the_log(store):
    """Dtypes, missing values and texts alike, also without a single second pass."""
    for options in ({}, {"trials": 1}, {"trials": 20, "contrast": 0.2}):
        session = run(short("bar-in-noise"), Template(), store=store, seed=7, **options)
        read = session_data(store, session.id).trials
        assert session.trials.equals(read)
        assert session.trials.dtypes.equals(read.dtypes)


def test_only_the_next_trials_can_be_recorded_as_columns(store):
    protocol = short("bar-in-noise")
    info = ObserverInfo("model", "m")
    session = Session.start(store, protocol, info, "model", seed=1, observer_seed=2)
    due = session.next_columns(10)
    given = due.responded(response=np.zeros(10, np.int64))
    with pytest.raises(ValueError, match=r"the next of .*, from 0, got \[5, 6"):
        session.record_columns(given.part(5))
    other = given.having(target=1 - np.asarray(given["target"]))
    with pytest.raises(ValueError, match=r"the next of .*, from 0, got \[0, 1"):
        session.record_columns(other)
    with pytest.raises(ValueError, match="response must be from 0 to 1, got 2"):
        session.record_columns(due.responded(response=np.full(10, 2)))
    assert store.trials(session.id) == []
    session.record_columns(given)
    assert session.n_recorded == store.session(session.id).n_trials == 10
    with pytest.raises(ValueError, match=r"the next of the session, from 10, got \[0"):
        session.record_columns(given)


def test_the_same_columns_again_are_no_new_trials(store):
    session = run(short("bar-in-noise"), Template(), store=store, seed=7, trials=5)
    before = store.trials(session.id)
    store.append_trials(session.id, store.trial_columns(session.id))
    assert store.trials(session.id) == before
