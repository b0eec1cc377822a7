"""`yoked v1`: scores of a layer, a picture, and what is refused."""

import json

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli

SMALL = ["--option", "size_px=32", "--option", "field_deg=4"]


def test_the_battery_of_a_layer_comes_with_its_picture(tmp_path):
    path = tmp_path / "v1.svg"
    given = ["v1", "plain-cnn", "--layer", "stage1", "--seven", *SMALL]
    found = CliRunner().invoke(cli, [*given, "-o", str(path), "--json"])
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["observer"] == "plain-cnn"
    assert len(told["properties"]) == 7
    assert told["notes"][0] == "the network sees 4 degrees in 32 x 32 px"
    assert "peak spatial frequency" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            ["template", "--layer", "v1", "--seven"],
            "a network that can be shown any",
        ),
        (["plain-cnn", "--layer", "stage9", "--seven"], "no layer named 'stage9'"),
        (
            ["plain-cnn", "--layer", "stage1", "--ringach", "."],
            "must be a file, or",
        ),
        (
            ["plain-cnn", "--layer", "stage1", "--ringach", ".", "--seven"],
            "--seven must stand without --ringach",
        ),
    ],
)
def test_what_cannot_be_scored_is_told_in_a_sentence(given, said):
    found = CliRunner().invoke(cli, ["v1", *given])
    assert found.exit_code != 0
    assert said in found.output
    assert "Traceback" not in found.output
