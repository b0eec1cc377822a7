"""`yoked brain`: a recording and a network in, scores with both ceilings out."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from tests.app.brain.made import recording, write
from yoked.app.cli import cli


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("brain")
    one = write(recording(), folder / "it.npz")
    return one, write(recording(seed=2, name="public"), folder / "public.npz")


def asked(*arguments):
    return CliRunner().invoke(cli, ["brain", *map(str, arguments)])


def test_json_has_both_ceiled_scores_by_name(files):
    done = asked(files[0], "cornet-z", "--layer", "it", "--layer", "v4", "--json")
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [row["layer"] for row in rows] == ["it", "v4"]
    for row in rows:
        assert row["format"] == "yoked-brain/1"
        assert row["raw"]["formula"] == "neural-predictivity-pls-25/1"
        formulas = [
            row[f"square_{name}"]["formula"] for name in ("over_ceiling", "of_ratio")
        ]
        assert formulas == ["ceiled-square-over-ceiling/1", "ceiled-square-of-ratio/1"]


def test_the_table_shows_the_formula_that_was_asked_for(files):
    options = ("--layer", "it", "--measure", "ridge", "--table")
    assert (
        "ceiled (square-over-ceiling)" in asked(files[0], "cornet-z", *options).stdout
    )
    before = asked(
        files[0], "cornet-z", *options, "--ceiling-formula", "square-of-ratio"
    )
    assert "ceiled (square-of-ratio)" in before.stdout


def test_csv_has_a_row_for_each_layer(files):
    options = ("--layer", "it", "--layer", "v4", "--measure", "cka", "--csv")
    done = asked(files[0], "cornet-z", *options)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["layer"] for row in rows] == ["it", "v4"]
    assert rows[0]["raw_formula"] == "cka-linear-unbiased/1"


def test_a_layer_is_chosen_on_another_file(files):
    options = ("--layer", "v1", "--layer", "v4", "--measure", "ridge-cv")
    done = asked(
        files[0],
        "cornet-z",
        *options,
        "--commit-on",
        files[1],
        "--region",
        "IT",
        "--json",
    )
    (row,) = json.loads(done.stdout)
    assert row["chosen_on"] == "public"
    assert set(row["chosen_by"]) == {"v1", "v4"}
    assert row["region"] == "IT"


def test_what_cannot_be_is_one_sentence(files):
    done = asked(files[0], "cornet-z", "--layer", "it5")
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    assert "it5" in done.output
    done = asked(files[0], "cornet-z", "energy", "--layer", "it", "--option", "seed=2")
    assert "--option must come with one observer" in done.output
