"""The default kernel: known observers recovered better than by the weighted sum."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_ndtr

from tests.analysis.observers.designs import (
    cosine,
    gabor_template,
    linear_design,
    reshaped,
    yes_no_design,
)
from tests.analysis.observers.linear import Linear, linear_responses, run, session, unit
from tests.analysis.written_out import first_order_vector
from yoked.analysis.kernels.fitted import fitted_kernel
from yoked.analysis.kernels.information import (
    bound_snr,
    share_of_bound,
    weighted_sum_efficiency,
)
from yoked.analysis.trials.design import TrialDesign

TEMPLATE = unit(np.exp(-((np.arange(20) - 9.5) ** 2) / 8) * np.cos(np.arange(20)))
TASKS = ("yes_no", "2afc")


def linear(gamma, template=TEMPLATE):
    return Linear(unit(template), gamma=gamma)


def snr(cosines, p):
    """Return the signal-to-noise ratio of kernels with these cosines."""
    squares = np.mean(np.square(cosines))
    return (p - 1) * squares / (1 - squares)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("gamma", [0.0, 0.25, 1.0])
def test_it_is_better_than_the_weighted_sum_by_what_the_table_says(task, gamma):
    fitted, summed = [], []
    for seed in range(4):
        trials = linear_design(linear(gamma), task, 1500, seed)
        kernel = fitted_kernel(trials, "ridge", n_folds=3).kernel
        fitted.append(cosine(kernel, TEMPLATE))
        summed.append(cosine(first_order_vector(trials), TEMPLATE))
    gain = snr(fitted, 20) / snr(summed, 20)
    # .228 of the bound at gamma .25, .684 at 1; next to nothing at 0.
    least = {0.0: 8.0, 0.25: 2.5, 1.0: 1.15}[gamma]
    most = {0.0: math.inf, 0.25: 7.0, 1.0: 2.1}[gamma]
    assert least < gain < most
    if gamma:
        assert least < 1 / weighted_sum_efficiency(0.75, gamma) < most


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.35])
def test_squares_add_up_to_the_linear_share(task, gamma):
    trials = linear_design(linear(gamma), task, 6000, seed=1)
    kernel = fitted_kernel(trials, "ridge", n_folds=3)
    share = float((kernel.kernel**2).sum())
    assert share == pytest.approx(1 / (1 + gamma**2), abs=0.05)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("prior", ["ridge", "smooth", "sparse"])
def test_both_halves_of_a_linear_observer_are_the_kernel(task, prior):
    fitted = fitted_kernel(linear_design(linear(0.7), task, 4000, 2), prior, n_folds=4)
    expected = TEMPLATE / math.sqrt(1 + 0.7**2)
    for name, most in (("kernel", 0.06), ("target_half", 0.1), ("nontarget_half", 0.1)):
        field = getattr(fitted, name)
        assert field.shape == (1, 1, 20)
        np.testing.assert_allclose(field.ravel(), expected, atol=most)


def test_halves_differ_where_the_observer_only_uses_one():
    rng = np.random.default_rng(3)
    noise, target = rng.normal(size=(3000, 8)), np.arange(3000) % 2
    seen = 1.5 * target * noise[:, 3] + rng.normal(size=3000) + target - 0.5
    fitted = fitted_kernel(yes_no_design(noise, seen > 0, target), "ridge")
    halves = fitted.unshrunken.halves
    assert halves.p < 1e-6
    assert halves.p_largest == 1 / 500
    assert halves.amplitude.low > 1
    # In the decision SDs of its own class the used half is 1.5 / sqrt(1 + 1.5^2).
    assert fitted.target_half[0, 0, 3] == pytest.approx(0.832, abs=0.1)


def test_auto_takes_the_prior_that_fits_the_template():
    gabor, bar, one = gabor_template(), np.zeros((9, 9)), np.eye(13)[6]
    bar[4, 4] = 1
    trials = linear_design(linear(1.0, gabor), "2afc", 1000, 4, shape=(1, 16, 16))
    smooth = fitted_kernel(trials, n_folds=4)
    assert smooth.prior == "smooth"
    assert (
        cosine(smooth.kernel, gabor) > cosine(first_order_vector(trials), gabor) + 0.1
    )
    trials = linear_design(linear(1.0, bar.ravel()), "2afc", 800, 5, shape=(9, 1, 9))
    assert fitted_kernel(trials, n_folds=4).prior == "sparse"
    trials = linear_design(linear(1.0, one), "yes_no", 600, 6)
    assert cosine(fitted_kernel(trials, n_folds=4).kernel, one) > 0.97


def test_the_fit_follows_the_template_where_correlated_noise_misleads_the_sum():
    rng = np.random.default_rng(7)
    mix = np.linalg.cholesky(0.8 ** np.abs(np.subtract.outer(range(12), range(12))))
    template, target = np.eye(12)[5], np.arange(8000) % 2
    noise = rng.normal(size=(8000, 12)) @ mix.T
    yes = noise @ template + rng.normal(size=8000) + target - 0.5 > 0
    trials = yes_no_design(noise, yes, target)
    fitted = fitted_kernel(trials, "ridge", n_folds=4)
    assert cosine(first_order_vector(trials), template) < 0.7
    assert cosine(fitted.kernel, template) > 0.98
    # An element of SD 1 makes half of the decision variance.
    assert fitted.kernel[0, 0, 5] == pytest.approx(math.sqrt(0.5), abs=0.05)
    assert "white" in fitted.efficiency.note


def test_binary_noise_is_as_good_as_gaussian():
    rng = np.random.default_rng(8)
    noise, target = rng.choice([-1.0, 1.0], (4000, 20)), np.arange(4000) % 2
    seen = noise @ TEMPLATE + rng.normal(size=4000) + 1.4 * (target - 0.5)
    fitted = fitted_kernel(yes_no_design(noise, seen > 0, target), n_folds=4)
    assert cosine(fitted.kernel, TEMPLATE) > 0.98


def test_the_gain_is_that_of_the_true_kernel_or_a_little_less():
    trials = linear_design(linear(1.0), "2afc", 6000, seed=9)
    gain = fitted_kernel(trials, "ridge", n_folds=5).log_likelihood_gain
    # With the true kernel, over the rates alone.
    scaled = math.sqrt(0.5) * TEMPLATE / (math.sqrt(2) * 0.1)
    known = math.sqrt(2) * trials.noise @ scaled
    z = 0.6745 * np.where(trials.target == 1, 1, -1)
    sign = np.where(trials.response, 1, -1)
    best = log_ndtr(sign * (math.sqrt(2) * z + known)) - log_ndtr(sign * z)
    expected = float(best.mean()) / math.log(2)
    assert gain.low < expected < gain.high + 0.01
    assert 0 < gain.se < 0.01


def test_the_gain_of_an_observer_that_ignores_the_noise_is_nothing():
    rng = np.random.default_rng(10)
    noise, target = rng.normal(size=(600, 20)), np.arange(600) % 2
    yes = rng.random(600) < 0.3 + 0.4 * target
    fitted = fitted_kernel(yes_no_design(noise, yes, target), n_folds=5)
    assert fitted.log_likelihood_gain.value < 0.01
    assert "no better than without" in fitted.note
    assert fitted.efficiency.value is None


@pytest.mark.parametrize("gamma", [0.5, 1.35])
def test_the_efficiency_is_that_of_repeated_sessions(gamma):
    template = unit(np.random.default_rng(1).normal(size=60))
    claimed, cosines = [], []
    for seed in range(6):
        trials = linear_design(linear(gamma, template), "2afc", 1500, seed)
        fitted = fitted_kernel(trials, "ridge", n_folds=3)
        assert fitted.efficiency.low < fitted.efficiency.value < fitted.efficiency.high
        claimed.append(fitted.efficiency.value)
        cosines.append(cosine(fitted.kernel, template))
        summed = float(fitted.efficiency.note.split()[-1])
        expected = weighted_sum_efficiency(0.75, gamma)
        assert summed == pytest.approx(expected, abs=0.15)
    # The bound of 1500 trials at this gamma, from the definition of efficiency.
    reached = snr(cosines, 60) / bound_snr(1500, 0.75, gamma)
    assert np.mean(claimed) == pytest.approx(reached, rel=0.2)
    assert 0.6 < reached < 1.1


def test_a_kernel_of_nothing_has_no_efficiency():
    trials = linear_design(linear(1.0), "2afc", 300, seed=1)
    none = np.zeros(20)
    assert "no standard errors" in share_of_bound(trials, none, none).note


def test_pairs_of_a_double_pass_never_part():
    trials = linear_design(linear(0.3), "2afc", 900, seed=11, n_pairs=300)
    gain = fitted_kernel(trials, "ridge", n_folds=5).log_likelihood_gain
    as_if_alone = TrialDesign(**{**vars(trials), "cluster": np.arange(900)})
    leaked = fitted_kernel(as_if_alone, "ridge", n_folds=5).log_likelihood_gain
    assert gain.se > leaked.se


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_gives_the_same_kernel_and_swapped_responses_its_negative(seed):
    trials = linear_design(linear(1.0, [1, 2, 0, 1]), "2afc", 200, seed)
    one, again = (fitted_kernel(trials, "ridge", seed=3, n_folds=3) for _ in range(2))
    np.testing.assert_array_equal(one.kernel, again.kernel)
    swapped = fitted_kernel(
        replace(trials, response=~trials.response), "ridge", seed=3, n_folds=3
    )
    np.testing.assert_allclose(swapped.kernel, -one.kernel, atol=1e-3)


def test_a_session_gives_its_kernel_in_the_shape_of_its_noise():
    table, source = run(linear(1.0, np.eye(13)[6]), "2afc", 400, 0.13, seed=12)
    made = session(table, source)
    fitted = fitted_kernel(made, prior="ridge")
    assert fitted.kernel.shape == (1, 1, 13)
    assert int(fitted.kernel.argmax()) == 6
    assert (fitted.order, fitted.n_trials) == (1, 400)
    shown = json.loads(json.dumps(fitted.to_dict()))
    assert shown["prior"] == "ridge"
    assert set(shown["log_likelihood_gain"]) >= {"value", "se", "formula"}


def test_contrasts_have_their_own_rates():
    observer = linear(1.0)
    responses, source = linear_responses(observer, "2afc", 4000, [0.03, 0.35], seed=13)
    fitted = fitted_kernel(TrialDesign.of(responses, source), "ridge", n_folds=4)
    assert cosine(fitted.kernel, TEMPLATE) > 0.98


def test_space_and_time_keep_their_axes():
    template = np.zeros((4, 3, 5))
    template[1, 2, 3] = 1
    made = linear_design(linear(0.5, template.ravel()), "2afc", 600, 14)
    fitted = fitted_kernel(reshaped(made, (4, 3, 5)), "smooth", n_folds=4)
    assert np.unravel_index(fitted.kernel.argmax(), (4, 3, 5)) == (1, 2, 3)


def test_impossible_fits_are_refused():
    trials = linear_design(linear(1.0), "2afc", 40, seed=1)
    with pytest.raises(ValueError, match=r"prior must be one of .*, got 'lasso'"):
        fitted_kernel(trials, "lasso")
    with pytest.raises(ValueError, match="noise fields must be 60 or more"):
        fitted_kernel(trials, n_folds=30)
    with pytest.raises(ValueError, match="responses must be given in both kinds"):
        fitted_kernel(replace(trials, response=np.ones(40, bool)))
