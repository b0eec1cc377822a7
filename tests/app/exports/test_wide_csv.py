"""PsychoPy's wide CSV: its names, and nothing of the trial log lost."""

import csv
import io
import json
import os
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from yoked.app.exports.wide_csv import LOOPS, wide_columns, write_wide
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response


@pytest.fixture
def store(db_path):
    store = open_store(db_path)
    yield store
    store.close()


def record(store, protocol, name="p1", seed=5):
    """Run a session with every kind of response: right, wrong, none, badly shown."""
    session = Session.start(
        *(store, protocol, ObserverInfo("person", name), "lab"),
        seed=seed,
        display={"refresh_hz": 59.94, "lut": [0, 255]},
        device={"psychopy": "2026.2.5"},
    )
    rng = np.random.default_rng(seed)
    while specs := session.next_batch(1):
        number = specs[0].trial
        onsets = tuple(600.1 * k + number / 7 for k in range(protocol.n_intervals))
        response = Response(
            response=None if number % 11 == 3 else int(rng.integers(2)),
            rt_ms=None if number % 11 == 3 else 250 + 500 * rng.random(),
            decision_variables=(0.5, -1.25) if number % 2 else None,
            digest="ab" * 32,
            onsets_ms=onsets,
            frames_shown=12,
            frames_dropped=int(number == 4),
            valid=number != 4,
            invalid_reason='a "late" frame, or two\nof them' if number == 4 else None,
        )
        session.record(specs, [response])
    session.finish()
    return store.session(session.id)


def written(store, *sessions):
    """Return what is written, as text and as pandas reads it."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as file:
        n_trials = write_wide(file, store, sessions)
        file.seek(0)
        text = file.read()
    table = pd.read_csv(io.StringIO(text))
    assert len(table) == n_trials
    return text, table


def optional(values):
    """Return values with None for what is missing."""
    return [None if pd.isna(value) else value for value in values]


@pytest.mark.parametrize("name", ["bar-in-noise", "bar-polarity", "movie-bar"])
def test_the_table_parsed_back_is_the_trial_log(store, name):
    protocol = load_protocol(name).with_options(trials=20, contrast=0.15)
    session = record(store, protocol)
    store.exclude(session.id, [2], "maria", "phone rang")
    _, table = written(store, session)
    log = store.trials(session.id)
    specs, responses = [r.spec for r in log], [r.response for r in log]
    keys = protocol.task.keys

    for column in ("condition", "block_kind", "stimulus_id", "contrast", "target"):
        assert table[column].tolist() == [getattr(s, column) for s in specs]
    assert table["trial"].tolist() == [s.trial for s in specs]
    assert table["pass"].tolist() == [s.pass_ for s in specs]
    assert optional(table["repeats"]) == [s.repeats for s in specs]
    assert [json.loads(text) for text in table["signal"]] == [s.signal for s in specs]
    assert table["corrAns"].tolist() == [keys[s.target] for s in specs]
    assert table["blocks.thisN"].tolist() == [s.block for s in specs]

    expected = [None if a.response is None else keys[a.response] for a in responses]
    assert optional(table["key_resp.keys"]) == expected
    assert (table["key_resp.rt"] * 1000).tolist() == pytest.approx(
        [np.nan if a.rt_ms is None else a.rt_ms for a in responses], 1e-15, nan_ok=True
    )
    assert optional(table["key_resp.corr"]) == [r.correct for r in log]
    for k in range(protocol.n_intervals):
        seconds = table[f"interval_{k + 1}.started"]
        assert (seconds * 1000).tolist() == pytest.approx(
            [a.onsets_ms[k] for a in responses], 1e-15
        )
    assert [tuple(json.loads(t)) for t in table["onsets_ms"]] == [
        a.onsets_ms for a in responses
    ]
    for column in ("digest", "frames_shown", "frames_dropped", "valid"):
        assert table[column].tolist() == [getattr(a, column) for a in responses]
    assert optional(table["invalid_reason"]) == [a.invalid_reason for a in responses]
    assert optional(table["decision_variables"]) == [
        None if a.decision_variables is None else "[0.5,-1.25]" for a in responses
    ]
    assert table["received_at"].tolist() == [r.received_at for r in log]
    assert table["excluded"].tolist() == [int(s.trial == 2) for s in specs]


def test_the_session_stands_in_every_row_by_psychopys_names(store, protocol):
    session = record(store, protocol.with_options(trials=20, contrast=0.2))
    _, table = written(store, session)
    constant = {name: set(table[name]) for name in ("participant", "session", "date")}
    day, time = session.started_at[:19].split("T")
    hours, minutes, seconds = time.split(":")
    milliseconds = session.started_at[20:23]
    assert constant == {
        "participant": {"p1"},
        "session": {session.id},
        "date": {f"{day}_{hours}h{minutes}.{seconds}.{milliseconds}"},
    }
    assert set(table["expName"]) == {"bar-in-noise"}
    assert set(table["psychopyVersion"]) == {"2026.2.5"}
    assert set(table["frameRate"]) == {59.94}


def test_the_columns_come_in_psychopys_order(store, protocol):
    header = wide_columns(2)
    # As ExperimentHandler.saveAsWideText: conditions, loops, data, extraInfo.
    named = ["contrast", "trials.thisN", "key_resp.keys", "key_resp.rt", "participant"]
    places = [header.index(name) for name in named]
    assert places == sorted(places)
    assert len(set(header)) == len(header)
    assert LOOPS[4:] == (
        "trials.thisRepN",
        "trials.thisTrialN",
        "trials.thisN",
        "trials.thisIndex",
    )


def test_the_loop_of_trials_starts_again_in_every_block(store, protocol):
    session = record(store, protocol.with_options(trials=200))
    _, table = written(store, session)
    assert table["blocks.thisN"].nunique() > 2
    for _, block in table.groupby("blocks.thisN"):
        assert block["trials.thisN"].tolist() == list(range(len(block)))
        assert block["trials.thisTrialN"].tolist() == block["trials.thisN"].tolist()


def test_a_trial_without_a_response_has_the_key_none_and_no_score(store, protocol):
    session = record(store, protocol.with_options(trials=20, contrast=0.2))
    text, _ = written(store, session)
    row = list(csv.DictReader(io.StringIO(text)))[3]
    assert (row["key_resp.keys"], row["key_resp.rt"], row["key_resp.corr"]) == (
        "None",
        "",
        "",
    )


def test_sessions_of_several_protocols_share_one_header(store, protocol):
    bars = protocol.with_options(trials=20, contrast=0.2)
    polarity = load_protocol("bar-polarity").with_options(trials=20, contrast=0.15)
    sessions = [record(store, bars), record(store, polarity, "p2", seed=6)]
    text, table = written(store, *sessions)
    assert len({len(row) for row in csv.reader(io.StringIO(text))}) == 1
    second = table[table["participant"] == "p2"]
    assert second["interval_2.started"].isna().all()
    assert second["interval_1.started"].notna().all()


def test_no_session_gives_a_header(store):
    text, _ = written(store)
    assert text.splitlines() == [",".join(wide_columns(0))]


def test_the_trials_are_never_all_in_memory(store, protocol):
    many = protocol.with_options(trials=6000, contrast=0.2)
    session = Session.start(store, many, ObserverInfo("model", "m"), "model", seed=5)
    while specs := session.next_batch(5000):
        session.record(specs, [Response(1, digest="ab" * 32)] * len(specs))

    row = store.session(session.id)
    with Path(os.devnull).open("w", encoding="utf-8") as file:
        write_wide(file, store, [row])  # imports and caches are paid for
        tracemalloc.start()
        n_trials = write_wide(file, store, [row])
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert n_trials >= 6000
    assert most < 2_000_000  # a list of the rows has 6 times that
