"""Several sittings: which is due, and what calibration knows is carried on."""

from dataclasses import replace

import numpy as np
import pytest

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass
from yoked.experiments.protocols.sittings import SittingPlan
from yoked.experiments.session.quest import QuestPlus
from yoked.experiments.session.session import Session
from yoked.experiments.session.sittings import due, planned_sitting, sittings_of
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response

LATER = "2100-01-01T00:00:00.000+00:00"


@pytest.fixture
def store(db_path):
    store = open_store(db_path)
    yield store
    store.close()


@pytest.fixture
def bars():
    bars = load_protocol("bar-in-noise")
    blocks = (Block("calibration", 8), Block("main", 12, n_blocks=2))
    catch = replace(bars.catch, n_per_block=0)
    return replace(bars, blocks=blocks, double_pass=DoublePass(), catch=catch)


@pytest.fixture
def plan(bars):
    main = replace(bars, blocks=bars.blocks[1:])
    return SittingPlan("p", (bars, bars, main), min_gap_hours=12)


def begun(store, plan, name="p01", now=LATER):
    """Begin the sitting that is due, as a presenter does."""
    found = due(plan, name, sittings_of(store, name), now)
    return Session.start(
        store,
        found.protocol,
        ObserverInfo("person", name),
        "lab",
        sitting=found.planned(plan),
    )


def run(session, seed):
    """Respond as somebody who is right more often at high contrast."""
    rng = np.random.default_rng(seed)
    while specs := session.next_batch():
        spec = specs[0]
        is_right = rng.random() < (0.95 if spec.contrast > 0.2 else 0.55)
        response = spec.target if is_right else 1 - spec.target
        session.record([spec], [Response(response, rt_ms=400.0)])
    session.finish()


def told(store, session_id):
    """Give the calibration trials that a log holds."""
    return [
        (record.spec.contrast, int(record.correct))
        for record in store.trials(session_id)
        if record.spec.block_kind == "calibration"
    ]


def test_a_second_calibration_goes_on_where_the_first_ended(store, plan, bars):
    first = begun(store, plan)
    run(first, seed=1)
    second = begun(store, plan)
    quest = QuestPlus.for_2afc(bars.contrast.grid).start()
    for contrast, was in told(store, first.id):
        quest = quest.update(contrast, was)
    (spec,) = second.next_batch()
    assert spec.block_kind == "calibration"
    assert spec.contrast == quest.next()
    fresh = QuestPlus.for_2afc(bars.contrast.grid).start()
    assert spec.contrast != fresh.next()  # or the test would prove nothing


def test_without_calibration_the_first_block_has_the_last_contrast(store, plan):
    for seed in (1, 2):
        last = begun(store, plan)
        run(last, seed)
    known = last.knows()
    third = begun(store, plan)
    (spec,) = third.next_batch()
    assert spec.block_kind == "main"
    assert [spec.contrast] == known[""]["contrasts"]
    assert spec.contrast != plan.protocols[0].contrast.values[0]


def test_what_two_calibrations_told_goes_on_together(store, plan):
    ids = []
    for seed in (1, 2):
        session = begun(store, plan)
        run(session, seed)
        ids.append(session.id)
    third = begun(store, plan)
    carried = planned_sitting(store, third.id).carried[""]["told"]
    pairs = [pair for each in ids for pair in told(store, each)]
    assert [tuple(pair) for pair in carried] == pairs


def test_a_sitting_that_breaks_off_goes_on_with_what_it_was_given(store, plan):
    run(begun(store, plan), seed=1)
    second = begun(store, plan)
    for _ in range(3):
        (spec,) = second.next_batch()
        second.record([spec], [Response(spec.target, rt_ms=400.0)])
    due_now = second.next_batch()
    again = Session.resume(store, second.id)
    assert again.next_batch() == due_now


def test_nothing_is_carried_to_another_task(store, bars):
    other = replace(load_protocol("gabor-in-noise"), double_pass=DoublePass())
    plan = SittingPlan("p", (bars, other))
    run(begun(store, plan), seed=1)
    second = begun(store, plan)
    assert planned_sitting(store, second.id).carried == {}


def test_the_next_sitting_waits_for_its_gap(store, plan):
    first = begun(store, plan)
    run(first, seed=1)
    ended = store.session(first.id).ended_at
    found = due(plan, "p01", sittings_of(store, "p01"), ended)
    assert (found.number, found.is_ready, found.gap_hours) == (2, False, 0.0)
    assert due(plan, "p01", sittings_of(store, "p01"), found.ready_at).is_ready
    assert due(plan, "p02", sittings_of(store, "p02"), ended).number == 1


def test_an_unfinished_or_withdrawn_sitting_is_due_again(store, plan):
    first = begun(store, plan)
    assert due(plan, "p01", sittings_of(store, "p01"), LATER).number == 1
    run(first, seed=1)
    run(begun(store, plan), seed=2)
    assert due(plan, "p01", sittings_of(store, "p01"), LATER).number == 3
    store.withdraw(first.id)
    assert due(plan, "p01", sittings_of(store, "p01"), LATER).number == 1


def test_after_the_last_sitting_none_is_due(store, plan):
    for seed in range(3):
        run(begun(store, plan), seed)
    found = due(plan, "p01", sittings_of(store, "p01"), LATER)
    assert (found.protocol, found.number, found.is_ready) == (None, 4, False)


def test_a_plan_that_was_changed_behind_a_participant_is_refused(store, plan, bars):
    session = begun(store, plan)
    run(session, seed=1)
    changed = replace(plan, protocols=(plan.protocols[2], bars))
    rule = f"sitting 1 of plan p must be that of session {session.id}, which p01 has"
    with pytest.raises(ValueError, match=rule):
        due(changed, "p01", sittings_of(store, "p01"), LATER)
