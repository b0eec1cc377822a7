"""Who the observers of a table are, and that nobody is there twice."""

import csv
import sqlite3

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.experiments.imports.table import import_table
from yoked.experiments.imports.table_settings import TableSettings
from yoked.experiments.store.cells import written
from yoked.experiments.store.sqlite import open_store

NOISE = np.random.default_rng(8).normal(0, 0.1, (60, 19))
TARGET = np.random.default_rng(2).integers(0, 2, 60)
OWN = np.random.default_rng(3).normal(0, 0.1, 60)
RESPONSE = (NOISE[:, 3] + OWN + 0.1 * TARGET > 0.05).astype(int)
HOW = TableSettings("yes_no", noise=NOISE)


def table(folder, name="t.csv", **columns):
    """Write 60 trials with further columns."""
    data = pd.DataFrame({"target": TARGET, "response": RESPONSE, **columns})
    path = folder / name
    if path.suffix == ".csv":
        data.to_csv(path, index=False, encoding="utf-8")
    else:
        data.to_parquet(path)
    return path


def names_in(db_path):
    store = open_store(db_path, to_read=True)
    try:
        return [row.observer.name for row in store.sessions()]
    finally:
        store.close()


@pytest.mark.parametrize(
    "name", ["NA", "null", "None", "nan", "N/A", "n/a", "1.0", "0"]
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_name_is_a_word_like_any_other(tmp_path, db_path, name, suffix):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    path = table(tmp_path, f"t.{suffix}", observer=[name] * 60, block=["none"] * 60)
    (made,) = import_table(path, db_path, HOW)
    assert (made.observer, made.n_trials) == (name, 60)


@pytest.mark.parametrize("cell", ["", "  ", "\u200b"])
def test_nothing_is_no_name(tmp_path, db_path, cell):
    path = table(tmp_path, observer=["ann"] * 59 + [cell])
    with pytest.raises(
        ValueError, match=r"observer in row 60 of t\.csv must be a name"
    ):
        import_table(path, db_path, HOW)
    assert not db_path.exists()


@pytest.mark.parametrize("cell", [None, np.nan])
def test_a_missing_cell_of_parquet_is_no_name(tmp_path, db_path, cell):
    pytest.importorskip("pyarrow")
    path = table(tmp_path, "t.parquet", observer=["ann"] * 59 + [cell])
    with pytest.raises(ValueError, match=r"observer in row 60 .* a name, got nothing"):
        import_table(path, db_path, HOW)


def test_names_that_look_the_same_are_one_observer(tmp_path, db_path):
    forms = ["A\u030ase", "\u00c5se", " \u00c5se\u200b", "\u00c5se\u00a0"]
    path = table(tmp_path, observer=[forms[k % 4] for k in range(60)])
    (made,) = import_table(path, db_path, HOW)
    assert (made.observer, made.n_trials) == ("\u00c5se", 60)


def test_a_name_by_option_or_by_file_is_as_clean(tmp_path, db_path):
    path = table(tmp_path, "A\u030ase.csv")
    (made,) = import_table(path, db_path, HOW)
    named = TableSettings("yes_no", noise=-NOISE, observer="  Bo\u200b ")
    (other,) = import_table(path, db_path, named)
    assert (made.observer, other.observer) == ("\u00c5se", "Bo")


def test_what_we_exported_is_read_with_the_same_names(tmp_path, db_path):
    names = ["=1+1", "'=x", "-", "@ann", "NA", "\u0141ukasz", "+1 b"]
    # An apostrophe before a formula is a spreadsheet's sign for text, so it goes.
    observer = [str(written(names[k % 7])) for k in range(60)]
    import_table(table(tmp_path, observer=observer, trial=range(60)), db_path, HOW)
    exported, again = tmp_path / "e.csv", tmp_path / "again.db"
    done = CliRunner().invoke(cli, ["export", str(db_path), str(exported)])
    assert done.exit_code == 0, done.output
    made = import_table(exported, again, HOW)
    assert names_in(again) == names_in(db_path) == names
    assert [each.n_trials for each in made] == [9, 9, 9, 9, 8, 8, 8]
    with exported.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    observer, seed = (header.index(name) for name in ("observer", "seed"))
    assert not [row for row in rows if row[observer][:1] in "=+-@"]
    assert {row[seed] for row in rows} == {"seed:0"}


# Nothing twice -----------------------------------------------------------------------

SCALED = TableSettings("yes_no", noise=2 * NOISE, contrast_scale=0.5)
AGAIN = {
    "the same file": ({}, HOW),
    "a column more": ({"rt_ms": range(300, 360), "age": [30] * 60}, HOW),
    "noise in another unit": ({}, SCALED),
    "noise and contrast scaled": ({}, TableSettings("yes_no", noise=3 * NOISE)),
    "noise as levels": (
        {},
        TableSettings("yes_no", noise=np.rint(127 * NOISE).astype(np.int8)),
    ),
    "ids into a larger array": (
        {"stimulus_id": range(5, 65)},
        TableSettings("yes_no", noise=np.concatenate([NOISE[:5] * -1, NOISE])),
    ),
    "a contrast": ({"contrast": [0.2] * 60}, HOW),
    "blocks and validity": ({"block": [k // 20 for k in range(60)], "valid": 1}, HOW),
    "trial numbers": ({"trial": range(101, 161)}, HOW),
}


@pytest.mark.parametrize("how", AGAIN)
def test_the_same_responses_to_the_same_stimuli_are_one_import(tmp_path, db_path, how):
    columns, settings = AGAIN[how]
    ann = {"observer": ["ann"] * 60}
    (first,) = import_table(table(tmp_path, "a.csv", **ann), db_path, HOW)
    path = table(tmp_path, "b.csv", **ann, **columns)
    sentence = (
        rf"trials of ann must be new to the database, got those of session "
        rf"{first.session} again; other columns, units or names of files do not make"
    )
    with pytest.raises(ValueError, match=sentence):
        import_table(path, db_path, settings)
    assert names_in(db_path) == ["ann"]


def test_the_rows_in_another_order_are_the_same_import(tmp_path, db_path):
    ann = {"observer": ["ann"] * 60, "stimulus_id": range(60)}
    path = table(tmp_path, **ann)
    (first,) = import_table(path, db_path, HOW)
    mixed = pd.read_csv(path).sample(frac=1, random_state=1)
    mixed.to_csv(tmp_path / "b.csv", index=False)
    for settings in (HOW, SCALED):
        with pytest.raises(ValueError, match=rf"session {first.session} again"):
            import_table(tmp_path / "b.csv", db_path, settings)


def test_a_file_under_another_name_is_the_same_import(tmp_path, db_path):
    """Its name was the observer's only because nobody said another."""
    (first,) = import_table(table(tmp_path, "a.csv"), db_path, HOW)
    with pytest.raises(
        ValueError, match=rf"of b must be new .* {first.session} of a again"
    ):
        import_table(table(tmp_path, "b.csv"), db_path, HOW)


def test_a_parquet_copy_is_the_same_import(tmp_path, db_path):
    pytest.importorskip("pyarrow")
    ann = {"observer": ["ann"] * 60}
    import_table(table(tmp_path, **ann), db_path, HOW)
    with pytest.raises(ValueError, match="trials of ann must be new to the database"):
        import_table(table(tmp_path, "b.parquet", **ann), db_path, HOW)


def test_another_name_that_somebody_gave_is_another_observer_and_is_said(
    tmp_path, db_path
):
    ann, bob = ({"observer": [name] * 60} for name in ("ann", "bob"))
    (first,) = import_table(table(tmp_path, **ann), db_path, HOW)
    (second,) = import_table(table(tmp_path, **bob), db_path, HOW)
    assert second.notes == (
        f"the same responses to the same stimuli are in session {first.session} of "
        "ann: is bob somebody else?",
    )


@pytest.mark.parametrize("old", ["ann\u200b", "\u200b"])
def test_an_import_of_an_earlier_version_is_compared_by_its_name_as_it_is_now(
    tmp_path, db_path, old
):
    path = table(tmp_path, observer=["ann"] * 60)
    (first,) = import_table(path, db_path, HOW)
    with sqlite3.connect(db_path) as connection:
        connection.execute("UPDATE observers SET name = ?", [old])
        connection.execute("UPDATE events SET detail = '{}'")  # of a hand or of old
    connection.close()
    if old == "\u200b":
        assert import_table(path, db_path, HOW)[0].notes[0].startswith("the same resp")
        return
    with pytest.raises(ValueError, match=rf"session {first.session} again"):
        import_table(path, db_path, HOW)


def test_other_responses_stimuli_or_trials_are_new(tmp_path, db_path):
    ann = {"observer": ["ann"] * 60}
    import_table(table(tmp_path, **ann), db_path, HOW)
    one_other = RESPONSE.copy()
    one_other[10] = 1 - one_other[10]
    for columns, noise in (
        ({"response": one_other}, NOISE),
        ({}, NOISE[::-1]),
        ({}, np.roll(NOISE, 1, axis=0)),
        ({}, -NOISE),
    ):
        path = table(tmp_path, **ann, **columns)
        (made,) = import_table(path, db_path, TableSettings("yes_no", noise=noise))
        assert made.notes == ()
    assert names_in(db_path) == ["ann"] * 5


def test_a_file_that_grew_is_taken_and_it_is_said_what_counts_twice(tmp_path, db_path):
    ann = {"observer": ["ann"] * 60}
    path = table(tmp_path, **ann)
    first40 = pd.read_csv(path).head(40)
    first40.to_csv(tmp_path / "early.csv", index=False)
    early = TableSettings("yes_no", noise=NOISE[:40])
    (first,) = import_table(tmp_path / "early.csv", db_path, early)
    (second,) = import_table(path, db_path, HOW)
    assert second.notes == (
        f"40 of the trials are in session {first.session} too, with the same responses:"
        " they count twice",
    )


def test_only_imports_are_judged(tmp_path, db_path):
    """A model or a person may respond as somebody else did."""
    from yoked.models.observers.template import Template
    from yoked.models.simulate import run

    how = TableSettings("yes_no", noise=NOISE, signal=np.eye(1, 19, 3), contrast=0.1)
    ann = {"observer": ["template"] * 60}
    (first,) = import_table(table(tmp_path, **ann), db_path, how)
    store = open_store(db_path)
    twins = [
        run(None, Template(), store=store, yoke_to=first.session, observer_seed=seed)
        for seed in (8, 9)
    ]
    simulated = twins[0].trials
    store.close()
    as_the_model = {**ann, "response": simulated["response"].to_numpy(int)}
    (second,) = import_table(table(tmp_path, **as_the_model), db_path, how)
    assert len(names_in(db_path)) == 4
    assert second.notes == ()


def test_a_one_element_field_and_a_constant_response_are_compared_by_value(
    tmp_path, db_path
):
    noise = NOISE[:, :1]
    ann = {"observer": ["ann"] * 60, "response": 1}
    how = [TableSettings("yes_no", noise=field) for field in (noise, NOISE[:, 1:2])]
    for each in how:
        import_table(table(tmp_path, **ann), db_path, each)
    for each in how:
        with pytest.raises(ValueError, match="must be new to the database"):
            import_table(table(tmp_path, **ann), db_path, each)
