"""The kernels written out are the streamed ones, and those of the literature."""

import numpy as np
import pytest

from tests.analysis.observers.linear import Linear, linear_responses, unit
from tests.analysis.written_out import (
    first_order_vector,
    second_order_matrices,
)
from yoked.analysis.kernels.weighted_sum import first_order_kernel
from yoked.analysis.trials.design import TrialDesign

OBSERVER = Linear(unit([0, 1, 2, 1, 0]))


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
@pytest.mark.parametrize("strengths", [0.1, [0.03, 0.12]])
def test_the_first_order_is_the_streamed_kernel(task, strengths):
    responses, source = linear_responses(
        OBSERVER, task, 800, strengths, seed=3, n_pairs=90
    )
    streamed = first_order_kernel(responses, source).kernel.ravel()
    vector = first_order_vector(TrialDesign.of(responses, source))
    np.testing.assert_allclose(vector, streamed, atol=1e-8)


def test_the_second_order_is_neris_sum_of_covariances():
    responses, source = linear_responses(OBSERVER, "2afc", 500, 0.1, seed=4)
    rows, target = np.arange(500), responses.target
    both = np.stack([source.field(responses.table, k)[:, 0, 0] for k in (0, 1)], axis=1)
    expected = [
        np.cov(noise[responses.correct].T) - np.cov(noise[~responses.correct].T)
        for noise in (both[rows, target], both[rows, 1 - target])
    ]
    # The other half has the sign with which the sum is made: Neri (2009) adds
    # Cov[1,1] + Cov[0,0] - Cov[0,1] - Cov[1,0], target first, correct second.
    expected[1] = -expected[1]
    matrices = second_order_matrices(TrialDesign.of(responses, source))
    np.testing.assert_allclose(matrices, expected, atol=1e-7)


def test_in_yes_no_each_half_is_yes_less_no_of_its_class():
    responses, source = linear_responses(OBSERVER, "yes_no", 500, 0.1, seed=4)
    noise, yes = source.field(responses.table, 0)[:, 0, 0], responses.response == 1
    expected = [
        np.cov(noise[yes & (responses.target == k)].T)
        - np.cov(noise[~yes & (responses.target == k)].T)
        for k in (1, 0)
    ]
    matrices = second_order_matrices(TrialDesign.of(responses, source))
    np.testing.assert_allclose(matrices, expected, atol=1e-7)
