"""Kernels that are multiplied and not formed: the same kernels, tests as good."""

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.observers.designs import linear_design
from tests.analysis.observers.linear import Linear, linear_responses, unit
from tests.analysis.observers.nonlinear import Quadratic
from tests.analysis.written_out import second_order_matrices
from yoked.analysis.second_order import spectrum as spectrum_module
from yoked.analysis.second_order.lanczos import Krylov
from yoked.analysis.second_order.operators import Operators, bootstrap_counts
from yoked.analysis.second_order.replicates import observed, permuted
from yoked.analysis.second_order.spectrum import eigen_spectrum
from yoked.analysis.trials.design import TrialDesign

WAVE = unit(np.cos(0.7 * np.arange(40)))
OTHER = unit(np.cos(1.9 * np.arange(40) + 1))


def design(task="2afc", n=600, n_pairs=100, signal=(0.05, 0.12), seed=3, p=12):
    observer = Linear(unit(np.ones(p)))
    return TrialDesign.of(
        *linear_responses(observer, task, n, list(signal), seed, n_pairs=n_pairs)
    )


def quadratic_design(n, seed, strength, filters=WAVE[None], n_pairs=0):
    observer = Quadratic(unit(np.eye(40)[3]), filters=filters, strength=strength)
    made = linear_responses(observer, "2afc", n, 0.1, seed, n_pairs=n_pairs)
    return TrialDesign.of(*made)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_they_multiply_as_the_kernels_that_are_formed_do(task):
    trials, vector = design(task), unit(np.arange(12) - 4.0)
    kernels, formed = Operators.permuted(trials, 5, 1), permuted(trials, 5, 1)
    expected = np.concatenate([observed(trials).second, formed.second])
    for matrix, image in zip(expected, kernels.times(vector[None]), strict=True):
        np.testing.assert_allclose(image, matrix @ vector, atol=1e-7)
    own = np.random.default_rng(1).normal(size=(6, 12))
    np.testing.assert_allclose(
        kernels.times(own), np.einsum("rij,rj->ri", expected, own), atol=1e-7
    )
    diagonals = np.diagonal(expected, axis1=1, axis2=2)
    np.testing.assert_allclose(kernels.diagonals(), diagonals, atol=1e-7)
    np.testing.assert_allclose(kernels.halves()[1:], formed.halves, atol=1e-7)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_samples_of_trials_are_those_of_a_bootstrap(task):
    trials, vector = design(task), unit(np.arange(12) - 4.0)
    drawn = Operators.bootstrapped(trials, 4, 2)
    counts = bootstrap_counts(trials, 4, np.random.default_rng(2))
    samples = [trials.where(np.repeat(np.arange(len(trials)), n)) for n in counts]
    second = np.stack([second_order_matrices(sample).sum(0) for sample in samples])
    np.testing.assert_allclose(drawn.times(vector[None]), second @ vector, atol=1e-7)
    diagonals = np.diagonal(second, axis1=1, axis2=2)
    np.testing.assert_allclose(drawn.diagonals(), diagonals, atol=1e-7)
    again = Operators.sampled(trials, counts).halves()
    assert np.array_equal(again, drawn.halves())


def test_with_as_many_steps_as_elements_the_values_are_the_eigenvalues():
    trials = design()
    every = np.linalg.eigvalsh(permuted(trials, 6, 1).second)
    found = Krylov.of(Operators.permuted(trials, 6, 1)).extremes()[1:]
    np.testing.assert_allclose(found, np.abs(every).max(1), rtol=1e-4)


def test_the_statistic_is_just_below_the_eigenvalue_it_nears():
    trials = quadratic_design(1500, 1, 0.6)
    every = np.linalg.eigvalsh(permuted(trials, 30, 1).second)
    largest = np.abs(every).max(axis=1)
    share = Krylov.of(Operators.permuted(trials, 30, 1), steps=24).extremes()[1:]
    share = share / largest
    assert share.max() < 1 + 1e-4
    assert share.mean() > 0.995


def test_a_direction_that_is_taken_out_leaves_the_other_eigenvalues():
    trials = quadratic_design(4000, 1, 0.8, np.stack([WAVE, OTHER]))
    values, vectors = np.linalg.eigh(observed(trials).second[0].astype(float))
    order = np.argsort(-np.abs(values))
    krylov = Krylov.of(Operators.permuted(trials, 3, 1))
    for rank in (1, 2):
        left = krylov.extremes_without(vectors[:, order[:rank]].T)[0]
        assert left == pytest.approx(abs(values[order[rank]]), rel=0.02)


def test_given_and_permuted_responses_have_one_statistic():
    """Exact for any number of steps: which set is the given one makes no difference."""
    trials = quadratic_design(400, 2, 0.5, n_pairs=100)
    kernels = Operators.permuted(trials, 3, 7)
    found = Krylov.of(kernels, steps=5, seed=9).extremes()
    for row in range(4):
        label = kernels.classes.label[row]
        is_correct = label % 2 == 1
        response = is_correct == (trials.target == 1)
        alone = replace(trials, response=response)
        alone = Operators.sampled(alone, np.ones((1, len(trials)), np.uint8))
        again = Krylov.of(alone, steps=5, seed=9).extremes()
        assert again[0] == pytest.approx(found[row], rel=1e-4)


def test_its_p_is_uniform_where_there_is_no_second_order(monkeypatch):
    monkeypatch.setattr(spectrum_module, "MANY_ELEMENTS", 1)
    p = [
        eigen_spectrum(
            linear_design(Linear(unit(np.ones(40))), "2afc", 200, seed), 19, seed
        ).p[0]
        for seed in range(60)
    ]
    assert np.mean(np.array(p) <= 0.05) <= 0.15  # of .05: P < .002 to be above
    assert 0.4 < np.mean(p) < 0.65


@pytest.mark.parametrize(("strength", "least"), [(0.45, 3), (0.8, 10)])
def test_it_finds_as_much_as_the_kernels_that_are_formed(strength, least, monkeypatch):
    found = {}
    for many in (128, 1):
        monkeypatch.setattr(spectrum_module, "MANY_ELEMENTS", many)
        found[many] = [
            eigen_spectrum(quadratic_design(700, seed, strength), 39, seed).p[0] <= 0.05
            for seed in range(12)
        ]
    assert sum(found[128]) >= least
    assert abs(sum(found[1]) - sum(found[128])) <= 1


def test_two_filters_are_found_in_many_elements_and_no_third(monkeypatch):
    monkeypatch.setattr(spectrum_module, "MANY_ELEMENTS", 1)
    trials = quadratic_design(4000, 1, 0.8, np.stack([WAVE, OTHER]))
    spectrum = eigen_spectrum(trials, 39)
    assert (spectrum.n_positive, spectrum.n_negative) == (2, 0)
    assert np.all(spectrum.null_low < spectrum.null_high)
    assert np.all(
        spectrum.null_low[5:-5] < spectrum.values[np.argsort(-spectrum.values)][5:-5]
    )
