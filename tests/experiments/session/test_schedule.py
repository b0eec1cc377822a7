"""Schedules: golden vectors, balance, double passes, and the same after any break."""

import hashlib
import json
import random
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import VECTORS_FOLDER
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.parts import Block, Contrast, DoublePass
from yoked.experiments.session.permute import double_pass_plan, permutation
from yoked.experiments.session.plan import plan_blocks
from yoked.experiments.session.schedule import PlannedSchedule
from yoked.experiments.session.schedules import YokedSchedule
from yoked.experiments.store.trial import Response, TrialRecord
from yoked.experiments.store.trial_batch import TrialColumns

GOLDEN = json.loads((VECTORS_FOLDER / "schedules.json").read_text())


def respond(spec, correct=True, valid=True):
    response = spec.target if correct else 1 - spec.target
    return TrialRecord(spec, Response(response, valid=valid), correct, "now")


def run(schedule, correct=lambda spec: True, valid=lambda spec: True, batch=1):
    records = []
    while specs := schedule.next(batch):
        for spec in specs:
            records.append(respond(spec, correct(spec), valid(spec)))
            schedule.record(records[-1])
    return records


def fixed_responder(spec):
    """Response four in five correctly, by the trial's number alone."""
    return spec.trial * 7 % 5 != 0


def fingerprint(records):
    rows = [asdict(record.spec) for record in records]
    for row in rows:  # which trials without places have not
        for name in ("place", "cue"):
            if row[name] is None:
                del row[name]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


@pytest.mark.parametrize("name", protocol_names())
def test_schedules_are_the_golden_ones(name):
    records = run(PlannedSchedule(load_protocol(name), 20261120), fixed_responder)
    golden = GOLDEN[name]
    assert len(records) == golden["n_trials"]
    first = [[r.spec.block_kind, r.spec.stimulus_id, r.spec.target] for r in records]
    assert first[: len(golden["first"])] == golden["first"]
    assert fingerprint(records) == golden["sha256"]


@pytest.mark.parametrize("batch", [3, 64, 4096])
@pytest.mark.parametrize("always_valid", [False, True])
def test_batches_change_nothing(protocol, batch, always_valid):
    alone = run(PlannedSchedule(protocol, 5), fixed_responder)
    together = run(
        PlannedSchedule(protocol, 5, always_valid), fixed_responder, batch=batch
    )
    assert [r.spec for r in together] == [r.spec for r in alone]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**40), st.integers(0, 693), st.floats(0.5, 0.95))
def test_the_log_replayed_gives_the_same_next_trial(seed, cut, skill):
    protocol = load_protocol("bar-in-noise")
    rng = random.Random(seed)
    right = {i: rng.random() < skill for i in range(1000)}
    good = {i: rng.random() < 0.97 for i in range(1000)}
    records = run(
        PlannedSchedule(protocol, seed),
        lambda s: right[s.trial],
        lambda s: good[s.trial],
    )
    again = PlannedSchedule(protocol, seed)
    for record in records[:cut]:
        again.record(record)
    rest = again.next(1)
    assert rest == [record.spec for record in records[cut : cut + 1]]


def test_targets_are_balanced(protocol):
    records = run(PlannedSchedule(protocol, 8), fixed_responder)
    fresh = [r.spec.target for r in records if r.spec.block_kind == "main"]
    assert abs(2 * sum(fresh) - len(fresh)) <= 30
    first = [
        r.spec for r in records if r.spec.block_kind == "main" and r.spec.pass_ == 1
    ]
    assert sum(spec.target for spec in first) == len(first) / 2 == 200


@settings(deadline=None, max_examples=50)
@given(
    st.integers(0, 2**62), st.integers(0, 150), st.integers(1, 60), st.integers(0, 40)
)
def test_every_pair_is_made_and_far_apart(seed, n_pairs, gap, spare):
    n_trials = 2 * n_pairs + gap + spare
    partners = double_pass_plan(seed, n_trials, n_pairs, gap)
    pairs = [
        (first, second) for second, first in enumerate(partners) if first is not None
    ]
    assert len(pairs) == n_pairs
    assert len({first for first, _ in pairs}) == n_pairs
    assert all(second - first >= gap for first, second in pairs)
    assert all(partners[first] is None for first, _ in pairs)


def test_a_second_pass_shows_the_same_trial_again(protocol):
    specs = [r.spec for r in run(PlannedSchedule(protocol, 8), fixed_responder)]
    pairs = [(specs[spec.repeats], spec) for spec in specs if spec.repeats is not None]
    assert len(pairs) == 200
    for first, second in pairs:
        assert second.trial - first.trial >= 50
        assert (first.pass_, second.pass_) == (1, 2)
        assert first.stimulus_id == second.stimulus_id == first.trial
        assert first.contrast == second.contrast
        assert first.target == second.target


def test_a_spoiled_trial_comes_again_with_a_fresh_stimulus(protocol):
    spoiled = {75, 76}
    records = run(
        PlannedSchedule(protocol, 8), valid=lambda spec: spec.trial not in spoiled
    )
    block = [r.spec for r in records if r.spec.block == records[75].spec.block]
    assert len(block) == 104
    assert [spec.target for spec in block[-2:]] == [
        records[i].spec.target for i in (75, 76)
    ]
    assert [spec.stimulus_id for spec in block[-2:]] == [
        spec.trial for spec in block[-2:]
    ]


def test_a_spoiled_second_pass_comes_again_with_its_own_stimulus(protocol):
    plain = run(PlannedSchedule(protocol, 8))
    second = next(r.spec for r in plain if r.spec.pass_ == 2)
    records = run(PlannedSchedule(protocol, 8), valid=lambda s: s.trial != second.trial)
    shown = [r.spec for r in records if r.spec.repeats == second.repeats]
    assert [spec.stimulus_id for spec in shown] == [second.stimulus_id] * 2


def test_spoiled_trials_are_repeated_up_to_half_a_block(protocol):
    records = run(PlannedSchedule(protocol, 8), valid=lambda spec: False)
    assert len(records) == sum(len(b.slots) * 3 // 2 for b in plan_blocks(protocol, 8))


def test_a_pair_whose_first_was_never_seen_well_becomes_two_single_trials(protocol):
    records = run(PlannedSchedule(protocol, 8), valid=lambda s: s.block_kind != "main")
    assert all(r.spec.repeats is None for r in records)
    ids = [r.spec.stimulus_id for r in records]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("correct", "step"), [(True, -1), (False, 1)])
def test_contrast_moves_one_step_after_a_block_outside_the_range(
    protocol, correct, step
):
    blocks = (Block("main", 20, 2),)
    plain = replace(protocol, blocks=blocks, double_pass=DoublePass())
    records = run(PlannedSchedule(plain, 3), correct=lambda spec: correct)
    contrasts = [r.spec.contrast for r in records if r.spec.block_kind == "main"]
    grid = protocol.contrast.grid
    nearest = min(range(len(grid)), key=lambda i: abs(grid[i] - 0.227))
    assert set(contrasts[:20]) == {0.227}
    assert set(contrasts[20:]) == {grid[nearest + step]}


def test_calibration_ends_near_the_observers_own_threshold(protocol):
    """A linear observer that is 75 % correct at .3 is sent there."""
    from scipy.stats import norm

    rng = random.Random(4)
    found = []
    for seed in range(12):
        schedule = PlannedSchedule(protocol, seed)
        p = {c: norm.cdf(0.6745 * c / 0.3) for c in (*protocol.contrast.grid, 0.5)}
        records = run(
            schedule,
            correct=lambda s, p=p: rng.random() < float(p.get(s.contrast, 0.9)),
        )
        found.append(
            next(r.spec.contrast for r in records if r.spec.block_kind == "main")
        )
    assert sum(found) / len(found) == pytest.approx(0.3, abs=0.06)


def test_several_contrasts_come_equally_often(protocol):
    contrast = Contrast((0.1, 0.2, 0.3), keep_correct=(0.0, 1.0))
    blocks = (Block("main", 60),)
    several = replace(
        protocol, contrast=contrast, blocks=blocks, double_pass=DoublePass()
    )
    specs = [
        r.spec for r in run(PlannedSchedule(several, 1)) if r.spec.block_kind == "main"
    ]
    cells = [(spec.condition, spec.target) for spec in specs]
    assert {cells.count(cell) for cell in cells} == {10}
    assert {spec.condition for spec in specs} == {f"contrast-0.{i}" for i in (1, 2, 3)}


def test_a_yoked_schedule_is_the_sources_rows(protocol):
    records = run(PlannedSchedule(protocol, 5), fixed_responder)
    source = TrialColumns.of(records)
    yoked = run(YokedSchedule(protocol, source), correct=lambda spec: False, batch=50)
    assert [r.spec for r in yoked] == [r.spec for r in records]


def test_a_logged_contrast_is_taken_as_it_was(protocol):
    """Another machine may have computed another threshold: the log stands."""
    plain = run(PlannedSchedule(protocol, 5), fixed_responder)
    start = next(r.spec.trial for r in plain if r.spec.block_kind == "main")
    own = plain[start].spec.contrast
    other = next(c for c in protocol.contrast.grid if abs(c - own) > 0.05)
    schedule = PlannedSchedule(protocol, 5)
    for record in plain[:start]:
        schedule.record(record)
    for _ in range(3):
        spec = schedule.next(1)[0]
        schedule.record(respond(replace(spec, contrast=other)))
    assert schedule.next(1)[0].contrast == other
    shown = {r.spec.trial: r for r in run(schedule, fixed_responder)}
    second = [
        r.spec for r in shown.values() if r.spec.repeats in range(start, start + 3)
    ]
    assert all(spec.contrast == other for spec in second)


def test_a_logged_calibration_contrast_teaches_what_was_shown(protocol):
    schedule, plain = PlannedSchedule(protocol, 5), PlannedSchedule(protocol, 5)
    for each in (schedule, plain):
        for _ in range(10):
            each.record(respond(each.next(1)[0]))
    spec = schedule.next(1)[0]
    other = next(c for c in protocol.contrast.grid if abs(c - spec.contrast) > 0.1)
    schedule.record(respond(replace(spec, contrast=other), correct=False))
    plain.record(respond(spec, correct=False))
    assert schedule.next(1)[0].contrast != plain.next(1)[0].contrast


def test_a_log_that_leaves_the_schedule_is_refused(protocol):
    schedule = PlannedSchedule(protocol, 5)
    spec = schedule.next(1)[0]
    with pytest.raises(
        ValueError, match="trial 0 must follow the schedule, got target"
    ):
        schedule.record(respond(replace(spec, target=1 - spec.target)))


def test_a_permutation_holds_every_number_once():
    assert sorted(permutation(3, 4, 100)) == list(range(100))
    assert permutation(3, 4, 100).tolist() != permutation(3, 5, 100).tolist()
