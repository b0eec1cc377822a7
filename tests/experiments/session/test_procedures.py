"""Adaptive procedures: thresholds recovered, sessions replayed, and one of a user."""

import importlib.metadata
import random
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.contrast import Contrast
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.staircase import Staircase
from yoked.experiments.session import procedures
from yoked.experiments.session.procedures import (
    GROUP,
    ProcedureSetting,
    make_procedure,
)
from yoked.experiments.session.schedule import PlannedSchedule
from yoked.experiments.store.trial import Response, TrialRecord

THRESHOLD = 0.12  # contrast of 75 % correct of the simulated observer
GRID = tuple(round(0.01 * 1.06**i, 6) for i in range(64))


def p_correct(contrast):
    """Give proportion correct in 2AFC of an observer whose d' rises with contrast."""
    return NormalDist().cdf(NormalDist().inv_cdf(0.75) * contrast / THRESHOLD)


def contrast_of(share):
    return THRESHOLD * NormalDist().inv_cdf(share) / NormalDist().inv_cdf(0.75)


def estimates(setting, n_trials, n_runs, name="staircase"):
    found = []
    for run in range(n_runs):
        rng = random.Random(run)
        procedure = make_procedure(name, setting)
        for _ in range(n_trials):
            contrast = procedure.ask()
            procedure.tell(contrast, rng.random() < p_correct(contrast))
        found.append(np.log(procedure.estimate()))
    return np.exp(np.mean(found)), np.std(found)


@pytest.mark.parametrize(
    ("rule", "target"),
    [
        ("1-up-1-down", 0.65),
        ("1-up-1-down", 0.75),
        ("1-up-1-down", 0.85),
        ("1-up-2-down", 0.707),  # equal steps, as Levitt (1971) has them
        ("1-up-3-down", 0.85),
    ],
)
def test_a_staircase_converges_where_it_should(rule, target):
    staircase = Staircase(rule=rule, steps_db=(4, 2, 0.5))
    setting = ProcedureSetting(GRID, target, staircase=staircase)
    found, spread = estimates(setting, 400, 60)
    assert found == pytest.approx(contrast_of(target), rel=0.05)
    assert spread < 0.2


def test_quest_plus_finds_the_same_threshold():
    found, spread = estimates(ProcedureSetting(GRID[::3]), 80, 10, "quest+")
    assert found == pytest.approx(THRESHOLD, rel=0.1)
    assert spread < 0.35


def test_a_step_up_is_as_much_larger_as_errors_are_rarer():
    setting = ProcedureSetting(GRID, 0.8, staircase=Staircase(steps_db=(1.0,)))
    procedure = make_procedure("staircase", setting)
    first = procedure.ask()
    for _ in range(8):
        procedure.tell(procedure.ask(), True)
    eighth_down = 20 * np.log10(procedure.ask() / first)
    procedure.tell(procedure.ask(), False)
    procedure.tell(procedure.ask(), False)
    assert eighth_down == pytest.approx(-8, abs=0.3)
    assert 20 * np.log10(procedure.ask() / first) == pytest.approx(0, abs=0.3)


def adaptive(procedure="staircase", n_trials=60, **contrast):
    base = load_protocol("bar-in-noise")
    changed = replace(base.contrast, procedure=procedure, main="adaptive", **contrast)
    blocks = (Block("practice", 4), Block("main", n_trials, 2))
    return replace(base, contrast=changed, blocks=blocks, double_pass=DoublePass())


def respond(spec, valid=True):
    correct = (spec.trial * 7919 % 100) / 100 < p_correct(spec.contrast)
    response = Response(spec.target if correct else 1 - spec.target, valid=valid)
    return TrialRecord(spec, response, correct, "now")


def run(schedule, spoiled=(), batch=1):
    records = []
    while specs := schedule.next(batch):
        for spec in specs:
            records.append(respond(spec, spec.trial not in spoiled))
            schedule.record(records[-1])
    return records


def test_a_procedure_chooses_every_main_contrast():
    records = run(PlannedSchedule(adaptive(), 3), spoiled={9, 40})
    main = [r.spec.contrast for r in records if r.spec.block_kind == "main"]
    assert len(main) == 122
    assert len(set(main)) > 5
    late = np.exp(np.mean(np.log(main[40:])))
    assert late == pytest.approx(THRESHOLD, rel=0.35)


@pytest.mark.parametrize("cut", [0, 5, 17, 66, 110])
def test_a_log_replayed_goes_on_as_it_would_have(cut):
    records = run(PlannedSchedule(adaptive(), 3), spoiled={9, 40})
    again = PlannedSchedule(adaptive(), 3)
    for record in records[:cut]:
        again.record(record)
    rest = run(again, spoiled={9, 40}, batch=7)
    assert [r.spec for r in rest] == [r.spec for r in records[cut:]]


def test_a_staircase_ends_after_its_reversals():
    staircase = Staircase(reversals=8)
    records = run(PlannedSchedule(adaptive(staircase=staircase), 3))
    assert len(records) < 100
    longer = run(PlannedSchedule(adaptive(), 3))
    same = [r.spec.contrast for r in longer[: len(records)]]
    # Catch trials of what falls away are shown all the same.
    main = [r.spec.contrast for r in records if r.spec.block_kind == "main"]
    assert main[:10] == [c for r, c in zip(longer, same, strict=False)
                         if r.spec.block_kind == "main"][:10]  # fmt: skip


def test_a_calibration_can_be_a_staircase():
    base = load_protocol("bar-in-noise")
    protocol = replace(base, contrast=replace(base.contrast, procedure="staircase"))
    records = run(PlannedSchedule(protocol, 3))
    first = next(r.spec for r in records if r.spec.block_kind == "main")
    assert first.contrast == pytest.approx(THRESHOLD, rel=0.5)


class Fixed:
    """Somebody's own procedure: it asks for what its options say."""

    def __init__(self, setting):
        self.contrast = setting.options.get("contrast", 0.2)

    def ask(self):
        return self.contrast

    def tell(self, contrast, correct):
        pass


@pytest.fixture
def installed(monkeypatch):
    def install(value):
        point = importlib.metadata.EntryPoint("own", value, GROUP)
        monkeypatch.setattr(
            procedures.importlib.metadata, "entry_points", lambda group: [point]
        )

    return install


def test_an_installed_procedure_is_found_by_its_name(installed):
    installed(f"{__name__}:Fixed")
    protocol = adaptive("own", options={"contrast": 0.1})
    records = run(PlannedSchedule(protocol, 3))
    shown = {r.spec.contrast for r in records if r.spec.block_kind == "main"}
    assert shown == {min(protocol.contrast.grid, key=lambda c: abs(np.log(c / 0.1)))}


def test_what_a_procedure_asks_for_must_be_a_contrast(installed):
    installed(f"{__name__}:Fixed")
    setting = ProcedureSetting(GRID, options={"contrast": float("nan")})
    with pytest.raises(ValueError, match="own must ask for a contrast above 0, got na"):
        make_procedure("own", setting).ask()


def test_a_procedure_must_have_both_methods(installed):
    installed("builtins:id")
    with pytest.raises(ValueError, match="own must have ask and tell, got no ask"):
        make_procedure("own", ProcedureSetting(()))


def test_a_procedure_that_is_not_installed_is_named_before_a_session():
    import yoked

    with pytest.raises(LookupError, match="no procedure named 'stair'; did you mean"):
        yoked.run(adaptive("stair"), yoked.load_observer("guesser"), seed=1)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"staircase": {"rule": "2-up"}}, "staircase.rule must be one of 1-up-1-down"),
        ({"staircase": {"steps_db": []}}, "steps_db must be one or more numbers in"),
        ({"staircase": {"reversals": 2}}, "reversals must be 0, or more than the 2 "),
        ({"staircase": {"start": 0.9}}, "start must be from lowest to highest, or 0"),
        ({"main": "moving"}, "main must be one of constant, adaptive, got 'moving'"),
        ({"procedure": ""}, "procedure must be a procedure's name, got ''"),
        ({"options": {"a": 1}}, r"options must be left out with quest\+, got \['a'\]"),
        ({"n_steps": 0, "main": "adaptive"}, "n_steps must be given where main is ad"),
    ],
)
def test_each_rule_has_its_sentence(part, message):
    data = load_protocol("bar-in-noise").to_dict()
    data["contrast"] |= part
    with pytest.raises(ProtocolError, match=message):
        Protocol.from_dict(data)


def test_options_and_staircase_are_read_and_written():
    data = load_protocol("bar-in-noise").to_dict()
    options = {"n": 3, "acqf": "level-set", "levels": [0.1, 0.2], "warm": True}
    data["contrast"] |= {
        "procedure": "own", "options": options, "staircase": {"reversals": 6}
    }  # fmt: skip
    protocol = Protocol.from_dict(data)
    assert Protocol.from_dict(protocol.to_dict()) == protocol
    assert protocol.contrast.options == options
    assert Contrast((0.1,)).procedure == "quest+"
