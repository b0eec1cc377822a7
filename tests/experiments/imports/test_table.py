"""Anybody's trials: what comes back is what was written, or nothing is written."""

import builtins
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.observers.linear import Linear, run, session, unit
from yoked.analysis.double_pass.internal_noise import agreement
from yoked.analysis.sensitivity.by_task import dprime
from yoked.analysis.sessions.kernel import kernel as kernel_of
from yoked.experiments.imports.table import import_table
from yoked.experiments.imports.table_noise import measured, noise_fields
from yoked.experiments.imports.table_settings import TableSettings
from yoked.experiments.protocols.signal import signal_template
from yoked.experiments.session.results import load_session
from yoked.experiments.store.sqlite import open_store

TEMPLATE = unit([0, 0.3, 1, 0.3, 0, -0.4])
OBSERVER = Linear(TEMPLATE, sd=0.15, gamma=0.8)


def simulated(task="2afc", n=900, seed=3, **options):
    """Return a table as other people's, its noise, and the simulation's session."""
    table, source = run(OBSERVER, task, n, signal=0.15, seed=seed, **options)
    ours = session(table, source, task)
    columns = ["trial", "stimulus_id", "target", "response", "contrast", "repeats"]
    return table[columns], source.fields, ours


def relative(task="2afc", **options):
    return TableSettings(task, is_contrast_relative=True, **options)


def imported(path, db_path, how):
    (made,) = import_table(path, db_path, how)
    return load_session(db_path, made.session)


def written(table, folder, name="ann.csv"):
    path = folder / name
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path)
    return path


def with_noise_columns(table, noise):
    """Return a table with noise_<interval>_<element> for each trial's noise."""
    shown = noise[table["stimulus_id"]]
    flat = shown.reshape(len(table), shown.shape[1], -1)
    more = {
        f"noise_{k}_{e}": flat[:, k, e].astype(np.float64)
        for k in range(flat.shape[1])
        for e in range(flat.shape[2])
    }
    return pd.concat([table.drop(columns="stimulus_id"), pd.DataFrame(more)], axis=1)


def same_as(found, expected):
    """Assert that kernels, d' and agreement are the simulation's own, to the bit."""
    ours, theirs = (
        kernel_of(found, method="weighted_sum"),
        kernel_of(expected, method="weighted_sum"),
    )
    np.testing.assert_array_equal(ours.kernel, theirs.kernel)
    np.testing.assert_array_equal(ours.target_half, theirs.target_half)
    assert dprime(found) == dprime(expected)
    assert agreement(found) == agreement(expected)


# What comes back ---------------------------------------------------------------------


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_a_known_observer_comes_back_through_a_table_and_an_array(
    tmp_path, db_path, task
):
    table, noise, expected = simulated(task, n_pairs=200)
    np.save(tmp_path / "noise.npy", noise)
    path = written(table, tmp_path)
    found = imported(path, db_path, relative(task, noise=tmp_path / "noise.npy"))
    same_as(found, expected)
    assert found.observer == "ann"
    assert (
        np.corrcoef(kernel_of(found, method="weighted_sum").kernel.ravel(), TEMPLATE)[
            0, 1
        ]
        > 0.9
    )


def test_noise_in_columns_is_the_same_as_noise_in_an_array(tmp_path, db_path):
    table, noise, expected = simulated(n_pairs=100)
    path = written(with_noise_columns(table, noise), tmp_path)
    same_as(imported(path, db_path, relative(noise_columns="noise_")), expected)


@pytest.mark.parametrize("form", ["array", "columns"])
def test_a_parquet_table_is_the_same_as_a_csv(tmp_path, db_path, form):
    pytest.importorskip("pyarrow")
    table, noise, expected = simulated(n_pairs=100)
    how = relative(noise=noise)
    if form == "columns":
        table, how = with_noise_columns(table, noise), relative(noise_columns="noise_")
    path = written(table, tmp_path, "ann.parquet")
    same_as(imported(path, db_path, how), expected)


def test_levels_stay_levels_and_floats_become_single_precision(tmp_path, db_path):
    table, noise, _ = simulated(n=100)
    levels = np.rint(127 * noise).astype(np.int8)
    path = written(table, tmp_path)
    for array, dtype in ((levels, np.int8), (noise.astype(np.float64), np.float32)):
        found = imported(path, db_path, relative(noise=array, observer=str(dtype)))
        shown = found.noise.field(found.trials, 1)
        assert shown.dtype == dtype
        np.testing.assert_array_equal(shown, array[:, 1].astype(dtype))


def test_every_column_arrives_in_the_log(tmp_path, db_path):
    path = tmp_path / "ann.csv"
    path.write_text(
        "trial,target,response,contrast,repeats,block,rt_ms,confidence,valid,correct\n"
        "7,0,0,0.25,,late,512.5,0.75,1,1\n"
        "3,1,,0.5,,early,,,0,\n"
        "9,0,1,0.25,7,late,80,0.5,True,0\n"
    )
    noise = np.random.default_rng(1).normal(0, 0.2, (3, 2, 5))
    noise[2] = noise[0]
    trials = imported(path, db_path, TableSettings("2afc", noise=noise)).trials
    assert trials["trial"].tolist() == [0, 1, 2]  # 3, 7, 9
    assert trials["block"].tolist() == [0, 1, 1]
    assert trials["contrast"].tolist() == [0.5, 0.25, 0.25]
    assert trials["condition"].tolist() == [
        "contrast-0.5",
        "contrast-0.25",
        "contrast-0.25",
    ]
    assert trials["repeats"].tolist() == [pd.NA, pd.NA, 1]
    assert trials["pass"].tolist() == [1, 1, 2]
    assert trials["stimulus_id"].tolist() == [1, 0, 0]
    assert trials["response"].tolist() == [pd.NA, 0, 1]
    assert trials["correct"].tolist() == [pd.NA, True, False]
    assert trials["rt_ms"].tolist()[1:] == [512.5, 80.0]
    assert trials["confidence"].tolist()[1:] == [0.75, 0.5]
    assert trials["valid"].tolist() == [False, True, True]


def test_missing_responses_and_invalid_trials_enter_no_statistic(tmp_path, db_path):
    table, noise, _ = simulated(n=200)
    table = table.assign(valid=1, response=table["response"].astype("Int64"))
    table.loc[:9, "response"] = pd.NA
    table.loc[10:14, "valid"] = 0
    found = imported(written(table, tmp_path), db_path, relative(noise=noise))
    assert len(found.trials) == 200
    assert len(found.counted) == 185


def test_several_observers_keep_their_own_trials_whatever_they_are_called(
    tmp_path, db_path
):
    """Ids in no order once wrote one person's image under another's name."""
    names = ["p10", "p2", "p1"]
    tables = {name: simulated(n=150, seed=seed) for seed, name in enumerate(names)}
    noise = np.concatenate([tables[name][1] for name in names])
    parts = [
        tables[name][0].assign(
            observer=name, stimulus_id=lambda t, i=i: t["stimulus_id"] + 150 * i
        )
        for i, name in enumerate(names)
    ]
    mixed = pd.concat(parts).sample(frac=1, random_state=1)
    made = import_table(written(mixed, tmp_path), db_path, relative(noise=noise))
    assert [each.observer for each in made] == list(dict.fromkeys(mixed["observer"]))
    hashes = set()
    for each in made:
        found = load_session(db_path, each.session)
        assert found.observer == each.observer
        same_as(found, tables[each.observer][2])
        hashes.add(found.protocol.stimulus_hash)
    assert len(hashes) == 1  # side by side in plots


def test_a_signal_is_known_by_its_shape_on_the_noise_grid(tmp_path, db_path):
    table, noise, _ = simulated(n=100)
    how = relative(noise=noise, signal=3 * TEMPLATE, gains=(-1, 1))
    found = imported(written(table, tmp_path), db_path, how)
    expected = np.round(TEMPLATE / np.abs(TEMPLATE).max(), 9)
    np.testing.assert_array_equal(signal_template(found.protocol).ravel(), expected)
    assert found.protocol.signal.gains == (-1.0, 1.0)
    assert "values" not in found.trials["signal"].iloc[0]


def test_columns_may_have_other_names_and_those_not_read_are_told(tmp_path, db_path):
    table, noise, _ = simulated(n=100)
    table = table.rename(columns={"response": "key", "trial": "n"}).assign(age=30)
    how = relative(noise=noise, columns={"response": "key", "trial": "n"})
    (made,) = import_table(written(table, tmp_path), db_path, how)
    assert made.notes == ("columns that were not read: age",)


def test_ratings_and_many_alternatives_are_read(tmp_path, db_path):
    rng = np.random.default_rng(4)
    for task, n, shape in (("rating", 6, (60, 5)), ("mafc", 4, (60, 4, 5))):
        target = rng.integers(0, 2 if task == "rating" else n, 60)
        table = pd.DataFrame({"target": target, "response": rng.integers(0, n, 60)})
        path = written(table, tmp_path, f"{task}.csv")
        noise = rng.normal(0, 0.2, shape)
        how = TableSettings(task, noise=noise, n_alternatives=n)
        found = imported(path, db_path, how)
        assert found.protocol.task.kind == task
        assert found.noise.field(found.trials, 0).shape == (60, 1, 1, 5)


def test_noise_in_another_unit_is_scaled_only_when_asked_and_the_log_says_so(
    tmp_path, db_path
):
    table, noise, _ = simulated(n=200)
    table = table.assign(contrast=4.0)
    path = written(table, tmp_path)
    with pytest.raises(ValueError, match=r"noise must be in \[-1, 1\] contrast, got "):
        import_table(path, db_path, TableSettings("2afc", noise=10.0 * noise))
    how = TableSettings("2afc", noise=10.0 * noise, contrast_scale=0.1)
    found = imported(path, db_path, how)
    assert set(found.trials["contrast"]) == {0.4}
    np.testing.assert_allclose(found.noise.field(found.trials, 0), noise[:, 0], 1e-6)
    store = open_store(db_path, to_read=True)
    (event,) = store.events(found.id)
    store.close()
    assert event["detail"]["contrast_scale"] == 0.1


def test_trials_without_a_signal_get_the_contrast_of_their_condition(tmp_path, db_path):
    table, noise, _ = simulated("yes_no", n=200)
    table = table.assign(contrast=np.where(table["target"] == 1, 0.3, 0.0))
    (made,) = import_table(
        written(table, tmp_path), db_path, TableSettings("yes_no", noise=noise)
    )
    assert made.notes[0].startswith("trials without the signal were given their")
    assert set(load_session(db_path, made.session).trials["contrast"]) == {0.3}


def test_unknown_contrast_is_one_in_no_unit(tmp_path, db_path):
    table, noise, _ = simulated(n=100)
    path = written(table.drop(columns="contrast"), tmp_path)
    found = imported(path, db_path, TableSettings("2afc", noise=noise))
    assert found.protocol.contrast.unit == "relative"
    assert set(found.trials["contrast"]) == {1.0}
    assert found.protocol.signal.kind == "unknown"
    assert not signal_template(found.protocol).any()


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.booleans(), st.data()
)
def test_any_layout_of_an_array_gives_the_same_fields(frames, rows, columns, two, data):
    n_intervals = 2 if two else 1
    shape = (frames, rows, columns)
    whole = np.arange(3 * n_intervals * frames * rows * columns, dtype=np.float64)
    whole = whole.reshape(3, n_intervals, *shape)
    forms = [whole, whole.reshape(3, n_intervals, -1)]
    if not two:
        forms += [whole[:, 0], whole.reshape(3, -1)]
    form = data.draw(st.sampled_from(forms))
    np.testing.assert_array_equal(noise_fields(form, n_intervals, shape), whole)


# What the analysis is told -----------------------------------------------------------


def notes_of(tmp_path, db_path, noise, options=(), **columns):
    table, _, _ = simulated(n=len(noise))
    path = written(table.assign(**columns), tmp_path)
    how = relative(noise=noise, **dict(options))
    return import_table(path, db_path, how)[0].notes


def test_a_distribution_that_is_not_the_declared_one_is_told(tmp_path, db_path):
    rng = np.random.default_rng(2)
    noise = rng.uniform(-0.3, 0.3, (200, 2, 40))
    (note,) = notes_of(tmp_path, db_path, noise)
    assert "nearer to uniform noise than to gaussian" in note
    options = {"noise_kind": "uniform"}
    assert notes_of(tmp_path, tmp_path / "again.db", noise, options) == ()


def test_correlated_and_missing_noise_are_told(tmp_path, db_path):
    rng = np.random.default_rng(2)
    white = rng.normal(0, 0.1, (200, 2, 40))
    blurred = (white + np.roll(white, 1, axis=2)) / 2
    blurred[:, :, :7] = 0
    notes = notes_of(tmp_path, db_path, blurred)
    assert any(
        note.startswith("neighbouring elements correlate by 0.") for note in notes
    )
    assert "7 elements of the field have no noise" in notes


def test_a_signal_left_in_the_noise_is_told(tmp_path, db_path):
    table, noise, _ = simulated(n=400)
    shown = noise.copy()
    shown[np.arange(400), table["target"], 0, 0, 2] += 0.3
    (note,) = notes_of(tmp_path, db_path, shown)
    assert note.startswith("the noise of element 2 tells the target (z = ")


def test_responses_counted_the_other_way_round_are_told(tmp_path, db_path):
    table, noise, _ = simulated(n=300)
    wrong = 1 - table["response"]
    (note,) = notes_of(tmp_path, db_path, noise, response=wrong)
    assert "are target and response counted alike?" in note


def test_the_measures_of_known_noise_are_known():
    rng = np.random.default_rng(5)
    gauss = measured(rng.normal(0, 0.1, (4000, 1, 1, 4, 4)))
    assert gauss.sd == pytest.approx(0.1, rel=0.01)
    assert gauss.excess_kurtosis == pytest.approx(0, abs=0.1)
    assert abs(gauss.correlation) < 0.02
    binary = measured(rng.choice([-32, 32], (4000, 1, 2, 4, 4)).astype(np.int8))
    assert binary.sd == pytest.approx(32 / 127, rel=1e-3)
    assert binary.excess_kurtosis == pytest.approx(-2, abs=0.01)
    assert binary.largest == 32 / 127


# What is refused ---------------------------------------------------------------------

GOOD = (
    "observer,trial,stimulus_id,target,response,contrast,repeats,rt_ms,valid,correct\n"
    "ann,1,0,0,0,0.2,,500,1,1\n"
    "ann,2,1,1,1,0.2,,500,1,1\n"
    "ann,3,2,0,1,0.2,,500,1,0\n"
    "ann,4,0,0,1,0.2,1,500,1,0\n"
)
FAULTS = {
    "a target that is none": (
        "ann,3,2,0,",
        "ann,3,2,2,",
        r"target in row 3 of t\.csv must be 0 or 1, got '2'",
    ),
    "a target missing": (
        "ann,3,2,0,",
        "ann,3,2,,",
        "target in row 3 .* must be 0 or 1, got nothing",
    ),
    "a response in words": (
        "ann,2,1,1,1",
        "ann,2,1,1,right",
        "response in row 2 .* must be 0 or 1, got 'right'",
    ),
    "a stimulus beyond the array": (
        "ann,3,2",
        "ann,3,9",
        "stimulus_id in row 3 .* must be a row of the noise, from 0 to 2, got '9'",
    ),
    "a huge stimulus": (
        "ann,3,2",
        "ann,3,99999999999999999999",
        "stimulus_id in row 3 .* got '99999999999999999999'",
    ),
    "a contrast beyond the screen": (
        "ann,3,2,0,1,0.2",
        "ann,3,2,0,1,1.2",
        "contrast in row 3 .* must be a contrast from 0 to 1; a sign belongs into the",
    ),
    "a negative contrast": (
        "ann,3,2,0,1,0.2",
        "ann,3,2,0,1,-0.2",
        "contrast in row 3 .* got '-0.2'",
    ),
    "an infinite contrast": (
        "ann,3,2,0,1,0.2",
        "ann,3,2,0,1,inf",
        "contrast in row 3 .* got 'inf'",
    ),
    "a time before the onset": (
        "500,1,0\nann,4",
        "-500,1,0\nann,4",
        "rt_ms in row 3 .* must be a time in ms from 0, got '-500'",
    ),
    "a trial number that comes twice": (
        "ann,3,2",
        "ann,2,2",
        "trial in row 3 .* must be another number for each trial of ann, got 2 twice",
    ),
    "a repeat of a later trial": (
        "0.2,1,500",
        "0.2,5,500",
        "repeats in row 4 .* must be an earlier trial of the same observer, got 5",
    ),
    "a repeat of another stimulus": (
        "ann,4,0",
        "ann,4,2",
        "repeats in row 4 .* must be a trial of the same noise, got 1",
    ),
    "a repeat of another target": (
        "ann,4,0,0,1,0.2,1,500,1,0",
        "ann,4,0,1,1,0.2,1,500,1,1",
        "repeats in row 4 .* must be a trial of the same target, got 1",
    ),
    "a repeat of another contrast": (
        "1,0.2,1,500",
        "1,0.3,1,500",
        "repeats in row 4 .* must be a trial of the same contrast, got 1",
    ),
    "a score that contradicts": (
        "500,1,0\nann,4",
        "500,1,1\nann,4",
        "correct in row 3 .* must be 0 as target and response say, got 1",
    ),
    "a validity that is none": (
        "500,1,0\nann,4",
        "500,2,0\nann,4",
        "valid in row 3 .* must be 0 or 1, got '2'",
    ),
    "a cell too few": (
        ",500,1,0\nann,4",
        ",500,1\nann,4",
        r"row 3 of t\.csv must have 10 cells, as the header has, got 9",
    ),
    "a name missing": (
        "ann,3",
        ",3",
        "observer in row 3 .* must be a name, got nothing",
    ),
    "a column missing": (
        "target",
        "side",
        r"t\.csv must have a column target, got observer, trial, stimulus_id, side",
    ),
    "a column that comes twice": (
        "rt_ms",
        "contrast",
        r"columns of t\.csv must have names of their own, got 'contrast' twice",
    ),
    "no trial": (GOOD[GOOD.index("\n") + 1 :], "", "must have a row for each trial"),
    "an empty file": (GOOD, "", r"t\.csv must begin with the names of its columns"),
    "a quotation that does not end": (
        "ann,4",
        '"ann,4',
        r"t\.csv must be CSV in UTF-8, got ",
    ),
}


@pytest.fixture
def three():
    """Return the noise of three stimuli, two intervals, five elements."""
    return np.random.default_rng(1).normal(0, 0.2, (3, 2, 5))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_table_is_refused_with_row_and_column(tmp_path, db_path, three, fault):
    old, new, sentence = FAULTS[fault]
    path = tmp_path / "t.csv"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ValueError, match=sentence):
        import_table(path, db_path, TableSettings("2afc", noise=three))
    assert not db_path.exists()


def test_the_table_without_a_fault_is_taken(tmp_path, db_path, three):
    path = tmp_path / "t.csv"
    path.write_text("﻿" + GOOD.replace("\n", "\r\n"), encoding="utf-8")  # as Excel
    (made,) = import_table(path, db_path, TableSettings("2afc", noise=three))
    assert (made.n_trials, made.n_pairs, made.n_missing) == (4, 1, 0)


def test_a_fault_in_the_last_row_loses_nothing_that_was_there(tmp_path, db_path):
    table, noise, _ = simulated(n=300)
    before = imported(written(table, tmp_path), db_path, relative(noise=noise))
    content = db_path.read_bytes()
    bad = pd.concat([table, table.tail(1).assign(trial=300, target=7)])
    how = relative(noise=noise, observer="bob")
    with pytest.raises(ValueError, match="target in row 301 of"):
        import_table(written(bad, tmp_path, "bad.csv"), db_path, how)
    store = open_store(db_path, to_read=True)
    assert [row.id for row in store.sessions()] == [before.id]
    store.close()
    assert db_path.read_bytes() == content


def test_a_write_that_fails_at_the_second_observer_leaves_nothing_of_the_first(
    tmp_path, db_path, monkeypatch
):
    table, noise, _ = simulated(n=100)
    both = pd.concat([table.assign(observer=name) for name in ("ann", "bob")])
    path = written(both, tmp_path)
    from yoked.experiments.imports import table as module

    real, seen = module.write_trials, []

    def failing(*arguments):
        seen.append(arguments)
        if len(seen) == 2:
            raise OSError("the disk is full")
        return real(*arguments)

    monkeypatch.setattr(module, "write_trials", failing)
    with pytest.raises(OSError, match="the disk is full"):
        import_table(path, db_path, relative(noise=noise))
    store = open_store(db_path)
    assert store.sessions() == []
    store.close()
    monkeypatch.undo()
    assert len(import_table(path, db_path, relative(noise=noise))) == 2


def test_the_same_table_again_is_refused_as_it_would_count_twice(tmp_path, db_path):
    table, noise, _ = simulated(n=100)
    path = written(table, tmp_path)
    first = imported(path, db_path, relative(noise=noise))
    with pytest.raises(
        ValueError, match=rf"trials of ann must be new .* session {first.id} again"
    ):
        import_table(path, db_path, relative(noise=noise))


def test_trials_that_were_withdrawn_do_not_come_back(tmp_path, db_path):
    table, noise, _ = simulated(n=100)
    path = written(table, tmp_path)
    first = imported(path, db_path, relative(noise=noise))
    store = open_store(db_path)
    store.withdraw(first.id)
    store.close()
    with pytest.raises(ValueError, match=rf"session {first.id}, which was withdrawn"):
        import_table(path, db_path, relative(noise=noise))


NOISE_FAULTS = {
    "NaN": (np.full((4, 2, 5), np.nan), {}, "noise must be finite numbers, got NaN"),
    "infinity": (np.full((4, 2, 5), np.inf), {}, "noise must be finite numbers"),
    "one interval": (
        np.zeros((4, 5)),
        {},
        r"noise must be \(stimulus, 2 intervals, elements of the field\), got \(4, 5\)",
    ),
    "an unknown shape": (
        np.zeros((4, 2, 5, 5)),
        {},
        r"the shape of a field must be given as frames, rows and columns",
    ),
    "another shape": (
        np.zeros((4, 2, 30)),
        {"shape": (1, 4, 4)},
        r"noise must have 16 elements a field \(1x4x4\), got \(4, 2, 30\)",
    ),
    "pixels": (
        np.zeros((4, 2, 5), np.uint8),
        {},
        "noise must be floats in contrast, or int8 contrast levels, got uint8",
    ),
    "a level of -128": (
        np.full((4, 2, 5), -128, np.int8),
        {},
        r"noise must be in \[-127, 127\] levels, got -128",
    ),
    "a constant": (np.ones((4, 2, 5)), {}, "noise must vary from stimulus to stimulus"),
    "too few stimuli": (
        np.random.default_rng(1).normal(0, 0.1, (3, 2, 5)),
        {},
        r"noise must be of as many stimuli as ann\.csv has rows, 4, got 3; or",
    ),
    "movies without a duration": (
        np.random.default_rng(1).normal(0, 0.1, (4, 2, 3, 1, 5)),
        {},
        "frame_ms must be given for noise of 3 frames, got none",
    ),
    "another SD": (
        np.random.default_rng(1).normal(0, 0.1, (4, 2, 50)),
        {"noise_sd": 0.2},
        "noise_sd must be within 10% of the noise's own",
    ),
    "a scale of levels": (
        np.random.default_rng(1).integers(-9, 9, (4, 2, 5)).astype(np.int8),
        {"contrast_scale": 0.5},
        "contrast_scale must be 1 but for float noise, got 0.5 with int8",
    ),
    "a scale of nothing": (
        np.zeros((4, 2, 5)),
        {"contrast_scale": 0.0},
        "contrast_scale must be more than 0, got 0",
    ),
    "a signal of another size": (
        np.random.default_rng(1).normal(0, 0.1, (4, 2, 5)),
        {"signal": np.ones(6)},
        r"signal must be of the noise's 1x1x5, got \(6,\)",
    ),
    "no signal in the signal": (
        np.random.default_rng(1).normal(0, 0.1, (4, 2, 5)),
        {"signal": np.zeros(5)},
        "signal must not be 0 everywhere",
    ),
    "a signal that is not finite": (
        np.random.default_rng(1).normal(0, 0.1, (4, 2, 5)),
        {"signal": np.full(5, np.nan)},
        "signal must be finite numbers",
    ),
}


@pytest.mark.parametrize("fault", NOISE_FAULTS)
def test_faulty_noise_is_refused(tmp_path, db_path, fault):
    noise, options, sentence = NOISE_FAULTS[fault]
    table = pd.DataFrame({"target": [0, 1, 0, 1], "response": [0, 1, 1, 1]})
    with pytest.raises(ValueError, match=sentence):
        import_table(
            written(table, tmp_path),
            db_path,
            TableSettings("2afc", noise=noise, **options),
        )
    assert not db_path.exists()


COLUMN_FAULTS = {
    "a word": ("noise_1_1", "loud", r"noise_1_1 in row 2 of .* must be a number, got"),
    "nothing": ("noise_0_0", "", "noise_0_0 in row 2 of .* must be a number, got ''"),
    "a huge number": ("noise_0_1", "1e300", r"noise must be in \[-1, 1\] contrast"),
    "no number": ("noise_0_1", "1e999", "noise_0_1 in row 2 of .* must be a number"),
}


@pytest.mark.parametrize("fault", COLUMN_FAULTS)
def test_a_faulty_noise_column_is_refused(tmp_path, db_path, three, fault):
    column, value, sentence = COLUMN_FAULTS[fault]
    table = pd.DataFrame({"target": [0, 1, 0], "response": [0, 1, 1]})
    table = with_noise_columns(table.assign(stimulus_id=[0, 1, 2]), three).astype(
        object
    )
    table.loc[1, column] = value
    with pytest.raises(ValueError, match=sentence):
        import_table(
            written(table, tmp_path),
            db_path,
            TableSettings("2afc", noise_columns="noise_"),
        )
    assert not db_path.exists()


@pytest.mark.parametrize(
    ("drop", "sentence"),
    [
        ("noise_1_3", "got none for interval 1, element 3"),
        ("noise_1_", "got none for interval 1, element 0"),
        ("noise_", r"must have noise columns such as noise_0_0, each once, got none"),
    ],
)
def test_noise_columns_must_be_complete(tmp_path, db_path, three, drop, sentence):
    table = pd.DataFrame({"target": [0, 1, 0], "response": [0, 1, 1]})
    table = with_noise_columns(table.assign(stimulus_id=[0, 1, 2]), three)
    table = table[[name for name in table if not name.startswith(drop)]]
    with pytest.raises(ValueError, match=sentence):
        import_table(
            written(table, tmp_path),
            db_path,
            TableSettings("2afc", noise_columns="noise_"),
        )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"task": "3afc"},
            "task must be one of 2afc, mafc, yes_no, rating, got '3afc'",
        ),
        ({"noise": None}, "noise must be given as an array or as columns, got none"),
        (
            {"noise_columns": "n"},
            "noise must be given as an array or as columns, got b",
        ),
        ({"n_alternatives": 4}, "n_alternatives must be given with mafc and rating"),
        (
            {"task": "rating"},
            "n_alternatives must be given with .* got None with rating",
        ),
        (
            {"columns": {"reponse": "key"}},
            "a column must be one of .*, got 'reponse'; did you mean 'response'",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(three, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        TableSettings(**{"task": "2afc", "noise": three, **options})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"columns": {"response": "key"}},
            "a column must be in .* as response, got none",
        ),
        ({"observer": "bob"}, "observer must be given once, got a column and 'bob'"),
        ({"contrast": 0.2}, "contrast must be given once, got a column and 0.2"),
    ],
)
def test_settings_that_contradict_the_table_are_refused(
    tmp_path, db_path, three, options, sentence
):
    path = tmp_path / "t.csv"
    path.write_text(GOOD)
    with pytest.raises(ValueError, match=sentence):
        import_table(path, db_path, TableSettings("2afc", noise=three, **options))


def test_files_that_are_something_else_are_refused(tmp_path, db_path, three):
    path = tmp_path / "t.csv"
    path.write_text(GOOD)
    text = tmp_path / "noise.npy"
    text.write_text("0.1 0.2")
    with pytest.raises(ValueError, match=r"noise must be a \.npy file, got noise\.npy"):
        import_table(path, db_path, TableSettings("2afc", noise=text))
    objects = tmp_path / "objects.npy"
    np.save(objects, np.array([{}, []], object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"noise must be a \.npy file, got objects"):
        import_table(path, db_path, TableSettings("2afc", noise=objects))
    nowhere = TableSettings("2afc", noise=tmp_path / "nowhere.npy")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npy"):
        import_table(path, db_path, nowhere)
    with pytest.raises(
        ValueError, match=r"ending in \.csv, .*\.xlsx, .*, got 't\.ods'"
    ):
        import_table(
            path.rename(tmp_path / "t.ods"), db_path, TableSettings("2afc", three)
        )
    pytest.importorskip("pyarrow")
    fake = tmp_path / "t.parquet"
    fake.write_text(GOOD)
    with pytest.raises(ValueError, match=r"t\.parquet must be Parquet, got "):
        import_table(fake, db_path, TableSettings("2afc", three))


def test_parquet_without_its_package_says_what_to_install(
    tmp_path, db_path, three, monkeypatch
):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1")
    real = builtins.__import__

    def refusing(name, *rest):
        if name.split(".")[0] == "pyarrow":
            raise ModuleNotFoundError("none", name="pyarrow")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)
    with pytest.raises(
        ModuleNotFoundError, match=r'need pyarrow: pip install "yoked\[data\]"'
    ):
        import_table(path, db_path, TableSettings("2afc", noise=three))


# The command -------------------------------------------------------------------------


def test_the_command_imports_a_table_and_says_what_it_wrote(tmp_path, db_path, three):
    from click.testing import CliRunner

    from yoked.app.cli import cli

    (tmp_path / "t.csv").write_text(GOOD.replace("response", "key", 1))
    np.save(tmp_path / "noise.npy", three)
    command = [
        "import",
        "table",
        str(tmp_path / "t.csv"),
        str(db_path),
        "--task",
        "2afc",
    ]
    command += ["--noise", str(tmp_path / "noise.npy"), "--column", "response=key"]
    command += ["--shape", "1x1x5", "--json"]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.output)
    assert (row["observer"], row["trials"], row["pairs"]) == ("ann", 4, 1)
    again = CliRunner().invoke(cli, command)
    assert again.exit_code == 1
    assert again.output.startswith("Error: trials of ann must be new to the database")
    for wrong, said in ((["--shape", "5"], "like 1x16x16"), (["--column", "a"], "key")):
        refused = CliRunner().invoke(cli, [*command, *wrong])
        assert refused.exit_code == 2
        assert said in refused.output
