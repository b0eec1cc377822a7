"""Who the observers of a table are, and that nobody is there twice."""

import csv

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.experiments.imports.table import import_table
from yoked.experiments.imports.table_settings import TableSettings
from yoked.experiments.store.cells import written
from yoked.experiments.store.sqlite import open_store

NOISE = np.random.default_rng(1).normal(0, 0.1, (60, 7))
TARGET = np.random.default_rng(2).integers(0, 2, 60)
RESPONSE = (NOISE[:, 3] + 0.1 * TARGET > 0.05).astype(int)
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
