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


SITTINGS = [
    {
        "session": f"2026-11-29-{code}",
        "observer": observer,
        "presenter": "lab",
        "protocol": "bar-in-noise",
        "d'": "1.240 [1.060, 1.420]",
        "criterion": "0.040 [-0.090, 0.160]",
        "proportion correct": "0.810 [0.774, 0.842]",
        "trials": 600 + n,
        "responses": 600 + n,
        "started_at": f"2026-11-29T14:0{n}:41.511+00:00",
        "note": "no trial was shown and answered twice" if n else "-",
    }
    for n, (code, observer) in enumerate((("z5fds89p", "ann"), ("8ur8k6ua", "bob")))
]


@pytest.mark.parametrize("width", [80, 100, 140])
def test_wide_rows_stay_a_row_each_within_the_width(width):
    lines = as_table(SITTINGS, width=width).splitlines()
    assert max(map(len, lines)) <= width
    for row in SITTINGS:
        own = [line for line in lines if line.startswith(row["session"])]
        assert own  # in each of the tables
        assert all(row["observer"] in line for line in own)
        assert any(row["started_at"][:16].replace("T", " ") in line for line in own)
    text = " ".join(" ".join(lines).split())
    assert text.count("bar-in-noise") == 1
    assert "In all rows: presenter lab; protocol bar-in-noise;" in text
    assert "responses as trials." in text
    assert text.count("1.240 [1.060, 1.420]") == 1  # the same in both


def test_a_long_cell_is_wrapped_between_words():
    rows = [
        {"session": name, "reason": f"{name} " + "too few trials to tell it " * 5}
        for name in "ab"
    ]
    lines = as_table(rows, width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert (
        " ".join(" ".join(lines[1:]).split()).count("too few trials to tell it") == 10
    )


def test_one_wide_row_is_a_line_for_each_column():
    lines = as_table(SITTINGS[:1], width=80).splitlines()
    assert lines[0].split() == ["session", "2026-11-29-z5fds89p"]
    assert len(lines) == len(SITTINGS[0])
