"""Kernels from trials in memory are those of the definitions, written out."""

import numpy as np
import pytest

from tests.analysis.observers.linear import Linear, linear_choices, unit
from yoked.analysis.kernels.weighted_sum import first_order_kernel
from yoked.analysis.second_order.class_sums import (
    first_order_vector,
    second_order_matrices,
)
from yoked.analysis.trials.design import TrialDesign

OBSERVER = Linear(unit([0, 1, 2, 1, 0]))


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
@pytest.mark.parametrize("strengths", [0.1, [0.03, 0.12]])
def test_the_first_order_is_the_streamed_kernel(task, strengths):
    choices, source = linear_choices(OBSERVER, task, 800, strengths, seed=3, n_pairs=90)
    streamed = first_order_kernel(choices, source).kernel.ravel()
    vector = first_order_vector(TrialDesign.of(choices, source))
    np.testing.assert_allclose(vector, streamed, atol=1e-8)


def test_the_second_order_is_neris_sum_of_covariances():
    choices, source = linear_choices(OBSERVER, "2afc", 500, 0.1, seed=4)
    rows, target = np.arange(500), choices.target
    both = np.stack([source.field(choices.table, k)[:, 0, 0] for k in (0, 1)], axis=1)
    expected = [
        np.cov(noise[choices.correct].T) - np.cov(noise[~choices.correct].T)
        for noise in (both[rows, target], both[rows, 1 - target])
    ]
    # The other half has the sign with which the sum is made: Neri (2009) adds
    # Cov[1,1] + Cov[0,0] - Cov[0,1] - Cov[1,0], target first, correct second.
    expected[1] = -expected[1]
    matrices = second_order_matrices(TrialDesign.of(choices, source))
    np.testing.assert_allclose(matrices, expected, atol=1e-7)


def test_in_yes_no_each_half_is_yes_less_no_of_its_class():
    choices, source = linear_choices(OBSERVER, "yes_no", 500, 0.1, seed=4)
    noise, yes = source.field(choices.table, 0)[:, 0, 0], choices.choice == 1
    expected = [
        np.cov(noise[yes & (choices.target == k)].T)
        - np.cov(noise[~yes & (choices.target == k)].T)
        for k in (1, 0)
    ]
    matrices = second_order_matrices(TrialDesign.of(choices, source))
    np.testing.assert_allclose(matrices, expected, atol=1e-7)


def test_a_class_without_trials_is_named_by_its_size():
    choices, source = linear_choices(OBSERVER, "2afc", 50, 5.0, seed=4)
    with pytest.raises(ValueError, match=r"more than 0 trials .* got \[0, 50\]"):
        first_order_vector(TrialDesign.of(choices, source))
