"""Several processes train one network: two real ones on the CPU, by torchrun."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

import yoked
from tests import ROOT
from yoked.models.recipes.processes import Share
from yoked.models.recipes.train import Plan
from yoked.models.recipes.weights_file import read_trained

RECIPE = """
[network]
name = "plain-cnn"
options = { size_px = 26, activation = "tanh" }

[goal]
kind = "shadow"
protocol = "bar-in-noise"
observer = "template"
internal_noise = 0.5

[training]
steps = 6
batch = 16
held_out = 200
scored = 200
checkpoint_every = 2
"""
# Each process tells what it has; the second pass is cut short, and goes on in a third.
CODE = """
import os, sys
import yoked
from pathlib import Path
recipe, folder = sys.argv[1:]
os.chdir(folder)
class Cut(Exception): pass
def cut(done, total, words):
    if done == 5: raise Cut
rank = os.environ["RANK"]
whole = yoked.train(recipe, "whole.safetensors")
try:
    yoked.train(recipe, "cut.safetensors", progress=cut)
except Cut:
    pass
resumed = yoked.train(recipe, "cut.safetensors", resume=True)
Path(f"told-{rank}").write_text(f"{whole.weights_hash} {resumed.weights_hash}")
"""


def torchrun(*arguments, timeout=240):
    """Run two processes; none is left when it is over."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*command, "--nproc-per-node", "2", *map(str, arguments)],
        env=environment,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as started:
        try:
            out, err = started.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            started.terminate()  # which torchrun passes on to its processes
            out, err = started.communicate()
    return started.returncode, out, err


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "code.py").write_text(CODE)
    code, _, err = torchrun(folder / "code.py", folder / "recipe.toml", folder)
    assert code == 0, err
    return folder


def test_both_processes_have_the_same_weights_and_one_file_is_written(trained):
    told = [(trained / f"told-{rank}").read_text().split() for rank in "01"]
    assert told[0] == told[1]
    assert told[0][0] == told[0][1]  # cut short and gone on with, too
    names = {each.name for each in trained.glob("*.safetensors*")}
    assert names == {"whole.safetensors", "cut.safetensors"}
    assert (
        yoked.load_observer(str(trained / "whole.safetensors")).weights_hash
        in (told[0])
    )


def test_two_processes_learn_what_one_learns_but_for_the_last_digits(trained):
    """But for batch statistics, which each process takes of its own share."""
    state, told = read_trained(trained / "whole.safetensors")
    alone = yoked.train(trained / "recipe.toml")
    same, other = (
        torch.cat([each[name].flatten() for name in sorted(each) if "weight" in name])
        for each in (state, alone.weights)
    )
    assert torch.nn.functional.cosine_similarity(same, other, dim=0) > 0.99
    assert told.held_out["n"] == alone.held_out.n


@pytest.mark.slow
def test_the_command_speaks_once_and_errors_end_all_processes(trained, tmp_path):
    recipe = trained / "recipe.toml"
    command = ("-m", "yoked", "train", recipe, "-o", tmp_path / "net.safetensors")
    code, out, err = torchrun(*command)
    assert code == 0, err
    assert json.loads(out)["steps"] == 6
    assert err.count("held out and looked at") == 1
    odd = tmp_path / "odd.toml"
    odd.write_text(RECIPE.replace("batch = 16", "batch = 15"))
    code, _, err = torchrun(
        "-m", "yoked", "train", odd, "-o", tmp_path / "a.safetensors"
    )
    assert code != 0
    assert "training.batch must be a multiple of 2" in err
    assert [each.name for each in tmp_path.glob("*.safetensors*")] == [
        "net.safetensors"
    ]


def test_shares_of_a_batch_are_all_of_it():
    goal = {"kind": "kernel", "protocol": "bar-in-noise", "observer": "linear"}
    trials = Plan(
        {
            "network": {"name": "element-mlp"},
            "goal": goal | {"target_trials": 1000},
            "training": {"batch": 24},
        }
    ).trials
    whole, lesson = trials.batch(3)
    parts = [trials.batch(3, Share(k, 3)) for k in range(3)]
    np.testing.assert_array_equal(whole, np.concatenate([each for each, _ in parts]))
    for k, values in enumerate(lesson):
        joined = torch.cat([given[k] for _, given in parts])
        torch.testing.assert_close(joined, values)
