"""Training by a recipe: what is learnt, the same weights again, and what is refused."""

import signal
import subprocess
import sys
import tomllib
from dataclasses import replace

import numpy as np
import pytest
import torch

import yoked
from tests import ROOT
from yoked.experiments.session.observer import ObserverNoise, Practice
from yoked.models.recipes.figures import dprime_of, likeness
from yoked.models.recipes.recipe import recipe_of
from yoked.models.recipes.train import Plan
from yoked.models.recipes.trials import GeneratedTrials
from yoked.models.recipes.weights_file import read_trained

BAR = {"kind": "task", "protocol": "bar-in-noise"}
SHADOW = {"kind": "shadow", "protocol": "bar-in-noise", "observer": "template"}
SHORT = {
    "steps": 6,
    "batch": 16,
    "held_out": 200,
    "scored": 300,
    "checkpoint_every": 2,
}


def recipe(goal=BAR, network=None, **training):
    given = {"name": "retina-cnn", **(network or {})}
    return {"network": given, "goal": goal, "training": SHORT | training}


@pytest.fixture(scope="module")
def shadow(tmp_path_factory):
    """Return a network that learnt a template's responses, and its file."""
    path = tmp_path_factory.mktemp("shadow") / "shadow.safetensors"
    long = {"steps": 200, "batch": 64, "held_out": 1000, "checkpoint_every": 100}
    return yoked.train(recipe(SHADOW, **long), path), path


def test_a_shadow_comes_near_its_ceiling(shadow):
    found = shadow[0].held_out
    assert found.observer.kappa > 0.9
    assert found.ceiling.kappa == 1
    assert found.always_right.kappa == 0
    assert found.always_right.agreement > 0.9  # which says how little agreement says


def test_a_trained_file_takes_part_like_any_other(shadow, protocol):
    made, path = shadow
    observer = yoked.load_observer(str(path))
    assert observer.name == "retina-cnn-shadow-of-template"
    assert observer.weights_hash == made.weights_hash
    template = yoked.run(protocol, yoked.load_observer("template"), seed=1, trials=300)
    yoked_to = yoked.run(None, observer, yoke_to=template)
    same = np.asarray(yoked_to.trials["response"] == template.trials["response"])
    assert same.mean() > 0.96
    assert yoked_to.row.observer.weights_hash == made.weights_hash


def test_a_file_says_how_its_weights_came_about(shadow, protocol):
    made, path = shadow
    state, told = read_trained(path)
    assert all(torch.equal(state[name], made.weights[name]) for name in state)
    assert told == made.told
    assert told.protocol_hash == protocol.hash
    assert told.recipe.network.seed == 1
    assert told.held_out["observer"]["kappa"] == made.held_out.observer.kappa


def test_other_stimuli_are_refused_in_one_sentence(shadow):
    observer = yoked.load_observer(str(shadow[1]))
    other = Practice(yoked.load_protocol("bar-polarity"))
    with pytest.raises(ValueError, match="stimuli of bar-polarity, got bar-in-noise"):
        observer.learn(other)


def test_a_recipe_gives_the_same_weights_twice_and_a_seed_others():
    one, again, other = (
        yoked.train(recipe(network={"seed": seed})) for seed in (1, 1, 2)
    )
    assert one.weights_hash == again.weights_hash != other.weights_hash
    assert one.history == again.history


def test_a_backbone_is_trained_and_read_again(tmp_path, protocol):
    path = tmp_path / "net.safetensors"
    network = {"name": "plain-cnn", "options": {"size_px": 32, "field_deg": 2.6}}
    made = yoked.train(recipe(network=network, steps=4), path)
    observer = yoked.load_observer(str(path))
    observer.learn(Practice(protocol))
    _, frames = Practice(protocol).draw(8)
    found = observer.decide(frames, ObserverNoise(1, np.arange(8)))
    assert found.shape == (8, 2)
    assert observer.weights_hash == made.weights_hash


@pytest.mark.parametrize("name", ["bar-polarity", "movie-bar"])
def test_yes_no_and_movies_are_learnt_too(name):
    made = yoked.train(recipe(SHADOW | {"protocol": name, "internal_noise": 0.5}))
    assert made.held_out.ceiling.kappa < 1
    assert made.held_out.dprime is not None


def test_no_trial_is_shown_twice_nor_chooses_weights_nor_scores_them_too():
    plan = Plan(recipe(SHADOW))
    trials = plan.trials
    assert isinstance(trials, GeneratedTrials)
    shown = [trials.batch(step)[0] for step in range(4)]
    held_out = [*trials.held_out.frames(), *trials.scored.frames()]
    fields = {each.tobytes() for part in [*shown, *held_out] for each in part}
    assert len(fields) == 4 * 16 + 200 + 300


KILLED = """
import os, sys
import yoked
from tests import ROOT
def told(done, total, words):
    if done == 5:
        os.kill(os.getpid(), 9)
yoked.train(eval(sys.argv[2]), sys.argv[1], progress=told)
"""


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    path, wanted = tmp_path / "net.safetensors", yoked.train(recipe())
    command = [sys.executable, "-c", KILLED, str(path), repr(recipe())]
    killed = subprocess.run(command, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert [each.name for each in tmp_path.iterdir()] == ["net.safetensors.checkpoint"]
    with pytest.raises(ValueError, match=r"must be resumed \(--resume\) or removed"):
        yoked.train(recipe(), path)
    with pytest.raises(ValueError, match=r"must be of this recipe, .* begin anew"):
        yoked.train(recipe(rate=0.1), path, resume=True)
    done = []
    resumed = yoked.train(
        recipe(), path, resume=True, progress=lambda step, *_: done.append(step)
    )
    assert done == [5, 6]
    assert resumed.weights_hash == wanted.weights_hash
    assert resumed.history == wanted.history
    assert [each.name for each in tmp_path.iterdir()] == ["net.safetensors"]


def test_a_checkpoint_that_is_damaged_is_refused(tmp_path):
    (tmp_path / "net.safetensors.checkpoint").write_bytes(b"half of one")
    with pytest.raises(ValueError, match="that Yoked wrote, got a damaged"):
        yoked.train(recipe(), tmp_path / "net.safetensors", resume=True)


def test_a_loss_that_is_no_number_is_one_sentence_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"loss must be finite, got .*rate may help"):
        yoked.train(recipe(rate=1e38, steps=40), tmp_path / "net.safetensors")
    assert not (tmp_path / "net.safetensors").exists()


def test_a_batch_that_memory_has_no_room_for_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"training\.batch must be smaller than 10+ "):
        yoked.train(recipe(batch=10**15), tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


def test_patience_ends_a_training_that_gets_no_better_and_keeps_the_best():
    made = yoked.train(recipe(steps=60, rate=1.0, checkpoint_every=1, patience=2))
    losses = [row["loss"] for row in made.history]
    assert len(losses) < 60
    assert losses.index(min(losses)) == len(losses) - 3
    # Its figures are of other trials than those that chose the weights.
    assert made.held_out.n == 300
    assert made.held_out.loss < sum(losses) / len(losses)


def test_a_session_is_learnt_by_blocks_and_the_file_lists_them(tmp_path, protocol):
    db, path = tmp_path / "results.db", tmp_path / "net.safetensors"
    observer = yoked.load_observer("template")
    session = yoked.run(protocol, observer, store=db, seed=3, trials=600)
    goal = {"kind": "shadow", "session": {"db": str(db), "id": session.id}}
    given = {"network": {"name": "retina-cnn"}, "goal": goal}
    training = {"epochs": 10, "batch": 32}
    made = yoked.train({**given, "training": training}, path)
    trained_on = yoked.load_observer(str(path)).trained_on
    assert trained_on["session"] == session.id
    counted = session.counted.set_index("trial")
    learnt = counted.loc[trained_on["trials"]]
    held_out = counted.drop(index=trained_on["trials"])
    assert len(learnt) + made.held_out.n <= 600
    assert len(held_out) >= made.held_out.n >= 100
    assert not set(learnt["block"]) & set(held_out["block"]) or made.held_out.n < len(
        held_out
    )
    losses = [row["loss"] for row in made.history]
    assert min(losses) < losses[0]


def test_what_cannot_be_learnt_is_refused():
    with pytest.raises(ValueError, match=r"network\.name must be a network's, got"):
        yoked.train(recipe(network={"name": "template"}))
    with pytest.raises(LookupError, match="did you mean 'retina-cnn'"):
        yoked.train(recipe(network={"name": "retna-cnn"}))
    with pytest.raises(ValueError, match=r"contrast"):
        yoked.train(recipe(BAR | {"contrasts": [0.99]}))


def test_always_right_has_no_kappa_with_anybody():
    rng = np.random.default_rng(1)
    targets, contrast = rng.integers(0, 2, 500), np.full(500, 0.2)
    person = np.where(rng.random(500) < 0.75, targets, 1 - targets)
    right = likeness(targets, person, targets, contrast)
    assert right.kappa == pytest.approx(0, abs=1e-12)
    assert likeness(person, person, targets, contrast).kappa == 1


@pytest.mark.parametrize("m", [2, 4])
def test_dprime_is_that_of_the_largest_of_several(m):
    rng = np.random.default_rng(m)
    variables = rng.normal(size=(200_000, m))
    targets = rng.integers(0, m, 200_000)
    variables[np.arange(200_000), targets] += 1.5
    task = replace(
        yoked.load_protocol("bar-in-noise").task, kind="mafc", keys=tuple("abcd"[:m])
    )
    assert dprime_of(task, variables.argmax(1), targets) == pytest.approx(1.5, abs=0.02)


def recipes_of_the_page():
    text = (ROOT / "docs" / "training.md").read_text()
    return [each.partition("```")[0] for each in text.split("```toml\n")[1:]]


@pytest.mark.parametrize("i", range(4))
def test_the_recipes_of_the_page_are_recipes(i):
    made = recipe_of(tomllib.loads(recipes_of_the_page()[i]))
    assert (made.goal.kind, made.goal.session is None) == (
        ("task", True),
        ("shadow", True),
        ("shadow", False),
        ("kernel", True),
    )[i]
