"""Sensitivity: known values, bugs seen elsewhere, standard errors, and the errors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from yoked.analysis.sensitivity.mafc import mafc_dprime, mafc_proportion_correct
from yoked.analysis.sensitivity.sdt import (
    criterion_from_counts,
    dprime_2afc,
    dprime_from_counts,
    dprime_mafc,
    interval_bias,
    ln_beta,
)
from yoked.analysis.trials.counts import loglinear_rate


def gourevitch_galanter_variance(hits, misses, false_alarms, correct_rejections):
    """Return the delta-method variance of the yes/no d', at corrected rates."""
    variance = 0.0
    for yes, no in ((hits, misses), (false_alarms, correct_rejections)):
        n = yes + no
        rate = (yes + 0.5) / (n + 1)
        density = math.exp(-(ndtri(rate) ** 2) / 2) / math.sqrt(2 * math.pi)
        variance += rate * (1 - rate) / (n * density**2)
    return variance


counts = st.integers(min_value=1, max_value=500)


@given(counts, counts, counts, counts)
def test_swapping_the_two_responses_flips_the_sign(h, m, f, c):
    assert dprime_from_counts(m, h, c, f).value == pytest.approx(
        -dprime_from_counts(h, m, f, c).value
    )
    assert criterion_from_counts(m, h, c, f).value == pytest.approx(
        -criterion_from_counts(h, m, f, c).value
    )


@given(counts, counts, counts, counts)
def test_exchanging_the_intervals_keeps_dprime_and_flips_the_bias(a, b, c, d):
    mirrored = dprime_2afc(d, c, b, a)
    assert mirrored.value == pytest.approx(dprime_2afc(a, b, c, d).value)
    bias = interval_bias(a, b, c, d).value
    assert interval_bias(d, c, b, a).value == pytest.approx(-bias)


@given(counts, counts, counts, counts)
def test_ln_beta_is_criterion_times_dprime(h, m, f, c):
    product = (
        criterion_from_counts(h, m, f, c).value * dprime_from_counts(h, m, f, c).value
    )
    assert ln_beta(h, m, f, c).value == pytest.approx(product, abs=1e-12)


def test_published_human_gabor_counts_give_the_published_dprime():
    # Thomas & Knoblauch (2005): 1792 trials a class; uncorrected .961887, -.081725.
    d, c = (
        dprime_from_counts(1278, 514, 618, 1174),
        criterion_from_counts(1278, 514, 618, 1174),
    )
    assert d.value == pytest.approx(0.961887, abs=1e-3)
    assert c.value == pytest.approx(-0.081725, abs=1e-3)


# The bugs that were found in other packages, methods.md 2.3.


def test_the_2afc_dprime_is_not_that_of_correct_and_incorrect_responses():
    # LABSN/expyfun#347: correct and incorrect went in as hits and false alarms, and the
    # square root of two was missing. Unbiased at 80 %: d' = sqrt 2 z(.8), corrected.
    expected = math.sqrt(2) * ndtri(loglinear_rate(400, 500))
    assert dprime_2afc(400, 100, 100, 400).value == pytest.approx(expected)
    assert expected == pytest.approx(1.19, abs=0.005)


def test_the_2afc_dprime_survives_an_interval_bias():
    # z(H) = 1.4, z(F) = -.6: d' is 2 / sqrt 2 whatever the bias.
    n = 10**6
    h, f = round(n * ndtr(1.4)), round(n * ndtr(-0.6))
    assert dprime_2afc(h, n - h, f, n - f).value == pytest.approx(
        math.sqrt(2), abs=1e-4
    )
    assert interval_bias(h, n - h, f, n - f).value == pytest.approx(-0.4, abs=1e-4)


def test_the_correction_adds_one_to_the_totals():
    # neuropsychology.R#10, psycho.R#113 added 1.5.
    assert loglinear_rate(10, 10) == 10.5 / 11
    assert dprime_from_counts(10, 0, 0, 10).value == pytest.approx(2 * ndtri(10.5 / 11))


def test_perfect_hits_do_not_cancel_themselves():
    # NeuroKit.py#76 subtracted the hit rate from itself.
    assert dprime_from_counts(30, 0, 15, 15).value == pytest.approx(ndtri(30.5 / 31))


def test_the_correction_is_applied_away_from_the_edges_too():
    # metadpy patches only rates of 0 and 1, which biases d' upward.
    assert dprime_from_counts(40, 10, 10, 40).value == pytest.approx(
        2 * ndtri(40.5 / 51)
    )


@pytest.mark.parametrize(
    ("true", "mean", "sd"), [(2.0, 1.989, 0.302), (3.0, 2.977, 0.392)]
)
def test_the_corrected_estimator_has_the_known_mean_and_spread(true, mean, sd):
    # Exact enumeration instead of the table's Monte Carlo, 50 trials a class.
    values, mass = _all_estimates(50, true)
    assert mass @ values == pytest.approx(mean, abs=0.003)
    assert math.sqrt(mass @ (values - mass @ values) ** 2) == pytest.approx(
        sd, abs=0.003
    )


@pytest.mark.parametrize(
    ("true", "mean", "sd"), [(2.0, 2.050, None), (3.0, 3.122, 0.426)]
)
def test_patching_only_rates_of_0_and_1_is_biased_upward(true, mean, sd):
    # The 1/(2N) rule of methods.md 2.3, which the log-linear correction replaces.
    n, k = 50, np.arange(51)
    z = ndtri(np.clip(k / n, 1 / (2 * n), 1 - 1 / (2 * n)))
    values = (z[:, None] - z).ravel()
    _, mass = _all_estimates(n, true)
    assert mass @ values == pytest.approx(mean, abs=0.003)
    if sd is not None:
        spread = math.sqrt(mass @ (values - mass @ values) ** 2)
        assert spread == pytest.approx(sd, abs=0.003)


@pytest.mark.parametrize(("true", "sd"), [(1.0, 0.262), (2.0, 0.302), (3.0, 0.386)])
def test_the_delta_standard_error_has_the_tables_values(true, sd):
    # 50 trials a class; the rates themselves, from so many that rounding is nothing.
    n = 50 * 10**6
    hits = round(n * ndtr(true / 2))
    variance = gourevitch_galanter_variance(hits, n - hits, n - hits, hits)
    assert math.sqrt(variance * 10**6) == pytest.approx(sd, abs=5e-4)


def _all_estimates(n, true):
    k = np.arange(n + 1)
    z = ndtri((k + 0.5) / (n + 1))
    hits, false_alarms = (
        binom.pmf(k, n, ndtr(true / 2)),
        binom.pmf(k, n, ndtr(-true / 2)),
    )
    return (z[:, None] - z).ravel(), np.outer(hits, false_alarms).ravel()


@pytest.mark.parametrize("true", [0.0, 1.0, 2.0, 3.0])
def test_millers_se_is_the_exact_spread_at_the_estimated_rates(true):
    n = 50
    hits = round((n + 1) * ndtr(true / 2) - 0.5)
    estimate = dprime_from_counts(hits, n - hits, n - hits, hits)
    values, mass = _all_estimates(n, estimate.value)
    exact = math.sqrt(mass @ (values - mass @ values) ** 2)
    assert estimate.se == pytest.approx(exact, rel=1e-9)
    assert criterion_from_counts(hits, n - hits, n - hits, hits).se == pytest.approx(
        exact / 2
    )
    two = dprime_2afc(hits, n - hits, n - hits, hits)
    assert two.se == pytest.approx(exact / math.sqrt(2))


@pytest.mark.parametrize("true", [1.0, 2.0])
def test_the_delta_variance_matches_simulation(true):
    rng = np.random.default_rng(1)
    n, n_runs = 200, 4000
    hits = rng.binomial(n, ndtr(true / 2), n_runs)
    false_alarms = rng.binomial(n, ndtr(-true / 2), n_runs)
    simulated = np.var(
        ndtri((hits + 0.5) / (n + 1)) - ndtri((false_alarms + 0.5) / (n + 1))
    )
    expected = round(n * ndtr(true / 2))
    delta = gourevitch_galanter_variance(expected, n - expected, n - expected, expected)
    # The SD of a variance from 4000 runs is 2.2 %; the delta method is off by O(1/n).
    assert delta == pytest.approx(simulated, rel=0.07)


def test_the_interval_covers_the_truth_19_times_in_20():
    rng = np.random.default_rng(2)
    n, true, n_runs = 100, 1.5, 1000
    hits = rng.binomial(n, ndtr(true / 2 - 0.3), n_runs)
    false_alarms = rng.binomial(n, ndtr(-true / 2 - 0.3), n_runs)
    covered = 0
    for h, f in zip(hits.tolist(), false_alarms.tolist(), strict=True):
        estimate = dprime_from_counts(h, n - h, f, n - f)
        covered += estimate.low <= true <= estimate.high
    assert covered / n_runs == pytest.approx(
        0.95, abs=4 * math.sqrt(0.05 * 0.95 / n_runs)
    )


@given(st.integers(0, 300), st.integers(1, 300))
def test_two_alternatives_are_the_unbiased_2afc(correct, wrong):
    n = correct + wrong
    expected = math.sqrt(2) * ndtri(loglinear_rate(correct, n))
    assert dprime_mafc(correct, n, 2).value == pytest.approx(expected, abs=1e-9)


def test_the_mafc_se_is_the_spread_of_simulated_sessions():
    rng = np.random.default_rng(3)
    n, m = 200, 4
    p = float(mafc_proportion_correct(1.5, m))
    correct = rng.binomial(n, p, 4000)
    simulated = np.std(mafc_dprime((correct + 1 / m) / (n + 1), m))
    estimate = dprime_mafc(round(n * p), n, m)
    assert estimate.value == pytest.approx(1.5, abs=0.02)
    assert estimate.se == pytest.approx(simulated, rel=4 / math.sqrt(2 * 4000) + 0.02)


def test_a_guesser_has_dprime_zero_with_any_number_of_alternatives():
    for m in (2, 4, 8):
        assert dprime_mafc(10, 10 * m, m).value == pytest.approx(0.0, abs=1e-9)


def test_bad_counts_get_a_clear_sentence():
    with pytest.raises(ValueError, match="hits must be a count >= 0, got -1"):
        dprime_from_counts(-1, 1, 1, 1)
    with pytest.raises(ValueError, match="both classes must be there, got 0 and 2"):
        dprime_from_counts(0, 0, 1, 1)
    with pytest.raises(ValueError, match="wrong must be a count >= 0, got -1"):
        dprime_mafc(11, 10, 4)
    with pytest.raises(ValueError, match="n_trials must be > 0, got 0"):
        dprime_mafc(0, 0, 4)
