"""Kernels of permuted responses and bootstrap samples are those of the definitions."""

import numpy as np
import pytest

from tests.analysis.observers.linear import Linear, linear_responses, unit
from tests.analysis.written_out import (
    first_order_vector,
    second_order_matrices,
)
from yoked.analysis.second_order import replicates
from yoked.analysis.second_order.operators import Operators, bootstrap_counts
from yoked.analysis.second_order.replicates import (
    noise_sd,
    observed,
    off_diagonal_se,
    permuted,
)
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.estimate import CannotTell

OBSERVER = Linear(unit([0, 1, 2, 1, 0, 0]))
TASKS = ("2afc", "yes_no")


def design(task="2afc", n=900, signal=(0.03, 0.12), seed=3, **options):
    responses, source = linear_responses(
        OBSERVER, task, n, list(signal), seed, **options
    )
    return TrialDesign.of(responses, source)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("many", [128, 1], ids=["products", "direct"])
def test_the_responses_given_have_the_kernels_written_out(task, many, monkeypatch):
    monkeypatch.setattr(replicates, "MANY_ELEMENTS", many)
    trials = design(task, n_pairs=90)
    given = observed(trials)
    second = second_order_matrices(trials).sum(0)
    np.testing.assert_allclose(given.second[0], second, atol=1e-7)
    first = first_order_vector(trials)
    np.testing.assert_allclose(given.halves[0].sum(0), first, atol=1e-7)


@pytest.mark.parametrize("task", TASKS)
def test_a_bootstrap_sample_has_the_kernels_of_its_trials(task):
    trials = design(task, n_pairs=90)
    counts = bootstrap_counts(trials, 3, np.random.default_rng(5))
    drawn = Operators.bootstrapped(trials, 3, seed=5)
    columns = [drawn.times(axis[None]) for axis in np.eye(drawn.n_elements)]
    seconds, both = np.stack(columns, axis=2), drawn.halves()
    for count, second, halves in zip(counts, seconds, both, strict=True):
        sample = trials.where(np.repeat(np.arange(len(trials)), count))
        expected = second_order_matrices(sample).sum(0)
        np.testing.assert_allclose(second, expected, atol=1e-7)
        np.testing.assert_allclose(halves.sum(0), first_order_vector(sample), atol=1e-7)


def test_a_bootstrap_draws_both_showings_and_keeps_the_size_of_each_cell():
    trials = design(n_pairs=200)
    counts = bootstrap_counts(trials, 5, np.random.default_rng(1)).astype(int)
    assert np.array_equal(counts, counts[:, trials.cluster])
    shown_first = trials.cluster == np.arange(len(trials))
    for cell in np.unique(trials.cell):
        here = shown_first & (trials.cell == cell)
        assert np.all(counts[:, here].sum(1) == here.sum())


def test_both_ways_of_summing_permuted_responses_agree(monkeypatch):
    trials = design(n_pairs=90)
    by_products = permuted(trials, 4, seed=1)
    monkeypatch.setattr(replicates, "MANY_ELEMENTS", 1)
    direct = permuted(trials, 4, seed=1)
    np.testing.assert_allclose(by_products.second, direct.second, atol=1e-7)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("n_pairs", [0, 450])
def test_the_se_of_an_element_is_its_spread_over_permutations(task, n_pairs):
    trials = design(task, n_pairs=n_pairs)
    null = permuted(trials, 400, seed=1).second
    above = np.triu_indices(6, k=1)
    spread = np.sqrt(np.mean(null[:, *above].astype(float) ** 2))
    assert spread == pytest.approx(off_diagonal_se(trials), rel=0.06)


def test_the_se_is_the_closed_form_for_one_contrast_in_2afc():
    trials = design(n=4000, signal=(0.1,))
    correct = np.mean(trials.response == (trials.target == 1))
    variance = 2 / (4000 * correct * (1 - correct))
    expected = noise_sd(trials) ** 2 * np.sqrt(variance)
    assert off_diagonal_se(trials) == pytest.approx(expected, rel=1e-3)


def test_the_noise_sd_is_that_of_a_field_in_either_task():
    for task in TASKS:
        assert noise_sd(design(task, n=4000)) == pytest.approx(0.1, rel=0.02)


def test_too_many_kernels_are_refused_with_their_size(monkeypatch):
    monkeypatch.setattr(replicates, "MAX_BYTES", 1000)
    with pytest.raises(ValueError, match=r"must be at most 0 GiB in all, got .*100 of"):
        permuted(design(), 100, seed=1)
    with pytest.raises(ValueError, match="replicates must be >= 1, got 0"):
        permuted(design(), 0, seed=1)


def test_a_class_without_trials_is_named():
    with pytest.raises(CannotTell, match="no trial was incorrect; a kernel needs"):
        observed(design(n=50, signal=(5.0,)))


def test_progress_ends_with_all_of_it():
    told = []
    permuted(design(), 7, seed=1, progress=lambda done, n: told.append((done, n)))
    assert told[-1] == (7, 7)
