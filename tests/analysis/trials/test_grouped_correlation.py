"""A correlation over groups: known values, and coverage where cases are alike."""

import numpy as np
import pytest

from yoked.analysis.trials.grouped_correlation import grouped_correlation


def test_the_value_is_that_of_all_cases():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 30))
    found = grouped_correlation(x, y, np.repeat(range(10), 3).tolist())
    assert found.value == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert found.low < found.value < found.high


def test_the_interval_allows_for_cases_that_are_alike():
    rng, truth, held, naive = np.random.default_rng(2), 0.5, [], []
    for _ in range(100):
        base = rng.multivariate_normal([0, 0], [[1, truth], [truth, 1]], 30)
        x, y = np.repeat(base, 4, axis=0).T + rng.normal(0, 0.05, (2, 120))
        groups = np.repeat(range(30), 4).tolist()
        found = grouped_correlation(x, y, groups)
        alone = grouped_correlation(x, y, list(range(120)))
        held.append(found.low <= truth <= found.high)
        naive.append(alone.low <= truth <= alone.high)
    assert np.mean(held) > 0.87
    assert np.mean(naive) < 0.75


def test_few_groups_and_constants_are_told():
    found = grouped_correlation([1.0, 2, 3], [1.0, 3, 2], ["a", "b", "b"])
    assert found.note == "no interval: fewer than 6 groups"
    assert grouped_correlation([1.0, 1, 1], [1.0, 2, 3], "abc").value is None
    with pytest.raises(ValueError, match="of the same cases, got 3, 2 and 3"):
        grouped_correlation([1.0, 1, 1], [1.0, 2], "abc")
