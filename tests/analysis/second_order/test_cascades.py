"""The second order must explain the first, and each cascade leaves its own marks."""

import json

import numpy as np
import pytest

from tests.analysis.observers.cascades import CASCADES, NONLINEAR, SPOT, cascade_trials
from tests.analysis.observers.linear import Linear, linear_responses, unit
from tests.analysis.thomas2005 import SIGNAL, gabor_trials
from tests.analysis.written_out import first_order_vector
from yoked.analysis.second_order import cascades
from yoked.analysis.second_order.cascades import signature
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


@pytest.mark.parametrize("name", CASCADES)
def test_each_cascade_is_recognised_by_its_marks(name):
    n = 20000 if name in {"linear", "gain control"} else 8000
    found = signature(cascade_trials(name, n, seed=1), 150, 100)
    assert max(found.compatible, key=found.compatible.get) == name
    assert found.compatible[name] > 0.8
    assert len(found.compatible) <= 2
    if name not in {"linear", "gain control"}:
        assert found.verdict == name
        assert "linear" in found.contradicted


def test_too_few_trials_decide_nothing():
    for name in CASCADES:
        found = signature(cascade_trials(name, 200, seed=3), 150, 100)
        assert found.verdict == "undecided"
        assert name in found.compatible
        assert len(found.compatible) >= 3


def test_features_that_would_divide_by_noise_are_missing_and_say_so():
    found = signature(cascade_trials("linear", 500, seed=1), 150, 100)
    missing = found.features["along_kernel_share"]
    assert missing.value is None
    assert "too few trials" in missing.note


def test_yes_no_has_features_and_no_verdict():
    found = signature(cascade_trials("energy", 2000, seed=1, task="yes_no"), 150, 100)
    assert found.verdict == "undecided"
    assert found.compatible == {}
    assert "2AFC only" in found.note
    assert found.features["trace"].value > 1
    assert json.loads(json.dumps(found.to_dict()))["formula"] == found.formula


def test_too_few_bootstrap_samples_are_refused():
    with pytest.raises(ValueError, match="n_bootstrap must be >= 50, got 10"):
        signature(cascade_trials("linear", 100, seed=1), n_bootstrap=10)


def test_every_rule_is_about_a_feature_that_there_is():
    names = {name for rules in cascades.RULES.values() for name in rules}
    assert names <= set(cascades.NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NONLINEAR)
def test_with_very_many_trials_the_kernels_agree_entirely(name):
    trials = cascade_trials(name, 200000, seed=1)
    found = consistency(trials, SPOT, 19, n_bootstrap=20)
    assert found.correlation.value > 0.98


@pytest.mark.slow
@pytest.mark.parametrize("n", [300, 1000, 3000])
def test_the_true_cascade_is_kept_and_a_sure_verdict_is_right(n):
    kept, wrong, total = 0, 0, 0
    for name in CASCADES:
        for seed in range(20):
            found = signature(cascade_trials(name, n, seed=100 + seed), 150, 100)
            kept += name in found.compatible
            wrong += found.verdict not in {"undecided", name}
            total += 1
    assert kept / total >= 0.93
    assert wrong / total <= 0.05
