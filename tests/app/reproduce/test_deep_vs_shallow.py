"""The figure in small: what it rests on, what is kept, and what is asked wrongly."""

import json
import tomllib
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.app.commands.reproduce import deep_vs_shallow as command
from yoked.app.reproduce.boxes import Box, Measured
from yoked.app.reproduce.deep_vs_shallow import deep_vs_shallow
from yoked.app.reproduce.outcome import rows_of_boxes
from yoked.app.reproduce.surrogates import (
    FRONTS,
    GOALS,
    POSITIONS,
    SURROGATES,
    Extent,
    surrogate_sessions,
    training_recipe,
)
from yoked.models.networks import element_fronts
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
    assert not found.boxes.missing
    boxes = {(box.goal, box.order): box for box in found.boxes.found}
    assert set(boxes) == {(g, n) for g in ("twin", "shadow") for n in (1, 2)}
    told = [box for box in boxes.values() if box.share.value is not None]
    assert boxes["twin", 1] in told
    for box in told:
        for each in (box.share, box.slope):
            assert abs(each.value - 1) < 4 * each.se
    rows = {(r["goal"], r["order"]): r for r in rows_of_boxes(found.boxes.found)}
    assert rows["twin", 1]["to_surrogate"]["note"] == "it is the surrogate"


def test_ratios_of_noise_are_not_told():
    rng = np.random.default_rng(3)
    true, se = rng.standard_normal(2000), np.full(2000, 0.5)
    white, black = (Measured(true + se * rng.standard_normal(2000), se) for _ in "ab")
    box = Box("max", "task", None, 1, white, black)
    assert white.reliability == pytest.approx(0.8, abs=0.02)
    for each in (box.share, box.slope):  # of one kernel, measured twice
        assert each.value == pytest.approx(1, abs=4 * each.se)
        assert each.se < 0.03
    noise = Measured(0.5 * rng.standard_normal(2000), se)
    unknown = Box("max", "task", None, 1, noise, black).slope
    assert unknown.value is None
    assert unknown.note.startswith("the white kernel must have a reliability of 0.5")


def test_the_errors_of_ratios_are_what_repeated_measurements_have():
    rng = np.random.default_rng(4)
    true = np.exp(-0.5 * (np.arange(13) - 6.0) ** 2)
    white_se, black_se = np.full(13, 0.02), np.full(13, 0.1)
    made = [
        Box(
            "max",
            "task",
            None,
            1,
            Measured(true + white_se * rng.standard_normal(13), white_se),
            Measured(true + black_se * rng.standard_normal(13), black_se),
        )
        for _ in range(2000)
    ]
    slopes = [box.slope for box in made]
    spread = np.std([each.value for each in slopes])
    assert np.mean([each.se for each in slopes]) == pytest.approx(spread, rel=0.1)
    assert np.mean([each.value for each in slopes]) == pytest.approx(1, abs=0.01)
    shares = [box.share for box in made]
    assert np.mean([each.value for each in shares]) == pytest.approx(1, abs=0.01)


def test_what_is_written_says_the_same_and_nothing_is_done_again(made):
    out, found = made
    kept = json.loads((out / "deep-vs-shallow.json").read_text())
    assert kept["format"] == "yoked-deep-vs-shallow/1"
    assert kept["shares"] == [each.to_dict() for each in found.shares]
    for name in ("shares.svg", "boxes.svg"):
        assert (out / name).read_text().startswith("<?xml")
    before = {p: p.stat().st_mtime_ns for p in out.glob("surrogates/*/cells/*/*.db")}
    assert len(before) == 3
    told = []  # an ended sweep each, of which no cell was due
    again = deep_vs_shallow(out, extent=SMALL, processes=1, told=told.append)
    assert [each.n_done for each in told] == [4]
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


def test_the_command_offers_the_levels_that_there_are():
    offered = {
        each.name: tuple(each.type.choices)
        for each in command.params
        if each.name in ("surrogates", "positions", "goals", "fronts")
    }
    assert offered == {
        "surrogates": tuple(SURROGATES),
        "positions": tuple(POSITIONS),
        "goals": GOALS,
        "fronts": FRONTS,
    }
    assert FRONTS == element_fronts.FRONTS


def test_a_level_that_there_is_not_is_one_sentence():
    with pytest.raises(ValueError, match=r"fronts must be some of none, .*'v1'"):
        Extent(fronts=("v1",))


def test_the_command_says_what_is_to_be_done_and_refuses_what_is_wrong(tmp_path):
    given = ["reproduce", "deep-vs-shallow", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(cli, [*given, "--seeds", "1", "--dry-run", "--json"])
    assert json.loads(done.stdout)["n_trainings"] == 96
    assert done.stderr == (
        "part A: 96 trainings of 300 steps, 108 sessions of 6,000 trials; what is done "
        "already stays\npart B: left out without --people\n"
    )
    assert not (tmp_path / "out").exists()
    alone = CliRunner().invoke(cli, [*given, "--session", "x"])
    assert "--session must come with --people" in alone.stderr
    wrong = CliRunner().invoke(cli, [*given, "--goal", "sleep", "--dry-run"])
    assert wrong.exit_code
    other = CliRunner().invoke(cli, ["reproduce", "figure-9", "--out", "x"])
    assert "No such command 'figure-9'" in other.stderr


def test_a_folder_of_another_extent_is_refused_and_left_alone(made):
    out, _ = made
    other = replace(SMALL, trials=400)
    rule = r"must be a new folder, .* of 1 seeds, 3000 trials, 10 steps, max, known, sh"
    with pytest.raises(ValueError, match=rule):
        deep_vs_shallow(out, extent=other, processes=1)
    assert len(list(out.glob("surrogates/*/cells/*/*.db"))) == 3


def test_a_surrogate_that_is_interrupted_leaves_nothing_and_comes_again(
    tmp_path, monkeypatch
):
    def stop(*_, **__):
        raise KeyboardInterrupt

    few = replace(SMALL, trials=300)
    with monkeypatch.context() as patch:
        patch.setattr("yoked.experiments.store.merge.merge", stop)
        with pytest.raises(KeyboardInterrupt):
            surrogate_sessions(tmp_path, few)
    first = surrogate_sessions(tmp_path, few)
    assert first == surrogate_sessions(tmp_path, few)
