"""Losses: their values, the kernels they see, and what a network becomes by them."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Task
from yoked.models.training.losses import (
    KernelMoments,
    choice_loss,
    kernel_loss,
    kernel_moments,
    task_loss,
)
from yoked.models.training.stream import TrialStream

TWO, YES_NO = Task("2afc", ("f", "j")), Task("yes_no", ("f", "j"))
N, BAR, CONTRAST = 13, 6, 0.1  # at which an ideal observer's d' of an interval is 1
# What the observer weighs the noise with, on either side of the bar too.
TRUE = torch.tensor([0.0] * 5 + [-0.5, 1.0, 0.8, -0.2] + [0.0] * 4)
SHUFFLED = TRUE[torch.randperm(N, generator=torch.manual_seed(3))]


def test_the_loss_of_two_alternatives_is_the_softplus_of_their_difference():
    variables = torch.tensor([[1.0, 3.0], [0.5, -1.0]])
    expected = (math.log1p(math.exp(2.0)) + math.log1p(math.exp(-1.5))) / 2
    found = task_loss(TWO, variables, torch.tensor([0, 0]))
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize("task", [YES_NO, Task("rating", tuple("1234"))])
def test_the_loss_of_one_interval_is_that_of_its_logistic(task):
    found = task_loss(task, torch.tensor([[2.0], [-1.0]]), torch.tensor([1, 1]))
    expected = (math.log1p(math.exp(-2.0)) + math.log1p(math.exp(1.0))) / 2
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize("task", [TWO, YES_NO])
def test_choices_that_were_correct_are_the_task(task):
    variables = torch.randn(40, 2 if task is TWO else 1, generator=torch.manual_seed(1))
    targets = torch.arange(40) % 2
    right = choice_loss(task, variables, targets)
    assert right.item() == pytest.approx(task_loss(task, variables, targets).item())


@pytest.mark.parametrize("task", [TWO, YES_NO])
def test_a_chance_is_the_mean_of_as_many_choices(task):
    variables = torch.randn(1, 2 if task is TWO else 1, generator=torch.manual_seed(1))
    chance = torch.tensor([[0.25, 0.75]] if task is TWO else [0.75])
    four = choice_loss(task, variables.expand(4, -1), torch.tensor([0, 1, 1, 1]))
    assert choice_loss(task, variables, chance).item() == pytest.approx(four.item())


def test_a_rating_is_the_chance_of_signal_that_it_stands_for():
    task, variables = Task("rating", tuple("123456")), torch.tensor([[0.7]])
    whole = choice_loss(task, variables, torch.tensor([3]))
    assert whole == choice_loss(task, variables, torch.tensor([0.6]))


def test_what_is_no_chance_is_refused():
    with pytest.raises(ValueError, match=r"chances in \[0, 1\], got 0 to 1.5"):
        choice_loss(YES_NO, torch.zeros(2, 1), torch.tensor([0.0, 1.5]))
    moments = KernelMoments(torch.ones(3), None)
    with pytest.raises(ValueError, match="must have the second order, got None"):
        kernel_loss(moments, second=torch.eye(3))
    with pytest.raises(ValueError, match=r"of shape \(3,\), got \(2,\)"):
        kernel_loss(moments, first=torch.ones(2))
    with pytest.raises(ValueError, match="must differ from 0, got zeros alone"):
        kernel_loss(moments, first=torch.zeros(3))
    with pytest.raises(ValueError, match="one order or both, got none"):
        kernel_loss(moments)
    with pytest.raises(ValueError, match="of a class must be two or more, got 1"):
        kernel_moments(TWO, torch.zeros(2, 2), torch.zeros(2, 2, 3), torch.arange(2))


@pytest.mark.parametrize("task", [TWO, YES_NO])
def test_moments_are_covariances_of_choice_and_noise(task):
    rng = np.random.default_rng(0)
    n_fields = 2 if task is TWO else 1
    noise = rng.standard_normal((60, n_fields, 4))
    variables = rng.standard_normal((60, n_fields))
    classes = np.arange(60) % 3
    found = kernel_moments(
        task,
        torch.from_numpy(variables),
        torch.from_numpy(noise),
        torch.from_numpy(classes),
    )
    first, second = np.zeros(4), np.zeros((4, 4))
    for k in range(3):
        here = classes == k
        for a in range(n_fields):
            if task is TWO:
                p = 1 / (1 + np.exp(variables[here, 1 - a] - variables[here, a]))
            else:
                p = 1 / (1 + np.exp(-variables[here, a]))
            x = noise[here, a]
            first += np.cov(p, x.T)[0, 1:] * here.mean()
            for i in range(4):
                products = x[:, i, None] * x
                second[i] += np.cov(p, products.T)[0, 1:] * here.mean()
    np.testing.assert_allclose(found.first, first, atol=1e-6)
    np.testing.assert_allclose(found.second, second, atol=1e-6)


class Network(nn.Module):
    """Two layers after pixels are pooled: any function of the bars, near enough."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.pool = nn.AvgPool2d(4)
        self.layers = nn.Sequential(nn.Linear(169, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, contrast):
        x = self.pool(contrast.flatten(0, 2)).flatten(1)
        return self.layers(x).view(contrast.shape[:2])


def trained(loss, contrast=CONTRAST, steps=100, second=False):
    """Train a network on trials whose noise comes along."""
    protocol, network = load_protocol("bar-in-noise"), Network()
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    options = {"batch": 512, "contrasts": (contrast,), "with_noise": True}
    for batch in TrialStream(protocol, seed=5, n_batches=steps, **options):
        variables = network(batch.frames)
        error = loss(variables, batch)
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
    return network


@pytest.fixture(scope="module")
def new_trials():
    protocol = load_protocol("bar-in-noise")
    options = {"batch": 10_000, "contrasts": (CONTRAST,), "with_noise": True}
    return next(iter(TrialStream(protocol, seed=99, **options)))


def seen_by(network, trials):
    """Cosine with the true kernel, agreement with its observer, share correct."""
    with torch.no_grad():
        variables = network(trials.frames)
        kernel = kernel_moments(
            TWO, variables, trials.noise, trials.classes, second=False
        ).first
    signal = torch.zeros(N)
    signal[BAR] = CONTRAST / 0.1
    shown = trials.noise.clone()
    shown[torch.arange(len(shown)), trials.targets] += signal
    theirs = (shown @ TRUE).argmax(1)
    ours = variables.argmax(1)
    cosine = float(kernel @ TRUE / kernel.norm() / TRUE.norm())
    of_signal = float(kernel @ signal / kernel.norm() / signal.norm())
    agreement = float((ours == theirs).float().mean())
    correct = float((ours == trials.targets).float().mean())
    return cosine, agreement, correct, of_signal


def toward(kernel):
    def loss(variables, batch):
        moments = kernel_moments(
            TWO, variables, batch.noise, batch.classes, second=False
        )
        return kernel_loss(moments, first=kernel)

    return loss


@pytest.fixture(scope="module")
def by_task(new_trials):
    network = trained(lambda v, batch: task_loss(TWO, v, batch.targets))
    return seen_by(network, new_trials)


def test_a_kernel_that_is_a_goal_is_reached_and_brings_the_responses_along(
    new_trials, by_task
):
    cosine, agreement, correct, of_signal = seen_by(trained(toward(TRUE)), new_trials)
    assert cosine >= 0.95
    assert agreement > by_task[1] + 0.03
    # A linear observer's share correct follows from where its kernel points.
    assert correct == pytest.approx(norm.cdf(of_signal / math.sqrt(2)), abs=0.015)


def test_a_shuffled_kernel_leads_away_from_the_true_one(new_trials, by_task):
    cosine, *_ = seen_by(trained(toward(SHUFFLED)), new_trials)
    assert cosine < by_task[0]


def test_a_second_order_that_is_a_goal_is_reached():
    w = TRUE / TRUE.norm()
    goal = torch.outer(w, w)  # of an observer that squares

    def loss(variables, batch):
        return kernel_loss(
            kernel_moments(TWO, variables, batch.noise, batch.classes), second=goal
        )

    network = trained(loss, steps=150)
    protocol = load_protocol("bar-in-noise")
    options = {"batch": 20_000, "contrasts": (CONTRAST,), "with_noise": True}
    new = next(iter(TrialStream(protocol, seed=98, **options)))
    with torch.no_grad():
        moments = kernel_moments(TWO, network(new.frames), new.noise, new.classes)
    assert 1 - kernel_loss(moments, second=goal).item() > 0.9
