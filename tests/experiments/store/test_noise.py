"""Stored noise: kept to the bit, read in parts, carried along, and shown again."""

import sqlite3
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import yoked
from yoked.experiments.imports.table import import_table
from yoked.experiments.imports.table_settings import TableSettings
from yoked.experiments.session.observer import Practice
from yoked.experiments.session.results import load_session, session_data
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.render import render
from yoked.experiments.stimulus.sources import LikeStoredNoise, noise_source
from yoked.experiments.store import noise as store_noise
from yoked.experiments.store.merge import MergeConflict, merge
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import StoreError, open_store

shapes = hnp.array_shapes(min_dims=5, max_dims=5, max_side=4)
levels = hnp.arrays(np.int8, shapes, elements=st.integers(-127, 127))
contrasts = hnp.arrays(np.float32, shapes, elements=st.floats(-1, 1, width=32))


@contextmanager
def opened(path, **options):
    store = open_store(path, **options)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def small_parts(monkeypatch):
    """Cut arrays into parts of at most 200 bytes."""
    monkeypatch.setattr(store_noise, "PART_BYTES", 200)


def noise_of(n=40, shape=(1, 1, 5), n_intervals=2, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, (n, n_intervals, *shape)).astype(np.float32)


def add_table(folder, db_path, noise, name="ann", **options):
    """Import a table of as many trials as there is noise; return the session's id."""
    n = len(noise)
    responses = {"target": np.arange(n) % 2, "response": np.arange(n) // 2 % 2}
    path = folder / f"{name}.csv"
    pd.DataFrame({**responses, "contrast": 0.3}).to_csv(path, index=False)
    options = {"signal": np.eye(1, 5, 2), "observer": name, **options}
    how = TableSettings("2afc", noise=noise, **options)
    return import_table(path, db_path, how)[0].session


def noise_rows(path):
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT sha256, dtype FROM noise ORDER BY sha256")
    found = rows.fetchall()
    connection.close()
    return found


# The array ---------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(levels | contrasts, st.integers(1, 300), st.data())
def test_any_array_comes_back_as_it_went_in_whole_or_in_parts(noise, n_bytes, data):
    rows = st.lists(st.integers(0, len(noise) - 1), max_size=6)
    stimuli = np.array(data.draw(rows), np.int64)
    with pytest.MonkeyPatch.context() as patch, opened(":memory:") as store:
        patch.setattr(store_noise, "PART_BYTES", n_bytes)
        fields = store.noise(store.add_noise(noise))
        assert (fields.shape, fields.dtype) == (noise.shape, noise.dtype)
        for interval in range(noise.shape[1]):
            found = fields[stimuli, interval]
            np.testing.assert_array_equal(found, noise[stimuli, interval])


@pytest.mark.usefixtures("small_parts")
def test_a_large_array_is_kept_in_parts_of_whole_stimuli(db_path):
    with opened(db_path) as store:
        sha256 = store.add_noise(noise_of())  # 40 stimuli of 40 bytes
        assert store.add_noise(noise_of()) == sha256  # the same is no new one
    kinds = [kind for _, kind in noise_rows(db_path)]
    assert sorted(kinds) == ["float32"] * 8 + ["parts"]


def test_shape_and_type_are_part_of_the_hash(db_path):
    with opened(db_path) as store:
        zeros = np.zeros((4, 1, 1, 1, 4), np.int8)
        others = [zeros, zeros.reshape(1, 4, 1, 1, 4), zeros[:1].astype(np.float32)]
        assert len({store.add_noise(array) for array in others}) == 3


@pytest.mark.usefixtures("small_parts")
def test_noise_is_read_after_its_store_is_closed_but_not_without_a_file(db_path):
    with opened(db_path) as store:
        fields = store.noise(store.add_noise(noise_of()))
    np.testing.assert_array_equal(fields[np.array([39, 0]), 1], noise_of()[[39, 0], 1])
    with opened(":memory:") as store:
        fields = store.noise(store.add_noise(noise_of()))
    with pytest.raises(StoreError, match="must be read before its store is closed"):
        fields[np.array([39]), 1]


@pytest.mark.parametrize(
    ("noise", "sentence"),
    [
        (
            np.zeros((4, 5)),
            r"must be \(stimulus, interval, frame, row, column\) and not",
        ),
        (np.zeros((0, 1, 1, 1, 5)), r"and not empty, got shape \(0, 1, 1, 1, 5\)"),
        (
            np.full((2, 1, 1, 1, 5), np.nan),
            "must be finite numbers, got NaN or infinity",
        ),
        (np.full((2, 1, 1, 1, 5), -np.inf), "must be finite numbers"),
        (np.full((2, 1, 1, 1, 5), 1.01), r"must be in \[-1, 1\] contrast, got 1.01"),
        (
            np.zeros((2, 1, 1, 1, 5), int),
            "must be floats in contrast, or int8 contrast",
        ),
        (np.full((2, 1, 1, 1, 5), -128, np.int8), r"in \[-127, 127\] levels, got -128"),
    ],
)
def test_noise_that_is_none_is_refused_and_not_written(db_path, noise, sentence):
    with opened(db_path) as store, pytest.raises(ValueError, match=sentence):
        store.add_noise(noise)
    assert noise_rows(db_path) == []


@pytest.mark.usefixtures("small_parts")
def test_a_fault_in_the_last_part_writes_none(db_path):
    noise = noise_of()
    noise[-1, -1, 0, 0, -1] = np.nan
    with opened(db_path) as store, pytest.raises(ValueError, match="finite numbers"):
        store.add_noise(noise)
    assert noise_rows(db_path) == []


def test_what_is_not_there_is_named(db_path):
    with opened(db_path) as store:
        with pytest.raises(
            LookupError, match="stored noise must be in the database, got"
        ):
            store.noise("ab" * 32)
        fields = store.noise(store.add_noise(noise_of()))
        with pytest.raises(ValueError, match="of the stored noise, below 40, got 40"):
            fields[np.array([3, 40]), 0]
        with pytest.raises(ValueError, match="of the stored noise, below 40, got -1"):
            fields[np.array([-1]), 0]


def test_a_source_without_a_trial_log_says_so(protocol):
    with pytest.raises(
        LookupError, match="must be read from the trial log that has it"
    ):
        noise_source("stored", protocol, 1)


# The session -------------------------------------------------------------------------


def test_a_session_with_stored_noise_is_read_like_any_other(tmp_path, db_path):
    noise = noise_of()
    session = load_session(db_path, add_table(tmp_path, db_path, noise))
    assert session.noise.name == "stored"
    found = session.noise.field(session.trials.iloc[[7, 3]], 1)
    np.testing.assert_array_equal(found, noise[[7, 3], 1])
    with opened(db_path) as store:
        resumed = Session.resume(store, session.id)
        assert resumed.is_complete
        assert resumed.n_recorded == 40


def test_withdrawal_deletes_noise_with_the_last_session_that_needs_it(
    tmp_path, db_path, monkeypatch
):
    monkeypatch.setattr(store_noise, "PART_BYTES", 200)
    noise, other = noise_of(), noise_of(seed=2)
    other[:10] = noise[:10]  # two parts are shared
    first, second, third = (
        add_table(tmp_path, db_path, array, name=name)
        for array, name in ((noise, "ann"), (noise, "bob"), (other, "cid"))
    )
    assert len(noise_rows(db_path)) == 9 + 7
    with opened(db_path) as store:
        store.withdraw(first)
        assert len(noise_rows(db_path)) == 16
        store.withdraw(second)
    assert len(noise_rows(db_path)) == 9
    found = load_session(db_path, third)
    np.testing.assert_array_equal(found.noise.field(found.trials, 0), other[:, 0])


@pytest.mark.usefixtures("small_parts")
def test_merging_carries_stored_noise_and_says_where_it_is_missing(tmp_path):
    labs = [tmp_path / f"lab-{i}.db" for i in (1, 2)]
    noise = noise_of()
    ids = [
        add_table(tmp_path, lab, noise, name=name)
        for lab, name in zip(labs, ("ann", "bob"), strict=True)
    ]
    target = tmp_path / "all.db"
    merge(target, labs)
    assert not any(source.is_change for source in merge(target, labs))
    assert noise_rows(target) == noise_rows(labs[0])
    for session in ids:
        found = load_session(target, session)
        np.testing.assert_array_equal(found.noise.field(found.trials, 1), noise[:, 1])
    connection = sqlite3.connect(labs[0])
    connection.execute("DELETE FROM noise")
    connection.commit()
    connection.close()
    with pytest.raises(
        MergeConflict, match=rf"session {ids[0]} needs the stored noise"
    ):
        merge(tmp_path / "other.db", labs[:1])


@pytest.mark.usefixtures("small_parts")
def test_noise_of_a_session_that_was_withdrawn_anywhere_is_not_merged_back(tmp_path):
    labs = [tmp_path / f"lab-{i}.db" for i in (1, 2)]
    target = tmp_path / "all.db"
    session = add_table(tmp_path, labs[0], noise_of())
    merge(target, labs[:1])
    with opened(labs[0]) as store:
        store.withdraw(session)
    merge(labs[1], [target])  # still has it
    merge(target, labs[:1])
    assert noise_rows(target) == []
    merge(target, labs[1:])
    assert noise_rows(target) == []
    assert load_row(target, session).status == "withdrawn"


def load_row(path, session):
    with opened(path) as store:
        return store.session(session)


# A model takes part ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gaussian", "uniform", "binary", "other"])
def test_a_model_is_shown_the_levels_nearest_to_the_stored_noise(
    tmp_path, db_path, kind
):
    noise = noise_of(300)
    human = add_table(tmp_path, db_path, noise, noise_kind=kind)
    with opened(db_path) as store:
        model = yoked.run(
            None, yoked.load_observer("template"), store=store, seed=4, yoke_to=human
        )
        again = session_data(store, human)
    assert model.row.noise_source == again.row.noise_source
    assert len(model.counted) == 300
    frames = render(again.protocol, again.noise, again.trials)
    signal = np.round(127 * 0.3) * (np.arange(5) == 2)
    at = np.arange(300), again.trials["target"].to_numpy(int)
    expected = 128 + np.rint(127 * noise)[:, :, :, 0]
    expected[at] += signal
    np.testing.assert_array_equal(frames[:, :, :, 0], expected)
    # The template is the ideal observer: d' = contrast / SD, sqrt(2) for two intervals.
    correct = model.trials["correct"].astype(float).mean()
    assert correct > 0.95


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"signal": None}, "the signal must be known for trials of ann to be shown"),
        (
            {"is_contrast_relative": True},
            "contrast must be known .* got one in a unit of",
        ),
        ({"noise": 4.0}, r"at most 127 levels to be shown again, got 38 \+ \d+; such"),
    ],
)
def test_what_cannot_be_shown_again_is_refused(tmp_path, db_path, options, sentence):
    noise = noise_of(200) * np.float32(options.pop("noise", 1.0))
    human = add_table(tmp_path, db_path, np.clip(noise, -1, 1), **options)
    with opened(db_path) as store:
        with pytest.raises(ValueError, match=sentence):
            yoked.run(
                None,
                yoked.load_observer("template"),
                store=store,
                seed=4,
                yoke_to=human,
            )
        assert len(store.sessions()) == 1


def test_stored_noise_is_for_no_session_of_ones_own(tmp_path, db_path):
    human = add_table(tmp_path, db_path, noise_of())
    with opened(db_path) as store:
        protocol = store.protocol(store.session(human).protocol_hash)
        with pytest.raises(
            ValueError,
            match=r"noise\.source must be yoked-1 .* got stored; import a session",
        ):
            Session.start(store, protocol, ObserverInfo("person", "p1"), "web")


@pytest.mark.parametrize("kind", ["gaussian", "uniform", "binary", "other"])
def test_practice_has_noise_like_the_stored_one_and_room_for_the_signal(
    tmp_path, db_path, kind
):
    noise = noise_of(200, n_intervals=2, shape=(1, 1, 5))
    human = add_table(tmp_path, db_path, noise, noise_kind=kind)
    protocol = load_session(db_path, human).protocol
    practice = Practice(protocol, "stored:whatever")
    assert isinstance(practice.source, LikeStoredNoise)
    table, frames = practice.draw(2000)
    field = practice.source.field(table, 0).astype(float) / 127
    assert field.std() == pytest.approx(protocol.noise.sd, rel=0.02)
    assert np.abs(field).max() <= 1 - 0.3 + 1e-9
    drawn = practice.source.field(table, 1)
    signal = np.where(table["target"] == 1, round(127 * 0.3), 0)
    np.testing.assert_array_equal(
        frames[:, 1, 0, 0, 2].astype(int) - 128, drawn[:, 0, 0, 2] + signal
    )


@pytest.mark.usefixtures("small_parts")
def test_some_sessions_are_merged_with_their_noise_and_with_whom_they_are_yoked_to(
    tmp_path, db_path
):
    noise, other = noise_of(), noise_of(seed=2)
    ann, bob = (
        add_table(tmp_path, db_path, array, name=name)
        for array, name in ((noise, "ann"), (other, "bob"))
    )
    options = {"store": db_path, "yoke_to": ann, "seed": 3}
    model = yoked.run(observer=yoked.load_observer("guesser"), **options).id
    target = tmp_path / "some.db"
    merge(target, [db_path], [model])
    with opened(target, to_read=True) as some, opened(db_path, to_read=True) as all_:
        assert [row.id for row in some.sessions()] == [ann, model]
        assert some.sessions() == [all_.session(ann), all_.session(model)]
        assert some.trials(model) == all_.trials(model)
    assert len(noise_rows(target)) == len(noise_rows(db_path)) / 2
    found = load_session(target, ann)
    np.testing.assert_array_equal(found.noise.field(found.trials, 1), noise[:, 1])
    merge(target, [db_path], [bob])
    assert noise_rows(target) == noise_rows(db_path)
    with pytest.raises(LookupError, match="a session must be in the database, got 'x'"):
        merge(tmp_path / "none.db", [db_path], ["x"])
    assert not (tmp_path / "none.db").exists()
