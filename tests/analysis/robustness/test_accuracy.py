"""Accuracy over showings, and the difference that tells masked gradients."""

import numpy as np
import pytest

from yoked.analysis.robustness.accuracy import ATTACKED, MASKING, accuracy, masking
from yoked.analysis.trials.proportion import wilson_interval


def test_independent_answers_have_wilsons_interval():
    correct = np.random.default_rng(1).random((300, 1)) < 0.7
    found = accuracy(correct, ATTACKED)
    assert (found.low, found.high) == wilson_interval(correct.mean(), 300)


def test_showings_that_always_agree_count_as_one():
    once = np.random.default_rng(2).random((200, 1)) < 0.6
    found = accuracy(np.repeat(once, 5, axis=1), ATTACKED)
    assert found.low == pytest.approx(wilson_interval(once.mean(), 200)[0], abs=1e-3)
    assert found.n == 1000


def test_an_interval_covers_the_truth_where_trials_differ():
    """Trials of probability .4 or 1, four showings: the mean is .7."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        p = rng.choice([0.4, 1.0], (100, 1))
        found = accuracy(rng.random((100, 4)) < p, ATTACKED)
        hits += found.low <= 0.7 <= found.high
    assert 0.925 < hits / 400 < 0.98


@pytest.mark.parametrize("right", [True, False])
def test_all_alike_counts_trials_not_answers(right):
    found = accuracy(np.full((50, 8), right), ATTACKED)
    assert (found.low, found.high) == wilson_interval(float(right), 50)


def test_a_transferred_attack_that_hurts_more_is_masking():
    rng = np.random.default_rng(4)
    own, moved = rng.random((300, 2)) < 0.8, rng.random((300, 2)) < 0.5
    found = masking(moved, own)
    assert found.formula == MASKING
    assert found.low < 0.3 < found.high
    assert found.low > 0
    assert masking(own, moved).high < 0
    assert masking(own, own).value == 0


def test_one_trial_tells_no_masking_and_no_trials_no_accuracy():
    one = np.ones((1, 3), bool)
    assert masking(one, one).note == "fewer than two trials"
    with pytest.raises(ValueError, match="n must be > 0, got 0"):
        accuracy(np.ones((0, 1), bool), ATTACKED)
