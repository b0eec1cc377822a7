"""What two showings share: the likelihood's r, its safe value, and what it widens."""

import numpy as np
import pytest

from tests.analysis.observers import linear as simulated
from yoked.analysis.double_pass.shared_responses import shared_r
from yoked.analysis.double_pass.smooth_thresholds import consistent_share

LINEAR = simulated.Linear(simulated.unit(np.ones(4)), gamma=1.0)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_it_is_the_r_of_the_likelihood(task):
    made, _ = simulated.linear_responses(LINEAR, task, 600, 0.15, 1, n_pairs=200)
    found = consistent_share(made).fit.plain
    assert shared_r(made) == pytest.approx(found.r, abs=2e-4)
    assert 0.2 < shared_r(made) < 0.8


def test_it_is_of_being_correct_where_there_are_several_alternatives():
    made, _ = simulated.linear_responses(
        LINEAR, "mafc", 4000, 0.15, 1, n_alternatives=4, n_pairs=2000
    )
    assert 0.2 < shared_r(made) < 0.8


def test_a_pair_counts_once_where_the_pairs_cannot_tell():
    made, _ = simulated.linear_responses(LINEAR, "2afc", 300, 0.15, 1, n_pairs=100)
    perfect = made.where(made.correct)
    perfect = perfect.where(np.ones(len(perfect), bool))
    assert len(perfect.second_rows) > 10
    assert shared_r(perfect) == 1
    alone, _ = simulated.linear_responses(LINEAR, "2afc", 100, 0.15, 1)
    assert shared_r(alone) == 1
