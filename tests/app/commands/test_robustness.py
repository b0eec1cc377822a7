"""`yoked attack`, `corrupt` and `sensitivity`: JSON, pictures, sentences."""

import json
import sys

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli

ATTACK = ("attack", "bar-in-noise", "linear", "--contrast", "0.3", "--trials", "60")
FEW = ("--steps", "4")


def asked(*arguments):
    return CliRunner().invoke(cli, [*map(str, arguments)])


def test_attack_prints_a_curve_and_draws_it(tmp_path):
    path = tmp_path / "curve.svg"
    options = ("--eps", "0.02", "--eps", "0.05", "--transfer-from", "energy")
    done = asked(*ATTACK, *FEW, *options, "-o", path, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["format"] == "yoked-attack/1"
    assert [each["eps"] for each in found["points"]] == [0.02, 0.05]
    assert found["points"][0]["accuracy"]["formula"] == "accuracy-under-attack/1"
    assert found["transfer_from"] == "energy"
    assert "from energy" in path.read_text(encoding="utf-8")


def test_attacks_come_from_another_individual():
    other = ("--transfer-from", "cornet-z", "--transfer-option", "seed=2")
    done = asked(*ATTACK, "--steps", "1", "--eps", "0.05", *other, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["points"][0]["transferred"]["value"] is not None
    alone = asked(*ATTACK, "--eps", "0.05", *other[2:])
    assert "--transfer-option must come with --transfer-from" in alone.output


def test_corrupt_prints_a_curve_and_draws_it(tmp_path):
    path = tmp_path / "curve.svg"
    arguments = ("bar-in-noise", "template", "--corruption", "contrast")
    severities = ("--severity", "1", "--severity", "5", "--trials", "40")
    done = asked("corrupt", *arguments, *severities, "-o", path, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["format"] == "yoked-corrupt/1"
    assert [each["severity"] for each in found["points"]] == [1, 5]
    assert "contrast" in path.read_text(encoding="utf-8")


def test_sensitivity_has_a_retina_beside_the_layer(tmp_path):
    path = tmp_path / "units.svg"
    size = ("--units", "2", "--attacked", "1", "--pictures", "4", "--noise-draws", "1")
    layer = (
        "bar-in-noise",
        "cornet-z",
        "--layer",
        "v1",
        "--eps",
        "0.5",
        "--steps",
        "2",
    )
    done = asked("sensitivity", *layer, *size, "--beside-retina", "-o", path, "--json")
    assert done.exit_code == 0, done.output
    network, retina = json.loads(done.stdout)
    assert network["format"] == retina["format"] == "yoked-sensitivity/1"
    assert (network["layer"], retina["layer"]) == ("v1", "front")
    assert retina["observer"] == "staged-retina"
    assert network["noise"]["value"] is None
    assert retina["noise"]["value"] > 0
    assert retina["points"][0]["in_noise"]["value"] > 0
    assert path.stat().st_size > 1000


def test_a_table_has_a_row_for_each_eps():
    done = asked(*ATTACK, *FEW, "--eps", "0.02", "--table")
    assert done.stdout.splitlines()[0].split() == ["eps", "accuracy", "1", "steps"]
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((*ATTACK, "--eps", "0"), "Invalid value for '--eps'"),
        (("attack", "bar-in-noise", "guesser", "--eps", "1"), "must have scores"),
        (
            ("corrupt", "bar-in-noise", "linear", "--corruption", "rain"),
            "no corruption named 'rain'",
        ),
        (
            ("sensitivity", "bar-in-noise", "linear", "--layer", "x", "--eps", "1"),
            "must be a network that can be shown any picture",
        ),
        ((*ATTACK, "--eps", "1", "-o", "curve.txt"), "must end in .png"),
    ],
)
def test_faults_are_one_sentence(arguments, sentence):
    done = asked(*arguments)
    assert done.exit_code != 0
    assert sentence in done.output + str(done.exception)


def test_a_missing_extra_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "foolbox", None)
    done = asked(*ATTACK, "--eps", "0.1")
    assert done.exit_code != 0
    assert 'pip install "yoked[attacks]"' in done.output + str(done.exception)
