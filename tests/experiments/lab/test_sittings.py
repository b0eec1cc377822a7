"""Several sittings in the lab: the plan says which is due, and when it may begin."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from tests.experiments.lab.recording import FAST, Recorder
from yoked.app.cli import cli
from yoked.experiments.lab.request import Request, Unfinished
from yoked.experiments.lab.run import run_lab
from yoked.experiments.lab.trial import plan_trial
from yoked.experiments.protocols.sittings import SittingPlan
from yoked.experiments.session.sittings import planned_sitting
from yoked.experiments.store.sqlite import open_store


@pytest.fixture(autouse=True)
def no_monitors(tmp_path, monkeypatch):
    monkeypatch.setenv("YOKED_CALIBRATIONS", str(tmp_path / "calibrations"))
    for room in ("monitors", "setup"):
        monkeypatch.setattr(f"yoked.experiments.lab.{room}.find_spec", lambda _: None)


@pytest.fixture
def plan(protocol):
    few = protocol.with_options(4, 0.227, FAST)
    few = replace(few, catch=replace(few.catch, n_per_block=0))
    return SittingPlan("bars", (few, few), min_gap_hours=0.0)


def sit(db_path, plan, quits=False, said=None, **asked):
    """Run the sitting that is due on a screen at which somebody sits."""
    screen = Recorder()
    screen.plan = plan_trial(plan.protocols[0], screen.refresh_hz)
    screen.page_script = ["escape", "q"] if quits else []
    request = Request(**{"plan": plan, "participant": "p01", **asked})
    say = print if said is None else said.append
    return run_lab(db_path, request, say, lambda *_: screen, lambda *_: screen)


def logged(db_path):
    store = open_store(db_path)
    rows = store.sessions()
    found = [(planned_sitting(store, row.id), row) for row in rows]
    store.close()
    return found


def test_a_participant_gets_one_sitting_after_the_other(db_path, plan):
    said: list[str] = []
    assert sit(db_path, plan, said=said).is_finished
    assert "Sitting 1 of 2." in said
    assert sit(db_path, plan).is_finished
    found = logged(db_path)
    assert [(s.number, row.device["sitting"]) for s, row in found] == [(1, 1), (2, 2)]
    assert found[1][0].after == found[0][1].id
    with pytest.raises(ValueError, match="a sitting of bars left, got p01: all 2 done"):
        sit(db_path, plan)
    assert sit(db_path, plan, participant="p02").is_finished


def test_a_sitting_that_comes_too_soon_needs_a_reason(db_path, plan):
    plan = replace(plan, min_gap_hours=12.0)
    sit(db_path, plan)
    rule = "sitting 2 of bars must begin 12 h or more after the one before it, got 0.0"
    with pytest.raises(ValueError, match=rule):
        sit(db_path, plan)
    assert len(logged(db_path)) == 1  # nothing was begun
    sit(db_path, plan, early="moves away tomorrow")
    assert logged(db_path)[1][0].early == "moves away tomorrow"


def test_a_sitting_that_was_quit_is_gone_on_with_or_begun_anew(db_path, plan):
    quitted = sit(db_path, plan, quits=True)
    with pytest.raises(Unfinished, match=quitted.session_id):
        sit(db_path, plan)
    sit(db_path, plan, is_new=True)
    assert [s.number for s, _ in logged(db_path)] == [1, 1]
    assert sit(db_path, plan).is_finished  # the second
    assert [s.number for s, _ in logged(db_path)] == [1, 1, 2]


def test_a_plan_goes_with_no_protocol(plan):
    with pytest.raises(ValueError, match="a plan must be given without a protocol"):
        Request(plan=plan, protocol=plan.protocols[0], participant="p01")
    with pytest.raises(ValueError, match="early must be a reason, got ' '"):
        Request(plan=plan, early=" ", participant="p01")


def test_a_table_says_who_may_come_again(db_path, plan, tmp_path):
    file = tmp_path / "plan.toml"
    file.write_text(
        'name = "bars"\nmin_gap_hours = 12\n[[sittings]]\nprotocol = "p.toml"\nn = 2'
    )
    (tmp_path / "p.toml").write_text(as_toml(plan.protocols[0]))
    sit(db_path, plan)
    result = CliRunner().invoke(cli, ["sittings", str(file), str(db_path), "--csv"])
    assert result.exit_code == 0, result.output
    head, row = result.output.splitlines()
    cells = dict(zip(head.split(","), row.split(","), strict=True))
    assert (cells["observer"], cells["done"], cells["of"]) == ("p01", "1", "2")
    assert cells["may_begin"] in ("False", "false", "0")


def as_toml(protocol) -> str:
    """Write a protocol's plain data as TOML: tables of plain values, and texts."""
    tables, plain = [], []
    for name, value in protocol.to_dict().items():
        if isinstance(value, dict):
            tables.append(_table(f"[{name}]", value, name))
        elif isinstance(value, list):
            tables += [_table(f"[[{name}]]", each, name) for each in value]
        else:
            plain.append(f"{name} = {_value(value)}")
    return "\n".join([*plain, *tables])


def _table(head: str, values: dict, name: str) -> str:
    own = [f"{k} = {_value(v)}" for k, v in values.items() if not isinstance(v, dict)]
    below = [
        _table(f"[{name}.{k}]", v, f"{name}.{k}")
        for k, v in values.items()
        if isinstance(v, dict)
    ]
    return "\n".join([head, *own, *below])


def _value(value) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
