"""d' over contrasts: known observers, left-out contrasts, tests of the line, errors."""

import math

import numpy as np
import pytest

from tests.analysis.observers import linear as simulated
from yoked.analysis.sensitivity.by_task import criterion, dprime
from yoked.analysis.sensitivity.pooled import dprime_mean, dprime_slope, ln_beta
from yoked.analysis.sensitivity.sdt import interval_bias
from yoked.analysis.trials.counts import four_counts
from yoked.analysis.trials.responses import Responses

LINEAR = simulated.Linear(simulated.unit(np.ones(4)), gamma=1.0)
SD = LINEAR.sd_decision  # d' is the signal strength divided by it
TASKS = [("yes_no", 2), ("2afc", 2), ("mafc", 4)]


def at_strengths(task, m, n, strengths, seed, observer=LINEAR, n_pairs=0):
    """Return responses whose contrast is the signal strength itself."""
    table, _ = simulated.run(observer, task, n, strengths, seed, n_pairs, m)
    number = table["contrast"].to_numpy(int) - 1
    table["contrast"] = np.asarray(strengths)[number]
    return Responses.from_table(table, task, m)


@pytest.mark.parametrize(("task", "m"), TASKS)
def test_the_slope_of_a_linear_observer_is_recovered_and_passes_its_test(task, m):
    made = at_strengths(task, m, 60_000, [0.05, 0.1, 0.2, 0.3], seed=1)
    found = dprime_slope(made)
    assert found.slope.value == pytest.approx(1 / SD, rel=0.02)
    assert found.slope.low < 1 / SD < found.slope.high
    assert (found.df, found.slope.note) == (3, None)
    assert found.p > 0.01


@pytest.mark.parametrize(("task", "m"), TASKS)
def test_the_mean_by_trials_is_the_dprime_of_an_average_trial(task, m):
    made = at_strengths(task, m, 60_000, [0.1, 0.2, 0.3], seed=2)
    mean = dprime_mean(made)
    assert mean.value == pytest.approx(0.2 / SD, abs=0.03)
    assert mean.low < 0.2 / SD < mean.high


def test_a_biased_criterion_leaves_the_slope_alone():
    biased = simulated.Linear(LINEAR.template, criterion=0.15)
    for task in ("yes_no", "2afc"):
        made = at_strengths(task, 2, 40_000, [0.1, 0.2, 0.3], 3, biased)
        slope = dprime_slope(made).slope
        assert slope.value == pytest.approx(1 / SD, rel=0.03)


def test_errors_are_the_spread_of_simulated_sessions_even_of_a_double_pass():
    found = []
    for seed in range(200):
        made = at_strengths("2afc", 2, 600, [0.1, 0.25], seed, n_pairs=300)
        slope, mean = dprime_slope(made).slope, dprime_mean(made)
        found.append([slope.value, slope.se, mean.value, mean.se])
    slope, slope_se, mean, mean_se = np.array(found).T
    assert slope_se.mean() == pytest.approx(slope.std(), rel=0.15)
    assert mean_se.mean() == pytest.approx(mean.std(), rel=0.15)
    assert abs(slope.mean() * SD - 1) < 0.03


def test_the_p_of_a_linear_observer_is_uniform_and_a_transducer_is_rejected():
    p = [
        dprime_slope(at_strengths("yes_no", 2, 800, [0.1, 0.2, 0.3], seed)).p
        for seed in range(200)
    ]
    assert np.mean(np.array(p) < 0.05) < 0.12
    assert np.mean(p) == pytest.approx(0.5, abs=0.1)
    made = at_strengths("yes_no", 2, 6000, [0.05, 0.15, 0.45], seed=4)
    # The same responses, called by contrasts of which the strength is the square.
    bent = Responses.from_table(
        made.table.assign(contrast=np.sqrt(made.contrast)), "yes_no", 2
    )
    found = dprime_slope(bent)
    assert found.p < 0.001
    assert "d' is not proportional to contrast" in found.slope.note


def test_inverse_variance_is_surer_than_trials_where_the_contrasts_are_alike():
    table, _ = simulated.run(LINEAR, "yes_no", 3000, 0.2, seed=5)
    table["contrast"] = np.where(np.arange(3000) < 300, 0.20, 0.21)
    made = Responses.from_table(table, "yes_no", 2)
    by_trials, best = dprime_mean(made), dprime_mean(made, "inverse variance")
    assert best.se <= by_trials.se
    assert best.value == pytest.approx(by_trials.value, abs=0.03)
    assert best.formula == "dprime-mean-inverse-variance/2"


def test_one_contrast_is_the_d_prime_itself_and_has_no_test():
    made = at_strengths("2afc", 2, 2000, [0.2], seed=6)
    weighted = dprime_mean(made, "inverse variance")
    assert weighted.value == pytest.approx(dprime(made).value)
    assert dprime_mean(made).value == pytest.approx(dprime(made).value)
    found = dprime_slope(made)
    assert found.slope.value * 0.2 == pytest.approx(dprime(made).value, abs=2e-3)
    assert (found.p, found.df, found.deviance) == (None, 0, None)


def test_contrasts_without_a_class_are_left_out_and_named():
    made = at_strengths("yes_no", 2, 2000, [0.1, 0.2], seed=7)
    lame = made.where((made.contrast == 0.2) | (made.target == 1))
    mean, slope = dprime_mean(lame), dprime_slope(lame).slope
    at_high = made.where(made.contrast == 0.2)
    assert mean.value == pytest.approx(dprime(at_high).value)
    assert mean.note == "left out at contrast 0.1: a class without trials"
    assert slope.note.startswith("left out at contrast 0.1: all responses alike or")
    none = made.where(made.target == 1)
    assert dprime_mean(none).note.startswith("no counted trial has target 0")
    assert dprime_slope(none).slope.value is None


def test_an_observer_that_never_errs_has_no_slope():
    made = at_strengths("2afc", 2, 200, [2.0, 3.0], seed=8)
    assert made.correct.all()
    assert dprime_slope(made).slope.note.startswith("every response was correct")
    without = made.table.assign(contrast=0.0)
    flat = dprime_slope(Responses.from_table(without, "2afc", 2)).slope
    assert flat.note == "no trial with a signal counts"
    four = at_strengths("mafc", 4, 200, [2.0, 3.0], seed=8)
    assert dprime_slope(four).slope.note.startswith("every response was correct")


def test_ln_beta_is_criterion_times_dprime_in_either_task():
    biased = simulated.Linear(LINEAR.template, criterion=0.15)
    made = at_strengths("yes_no", 2, 3000, [0.2], 9, biased)
    assert ln_beta(made).value == pytest.approx(
        criterion(made).value * dprime(made).value
    )
    pair = at_strengths("2afc", 2, 3000, [0.2], 9, biased)
    bias = interval_bias(*four_counts(pair)).value
    expected = bias * math.sqrt(2) * dprime(pair).value
    assert ln_beta(pair).value == pytest.approx(expected)
    assert ln_beta(pair).formula == "ln-beta-2afc-loglinear/2"
    four = at_strengths("mafc", 4, 400, [0.2], 9)
    assert "alternatives must be two" in ln_beta(four).note


def test_a_slope_is_json_and_unknown_weights_get_a_clear_sentence():
    made = at_strengths("2afc", 2, 400, [0.1, 0.2], seed=10)
    assert dprime_slope(made).to_dict()["contrast"] == [0.1, 0.2]
    with pytest.raises(ValueError, match="weights must be one of trials, inverse"):
        dprime_mean(made, "equal")
