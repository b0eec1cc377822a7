"""Compiled training: the same weights in every process, plain names, and refusals."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

import yoked
from tests import ROOT
from yoked.experiments.session.observer import ObserverNoise, Practice
from yoked.models.recipes.compiled import compiling
from yoked.models.recipes.loop import Budget

# Noise and dropout: what is drawn must be the same in each process, too.
MINE = """
import torch
import yoked
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(52, 6), torch.nn.Tanh(), torch.nn.Dropout(0.1)
        )
    def forward(self, x):
        return self.layers(x.mean((1, 2)) + 0.01 * yoked.noise_like(x.mean((1, 2))))
def mine(device="cpu", seed=1):
    torch.manual_seed(seed)
    return yoked.from_torch(Net(), preprocess="contrast", readout="linear")
"""
# Trains to the end, or is killed after a step; the process then tells what came out.
CODE = """
import json, os, sys
import yoked
recipe, path, last = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def told(done, total, words):
    if done == last:
        os.kill(os.getpid(), 9)
def train(path, told):
    made = yoked.train(recipe, path, resume=True, progress=told)
    return [made.weights_hash, made.history, sorted(made.weights)]
found = [train(path, told)]
class Cut(Exception): pass
def cut(done, total, words):
    if done == 5: raise Cut
try:
    yoked.train(recipe, path + ".cut", progress=cut)
except Cut:
    found.append(train(path + ".cut", None))
print(json.dumps(found))
"""
TRAINING = {"steps": 6, "batch": 16, "held_out": 100, "scored": 100}
TRAINING |= {"checkpoint_every": 2, "compile": True}
NEVER = 1000


def recipe(name, **training):
    goal = {"kind": "task", "protocol": "bar-in-noise"}
    return {"network": {"name": name}, "goal": goal, "training": TRAINING | training}


def trained(given, path, cache, last=NEVER, environment=None):
    """Train in a process of its own, whose torch keeps what it compiles in `cache`."""
    kept = {"TORCHINDUCTOR_CACHE_DIR": str(cache), "TORCHINDUCTOR_COMPILE_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(given), str(path), str(last)],
        env={**os.environ, **kept, **(environment or {})},
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=300,
    )


def told_by(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    path = tmp_path_factory.mktemp("compiled") / "mine.py"
    path.write_text(MINE)
    return path


@pytest.fixture(scope="module")
def found(mine):
    """What a training gave, and then one that was cut and gone on with."""
    given, path = recipe(f"{mine}:mine"), mine.with_name("whole.safetensors")
    return told_by(trained(given, path, mine.with_name("cache")))


def test_what_was_cut_short_and_gone_on_with_gives_the_same_weights(found):
    assert len(found[0][1]) == 3
    assert found[0] == found[1]


def test_the_file_has_plain_names_and_is_an_observer(mine, found, protocol):
    weights_hash, _, names = found[0]
    observer = yoked.load_observer(str(mine.with_name("whole.safetensors")))
    assert observer.weights_hash == weights_hash
    assert not [name for name in names if "orig_mod" in name]
    observer.learn(Practice(protocol))
    _, frames = Practice(protocol).draw(8)
    assert observer.decide(frames, ObserverNoise(1, np.arange(8))).shape == (8, 2)


@pytest.mark.slow
@pytest.mark.parametrize("cache", ["cache", "other-cache"])
def test_a_killed_training_goes_on_to_the_same_weights(mine, found, cache):
    """Also where a process finds nothing, or all of it, compiled by others."""
    path, given = mine.with_name(f"{cache}.safetensors"), recipe(f"{mine}:mine")
    killed = trained(given, path, mine.with_name("cache"), last=5)
    assert killed.returncode == -signal.SIGKILL
    assert path.with_name(f"{path.name}.checkpoint").exists()
    assert told_by(trained(given, path, mine.with_name(cache))) == found


def test_it_draws_what_it_draws_without_and_differs_in_the_last_digits(mine, found):
    plain = yoked.train(recipe(f"{mine}:mine", compile=False))
    losses = [row["training_loss"] for row in found[0][1]]
    wanted = [row["training_loss"] for row in plain.history]
    assert losses == pytest.approx(wanted, rel=1e-4)


def test_without_a_compiler_there_is_one_sentence_and_no_file(mine, tmp_path):
    environment = {"PATH": str(tmp_path), "CXX": "g++"}
    path = tmp_path / "net.safetensors"
    done = trained(
        recipe("retina-cnn"), path, mine.with_name("cache"), environment=environment
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ValueError: training.compile must be left out where there is no C++ compiler, "
        "got true"
    )
    assert not list(tmp_path.iterdir())


def test_the_budget_says_what_compiling_takes():
    plain = Budget(10, 300, 19_200, 2048, 10, seconds=60.0)
    assert plain.sentence().endswith("10 times; about 60 s here")
    budget = Budget(10, 300, 19_200, 2048, 10, seconds=80.0, compile_seconds=20.4)
    assert budget.sentence().endswith("about 80 s here, 20 s of them compiling first")


def test_what_torch_would_compile_anew_at_every_step_is_refused():
    added = torch.compile(lambda x: x + 1, backend="eager", dynamic=False)
    rule = "training.compile must be left out for a network that torch cannot compile"

    @compiling()
    def steps():
        for n in range(2, 20):
            added(torch.zeros(n))

    with pytest.raises(ValueError, match=f"{rule}, got true: "):
        steps()
