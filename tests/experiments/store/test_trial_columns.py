"""The columns of a trial: one definition, and all that follows from it."""

import sqlite3
from dataclasses import fields, replace

from tests import ROOT
from yoked.experiments.store import schema, trial_columns
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response, TrialRecord, TrialSpec
from yoked.experiments.store.trial_columns import (
    REAL,
    TRIAL,
    TRIAL_COLUMNS,
    Column,
    added_in,
)

SPEC = TrialSpec(0, 1, "main", "a", 7, 2, 3, 0.2, 1, {"gain": [0.0, 1.0]})
RESPONSE = Response(
    response=1,
    rt_ms=432.1,
    confidence=0.7,
    decision_variables=(0.25, -1.5),
    digest="ab" * 32,
    onsets_ms=(0.0, 600.1),
    offsets_ms=(100.0, 700.1),
    n_shown=2,
    frames_shown=12,
    frames_dropped=1,
    valid=False,
    invalid_reason="late",
)
FULL = TrialRecord(SPEC, RESPONSE, True, "2026-01-10T10:15:12.345+00:00")
EMPTY = TrialRecord(
    replace(SPEC, repeats=None, signal={}), Response(None), None, "2026-01-10"
)

# As version 1 of the schema had it, in files that are out there.
FIRST = """
    trial INTEGER NOT NULL, block INTEGER NOT NULL, block_kind TEXT NOT NULL,
    condition TEXT NOT NULL, stimulus_id INTEGER NOT NULL, pass INTEGER NOT NULL,
    repeats INTEGER, contrast REAL NOT NULL, signal TEXT NOT NULL,
    target INTEGER NOT NULL, response INTEGER, correct INTEGER, rt_ms REAL,
    confidence REAL, decision_variables TEXT, digest TEXT, onsets_ms TEXT,
    frames_shown INTEGER, frames_dropped INTEGER, valid INTEGER NOT NULL,
    invalid_reason TEXT, received_at TEXT NOT NULL
"""


def test_every_field_of_a_trial_has_a_column():
    parts = {"spec": TrialSpec, "response": Response, "record": TrialRecord}
    named = {(part, f.name) for part, kind in parts.items() for f in fields(kind)}
    named -= {("record", "spec"), ("record", "response")}  # which are parts themselves
    assert {(column.part, column.field) for column in TRIAL} == named
    assert len(set(TRIAL_COLUMNS)) == len(TRIAL)


def test_the_first_schema_never_changes():
    assert ", ".join(added_in(1)).split() == FIRST.split()


def test_a_later_column_is_added_to_the_first_table(tmp_path, monkeypatch):
    old = tmp_path / "old.db"
    open_store(old).close()
    later = schema.VERSION + 1
    new = Column("tilt_deg", "response", REAL, "Head", is_optional=True, since=later)
    monkeypatch.setattr(trial_columns, "TRIAL", (*TRIAL, new))
    assert ", ".join(added_in(1)).split() == FIRST.split()
    with sqlite3.connect(old) as connection:
        for column in added_in(later):
            connection.execute(f"ALTER TABLE trials ADD COLUMN {column}")
        (sql,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'trials'"
        ).fetchone()
    connection.close()
    assert "tilt_deg REAL" in sql
    assert "STRICT" in sql


def test_a_later_column_is_of_a_known_version_and_may_be_empty():
    assert {column.since for column in TRIAL} <= set(range(1, schema.VERSION + 1))
    assert all(column.is_optional for column in TRIAL if column.since > 1)


def test_the_page_of_the_trial_log_says_what_every_column_means():
    rows = [f"| {column.name} | {column.meaning} |" for column in TRIAL]
    page = (ROOT / "docs" / "trial-log.md").read_text()
    assert "\n".join(rows) in page, "put these rows into docs/trial-log.md"
