"""The probit model of single responses: known observers, public data and limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_ndtr
from scipy.stats import chi2, kstest

from tests.analysis.observers.designs import cosine, linear_design, yes_no_design
from tests.analysis.observers.linear import Linear, unit
from tests.analysis.probit.classic import (
    fit_probit,
    probit_vector,
    ridge_vector,
)
from tests.analysis.written_out import first_order_vector
from yoked.analysis.probit.likelihood_ratio import likelihood_ratio_tests
from yoked.analysis.probit.newton import BinaryResponses, Coordinates, fit, slopes
from yoked.analysis.probit.trials import standardised
from yoked.experiments.imports.thomas2005 import gabor_signal, read_gabor

TEMPLATE = unit([0, 1, 2, -1, 0, 0.5])
TASKS = ("yes_no", "2afc")


def by_gamma(gamma):
    return Linear(TEMPLATE, gamma=gamma)


@pytest.fixture(scope="module")
def gabor(shared_data):
    pytest.importorskip("rdata")
    data = read_gabor(shared_data("gabor/Gabor.rda"))
    target = np.asarray(data.target, np.int64)
    yes = np.asarray(data.response) == 1
    return yes_no_design(data.noise, yes, target, (32, 1, 1))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("gamma", [0.25, 1.0])
@pytest.mark.parametrize("vector", [probit_vector, ridge_vector])
def test_a_kernel_is_the_template_by_the_root_of_the_linear_share(task, gamma, vector):
    trials = linear_design(by_gamma(gamma), task, 20_000, seed=1)
    expected = TEMPLATE / np.sqrt(1 + gamma**2)
    np.testing.assert_allclose(vector(trials, 1.0), expected, atol=0.03)


@pytest.mark.parametrize("task", TASKS)
def test_beta_is_the_template_in_units_of_the_internal_noise(task):
    observer = by_gamma(1.0)
    fitted = fit_probit(linear_design(observer, task, 20_000, seed=2))
    # Two intervals bring their internal noise twice.
    internal = observer.sd * (np.sqrt(2) if task == "2afc" else 1)
    error = (fitted.beta - TEMPLATE / internal) / fitted.se
    assert np.abs(error).max() < 3.5


def test_standard_errors_are_the_spread_over_sessions():
    fits = [
        fit_probit(linear_design(by_gamma(1.0), "yes_no", 400, seed))
        for seed in range(100)
    ]
    spread = np.std([one.beta for one in fits], axis=0)
    claimed = np.mean([one.se for one in fits], axis=0)
    np.testing.assert_allclose(claimed, spread, rtol=0.25)


def test_standard_errors_know_of_noise_that_was_shown_twice():
    once = linear_design(by_gamma(0.3), "yes_no", 2000, seed=3)
    rows = np.tile(np.arange(2000), 2)
    twice = once.where(rows)
    one, two = (fit_probit(design, penalty=1e-6).se for design in (once, twice))
    np.testing.assert_allclose(two, one, rtol=0.02)


def test_the_public_human_data_have_the_published_likelihood_ratios(gabor):
    tests = likelihood_ratio_tests(gabor)
    found = [tests.linear, tests.halves, tests.quadratic]
    assert [test.df for test in found] == [32, 32, 32]
    statistics = [round(test.statistic, 2) for test in found]
    assert statistics == [242.24, 240.48, 177.24]
    p = [chi2.sf(test.statistic, 32) for test in found]
    assert p == pytest.approx([4e-34, 8e-34, 5e-22], rel=0.05)
    assert all(1 < test.small_sample < 1.1 for test in found)
    assert max(test.p for test in found) < 1e-18
    assert tests.to_dict()["linear"]["df"] == 32


def test_the_public_human_data_have_the_published_correlations(gabor):
    halves = []
    for target in (1, 0):
        rows = gabor.target == target
        yes, noise = gabor.response[rows], gabor.noise[rows]
        halves.append(noise[yes].mean(0) - noise[~yes].mean(0))
    images = (*halves, halves[0] + halves[1])
    found = [np.corrcoef(image, gabor_signal())[0, 1] for image in images]
    assert found == pytest.approx([0.9005, -0.0577, 0.8176], abs=5e-5)


def null_p(task, n, template, n_sessions, n_simulated):
    """Return p of equal halves and of no squares, for a linear observer."""
    found = []
    for seed in range(n_sessions):
        trials = linear_design(Linear(unit(template), gamma=1.0), task, n, seed)
        tests = likelihood_ratio_tests(trials, n_simulated=n_simulated)
        found.append((tests.halves.p, tests.quadratic.p))
    return np.array(found).T


@pytest.mark.parametrize("task", TASKS)
def test_likelihood_ratios_of_a_linear_observer_have_uniform_p(task):
    for p in null_p(task, 400, [1, 2, 1], n_sessions=20, n_simulated=4):
        assert kstest(p, "uniform").pvalue > 0.01


def test_repeats_without_a_kernel_do_not_make_one():
    p = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        field = np.concatenate([np.arange(300), np.arange(300)])
        noise, target = rng.normal(size=(300, 5))[field], field % 2
        yes = rng.random(300)[field] + 0.1 * rng.random(600) < 0.6
        trials = yes_no_design(noise, yes, target, cluster=field)
        test = likelihood_ratio_tests(trials, n_simulated=0).linear
        assert test.design_effect > 1.5
        p.append(test.p)
    assert np.mean(np.array(p) < 0.05) < 0.1


@pytest.mark.parametrize("vector", [probit_vector, ridge_vector])
def test_correlated_noise_does_not_bias_the_fit(vector):
    rng = np.random.default_rng(4)
    mix = np.linalg.cholesky(0.8 ** np.abs(np.subtract.outer(range(9), range(9))))
    template, target = np.eye(9)[4], np.arange(20_000) % 2
    noise = rng.normal(size=(20_000, 9)) @ mix.T
    yes = noise @ template + rng.normal(size=20_000) + target - 0.5 > 0
    trials = yes_no_design(noise, yes, target)
    assert cosine(first_order_vector(trials), template) < 0.7
    assert cosine(vector(trials, 1.0), template) > 0.99


def test_the_fit_is_the_maximum_that_a_general_search_finds():
    trials = linear_design(by_gamma(1.0), "yes_no", 300, seed=5)
    x, scale = standardised(trials.noise, trials.cell)

    def loss(v):
        eta = v[trials.cell] + x @ v[2:]
        fits = log_ndtr(np.where(trials.response, eta, -eta)).sum()
        return 3.0 * v[2:] @ v[2:] / 2 + 0.01 * v[:2] @ v[:2] / 2 - fits

    found = minimize(loss, np.zeros(8), method="BFGS", options={"gtol": 1e-7})
    beta = fit_probit(trials, penalty=3.0).beta * scale
    np.testing.assert_allclose(beta, found.x[2:], atol=1e-5)


def test_the_dual_form_gives_the_primal_fit():
    rng = np.random.default_rng(6)
    x, target = rng.normal(size=(60, 100)), np.arange(60) % 2
    yes = x[:, 0] + rng.normal(size=60) > 0
    responses = BinaryResponses(yes, target, np.ones(60))
    turned, plain = (Coordinates.of(x, turned=turned) for turned in (True, False))
    assert turned.x.shape[1] <= 60
    betas = [
        axes.back @ fit(axes, responses, 5.0, tolerance=1e-12).theta
        for axes in (turned, plain)
    ]
    np.testing.assert_allclose(*betas, atol=1e-6)
    trials = yes_no_design(x, yes, target)
    wide, narrow = ridge_vector(trials, 5.0), probit_vector(trials, 5.0)
    assert cosine(wide, narrow) > 0.95


@pytest.mark.parametrize("signed", [-1e4, -40.0, 0.0, 8.0, 40.0])
def test_derivatives_are_finite_far_out(signed):
    slope, curvature = slopes(np.array([signed]), np.array([True]))
    assert np.isfinite(slope[0])
    assert 0 <= curvature[0] <= 1
    if signed < -100:
        assert slope[0] == pytest.approx(-signed, rel=1e-6)


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 1e3])
def test_an_observer_without_internal_noise_is_fitted_under_a_penalty(penalty):
    trials = linear_design(by_gamma(0.0), "2afc", 800, seed=7)
    kernel = probit_vector(trials, penalty)
    assert np.all(np.isfinite(kernel))
    assert kernel @ kernel < 1.1
    assert cosine(kernel, TEMPLATE) > 0.98


def test_an_observer_without_internal_noise_has_no_fit_without_a_penalty():
    trials = linear_design(by_gamma(0.0), "2afc", 400, seed=8)
    with pytest.raises(ValueError, match=r"responses must not be separable .* got 400"):
        fit_probit(trials)


def test_a_class_with_one_response_does_not_spoil_the_fit():
    trials = linear_design(by_gamma(1.0), "yes_no", 2000, seed=9)
    easy = np.arange(2000) < 200
    cell, yes = np.where(easy, 2, trials.cell), trials.response | easy
    mixed = yes_no_design(trials.noise, yes, trials.target, cell=cell)
    fitted, rest = fit_probit(mixed), fit_probit(trials.where(~easy))
    assert fitted.intercept[2] == np.inf
    np.testing.assert_allclose(fitted.beta, rest.beta, rtol=1e-3)
    assert np.all(np.isfinite(probit_vector(mixed, 1.0)))


@given(st.floats(0.05, 20.0), st.integers(0, 100))
def test_the_kernel_does_not_depend_on_the_unit_of_the_noise(unit_of_noise, seed):
    trials = linear_design(by_gamma(1.0), "2afc", 200, seed)
    scaled = type(trials)(
        **{**vars(trials), "halves": trials.halves * np.float32(unit_of_noise)}
    )
    for vector in (probit_vector, ridge_vector):
        one, other = vector(trials, 2.0), vector(scaled, 2.0)
        np.testing.assert_allclose(one, other, atol=1e-4)


@given(st.integers(0, 100))
def test_the_kernel_does_not_depend_on_the_order_of_trials(seed):
    trials = linear_design(by_gamma(1.0), "yes_no", 200, seed)
    order = np.random.default_rng(seed).permutation(200)
    shuffled = trials.where(order)
    np.testing.assert_allclose(
        probit_vector(shuffled, 1.0), probit_vector(trials, 1.0), atol=1e-4
    )


def test_impossible_fits_are_refused():
    trials = linear_design(by_gamma(1.0), "2afc", 40, seed=1)
    with pytest.raises(ValueError, match="penalty must be >= 0, got -1"):
        fit_probit(trials, penalty=-1.0)
    few = trials.where(np.arange(6))
    with pytest.raises(
        ValueError, match=r"penalty must be > 0 .* 6 elements, 6 trials"
    ):
        ridge_vector(few, 0.0)
    still = yes_no_design(np.ones((9, 2)), np.arange(9) > 4, np.arange(9) % 2)
    with pytest.raises(ValueError, match="noise must vary between trials of a class"):
        probit_vector(still, 1.0)
