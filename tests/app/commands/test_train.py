"""`yoked train` by a recipe: what it says first and last, and the file it leaves."""

import json

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli

RECIPE = """
[network]
name = "retina-cnn"

[goal]
kind = "shadow"
protocol = "bar-in-noise"
observer = "template"

[training]
steps = 4
batch = 16
held_out = 200
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


def run(*arguments):
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def test_a_recipe_is_budgeted_trained_and_told_and_its_file_takes_part(recipe):
    weights, db = recipe.with_name("net.safetensors"), recipe.with_name("results.db")
    result = run("train", recipe, "--out", weights, "--seed", 3)
    assert result.exit_code == 0, result.stderr
    first, budget, *_, last = result.stderr.splitlines()
    assert first == (
        "retina-cnn-shadow-of-template: retina-cnn (seed 3, cpu) learns the "
        "responses of template, bar-in-noise"
    )
    assert budget.startswith("2,345 parameters, 4 steps, 64 trials, 200 held out")
    assert "with the observer: agreement" in last
    assert "always right: agreement" in last
    found = json.loads(result.stdout)
    assert found["steps"] == 4
    simulated = run("simulate", "bar-in-noise", weights, db, "--trials", 20)
    assert simulated.exit_code == 0, simulated.stderr
    observer = json.loads(simulated.stdout)["observer"]
    assert observer == "retina-cnn-shadow-of-template"


def test_a_dry_run_says_what_it_would_take_and_writes_nothing(recipe):
    result = run("train", recipe, "--dry-run")
    assert json.loads(result.stdout)["n_steps"] == 4
    assert "about" in result.stderr
    assert [each.name for each in recipe.parent.iterdir()] == ["recipe.toml"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["recipe.toml"], "--out must be given, unless with --dry-run"),
        (["recipe.toml", "bar-in-noise", "--dry-run"], "arguments must be RECIPE, got"),
        (["retina-cnn", "--dry-run"], "arguments must be OBSERVER PROTOCOL, got"),
        (["a", "b", "--dry-run"], "--resume and --dry-run must come with a recipe"),
        (["recipe.toml", "-o", "w.pt"], "must be a file that ends in .safetensors"),
        (["none.toml", "--dry-run"], "a recipe must be a file, got 'none.toml'"),
    ],
)
def test_what_is_asked_wrongly_is_one_sentence(
    recipe, monkeypatch, arguments, sentence
):
    monkeypatch.chdir(recipe.parent)
    result = run("train", *arguments)
    assert result.exit_code != 0
    assert sentence in result.stderr
