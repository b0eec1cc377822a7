"""`yoked train` by a recipe of pictures: told, trained, a network by name, refused."""

import json

import pytest
from click.testing import CliRunner

from tests.models.regimes.pictures import SIZE, bars
from yoked.app.cli import cli

RECIPE = f"""
[network]
name = "plain-cnn"
options = {{ size_px = {2 * SIZE} }}

[pictures]
fit = "fit.csv"
held_out = "test.csv"
size_px = {SIZE}

[regime]
kind = "multi-task"
layers = ["stage2"]
population = {{ units = 16, repeats = 1 }}

[training]
steps = 6
batch = 16
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipe")
    bars(folder, "fit", 48, seed=1)
    bars(folder, "test", 20, seed=2)
    path = folder / "recipe.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def asked(*arguments):
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def test_a_recipe_of_pictures_is_told_trained_and_a_network_by_name(recipe, tmp_path):
    file = tmp_path / "net.safetensors"
    found = asked("train", recipe, "-o", file, "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["network"] == "plain-cnn-multi-task"
    assert told["categories"] == ["across", "down"]
    assert told["held_out"]["n"] == 20
    assert "learns 2 categories of 48 pictures, regime multi-task" in found.stderr
    assert "6 steps, 96 pictures shown, 20 held out; about" in found.stderr
    table, fit = recipe.parent / "test.csv", recipe.parent / "fit.csv"
    option = "--option", f"file={file}", "--option", f"size_px={2 * SIZE}"
    where = "--fit", fit, "--layer", "stage3", "--size-px", SIZE
    label = asked(
        "label", "plain-cnn", table, *where, *option, "-o", tmp_path / "a.csv"
    )
    assert label.exit_code == 0, label.output


def test_a_dry_run_writes_nothing(recipe, tmp_path):
    found = asked("train", recipe, "--dry-run", "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert (told["n_steps"], told["n_pictures"]) == (6, 96)
    assert len(told["recipe_hash"]) == 64
    again = asked("train", recipe, "--dry-run", "--json", "--seed", "2")
    assert json.loads(again.stdout)["recipe_hash"] != told["recipe_hash"]


def test_a_wrong_recipe_is_one_sentence(recipe, tmp_path):
    wrong = recipe.with_name("wrong.toml")
    wrong.write_text(RECIPE.replace('"stage2"', '"stage9"'), encoding="utf-8")
    found = asked("train", wrong, "-o", tmp_path / "net.safetensors")
    assert found.exit_code == 1
    assert "no layer named 'stage9'" in found.output
    wrong.write_text(RECIPE.replace("fit.csv", "fat.csv"), encoding="utf-8")
    found = asked("train", wrong, "-o", tmp_path / "net.safetensors")
    assert found.exit_code == 1
    assert "fat.csv" in found.output
    assert not list(tmp_path.iterdir())
