"""Training toward a kernel: whose it is, what is reached, its control, and files."""

import json

import numpy as np
import pytest
import torch

import yoked
from yoked.models.recipes.kernel_target import Kernels, KernelTarget, kernels_in
from yoked.models.recipes.train import Plan
from yoked.models.recipes.trials import GeneratedTrials

N = 13
GOAL = {
    "kind": "kernel",
    "protocol": "bar-in-noise",
    "observer": "linear",
    "contrasts": [0.161],
    "target_trials": 8000,
}
SHORT = {
    "steps": 6,
    "batch": 32,
    "held_out": 200,
    "scored": 300,
    "checkpoint_every": 2,
}


def recipe(goal=GOAL, **training):
    return {
        "network": {"name": "element-mlp"},
        "goal": goal,
        "training": SHORT | training,
    }


def template():
    """Return what the linear circuit weighs the elements with."""
    away = np.minimum(np.abs(np.arange(N) - 6), N - np.abs(np.arange(N) - 6))
    return np.exp(-0.5 * (away / 1.2) ** 2)


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.fixture(scope="module")
def trained():
    long = {"steps": 60, "batch": 256, "rate": 1e-2, "scored": 4000, "held_out": 1000}
    return yoked.train(recipe(**long, checkpoint_every=30))


def test_the_kernel_of_an_observer_is_what_it_weighs_the_noise_with():
    target = Plan(recipe(GOAL | {"internal_noise": 0.5})).trials.kernel
    assert target.true.second is None
    assert cosine(target.true.first.numpy(), template()) > 0.99


def test_a_kernel_is_reached_and_accuracy_is_what_its_cosine_implies(trained):
    found = trained.held_out
    assert found.kernel.first > 0.95
    assert found.proportion_correct == pytest.approx(
        found.kernel.implied_correct, abs=0.03
    )
    assert found.observer.agreement > 0.9
    assert found.ceiling.agreement == 1  # it has no internal noise
    assert found.kernel.shuffled_first is None
    assert "kernel: cosine 0.9" in found.sentence()


def test_the_shuffled_kernel_is_the_true_one_with_elements_at_other_places():
    first = torch.arange(1.0, 6.0)
    true = Kernels(first, torch.outer(first, first))
    one, again, other = (KernelTarget.of(true, True, seed) for seed in (1, 1, 2))
    wanted = one.wanted.first
    assert sorted(wanted.tolist()) == first.tolist()
    assert torch.equal(one.wanted.second, torch.outer(wanted, wanted))
    assert torch.equal(wanted, again.wanted.first)
    assert not torch.equal(wanted, other.wanted.first)
    plain = KernelTarget.of(true, False, 1)
    assert plain.wanted is plain.true


def test_a_shuffled_goal_tells_both_cosines():
    found = yoked.train(recipe(GOAL | {"shuffled": True, "orders": [1, 2]})).held_out
    assert None not in (found.kernel.first, found.kernel.second)
    assert None not in (found.kernel.shuffled_first, found.kernel.shuffled_second)
    assert "(shuffled " in found.sentence()
    assert found.to_dict()["kernel"]["shuffled_first"] == found.kernel.shuffled_first


def test_the_task_counts_beside_the_kernel_as_it_is_weighed():
    alone, both = (
        yoked.train(recipe(GOAL | {"task_weight": weight})).history[0]
        for weight in (0.0, 1.0)
    )
    assert both["training_loss"] > alone["training_loss"] + 0.3


def test_the_same_weights_come_again_and_after_an_interruption(tmp_path):
    path, wanted = tmp_path / "net.safetensors", yoked.train(recipe())

    def stop(done, total, words):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        yoked.train(recipe(), path, progress=stop)
    resumed = yoked.train(recipe(), path, resume=True)
    assert resumed.weights_hash == wanted.weights_hash
    assert resumed.history == wanted.history
    assert yoked.load_observer(str(path)).name == "element-mlp-kernel-of-linear"


def test_a_session_gives_its_kernel_and_keeps_trials_for_agreement(tmp_path, protocol):
    db = tmp_path / "results.db"
    session = yoked.run(
        protocol, yoked.load_observer("linear"), store=db, seed=3, trials=1200
    )
    part = {"db": str(db), "id": session.id}
    plan = Plan(recipe({"kind": "kernel", "session": part, "orders": [1, 2]}))
    first, second = plan.trials.kernel.true
    assert cosine(first.numpy(), template()) > 0.95
    assert second.shape == (N, N)
    assert plan.sentence().endswith(f"the kernel of session {session.id}, bar-in-noise")
    made = plan.run()
    learnt = set(made.told.trained_on["trials"])
    assert len(learnt) + len(plan.trials.answered.contrast) <= 1200
    assert made.held_out.n == 300
    assert made.held_out.observer is not None


def test_a_file_gives_a_kernel(tmp_path):
    kernel = template()
    np.save(tmp_path / "one.npy", kernel.reshape(1, 1, N))
    np.savetxt(tmp_path / "two.csv", np.outer(kernel, kernel), delimiter=",")
    both = {"first": kernel.tolist(), "second": np.outer(kernel, kernel).tolist()}
    (tmp_path / "both.json").write_text(json.dumps(both))
    for name, orders in (("one.npy", (1,)), ("two.csv", (2,)), ("both.json", (1, 2))):
        first, second = kernels_in(tmp_path / name, orders, N)
        assert (first is None) == (1 not in orders)
        assert (second is None) == (2 not in orders)
        if first is not None:
            np.testing.assert_allclose(first, kernel)
        if second is not None:
            np.testing.assert_allclose(second, np.outer(kernel, kernel))
    goal = {"kind": "kernel", "protocol": "bar-in-noise"}
    one, other = (
        Plan(recipe(goal | {"file": str(tmp_path / name), "orders": orders}))
        for name, orders in (("one.npy", [1]), ("both.json", [1]))
    )
    assert one.run().held_out.observer is None
    assert one.hash != other.hash
    np.save(tmp_path / "one.npy", kernel[::-1] + np.arange(N))
    changed = Plan(recipe(goal | {"file": str(tmp_path / "one.npy")}))
    assert changed.hash != one.hash  # a checkpoint of the other kernel is refused


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("k.csv", "1,2,3", "of order 1 must be 13 numbers that are not all 0, got 3"),
        ("k.csv", ",".join("0" * N), "must be 13 numbers that are not all 0, got 13"),
        ("k.csv", "a,b", "must be one that can be read, got: could not convert"),
        ("k.txt", "1", r"format must be one of \.npy, \.csv, \.json, got '\.txt'"),
        ("k.json", "{}", r"of order 1 must be given in k\.json, got none"),
        ("k.json", "[1]", "must be one that can be read"),
        ("k.npy", "1", "must be one that can be read"),
    ],
)
def test_a_file_that_holds_no_such_kernel_is_one_sentence(
    tmp_path, name, text, sentence
):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=sentence):
        kernels_in(tmp_path / name, (1,), N)


def test_what_has_no_kernel_is_refused():
    with pytest.raises(FileNotFoundError, match="a kernel must be a file, got"):
        Plan(recipe({"kind": "kernel", "protocol": "bar-in-noise", "file": "no.npy"}))
    with pytest.raises(ValueError, match=r"training\.batch must be 4 or more, two"):
        Plan(recipe(batch=3))


@pytest.mark.parametrize("name", ["bar-polarity", "movie-bar"])
def test_yes_no_and_movies_have_kernels_too(name):
    goal = GOAL | {"protocol": name, "contrasts": [], "target_trials": 2000}
    plan = Plan(recipe(goal))
    assert isinstance(plan.trials, GeneratedTrials)
    assert plan.run().held_out.kernel.first is not None


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_what_a_kernel_brings_along_and_a_shuffled_one_does_not():
    """Rows of the table of docs/training.md: `pytest -m slow -rP` prints them."""
    long = {"steps": 200, "batch": 256, "rate": 1e-2, "held_out": 4000}
    usual = GOAL | {"internal_noise": 0.5, "target_trials": 50_000}
    true, task, shuffled = (
        yoked.train(recipe(usual | own, **long, scored=20_000, checkpoint_every=20))
        for own in ({}, {"task_weight": 1e6}, {"shuffled": True})
    )
    for made in (true, task, shuffled):
        found = made.held_out
        print(found.sentence())
        assert found.proportion_correct == pytest.approx(
            found.kernel.implied_correct, abs=0.01
        )
    assert true.held_out.kernel.first >= 0.95
    assert true.held_out.observer.agreement > task.held_out.observer.agreement + 0.03
    assert shuffled.held_out.kernel.shuffled_first >= 0.95
    assert shuffled.held_out.kernel.first < task.held_out.kernel.first
