"""The figure in small: what it rests on, what is kept, and what is asked wrongly."""

import json
import tomllib
from dataclasses import replace

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.app.reproduce.deep_vs_shallow import deep_vs_shallow
from yoked.app.reproduce.outcome import rows_of_boxes
from yoked.app.reproduce.surrogates import (
    FRONTS,
    GOALS,
    POSITIONS,
    SURROGATES,
    Extent,
    training_recipe,
)
from yoked.models.recipes.recipe import recipe_of

SMALL = Extent(
    n_seeds=1,
    trials=3000,
    steps=10,
    surrogates=("max",),
    positions=("known",),
    goals=("shadow",),
    fronts=("none",),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("figure")
    return out, deep_vs_shallow(out, extent=SMALL, processes=1)


def share(found, goal, order):
    return next(
        each.share for each in found.shares if (each.goal, each.order) == (goal, order)
    )


def test_a_surrogate_shares_all_with_itself_and_a_hasty_shadow_less(made):
    _, found = made
    for order in (0, 1, 2):
        assert share(found, "twin", order).low < 1.05
        assert share(found, "twin", order).value > 0.8
    assert share(found, "shadow", 0).value < share(found, "twin", 0).value
    assert share(found, "ideal", 0).value < 0.7
    assert not found.failed


def test_kernels_from_gradients_are_those_of_the_responses(made):
    _, found = made
    rows = {(r["goal"], r["order"]): r for r in rows_of_boxes(found.boxes)}
    assert set(rows) == {(g, n) for g in ("twin", "shadow") for n in (1, 2)}
    for goal, order in rows:
        row = rows[goal, order]
        if row["reliability"] > 0.5:
            assert row["share"] == pytest.approx(1, abs=0.12)
            assert row["slope"] == pytest.approx(1, abs=0.25)
    assert rows["twin", 1]["reliability"] > 0.5
    assert rows["twin", 2]["to_surrogate"] == pytest.approx(1)


def test_what_is_written_says_the_same_and_nothing_is_done_again(made):
    out, found = made
    kept = json.loads((out / "deep-vs-shallow.json").read_text())
    assert kept["format"] == "yoked-deep-vs-shallow/1"
    assert kept["shares"] == [each.to_dict() for each in found.shares]
    for name in ("shares.svg", "boxes.svg"):
        assert "second order" in (out / name).read_text() or name == "boxes.svg"
    before = {p: p.stat().st_mtime_ns for p in out.glob("surrogates/*/cells/*/*.db")}
    assert len(before) == 3
    told = []
    again = deep_vs_shallow(out, extent=SMALL, processes=1, told=told.append)
    assert not told  # no cell is due
    assert again.shares == found.shares
    assert before == {path: path.stat().st_mtime_ns for path in before}


@pytest.mark.parametrize("goal", GOALS)
def test_every_recipe_is_one_that_can_be_trained(goal):
    for surrogate in SURROGATES:
        for position in POSITIONS:
            for front in FRONTS:
                text = training_recipe(surrogate, position, goal, front, 300)
                recipe = recipe_of(tomllib.loads(text))
                assert recipe.goal.shuffled == (goal == "shuffled")
                assert recipe.network.options == {"front": front}
                assert recipe.goal.contrasts == (SURROGATES[surrogate],)
                if goal in ("kernel", "shuffled"):
                    assert (2 in recipe.goal.orders) == (surrogate != "linear")


def test_all_of_it_is_288_networks():
    assert Extent().n_trainings == 288
    assert Extent().n_cells == 2 * 288 + 36
    assert replace(Extent(), n_seeds=1).n_trainings == 96


def test_a_level_that_there_is_not_is_one_sentence():
    with pytest.raises(ValueError, match=r"fronts must be some of none, .*'v1'"):
        Extent(fronts=("v1",))


def test_the_command_says_what_is_to_be_done_and_refuses_what_is_wrong(tmp_path):
    given = ["reproduce", "deep-vs-shallow", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(cli, [*given, "--seeds", "1", "--dry-run", "--json"])
    assert json.loads(done.stdout)["n_trainings"] == 96
    assert done.stderr == (
        "part A: 96 trainings of 300 steps, 108 sessions of 6,000 trials; what is done "
        "already stays\n"
    )
    assert not (tmp_path / "out").exists()
    alone = CliRunner().invoke(cli, [*given, "--session", "x"])
    assert "--session must come with --people" in alone.stderr
    wrong = CliRunner().invoke(cli, [*given, "--goal", "sleep", "--dry-run"])
    assert wrong.exit_code
    other = CliRunner().invoke(cli, ["reproduce", "figure-9", "--out", "x"])
    assert "deep-vs-shallow" in other.stderr
