"""A correlation within groups: known values, and a p that is what it says."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.analysis.trials.within_groups import DRAWS, within_groups

FAMILIES = np.repeat(range(6), 4)


def test_r_is_that_of_values_less_their_groups_mean():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 24)) + 5 * rng.normal(size=(2, 6))[:, FAMILIES]
    found = within_groups(x, y, FAMILIES.tolist())
    dummies = np.eye(6)[FAMILIES]
    left = [v - dummies @ np.linalg.lstsq(dummies, v, rcond=None)[0] for v in (x, y)]
    assert found.r.value == pytest.approx(np.corrcoef(*left)[0, 1])
    assert (found.n_groups, found.n_permutations, found.is_exact) == (6, DRAWS, False)
    assert found.r.formula == "correlation-within-groups/1"


def test_all_permutations_are_counted_where_they_are_few():
    x = np.array([0.3, 1.0, -2.0, 5.0, 4.1, 4.4])
    y = np.array([1.0, 0.2, -1.0, 7.0, 8.0, 7.2])
    found = within_groups(x, y, list("aaabbb"))
    left = np.r_[y[:3] - y[:3].mean(), y[3:] - y[3:].mean()]
    orders = list(itertools.permutations(range(3)))
    sums = [
        np.r_[x[:3][list(one)], x[3:][list(two)]] @ left
        for one in orders
        for two in orders
    ]
    reached = np.abs(sums) >= abs(sums[0]) - 1e-12
    assert found.is_exact
    assert found.p == pytest.approx(reached.mean())
    assert found.n_permutations == 36


def test_what_is_there_within_families_is_found_against_their_differences():
    rng, p = np.random.default_rng(2), []
    for _ in range(20):
        x = rng.normal(size=24)
        y = 0.9 * x + 0.4 * rng.normal(size=24)
        x, y = x + 3.0 * FAMILIES, y - 6.0 * FAMILIES  # over all, the other way
        assert np.corrcoef(x, y)[0, 1] < -0.8
        found = within_groups(x, y, FAMILIES.tolist())
        assert found.r.value > 0.7
        p.append(found.p)
    assert max(p) < 0.01


def test_p_is_uniform_where_families_alone_differ():
    rng, p, crossed = np.random.default_rng(3), [], []
    for _ in range(400):
        means = rng.normal(size=6)[FAMILIES] * 5  # both go with it
        x, y = means + rng.normal(size=(2, 24))
        crossed.append(np.corrcoef(x, y)[0, 1] > 0.4)  # p < .05 if cases were free
        p.append(within_groups(x, y, FAMILIES.tolist()).p)
    assert np.mean(crossed) > 0.95
    for level in (0.05, 0.2, 0.5):
        arm = 3 * np.sqrt(level * (1 - level) / 400)
        assert abs(np.mean(np.array(p) <= level) - level) < arm


@given(st.integers(0, 1000), st.floats(0.1, 10), st.floats(-5, 5))
def test_scale_shift_and_sign_change_nothing_but_the_sign(seed, scale, shift):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 6))
    groups = list("aaabbb")
    found = within_groups(x, y, groups)
    other = within_groups(-scale * x + shift, y + np.repeat([0, shift], 3), groups)
    assert other.r.value == pytest.approx(-found.r.value)
    assert other.p == pytest.approx(found.p)
    assert within_groups(y, x, groups).p == pytest.approx(found.p)


def test_what_cannot_be_told_says_why():
    alone = within_groups([1.0, 2, 3], [1.0, 3, 2], "abc")
    assert alone.r.value is None
    assert np.isnan(alone.p)
    same = within_groups([0.1, 0.1, 0.1, 7.0], [1.0, 3, 2, 5], "aaab")
    assert "the same in all cases of each group" in same.r.note
    with pytest.raises(ValueError, match="of the same cases, got 3, 2 and 3"):
        within_groups([1.0, 1, 1], [1.0, 2], "abc")
    with pytest.raises(ValueError, match="must be finite numbers"):
        within_groups([1.0, np.nan], [1.0, 2], "aa")
