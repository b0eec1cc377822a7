"""A cross-validated template: a linear observer's, beside its own agreement."""

import numpy as np
import pytest

from tests.analysis.observers.linear import Linear, session, unit
from tests.analysis.observers.linear import run as observed
from yoked.analysis.kernels.fitted import fitted_kernel
from yoked.analysis.sessions.template_agreement import template_agreement
from yoked.analysis.trials.held import Held


def of(gamma, seed=1, n_trials=2000, n_pairs=600):
    linear = Linear(unit(np.array([0.0, 1.0, 2.0, 1.0, 0.0])), gamma=gamma)
    table, noise = observed(linear, "2afc", n_trials, 0.1, seed=seed, n_pairs=n_pairs)
    held = Held.of(session(table, noise))
    kernel = fitted_kernel(held, prior="ridge")
    return template_agreement(held.design, held.responses, kernel)


def test_without_internal_noise_the_template_is_the_observer():
    found = of(gamma=0.0)
    assert found.all_trials.value > 0.95
    assert found.own.value == found.best == 1


def test_with_internal_noise_it_agrees_as_often_as_the_best_model_can():
    # Of a linear observer at gamma 1 and chance: 1/2 + asin(sqrt(1/2)) / pi = .75.
    found = of(gamma=1.0, n_trials=4000, n_pairs=1000)
    assert found.own.value < found.all_trials.value <= found.best + 0.02
    assert found.double_pass.n == 2000
    assert found.double_pass.low < found.all_trials.value < found.double_pass.high
    assert found.all_trials.value == pytest.approx(0.77, abs=0.04)


def test_responses_that_owe_nothing_to_the_noise_are_foretold_by_the_class_alone():
    found = of(gamma=30.0)
    assert found.all_trials.value < 0.6


def test_without_a_double_pass_there_is_no_best():
    found = of(gamma=1.0, n_pairs=0, n_trials=400)
    assert found.best is None
    assert "shown and answered twice" in found.double_pass.note
