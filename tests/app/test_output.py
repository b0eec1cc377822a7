"""Printing: strict JSON, aligned tables, CSV, and the response between them."""

import csv
import io
import json
from dataclasses import dataclass

import click
import numpy as np
import pytest
from click.testing import CliRunner

from yoked.analysis.trials.estimate import Estimate
from yoked.analysis.trials.result import Result
from yoked.app.output import as_csv, as_json, as_table, output, printed

ROWS = [
    {"observer": "guesser", "dprime": 0.0123456, "interval": [-0.1, 0.125]},
    {"observer": "retina-cnn", "dprime": float("nan"), "n": 600},
]


@click.command()
@output()
def rows():
    """Print two rows."""
    return ROWS


def test_json_is_strict_and_keeps_every_digit():
    first, second = json.loads(as_json(ROWS))
    assert first["dprime"] == 0.0123456
    assert second["dprime"] is None


def test_json_takes_numpy_as_python():
    result = {"n": np.int64(3), "kernel": np.eye(2), "flag": np.bool_(True)}
    expected = {"n": 3, "kernel": [[1.0, 0.0], [0.0, 1.0]], "flag": True}
    assert json.loads(as_json(result)) == expected


def test_a_table_aligns_numbers_right_and_shortens_them():
    assert as_table(ROWS).splitlines() == [
        "observer     dprime  interval         n",
        "guesser     0.01235  -0.1 to 0.125    -",
        "retina-cnn        -  -              600",
    ]


def test_one_mapping_is_a_table_of_entries():
    assert as_table({"id": "abc", "bias": {"value": 1.0}}).splitlines() == [
        "id          abc",
        "bias_value  1",
    ]


def test_an_empty_list_says_so_in_a_table_and_is_empty_json():
    assert as_table([]) == "nothing to list"
    assert as_json([]) == "[]"


def test_csv_reads_back_with_every_column():
    first, second = csv.DictReader(io.StringIO(as_csv(ROWS)))
    assert float(first["dprime"]) == 0.0123456
    assert second == {
        "observer": "retina-cnn",
        "dprime": "",
        "interval": "",
        "n": "600",
    }


@pytest.mark.parametrize(
    ("option", "start"), [([], "["), (["--json"], "["), (["--table"], "observer  ")]
)
def test_a_pipe_gets_json_unless_told_otherwise(option, start):
    assert CliRunner().invoke(rows, option).stdout.startswith(start)


@dataclass(frozen=True)
class Session(Result):
    """A result, as a command returns it."""

    observer: str
    dprime: Estimate

    def table(self):
        return [{"observer": self.observer, "d'": self.dprime.short()}]


SESSION = Session("ann", Estimate(1.5, 0.1, 1.3, 1.7, 300, "dprime/1"))


def test_a_result_knows_its_json_its_table_and_its_columns():
    (row,) = json.loads(printed([SESSION], "json", None))
    assert row == {"observer": "ann", "dprime": SESSION.dprime.to_dict()}
    assert printed([SESSION] * 2, "table", None).splitlines() == [
        "observer  d'",
        "ann       1.500 [1.300, 1.700]",
        "ann       1.500 [1.300, 1.700]",
    ]
    assert printed(SESSION, "table", None).splitlines() == [
        "observer  ann",
        "d'        1.500 [1.300, 1.700]",
    ]
    header, line = printed(SESSION, "csv", None).splitlines()
    assert header.startswith("observer,dprime_value,dprime_se,")
    assert line.startswith("ann,1.5,0.1,")


def test_csv_by_option():
    assert CliRunner().invoke(rows, ["--csv"]).stdout.startswith("observer,dprime,")


def test_a_few_wide_rows_stand_beside_each_other():
    rows = [{"observer": name * 20, "trials": n} for name, n in (("a", 1), ("b", 22))]
    assert as_table(rows, width=100).splitlines()[0] == "observer              trials"
    wide = [{**row, "protocol": "p", "session": "s"} for row in rows]
    assert as_table(wide, width=30).splitlines() == [
        f"observer  {'a' * 20}  {'b' * 20}",
        f"trials    1{' ' * 21}22",
        f"protocol  p{' ' * 21}p",
        f"session   s{' ' * 21}s",
    ]
