"""The sign test: exact small cases, symmetry, coverage, and what is refused."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.analysis.trials.sign_test import sign_test

numbers = st.lists(st.integers(-4, 4), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("n", "k", "p"),
    [(8, 8, 2 / 2**8), (8, 7, 2 * 9 / 2**8), (5, 5, 2 / 2**5), (4, 2, 1.0)],
)
def test_p_is_that_of_coins(n, k, p):
    found = sign_test([1.0] * k + [-1.0] * (n - k))
    assert found.p == pytest.approx(p)
    assert (found.n_positive, found.n_negative, found.share.n) == (k, n - k, n)
    assert found.share.value == pytest.approx(k / n)


def test_the_best_of_four_is_tested_against_a_quarter():
    found = sign_test([1.0] * 6 + [-1.0] * 3, 1 / 4)
    at_least = sum(comb(9, k) * 3 ** (9 - k) for k in range(6, 10)) / 4**9
    assert found.p == pytest.approx(at_least)  # fewer than none is no other side
    assert found.share.low < 6 / 9 < found.share.high


@given(numbers)
def test_turning_all_differences_round_turns_the_share_and_the_median(values):
    one, other = sign_test(values), sign_test([-v for v in values])
    assert (one.n_positive, one.n_tied) == (other.n_negative, other.n_tied)
    assert one.p == other.p or (one.share.value is None and np.isnan(one.p))
    assert one.median.value == -other.median.value
    assert one.median.low is None or one.median.low == -other.median.high


def test_the_interval_of_the_median_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(1)
    held = [
        found.low <= 1 <= found.high
        for found in (sign_test(1 + rng.standard_t(2, 12)).median for _ in range(400))
    ]
    assert 0.94 < np.mean(held) <= 1
    assert sign_test([1.0, 2.0, 3.0, 4.0, 5.0]).median.low is None
    assert sign_test([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).median.low == 1


def test_ties_alone_tell_nothing():
    found = sign_test([0.0, 0.0])
    assert (found.share.value, found.n_tied) == (None, 2)
    assert np.isnan(found.p)


def test_what_is_no_difference_or_no_chance_is_refused():
    with pytest.raises(ValueError, match="differences must be finite numbers"):
        sign_test([1.0, float("nan")])
    with pytest.raises(ValueError, match="chance must be between 0 and 1, got 1"):
        sign_test([1.0], 1)
