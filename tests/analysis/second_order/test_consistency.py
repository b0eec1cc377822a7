"""The second order must explain the first: consistency of the two kernels."""

import json

import numpy as np
import pytest

from tests.analysis.observers.cascades import CASCADES, NONLINEAR, SPOT, cascade_trials
from tests.analysis.observers.linear import Linear, linear_responses, unit
from tests.analysis.thomas2005 import SIGNAL, gabor_trials
from tests.analysis.written_out import first_order_vector
from yoked.analysis.second_order.consistency import consistency, half_scale
from yoked.analysis.second_order.replicates import observed
from yoked.analysis.trials.design import TrialDesign


def biased_yes_no(n, seed, criterion=0.2):
    observer = Linear(unit([0, 1, 2, 1, 0, 0]), criterion=criterion)
    responses, source = linear_responses(observer, "yes_no", n, 0.1, seed)
    return TrialDesign.of(responses, source)


@pytest.mark.parametrize("name", CASCADES)
def test_each_simulated_cascade_is_three_quarters_correct(name):
    trials = cascade_trials(name, 20000, seed=1)
    correct = np.mean(trials.response == (trials.target == 1))
    assert correct == pytest.approx(0.75, abs=0.012)


@pytest.mark.parametrize("name", NONLINEAR)
def test_the_target_drags_the_gradient_through_the_hessian(name):
    trials = cascade_trials(name, 20000, seed=1)
    found = consistency(trials, SPOT, 39, seed=1, n_bootstrap=50)
    assert found.correlation.value > (0.85 if name == "gain control" else 0.95)
    assert found.p == 1 / 40
    assert found.correlation.low > found.null_high


def test_a_linear_observer_has_kernels_that_agree_by_chance_only():
    found = consistency(cascade_trials("linear", 8000, seed=1), SPOT, 99)
    assert abs(found.correlation.value) < found.null_high
    assert found.p > 0.05


def test_the_human_gabor_observer_is_consistent(shared_data):
    trials = gabor_trials(shared_data("gabor/Gabor.rda"))
    found = consistency(trials, SIGNAL, n_permutations=999)
    assert found.correlation.value == pytest.approx(0.781, abs=0.01)
    assert found.p <= 0.005
    assert found.null_high == pytest.approx(0.36, abs=0.03)
    assert 0.5 < found.correlation.low < 0.75


def test_the_gabor_kernels_have_the_correlations_with_the_signal_that_are_known(
    shared_data,
):
    trials = gabor_trials(shared_data("gabor/Gabor.rda"))
    of_sum = np.corrcoef(first_order_vector(trials), SIGNAL)[0, 1]
    assert of_sum == pytest.approx(0.8176, abs=1e-4)


def test_a_biased_linear_observer_in_yes_no_is_not_called_nonlinear():
    signal = np.array([0.0, 1, 2, 1, 0, 0])
    p = [consistency(biased_yes_no(1500, seed), signal, 39).p for seed in range(30)]
    assert np.mean(np.array(p) <= 0.05) <= 0.17


def test_the_halves_of_a_biased_linear_observer_are_made_equal():
    trials = biased_yes_no(40000, 1)
    halves = observed(trials).halves[0]
    ratio = np.linalg.norm(halves[0]) / np.linalg.norm(halves[1])
    scale = half_scale(trials)
    assert abs(ratio - 1) > 0.1
    assert ratio * scale[0] / scale[1] == pytest.approx(1, abs=0.04)


def test_the_signal_may_have_any_scale():
    trials = cascade_trials("LN", 1000, seed=1)
    once, ten = (consistency(trials, s * SPOT, 19) for s in (1, 10))
    assert once.correlation.value == pytest.approx(ten.correlation.value)
    assert json.loads(json.dumps(once.to_dict()))["p"] == once.p


@pytest.mark.parametrize(
    ("signal", "match"),
    [
        (np.zeros(12), "signal must be known, and not nought everywhere"),
        (np.full(12, np.nan), "signal must be finite"),
        (np.ones(5), "one value for each of the 12 elements .*, got 5"),
    ],
)
def test_a_signal_that_cannot_drag_anything_is_refused(signal, match):
    with pytest.raises(ValueError, match=match):
        consistency(cascade_trials("LN", 100, seed=1), signal)


@pytest.mark.slow
@pytest.mark.parametrize("name", NONLINEAR)
def test_with_very_many_trials_the_kernels_agree_entirely(name):
    trials = cascade_trials(name, 200000, seed=1)
    found = consistency(trials, SPOT, 19, n_bootstrap=20)
    assert found.correlation.value > 0.98
