"""Double pass: the table of methods.md 3.1, published numbers, recovery, limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal

from tests.analysis.murray2015 import murray2015
from yoked.analysis.double_pass.internal_noise import (
    agreement,
    agreement_probability,
    gamma_from_r,
    internal_noise_closed_form,
    internal_noise_likelihood,
    pair_counts,
    r_from_gamma,
)

from ..observers.linear import Linear, linear_responses

GAMMAS = [0, 0.5, 0.75, 1, 1.35, 2, 3]
AT_CHANCE = [1, 0.79517, 0.72107, 0.66667, 0.61528, 0.56409, 0.53188]
AT_75 = [1, 0.83817, 0.78127, 0.74055, 0.70319, 0.66735, 0.64567]


@pytest.mark.parametrize(
    ("gamma", "chance", "at_75"), list(zip(GAMMAS, AT_CHANCE, AT_75, strict=True))
)
def test_agreement_matches_the_table(gamma, chance, at_75):
    r = r_from_gamma(gamma)
    assert agreement_probability(0.0, r) == pytest.approx(chance, abs=6e-6)
    assert agreement_probability(ndtri(0.75), r) == pytest.approx(at_75, abs=6e-6)


@given(st.floats(0, 1))
def test_agreement_at_chance_is_an_arcsine(r):
    assert agreement_probability(0.0, r) == pytest.approx(0.5 + math.asin(r) / math.pi)


@pytest.mark.parametrize("z", [-1.2, 0.3, 2.0])
@pytest.mark.parametrize("r", [0.05, 0.5, 0.9])
def test_agreement_is_the_integral_and_the_bivariate_normal(z, r):
    t = np.linspace(-8, 8, 4001)
    p = ndtr((z - math.sqrt(r) * t) / math.sqrt(1 - r))
    density = np.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
    integral = np.sum(density * (p**2 + (1 - p) ** 2)) * (t[1] - t[0])
    normal = multivariate_normal([0, 0], [[1, r], [r, 1]])
    both = normal.cdf([z, z]) + normal.cdf([-z, -z])
    assert agreement_probability(z, r) == pytest.approx(integral, abs=1e-9)
    assert agreement_probability(z, r) == pytest.approx(both, abs=1e-5)


@given(st.floats(0, 20))
def test_gamma_and_r_are_one_number(gamma):
    assert gamma_from_r(r_from_gamma(gamma)) == pytest.approx(gamma, abs=1e-6)


def cells(rate, same, n=10**6):
    """Return pairs with this rate of "yes" and of equal responses."""
    n_same, n_yes = round(n * same), round(n * rate)
    once = n - n_same
    return np.array([[n_yes - once // 2, once, n - (n_yes - once // 2) - once]])


@pytest.mark.parametrize(
    ("pc", "same", "gamma_squared"),
    [(0.74, 0.68, 2.466), (0.79, 0.76, 1.126), (0.69, 0.69, 1.283)],
)
def test_published_variance_ratios_are_gamma_squared(pc, same, gamma_squared):
    # Murray, Bennett & Sekuler (2002) print 2.47, 1.13 and 1.28.
    noise = internal_noise_closed_form(cells(pc, same))
    assert noise.gamma_squared.value == pytest.approx(gamma_squared, abs=2e-3)
    assert noise.gamma.value == pytest.approx(math.sqrt(gamma_squared), abs=1e-3)
    assert noise.r.value == pytest.approx(1 / (1 + gamma_squared), abs=1e-3)


def test_the_closed_form_replaces_a_published_numerical_search():
    # PALIN's example: agreement .66 at a response rate of .485 gives gamma 1.0387.
    noise = internal_noise_closed_form(cells(0.485, 0.66))
    assert noise.gamma.value == pytest.approx(1.0387, abs=5e-4)


def test_each_quantity_and_estimator_has_its_own_name():
    counts = cells(0.7, 0.75, 100)
    closed, fitted = (
        internal_noise_closed_form(counts),
        internal_noise_likelihood(counts),
    )
    assert closed.gamma.formula == "gamma-pooled-closed-form/2"
    assert closed.gamma_squared.formula == "gamma-squared-pooled-closed-form/2"
    assert closed.r.formula == "r-pooled-closed-form/2"
    assert fitted.gamma.formula == "gamma-likelihood-by-contrast/1"


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_a_linear_observer_agrees_with_itself_as_it_should(task, gamma):
    observer = Linear(np.ones(1), gamma=gamma)
    root = math.sqrt(2) if task == "2afc" else 2.0
    signal = ndtri(0.75) * root * observer.sd_decision
    gains = (0, 1) if task == "2afc" else (-0.5, 0.5)
    n = 20_000
    made, _ = linear_responses(observer, task, 2 * n, signal, 3, n_pairs=n, gains=gains)
    expected = float(agreement_probability(ndtri(0.75), r_from_gamma(gamma)))
    se = math.sqrt(expected * (1 - expected) / n)
    assert agreement(made).value == pytest.approx(expected, abs=4 * se + 1e-12)
    for noise in estimators(made):
        if gamma == 0:
            assert noise.gamma.value == pytest.approx(0, abs=1e-3)
        else:
            assert abs(noise.gamma.value - gamma) < 4 * noise.gamma.se


def estimators(made):
    return (
        internal_noise_closed_form(pair_counts(made)),
        internal_noise_likelihood(pair_counts(made, by_contrast=True)),
    )


def test_a_biased_yes_no_observer_needs_its_two_classes():
    observer = Linear(np.ones(1), gamma=1.0, criterion=0.15)
    made, _ = linear_responses(observer, "yes_no", 40_000, 0.2, 4, n_pairs=20_000)
    counts = pair_counts(made)
    assert counts.shape == (2, 3)
    for noise in estimators(made):
        assert abs(noise.gamma.value - 1) < 4 * noise.gamma.se


def test_several_contrasts_pooled_pass_for_consistency():
    # Half the pairs at chance, half at z = 2: the common easy trials look like low
    # internal noise to the pooled closed form, not to the likelihood by contrast.
    observer = Linear(np.ones(1), gamma=1.5)
    strong = 2 * math.sqrt(2) * observer.sd_decision
    made, _ = linear_responses(
        observer, "2afc", 40_000, [0.0, strong], 5, n_pairs=20_000
    )
    pooled, by_contrast = estimators(made)
    assert abs(by_contrast.gamma.value - 1.5) < 4 * by_contrast.gamma.se
    assert pooled.gamma.value < 1.5 - 4 * pooled.gamma.se


@pytest.mark.parametrize("estimator", [0, 1])
def test_intervals_cover_and_standard_errors_are_the_spread(estimator):
    rng = np.random.default_rng(6)
    n, n_runs, gamma, z = 400, 120, 1.0, ndtri(0.75)
    both = float(ndtr(z) - (1 - agreement_probability(z, 0.5)) / 2)
    chances = [both, float(1 - agreement_probability(z, 0.5)), 0.0]
    chances[2] = 1 - sum(chances)
    estimate = (internal_noise_closed_form, internal_noise_likelihood)[estimator]
    found = [
        estimate(counts[None]).gamma
        for counts in rng.multinomial(n, chances, size=n_runs)
    ]
    covered = np.mean([g.low <= gamma <= g.high for g in found])
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.05 * 0.95 / n_runs))
    spread = np.std([g.value for g in found])
    # The SD of an SD from 120 runs is 6 %; gamma's skew adds to it.
    assert np.median([g.se for g in found]) == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize(("n", "se"), [(100, 0.32), (500, 0.14), (2000, 0.07)])
def test_the_planning_table_of_standard_errors_holds(n, se):
    noise = internal_noise_closed_form(cells(0.75, 0.74055, n))
    assert noise.gamma.se == pytest.approx(se, abs=0.012)


def test_no_pairs_are_named():
    made, _ = linear_responses(Linear(np.ones(1)), "2afc", 50, 0.1, 7)
    assert agreement(made).note == "no trial was shown and answered twice"
    for noise in estimators(made):
        assert noise.gamma.value is None
        assert noise.gamma.note == "no trial was shown and answered twice"


def test_constant_responses_say_nothing_about_internal_noise():
    for noise in (
        internal_noise_closed_form(np.array([[50, 0, 0], [40, 0, 0]])),
        internal_noise_likelihood(np.array([[50, 0, 0], [40, 0, 0]])),
    ):
        assert "the responses never varied" in noise.gamma.note


def test_passes_as_independent_as_chance_have_infinite_internal_noise():
    for estimate in (internal_noise_closed_form, internal_noise_likelihood):
        gamma = estimate(np.array([[25, 50, 25]])).gamma
        assert (gamma.value, gamma.high, gamma.se) == (math.inf, math.inf, None)
        assert "no more than independent ones" in gamma.note
        assert 0 < gamma.low < math.inf


def test_a_second_pass_that_agrees_on_no_trial_is_a_reversed_key_mapping():
    reason = (
        "the passes agree on 0 of 30 pairs, fewer than without anything in common: are "
        "the responses of one pass reversed (keys swapped)?"
    )
    for counts in ([[0, 30, 0]], [[0, 12, 0], [0, 18, 0]]):
        for estimate in (internal_noise_closed_form, internal_noise_likelihood):
            gamma = estimate(np.array(counts)).gamma
            assert (gamma.value, gamma.note) == (None, reason)


def test_a_pass_that_is_reversed_but_for_a_few_trials_is_told_too():
    assert (
        "agree on 20 of 200 pairs"
        in internal_noise_likelihood(np.array([[10, 180, 10]])).gamma.note
    )


def test_few_pairs_that_disagree_may_be_internal_noise():
    gamma = internal_noise_likelihood(np.array([[0, 5, 0]])).gamma
    assert (gamma.value, gamma.high) == (math.inf, math.inf)
    assert 0 < gamma.low < math.inf


def test_perfect_agreement_has_no_internal_noise_but_an_interval():
    for estimate in (internal_noise_closed_form, internal_noise_likelihood):
        gamma = estimate(np.array([[70, 0, 30]])).gamma
        assert (gamma.value, gamma.low) == (0.0, 0.0)
        assert 0 < gamma.high < 1
        assert gamma.note == "every pair agrees"


def test_more_than_two_alternatives_are_refused():
    made, _ = linear_responses(
        Linear(np.ones(1)), "mafc", 80, 0.1, 8, n_pairs=40, n_alternatives=4
    )
    assert 0 < agreement(made).value < 1
    with pytest.raises(ValueError, match="needs a task of two alternatives, got 4"):
        pair_counts(made)


def test_r_outside_its_range_is_refused():
    with pytest.raises(ValueError, match=r"r must be in 0 to 1, got 1\.5"):
        agreement_probability(0.0, 1.5)


def test_a_published_observer_has_the_published_internal_noise(shared_data):
    made = murray2015(shared_data("murray2015/experiment1_subject01.txt"))
    passes = agreement(made)
    assert (passes.n, round(passes.value, 4)) == (1650, 0.7588)
    pooled, by_contrast = estimators(made)
    assert round(pooled.gamma.value, 3) == 0.762
    assert by_contrast.gamma.value == pytest.approx(0.80, abs=0.01)
    rows = np.concatenate([made.second_rows, made.first[made.second_rows]])
    assert round(made.correct.mean(), 4) == 0.7243
    assert (len(rows), round(made.correct[rows].mean(), 4)) == (3300, 0.7055)


def test_an_interval_bias_does_not_pass_for_consistency():
    found = []
    for seed in range(6):
        made, _ = linear_responses(
            Linear(np.ones(1), criterion=0.1), "2afc", 8000, 0.13, seed, n_pairs=4000
        )
        found.append(internal_noise_likelihood(pair_counts(made, True)).gamma.value)
    assert len(pair_counts(made, by_contrast=True)) == 2
    assert np.mean(found) == pytest.approx(1.0, abs=0.06)
