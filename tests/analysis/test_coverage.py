"""The coverage study: its tables' results are whole, its page is theirs, it resumes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from .coverage import order_zero, page, study
from .coverage.tables import TABLES


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_the_results_of_all_its_cells(table):
    found = study.results(table)
    assert set(found) == {study.key(cell) for cell in table.cells}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_session_of_a_table_gives_what_its_columns_show(table):
    cell, rows = table.cells[0], study.results(table)
    found = study.simulate(table.name, table.session, cell, 0)
    assert set(found) <= set(rows[study.key(cell)]["figures"])
    known = {name for row in rows.values() for name in row["figures"]}
    assert {column.quantity for column in table.columns} <= known


def test_a_few_sessions_of_order_zero_hold_the_truth():
    cell = order_zero.PROMISED[4]
    rng = np.random.default_rng(1)
    found = [order_zero.session(cell, rng) for _ in range(40)]
    for name in found[0]:
        held = sum(one[name].low <= one[name].truth <= one[name].high for one in found)
        assert held >= 33, name


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_figures_outside_their_range_are_those_whose_reason_is_told(table):
    found = study.results(table)
    wrong = {
        (study.key(cell), column.label)
        for cell in table.cells
        for column in table.columns
        if page.outside(column, cell, found[study.key(cell)])
    }
    told = {
        (study.key(cell), column.label)
        for cell in table.cells
        for column in table.columns
        if page.is_known(table, cell, column.label)
    }
    assert wrong == told
    assert len(told) == len(table.outside)


def test_the_page_is_that_of_the_last_results():
    assert page.PAGE.read_text() == page.page()


def coin(cell, rng):
    """A session that finds whether a coin fell on its head."""
    return {"head": bool(rng.random() < cell["chance"]), "number": float(rng.random())}


COIN = study.Table(
    "coin",
    "Coin",
    "Falls.",
    ({"chance": 0.5}, {"chance": 0.9}),
    coin,
    (study.Column("head", "head", "true"),),
    n_sessions=60,
)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(study, "SESSIONS", tmp_path / "sessions")
    monkeypatch.setattr(study, "RESULTS", tmp_path / "results")
    return tmp_path


def test_an_interrupted_run_resumes_with_the_same_figures(folders):
    study.run(COIN, n_workers=1)
    whole = (folders / "results" / "coin.json").read_text()
    (folders / "sessions" / "coin.jsonl").unlink()
    study.run(COIN, n_sessions=20, n_workers=1)  # broken off after a third
    assert json.loads((folders / "results" / "coin.json").read_text()) != whole
    study.run(COIN, n_workers=2)
    assert (folders / "results" / "coin.json").read_text() == whole


def test_a_torn_line_of_a_session_is_survived(folders):
    study.run(COIN, n_workers=1)
    whole = (folders / "results" / "coin.json").read_text()
    path = folders / "sessions" / "coin.jsonl"
    text = path.read_text()
    path.write_text(text[: len(text) - 25])
    assert len(study.sessions_of(COIN)[study.key(COIN.cells[1])]) == 59
    study.run(COIN, n_workers=1)
    assert (folders / "results" / "coin.json").read_text() == whole


def test_the_page_marks_what_lies_outside_and_leaves_no_cell_out():
    table = TABLES[0]
    lines = page.markdown(table).splitlines()
    assert len(lines) == 2 + len(table.cells)
    column = study.Column("head", "head", "true", low=93)
    row = {"figures": {"head": {"n": 1000, "missing": 0, "true": 800}}}
    assert page.outside(column, {}, row)
    row["figures"]["head"]["true"] = 925
    assert not page.outside(column, {}, row)  # within two of its errors
    few = {"figures": {"head": {"n": 4, "missing": 996, "true": 0}}}
    assert not page.outside(column, {}, few)


def test_a_range_may_follow_the_cell_of_its_row():
    column = study.Column(
        "head", "head", "true", lambda cell: cell["low"], lambda cell: cell["low"] + 5
    )
    row = {"figures": {"head": {"n": 1000, "missing": 0, "true": 800}}}
    assert column.limits({"low": 80}) == (80, 85)
    assert not page.outside(column, {"low": 80}, row)
    assert page.outside(column, {"low": 50}, row)
    assert page.outside(column, {"low": 90}, row)


def test_a_ratio_may_be_to_the_truth_of_another_quantity():
    column = study.Column("coin", "number", "mean ratio", truth_of="share")
    number = {"n": 4, "missing": 0, "mean": 0.3, "median": 0.3, "sd": 0.1}
    row = {"figures": {"number": number, "share": {"n": 4, "truth": 0.5}}}
    found = page.shown(column, row)
    assert found is not None
    assert (found.value, found.text) == (0.6, "0.600")


def test_a_parameter_may_have_a_head_of_its_own(folders):
    table = replace(COIN, heads={"chance": "chance of a head"})
    assert page.markdown(table).startswith("| chance of a head | sessions | head |")
