"""Recipes: what they hold, and the sentence for everything that is wrong in one."""

import pytest

from yoked.models.recipes.recipe import load_recipe, recipe_of

NETWORK = {"name": "retina-cnn"}
TASK = {"kind": "task", "protocol": "bar-in-noise"}
KERNEL = {"kind": "kernel", "protocol": "bar-in-noise"}
SESSION = {"kind": "shadow", "session": {"db": "results.db", "id": "kq7"}}


def made(network=None, goal=None, training=None):
    data = {
        "network": NETWORK | (network or {}),
        "goal": TASK if goal is None else goal,
    }
    return recipe_of(data if training is None else {**data, "training": training})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"network": {"sed": 2}}, r"network.sed must be one of .* did you mean 'seed'"),
        ({"network": {"seed": -1}}, r"network.seed must be a whole number .* got -1"),
        ({"network": {"options": {"seed": 2}}}, "network.options must be without seed"),
        (
            {"goal": {"kind": "tusk"}},
            "kind must be one of task, shadow, kernel, got 'tusk'",
        ),
        (
            {"goal": {"kind": "task"}},
            "goal.protocol must be a shipped protocol",
        ),
        ({"goal": TASK | {"observer": "energy"}}, "observer must be left out where"),
        ({"goal": TASK | {"internal_noise": 1.0}}, "left out without an observer"),
        ({"goal": {"kind": "shadow"}}, "observer or session must be one of the two"),
        ({"goal": SESSION | {"observer": "max"}}, "one of the two, got 'both'"),
        (
            {"goal": SESSION | {"protocol": "x"}},
            "protocol must be left out with",
        ),
        ({"goal": TASK | {"shuffled": True}}, "shuffled must be left out where"),
        ({"goal": KERNEL}, "session or file must be one of the three, got 'none'"),
        ({"goal": KERNEL | {"file": "k.npy", "observer": "ln"}}, "got 'several'"),
        (
            {"goal": KERNEL | {"observer": "ln", "orders": [3]}},
            r"orders must be \[1\], \[2\] or \[1, 2\], got \[3\]",
        ),
        (
            {"goal": KERNEL | {"observer": "ln", "contrasts": [0.1, 0.2]}},
            "contrasts must be one at most for a kernel, got 2",
        ),
        (
            {"goal": KERNEL | {"observer": "ln", "task_weight": -1.0}},
            "task_weight must be 0 or more, got -1.0",
        ),
        ({"goal": TASK | {"contrasts": [0.0]}}, r"goal.contrasts must be in \(0, 1\]"),
        ({"training": {"batch": 1}}, "training.batch must be 2 or more, got 1"),
        ({"training": {"rate": 0.0}}, "training.rate must be more than 0, got 0.0"),
        (
            {"training": {"steps": "9"}},
            "steps must be a whole number, got '9'",
        ),
        ({"training": {"epochs": 3}}, "training.epochs must be left out here"),
        (
            {"goal": SESSION, "training": {"steps": 9}},
            "training.steps must be left out here, where epochs are counted",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        made(**given)


def test_a_recipe_names_what_comes_out():
    assert made().called == "retina-cnn-task"
    assert made(goal=SESSION).called == "retina-cnn-shadow-of-kq7"
    shadow = {"kind": "shadow", "protocol": "bar-in-noise", "observer": "energy"}
    toward = KERNEL | {"observer": "ln"}
    assert made(goal=toward).called == "retina-cnn-kernel-of-ln"
    shuffled = made(goal=toward | {"shuffled": True})
    assert shuffled.called == "retina-cnn-shuffled-kernel-of-ln"
    assert made({"name": "mine.py:Net"}, shadow).called == "Net-shadow-of-energy"


def test_what_stands_at_its_default_is_left_out():
    recipe = made({"seed": 1}, training={"batch": 256})
    assert recipe == made()
    assert recipe.to_dict() == {"network": NETWORK, "goal": TASK}
    assert recipe_of(recipe.to_dict()) == recipe


def test_a_file_that_is_none_or_no_toml_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="a recipe must be a file, got"):
        load_recipe(tmp_path / "none.toml")
    (tmp_path / "half.toml").write_text("[network")
    with pytest.raises(ValueError, match=r"half\.toml must be TOML, got"):
        load_recipe(tmp_path / "half.toml")
