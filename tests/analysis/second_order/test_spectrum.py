"""The eigenvalues of a second-order kernel: what is there is found, no more."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.observers.cascades import PLACE, QUADRATURE, cascade_trials
from tests.analysis.observers.linear import Linear, linear_responses, unit
from tests.analysis.thomas2005 import gabor_trials
from yoked.analysis.second_order.replicates import observed, off_diagonal_se, permuted
from yoked.analysis.second_order.spectrum import diagonal_test, eigen_spectrum
from yoked.analysis.trials.design import TrialDesign

TEMPLATE = unit([0, 1, 2, 1, 0, 0])


def linear_trials(task, n, signal, seed, **options):
    criterion = options.pop("criterion", 0.0)
    template = options.pop("template", TEMPLATE)
    observer = Linear(template, criterion=criterion)
    responses, source = linear_responses(observer, task, n, signal, seed, **options)
    return TrialDesign.of(responses, source)


def share_found(n_sessions, n=300, n_permutations=39, **options):
    """Share of sessions of a linear observer in which any eigenvalue is significant."""
    found = 0
    for seed in range(n_sessions):
        trials = linear_trials("2afc", n, 0.1, seed, **options)
        found += eigen_spectrum(trials, n_permutations, seed).n_significant > 0
    return found / n_sessions


def test_an_energy_observer_has_two_positive_eigenvalues_and_no_third():
    spectrum = eigen_spectrum(cascade_trials("energy", 3000, seed=2), 100)
    assert (spectrum.n_positive, spectrum.n_negative) == (2, 0)
    assert spectrum.p[2] > 0.05
    # Their plane is that of the two filters.
    plane = spectrum.vectors[:, :2]
    inside = np.linalg.svd(plane.T @ np.linalg.qr(QUADRATURE)[0], compute_uv=False)
    assert inside.min() > 0.95


def test_gain_control_has_negative_eigenvalues():
    spectrum = eigen_spectrum(cascade_trials("gain control", 8000, seed=2), 60)
    assert spectrum.n_negative > 0
    assert spectrum.n_positive == 0


def test_a_half_squarer_has_one_eigenvector_its_kernel():
    trials = cascade_trials("LN", 3000, seed=2)
    spectrum = eigen_spectrum(trials, 100)
    assert (spectrum.n_positive, spectrum.n_significant) == (1, 1)
    kernel = unit(observed(trials).halves[0].sum(0))
    assert abs(spectrum.vectors[:, 0] @ kernel) > 0.95


@pytest.mark.parametrize(
    "options",
    [{}, {"criterion": 0.042}, {"n_pairs": 150}],
    ids=["unbiased", "interval bias .3", "double pass"],
)
def test_a_linear_observer_in_2afc_has_no_second_order(options):
    assert share_found(60, **options) <= 0.15  # of .05: P < .002 to be above


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{}, {"criterion": 0.042}, {"n_pairs": 150}, {"n": 1000, "n_pairs": 500}],
    ids=["unbiased", "interval bias .3", "double pass", "all double"],
)
def test_the_chance_of_a_false_eigenvalue_is_alpha(options):
    assert share_found(800, **options) == pytest.approx(0.05, abs=0.024)


def test_a_biased_linear_observer_in_yes_no_has_one_along_its_kernel():
    trials = linear_trials("yes_no", 20000, 0.1, 4, criterion=0.2)
    kept = eigen_spectrum(trials, 60)
    assert kept.n_significant == 1
    assert abs(kept.vectors[:, 0] @ TEMPLATE) > 0.95
    assert "linear part was kept" in kept.note
    removed = eigen_spectrum(trials, 60, linear_part="remove")
    assert removed.n_significant == 0
    assert len(removed.values) == 5
    assert np.abs(removed.vectors.T @ TEMPLATE).max() < 0.05
    assert "taken out" in removed.note


@pytest.mark.parametrize(("p", "n"), [(12, 2000), (32, 2000), (32, 10000)])
def test_the_largest_null_eigenvalue_is_near_the_random_matrix_edge(p, n):
    trials = linear_trials("2afc", n, 0.1, 3, template=unit(np.ones(p)))
    null = np.linalg.eigvalsh(permuted(trials, 60, seed=1).second)[:, -1]
    se = off_diagonal_se(trials)
    expected = se * (2 * np.sqrt(p) - 1.2065 * p ** (-1 / 6))
    assert null.mean() == pytest.approx(expected, rel=0.05)
    assert eigen_spectrum(trials, 19).edge == pytest.approx(2 * np.sqrt(p) * se)


def test_the_human_gabor_observer_has_a_second_order(shared_data):
    trials = gabor_trials(shared_data("gabor/Gabor.rda"))
    spectrum = eigen_spectrum(trials, 199)
    assert spectrum.p[0] == 1 / 200
    assert 2 <= spectrum.n_positive <= 4
    assert spectrum.n_negative == 0
    assert spectrum.values[0] == pytest.approx(0.03683, abs=1e-4)


def test_every_response_turned_round_turns_the_kernel_round():
    trials = cascade_trials("energy", 1500, seed=2)
    there = eigen_spectrum(trials, 40)
    back = eigen_spectrum(replace(trials, response=~trials.response), 40)
    np.testing.assert_allclose(back.values, -there.values, atol=1e-7)
    assert back.n_negative == there.n_positive


def test_the_values_and_vectors_make_the_kernel():
    trials = cascade_trials("MAX", 500, seed=2)
    spectrum = eigen_spectrum(trials, 19)
    made = (spectrum.vectors * spectrum.values) @ spectrum.vectors.T
    np.testing.assert_allclose(made, observed(trials).second[0], atol=1e-8)
    assert np.all(np.diff(np.abs(spectrum.values)) <= 0)
    assert np.all(spectrum.null_low < spectrum.null_high)
    assert json.loads(json.dumps(spectrum.to_dict()))["n_trials"] == 500


def test_the_variance_kernel_is_significant_where_elements_are_squared():
    test = diagonal_test(cascade_trials("squared elements", 1500, seed=2), 199)
    found = np.flatnonzero(test.p <= 0.05)
    assert {PLACE - 1, PLACE, PLACE + 1} <= set(found)
    assert set(found) <= set(range(PLACE - 3, PLACE + 4))
    assert np.array_equal(test.p <= 0.05, np.abs(test.z) >= test.threshold)
    assert len(json.loads(json.dumps(test.to_dict()))["z"]) == 12


def test_a_linear_observer_seldom_has_a_variance_kernel():
    tests = [
        diagonal_test(linear_trials("2afc", 300, 0.1, seed), 99, seed)
        for seed in range(40)
    ]
    assert np.mean([test.p.min() <= 0.05 for test in tests]) <= 0.15


def test_wrong_settings_are_refused():
    trials = linear_trials("2afc", 100, 0.1, 1)
    with pytest.raises(ValueError, match=r"n_permutations must be >= 19 .*, got 10"):
        eigen_spectrum(trials, 10)
    with pytest.raises(ValueError, match="alpha must be between 0 and 1, got 0"):
        eigen_spectrum(trials, alpha=0.0)


@pytest.mark.slow
def test_a_thousand_elements_and_ten_thousand_trials_can_be_tested():
    trials = linear_trials("2afc", 10000, 0.1, 3, template=unit(np.ones(961)))
    assert eigen_spectrum(trials, 19, alpha=0.05).n_significant <= 1
