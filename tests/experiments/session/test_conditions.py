"""Conditions: rules, balance, shared draws, the same after a break, and the pixels."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import yoked
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.session.permute import balanced
from yoked.experiments.session.plan import plan_blocks
from yoked.experiments.session.schedule import PlannedSchedule
from yoked.experiments.session.schedules import YokedSchedule
from yoked.experiments.stimulus.render import render
from yoked.experiments.stimulus.sources import noise_source
from yoked.experiments.store.trial import Response, TrialRecord
from yoked.experiments.store.trial_batch import TrialColumns

QUIET = {"name": "quiet", "noise": {"sd": 0.0}, "contrast": {"values": [0.1]}}
LOUD = {"name": "loud", "noise": {"sd": 0.12}}
DARK = {"name": "dark", "signal": {"gains": [0.0, -1.0]}}


def protocol_of(*conditions, order="interleaved", pairs=0, **parts):
    data = load_protocol("bar-in-noise").to_dict()
    data |= {"conditions": list(conditions), "design": {"order": order}}
    data["blocks"] = [
        {"kind": "practice", "n_trials": 12},
        {"kind": "main", "n_trials": 60, "n_blocks": 6},
    ]
    data["contrast"]["highest"] = 0.45
    data["double_pass"] = {"n_pairs": pairs, "min_gap": 20}
    for part, table in parts.items():
        data[part] = table if isinstance(table, list) else data[part] | table
    return Protocol.from_dict(data)


def respond(spec, correct=True, valid=True):
    response = spec.target if correct else 1 - spec.target
    return TrialRecord(spec, Response(response, valid=valid), correct, "now")


def run(schedule, correct=lambda s: s.trial % 4 > 0, valid=lambda s: True, batch=1):
    records = []
    while specs := schedule.next(batch):
        for spec in specs:
            records.append(respond(spec, correct(spec), valid(spec)))
            schedule.record(records[-1])
    return records


def main(records):
    return [r.spec for r in records if r.spec.block_kind == "main"]


def test_each_condition_is_the_protocol_with_its_changes():
    protocol = protocol_of(QUIET, LOUD, DARK)
    quiet, loud, dark = protocol.resolved
    assert (quiet.noise.sd, loud.noise.sd, dark.noise.sd) == (0.0, 0.12, 0.1)
    assert quiet.contrast.values == (0.1,)
    assert quiet.contrast.grid == protocol.contrast.grid
    assert dark.signal == replace(protocol.signal, gains=(0.0, -1.0))
    assert protocol.of_condition("loud") == loud
    assert loud.conditions == ()
    assert loud.condition == "loud"
    assert Protocol.from_dict(protocol.to_dict()).hash == protocol.hash
    with pytest.raises(LookupError, match="no condition 'lou' in bar-in-noise; did"):
        protocol.of_condition("lou")


@pytest.mark.parametrize(
    ("conditions", "parts", "message"),
    [
        ([QUIET], {}, r"conditions must be two or more, or none, got \['quiet'\]"),
        ([QUIET, QUIET], {}, "conditions must be named differently, got 'quiet'"),
        ([LOUD, {**LOUD, "name": "b"}], {}, "'b': it must be different from 'loud'"),
        ([LOUD, {"name": "catch"}], {}, r"conditions\[1\].name must be a text without"),
        ([LOUD, {"name": "a/b"}], {}, r"conditions\[1\].name must be a text without /"),
        ([LOUD, {"name": "b", "noise": {"grid": [1, 1, 9]}}], {},
         r"conditions\[1\].noise must be changed in sd alone, got 'grid'"),
        ([LOUD, {"name": "b", "task": {"kind": "mafc"}}], {},
         r"conditions\[1\].task must be one of name, contrast, noise, signal, plac"),
        ([LOUD, {"name": "b", "signal": {"sgima": 1}}], {},
         "condition 'b': signal.sgima must be one of"),
        ([LOUD, {"name": "b", "noise": {"sd": 0.2}}], {},
         "condition 'b': contrast must be at most 0.134"),
        ([LOUD, {"name": "b", "noise": {"sd": 0.0},
                 "contrast": {"values": [0.0], "n_steps": 0}}], {},
         "'b': contrast must be above 0 where noise.sd is 0, or there is nothing"),
        ([LOUD, QUIET], {"blocks": [{"kind": "main", "n_trials": 1}]},
         "main trials must be one or more for each of 2 conditions, or quiet has none"),
        ([LOUD, QUIET], {"double_pass": {"n_pairs": 170}},
         "double_pass.n_pairs must be at most 160, half of each condition's"),
        ([], {"noise": {"sd": 0.0}}, r"noise.sd must be in \(0, 1\]; it may be 0 in a"),
        ([], {"design": {"order": "blocked"}}, "design.order must be left out without"),
        ([LOUD, QUIET], {"design": {"order": "mixed"}}, "design.order must be one of"),
        ([LOUD, QUIET], {"design": {"order": "blocked"},
                         "blocks": [{"kind": "main", "n_trials": 50, "n_blocks": 3}]},
         "the number of main blocks must be a multiple of the 2 conditions, or quiet "),
    ],
)  # fmt: skip
def test_each_rule_has_its_sentence(conditions, parts, message):
    with pytest.raises(ProtocolError, match=message):
        protocol_of(*conditions, **parts)


@pytest.mark.parametrize("pairs", [0, 50])
def test_conditions_are_balanced_in_every_block(pairs):
    protocol = protocol_of(QUIET, LOUD, DARK, pairs=pairs)
    records = run(PlannedSchedule(protocol, 8))
    for block in range(1, 7):
        of_block = [r.spec.condition for r in records if r.spec.block == block]
        assert Counter(of_block) == {"quiet": 20, "loud": 20, "dark": 20, "catch": 2}
    for name in ("quiet", "loud", "dark"):
        first = [s for s in main(records) if s.condition == name and s.pass_ == 1]
        assert abs(2 * sum(s.target for s in first) - len(first)) <= 1
    practice = [r.spec for r in records if r.spec.block_kind == "practice"]
    assert Counter((s.condition, s.target) for s in practice) == {
        (name, target): 2 for name in ("quiet", "loud", "dark") for target in (0, 1)
    }


def test_blocked_conditions_have_blocks_of_their_own():
    protocol = protocol_of(QUIET, LOUD, DARK, order="blocked", pairs=30)
    records = run(PlannedSchedule(protocol, 8))
    names = [
        {r.spec.condition for r in records if r.spec.block == block} - {"catch"}
        for block in range(1, 7)
    ]
    assert all(len(each) == 1 for each in names)
    assert set.union(*names[:3]) == set.union(*names[3:]) == {"quiet", "loud", "dark"}
    orders = set()
    for seed in range(20):
        blocks = plan_blocks(protocol, seed)[1:4]
        orders.add(tuple(int(b.slots.condition[b.slots.main >= 0][0]) for b in blocks))
    assert len(orders) == 6


def test_conditions_of_other_sd_or_contrast_share_draws_and_are_no_pairs():
    faint = {"name": "faint", "contrast": {"values": [0.08]}}
    protocol = protocol_of(QUIET, LOUD, faint, DARK)
    specs = main(run(PlannedSchedule(protocol, 8)))
    assert all(spec.repeats is None and spec.pass_ == 1 for spec in specs)
    ids = {
        name: [s.stimulus_id for s in specs if s.condition == name]
        for name in ("quiet", "loud", "faint", "dark")
    }
    assert set(ids["quiet"]) == set(ids["loud"]) == set(ids["faint"])
    assert not set(ids["dark"]) & set(ids["quiet"])
    assert all(len(set(each)) == len(each) == 90 for each in ids.values())
    # Who shares is no neighbour more often than chance has it.
    near = sum(a.stimulus_id == b.stimulus_id for a, b in zip(specs, specs[1:]))  # noqa: B905, RUF007
    assert near <= 6


def test_second_passes_stay_within_their_condition():
    protocol = protocol_of(QUIET, LOUD, DARK, pairs=60)
    specs = {r.spec.trial: r.spec for r in run(PlannedSchedule(protocol, 8))}
    pairs = [(specs[s.repeats], s) for s in specs.values() if s.repeats is not None]
    assert Counter(second.condition for _, second in pairs) == {
        "quiet": 20, "loud": 20, "dark": 20
    }  # fmt: skip
    for first, second in pairs:
        assert first.condition == second.condition
        assert first.stimulus_id == second.stimulus_id
        assert first.target == second.target
        assert second.trial - first.trial >= 20


ADAPTIVE = {"procedure": "staircase", "main": "adaptive"}


@pytest.mark.parametrize("contrast", [{}, ADAPTIVE, {"procedure": "staircase"}])
@pytest.mark.parametrize("order", ["interleaved", "blocked"])
@pytest.mark.parametrize("batch", [3, 64])
def test_batches_and_breaks_change_nothing(contrast, order, batch):
    protocol = protocol_of(QUIET, LOUD, DARK, order=order, pairs=30, contrast=contrast)
    rng = random.Random(batch)
    right = [rng.random() < 0.8 for _ in range(1000)]
    good = [rng.random() < 0.95 for _ in range(1000)]
    how = (lambda s: right[s.trial], lambda s: good[s.trial])
    alone = run(PlannedSchedule(protocol, 5), *how)
    assert run(PlannedSchedule(protocol, 5), *how, batch) == alone
    again = PlannedSchedule(protocol, 5)
    for record in alone[:150]:
        again.record(record)
    assert run(again, *how, batch) == alone[150:]


def test_each_condition_has_a_procedure_of_its_own():
    protocol = protocol_of(QUIET, LOUD, contrast=ADAPTIVE)
    right = {"quiet": 0.9, "loud": 0.4}
    rng = random.Random(1)
    records = run(
        PlannedSchedule(protocol, 5), lambda s: rng.random() < right.get(s.condition, 1)
    )
    last = {s.condition: s.contrast for s in main(records)}
    assert last["quiet"] < 0.1 < 0.3 < last["loud"]


def test_calibrations_run_side_by_side():
    calibrated = [
        {"kind": "calibration", "n_trials": 80},
        {"kind": "main", "n_trials": 40},
    ]
    protocol = protocol_of(QUIET, LOUD, blocks=calibrated)
    rng = random.Random(1)
    records = run(
        PlannedSchedule(protocol, 5),
        lambda s: s.condition == "quiet" or rng.random() < 0.55,
    )
    of_block = Counter(r.spec.condition for r in records if r.spec.block == 0)
    assert of_block == {"quiet": 40, "loud": 40}
    shown = {s.condition: s.contrast for s in main(records)}
    assert shown["quiet"] < 0.1 < 0.3 < shown["loud"]


@pytest.mark.parametrize("backend", ["numba", "numpy", "torch"])
def test_each_trial_is_rendered_by_its_own_condition(backend):
    protocol = protocol_of(QUIET, LOUD, DARK)
    trials = TrialColumns.of_specs(
        [r.spec for r in run(PlannedSchedule(protocol, 5))][:100]
    )
    source = noise_source("yoked-1", protocol, 5)
    frames = render(protocol, source, trials, backend)
    plain = replace(protocol, conditions=())
    for n, spec in enumerate(trials.specs()):
        is_catch = spec.block_kind == "catch"
        own = plain if is_catch else protocol.of_condition(spec.condition)
        alone = render(
            own, noise_source("yoked-1", own, 5), TrialColumns.of_specs([spec])
        )
        assert np.array_equal(frames[n], alone[0])


def test_the_log_has_the_values_of_each_trial():
    protocol = protocol_of(QUIET, LOUD, DARK)
    session = yoked.run(protocol, yoked.load_observer("template"), seed=3)
    rows = session.trials.groupby("condition").signal.agg(set)
    assert set(rows.index) == {"quiet", "loud", "dark", "catch"}
    assert all(len(values) == 1 for values in rows)
    assert '"sd":0.12' in next(iter(rows["loud"]))
    assert '"sd":0.0,' in next(iter(rows["quiet"]))
    assert '"sd":0.02' in next(iter(rows["catch"]))
    assert '"gains":[0.0,-1.0]' in next(iter(rows["dark"]))


def test_who_is_yoked_sees_the_same_conditions():
    protocol = protocol_of(QUIET, LOUD, DARK)
    records = run(PlannedSchedule(protocol, 5))
    yoked_to = YokedSchedule(protocol, TrialColumns.of(records))
    assert [r.spec for r in run(yoked_to, batch=50)] == [r.spec for r in records]


def test_hashes_tell_stimuli_and_not_contrasts():
    faint = {"name": "faint", "contrast": {"values": [0.08]}}
    bright = {"name": "faint", "contrast": {"values": [0.3]}}
    one, two = protocol_of(LOUD, faint), protocol_of(LOUD, bright)
    assert one.hash != two.hash
    assert one.stimulus_hash == two.stimulus_hash
    assert one.stimulus_hash != load_protocol("bar-in-noise").stimulus_hash
    assert one.stimulus_hash != protocol_of(QUIET, faint).stimulus_hash


@pytest.mark.parametrize("order", ["interleaved", "blocked"])
def test_another_number_of_trials_keeps_every_condition(order):
    protocol = protocol_of(QUIET, LOUD, DARK, order=order)
    for n in (30, 100, 700):
        shorter = protocol.with_options(trials=n)
        assert shorter.n_main_trials == n
        count = Counter(s.condition for s in main(run(PlannedSchedule(shorter, 1))))
        assert set(count) == {"quiet", "loud", "dark"}
        assert max(count.values()) - min(count.values()) <= 4


def test_every_run_of_a_balanced_order_has_each_cell_as_often():
    cells = balanced(1, 7 << 32, 100, 5, 20)
    assert all(
        np.bincount(cells[k : k + 20]).tolist() == [4] * 5 for k in range(0, 100, 20)
    )
