"""Training: its contrasts, its trials, and that it leaves torch alone."""

import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.parts import Task
from yoked.experiments.session.observer import Practice
from yoked.models.training.practice import (
    TrainingPlan,
    one_thread,
    practice_batches,
    train,
    training_contrasts,
)

SHORT = TrainingPlan(n_steps=3, batch=16)


class Sum(nn.Module):
    """One weight for every pixel; starts blind."""

    def __init__(self, n_px, start=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.full((n_px,), start))

    def forward(self, contrast):
        return contrast.flatten(2) @ self.weight


@pytest.mark.parametrize("name", protocol_names())
def test_training_contrasts_are_what_an_ideal_observer_needs(name):
    protocol = load_protocol(name)
    found = training_contrasts(protocol, (1.0, 2.0, 4.0))
    room = 1 - protocol.noise.max_level() / 127
    assert 0 < found[0] < found[1] <= found[2] <= room
    assert found[1] == pytest.approx(2 * found[0])


def test_training_contrasts_depend_on_the_stimulus_alone(protocol):
    other = protocol.with_options(contrast=0.05, trials=10)
    dprimes = (1.0, 3.0)
    assert training_contrasts(protocol, dprimes) == training_contrasts(other, dprimes)


def test_two_seeds_learn_from_different_trials_and_one_from_the_same(protocol):
    first, again, other = (
        next(practice_batches(Practice(protocol), seed, SHORT))[0] for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert not (first == other).all(axis=(1, 2, 3, 4)).any()


def test_no_trial_comes_twice(protocol):
    frames = np.concatenate(
        [frames for frames, _ in practice_batches(Practice(protocol), 1, SHORT)]
    )
    fields = frames[:, :, 0, 0, ::4].reshape(len(frames), -1)
    assert len(np.unique(fields, axis=0)) == len(frames) == 48


@pytest.mark.parametrize("name", ["bar-in-noise", "bar-polarity"])
def test_half_of_a_batch_has_each_target(name):
    practice = Practice(load_protocol(name))
    _, targets = next(practice_batches(practice, 1, SHORT))
    assert targets.mean() == 0.5


@pytest.mark.parametrize("kind", ["2afc", "yes_no"])
def test_training_finds_the_signal(protocol, kind):
    task = Task(kind, ("f", "j"))
    protocol = replace(protocol, task=task)
    network = Sum(52 * 52)
    train(network, Practice(protocol), 1, replace(SHORT, n_steps=20, batch=64))
    columns = network.weight.detach().reshape(52, 52).sum(0)
    assert columns.argmax().item() in range(24, 28)  # the pixels of the bar


def test_progress_is_told_after_every_step(protocol):
    steps = []
    train(
        Sum(52 * 52), Practice(protocol), 1, SHORT, progress=lambda *s: steps.append(s)
    )
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_a_loss_that_is_no_number_ends_the_training(protocol):
    with pytest.raises(ValueError, match="the training loss must be finite, got nan"):
        train(Sum(52 * 52, math.nan), Practice(protocol), 1, SHORT)


@pytest.fixture
def two_threads():
    """Let PyTorch have two threads; in the tests it has one (tests/conftest.py)."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_the_number_of_threads_comes_back_even_after_an_error():
    inside = []

    @one_thread()
    def work():
        inside.append(torch.get_num_threads())
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        work()
    assert inside == [1]
    assert torch.get_num_threads() == 2


def test_it_is_one_thread_still_after_the_first_stimulus_of_a_process():
    """Whose Numba starts one for each core, and tells torch to have as many."""
    code = (
        "import torch\n"
        "from yoked.experiments.protocols.files import load_protocol\n"
        "from yoked.experiments.session.observer import Practice\n"
        "from yoked.models.training.practice import one_thread\n"
        "with one_thread():\n"
        "    Practice(load_protocol('bar-in-noise')).draw(64)\n"
        "    print(torch.get_num_threads())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_NUM_THREADS": "2"},
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    assert done.stdout.split() == [b"1"]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"n_steps": 1000, "batch": 256}, "at most 100000 trials, got 256000"),
        ({"batch": 12}, "batch must be a multiple of 8, got 12"),
    ],
)
def test_a_plan_that_does_not_fit_its_trials_is_refused(changes, rule):
    with pytest.raises(ValueError, match=rule):
        TrainingPlan(**changes)
