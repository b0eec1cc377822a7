"""Attacks: closed forms of linear observers, enough steps, noise, masked gradients."""

import math
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from tests.models.robustness.eyes import (
    LinearEye,
    NoisyEye,
    StairEye,
    small_network,
)
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Task
from yoked.models.networks.retina_cnn import RetinaCNN
from yoked.models.robustness.ascent import NO_FOOLBOX, Ascent, ascend
from yoked.models.robustness.attacks import attacked
from yoked.models.robustness.shown import Shown
from yoked.models.training.practice import TrainingPlan

TASK = load_protocol("bar-in-noise")
N = 400


@pytest.fixture(scope="module", autouse=True)
def _weights(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOKED_CACHE", str(tmp_path_factory.mktemp("weights")))
        yield


@cache
def linear(protocol="bar-in-noise"):
    return Shown(load_protocol(protocol), LinearEye(), N, 0.3)


def right(shown, eps, how, showings=1):
    return shown.correct(attacked(shown, eps, how), showings)[:, 0]


def clean_margins(shown):
    """Give by how much each clean trial is decided rightly, computed apart."""
    rows = np.arange(shown.n_trials)
    scores = (shown.clean * shown.observer.weights).sum((2, 3, 4)).numpy()
    targets = shown.targets
    return scores[rows, targets] - scores[rows, 1 - targets]


# A trial's two alternatives both change: the margin falls by twice the L1 norm of the
# weights, or by the L2 norm of the weights of both.
LOSSES = {
    "linf": lambda w, eps: 2 * eps * float(w.abs().sum()),
    "l2": lambda w, eps: eps * math.sqrt(2) * float(w.norm()),
}


@pytest.mark.parametrize(
    ("norm_", "eps"), [("linf", 0.03), ("linf", 0.06), ("l2", 1), ("l2", 4)]
)
def test_a_linear_observer_is_wrong_wherever_the_closed_form_says(norm_, eps):
    shown = linear()
    left = clean_margins(shown) - LOSSES[norm_](shown.observer.weights, eps)
    found = right(shown, eps, Ascent(norm_, steps=8))
    sure = np.abs(left) > 1e-3 * LOSSES[norm_](shown.observer.weights, eps)
    assert sure.mean() > 0.98
    np.testing.assert_array_equal(found[sure], left[sure] > 0)


def test_accuracy_under_attack_is_that_of_the_shifted_gaussian():
    """Bars have noise of SD .1: Phi of the mean margin less its loss, over its SD."""
    shown, eps = linear(), 0.05
    bars = shown.observer.weights.numpy().reshape(52, 13, 4).sum((0, 2))
    mean = 0.3 * bars[6] - LOSSES["linf"](shown.observer.weights, eps)
    expected = norm.cdf(mean / (0.1 * math.sqrt(2) * np.linalg.norm(bars)))
    found = right(shown, eps, Ascent("linf", steps=8)).mean()
    assert 0.2 < expected < 0.9
    assert abs(found - expected) < 3 * math.sqrt(expected * (1 - expected) / N)


def test_yes_no_is_attacked_across_the_criterion():
    shown = Shown(load_protocol("bar-polarity"), LinearEye(), N, 0.3)
    scores = (shown.clean * shown.observer.weights).sum((2, 3, 4)).numpy()[:, 0]
    (criterion,) = shown._decision.criteria
    away = np.where(shown.targets == 1, scores - criterion, criterion - scores)
    left = away - 0.1 * float(shown.observer.weights.abs().sum())
    sure = np.abs(left) > 1e-4
    found = right(shown, 0.1, Ascent("linf", steps=8))
    np.testing.assert_array_equal(found[sure], left[sure] > 0)
    assert 0.05 < found.mean() < 0.9


def test_of_four_alternatives_the_best_other_is_raised():
    plain = TASK.with_options(contrast=0.3)  # without QUEST+, which is for two
    four = replace(plain, task=Task("mafc", ("1", "2", "3", "4")))
    shown, eps = Shown(four, LinearEye(), N, 0.3), 0.05
    scores = (shown.clean * shown.observer.weights).sum((2, 3, 4)).numpy()
    right_one = np.eye(4, dtype=bool)[shown.targets]
    best_other = np.where(right_one, -np.inf, scores).max(1)
    left = scores[right_one] - best_other
    left -= 2 * eps * float(shown.observer.weights.abs().sum())
    found = right(shown, eps, Ascent("linf", steps=16))
    sure = np.abs(left) > 1e-4
    np.testing.assert_array_equal(found[sure], left[sure] > 0)
    assert 0.05 < found.mean() < 0.9


def test_a_rating_is_attacked_across_its_middle():
    polarity = load_protocol("bar-polarity")
    rated = replace(polarity, task=Task("rating", ("1", "2", "3", "4")))
    shown = Shown(rated, LinearEye(), 100, 0.3)
    assert shown.correct(shown.clean).mean() > 0.9
    assert right(shown, 0.4, Ascent("linf", steps=8)).mean() < 0.1


def test_internal_noise_at_the_decision_is_drawn_anew_at_each_showing():
    shown = Shown(TASK, LinearEye(), 100, 0.2, internal_noise=1.0)
    found = shown.correct(shown.clean, 4)
    assert shown.has_noise
    assert (found[:, :1] != found).any()


@given(
    norm_=st.sampled_from(["linf", "l2"]),
    eps=st.floats(1e-3, 3),
    steps=st.integers(1, 5),
    seed=st.integers(0, 100),
)
@settings(max_examples=30)
def test_a_change_stays_within_eps_and_the_stimulus_within_its_contrast(
    norm_, eps, steps, seed
):
    generator = torch.Generator().manual_seed(seed)
    start = 2 * torch.rand(4, 2, 1, 3, 5, generator=generator) - 1
    place = torch.randn(2, 1, 3, 5, generator=generator)
    changed = ascend(
        lambda x: ((x - place) ** 2).sum((1, 2, 3, 4)), start, eps, Ascent(norm_, steps)
    )
    change = (changed - start).flatten(1)
    size = change.abs().amax(1) if norm_ == "linf" else change.norm(dim=1)
    assert float(size.max()) <= eps * (1 + 1e-5) + 1e-6
    assert -1 <= float(changed.min()) <= float(changed.max()) <= 1


def test_an_eps_of_0_changes_nothing():
    shown = linear()
    assert torch.equal(attacked(shown, 0.0, Ascent()), shown.clean)


def test_a_longer_attack_on_a_trained_cnn_is_no_weaker():
    network = RetinaCNN(plan=TrainingPlan(n_steps=40))
    shown = Shown(TASK, network, 100, 0.3)
    clean = shown.correct(shown.clean).mean()
    few, many = (right(shown, 0.04, Ascent("linf", n)).mean() for n in (16, 64))
    assert few < clean - 0.1
    assert many <= few + 0.02


def test_a_longer_attack_on_a_noisy_cnn_is_no_weaker():
    shown = Shown(TASK, small_network(noise=0.5), 64, 0.3)
    assert shown.has_noise
    clean = shown.correct(shown.clean, 4).mean()
    few, many = (
        shown.correct(attacked(shown, 0.05, Ascent("linf", n, 2)), 4).mean()
        for n in (16, 64)
    )
    assert few < clean - 0.1
    assert many <= few + 0.03


def test_gradients_over_16_draws_hurt_a_noisy_network_more_than_over_one():
    shown = Shown(TASK, NoisyEye(), N, 0.3)
    one, many = (
        shown.correct(attacked(shown, 5, Ascent("l2", 4, n, False)), 8) for n in (1, 16)
    )
    apart = one.mean(1) - many.mean(1)
    assert apart.mean() > 0.05
    assert apart.mean() > 4 * apart.std() / math.sqrt(N)


def test_noise_of_the_attack_is_new_at_every_draw_and_not_that_of_the_showing():
    shown = Shown(TASK, NoisyEye(), 8, 0.3)
    seen = []
    scores = shown.observer.scores

    def spied(contrast):
        found = scores(contrast)
        seen.append(found.detach().clone())
        return found

    shown.observer.scores = spied
    changed = attacked(shown, 1e-9, Ascent("linf", 3, 4))
    shown.correct(changed, 2)
    assert len(seen) == 3 * 4 + 2
    for k, one in enumerate(seen):
        assert not any(torch.equal(one, other) for other in seen[:k])


def test_attacks_repeat_exactly_and_leave_the_global_generators_alone():
    shown = Shown(TASK, NoisyEye(), 40, 0.3)
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    one, again = (attacked(shown, 0.05, Ascent("linf", 3, 2)) for _ in range(2))
    assert torch.equal(one, again)
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)


def test_a_masked_gradient_looks_robust_and_is_found_out_by_its_twin():
    masked, twin = Shown(TASK, StairEye(), 200, 0.3), Shown(TASK, LinearEye(), 200, 0.3)
    how, eps = Ascent("linf", 8), 0.1
    clean = masked.correct(masked.clean).mean()
    own = right(masked, eps, how).mean()
    moved = masked.correct(attacked(twin, eps, how)).mean()
    assert own > clean - 0.05
    assert moved < own - 0.4
    assert moved == pytest.approx(right(twin, eps, how).mean(), abs=0.02)


def test_what_cannot_be_attacked_is_said():
    class Blind(LinearEye):
        name = "blind"
        scores = None

        def decide(self, frames, noise):
            return frames.mean(axis=(2, 3, 4)).astype(float)

    shown = Shown(TASK, Blind(), 10, 0.3)
    with pytest.raises(ValueError, match="blind must have scores"):
        attacked(shown, 0.1, Ascent())
    with pytest.raises(ValueError, match="norm must be one of linf, l2, got 'l1'"):
        Ascent("l1")
    with pytest.raises(ValueError, match="steps must be 1 or more, got 0"):
        Ascent(steps=0)
    with pytest.raises(ValueError, match="eps must be 0 or more, got -1"):
        attacked(linear(), -1.0, Ascent())
    with pytest.raises(ValueError, match="trials must be 1 or more, got 0"):
        Shown(TASK, LinearEye(), 0)
    with pytest.raises(ValueError, match=r"seed must be in \[0, 2\^20\), got -1"):
        Shown(TASK, LinearEye(), seed=-1)


def test_without_foolbox_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "foolbox", None)
    with pytest.raises(ModuleNotFoundError) as error:
        attacked(linear(), 0.1, Ascent())
    assert str(error.value) == NO_FOOLBOX
