"""A correlation over its ceiling: its bias, Fieller's interval, its refusal."""

import numpy as np
import pytest

from yoked.analysis.agreement.kernel_products import KernelProducts
from yoked.analysis.agreement.ratio import Ratio

SPREAD = np.array([[4, 2, 2], [2, 5, 1], [2, 1, 5]]) * 2e-3


def test_what_is_known_exactly_has_no_interval():
    found = Ratio(np.array([0.3, 0.4, 0.9]), np.zeros((3, 3))).share(9, "a/1", "no")
    assert found.value == found.low == found.high == pytest.approx(0.5)
    assert (found.n, found.se) == (9, 0)


def test_fiellers_interval_is_where_the_difference_is_within_its_error():
    one = Ratio(np.array([0.5, 0.5, 0.5]), SPREAD)
    found, (_, a, b) = one.share(1, "a/1", "no"), one.numbers
    for end in (found.low, found.high):
        # Derivatives of N - end x sqrt(a b).
        slope = np.array([1, -end * (b / a) ** 0.5 / 2, -end * (a / b) ** 0.5 / 2])
        difference = 0.5 - end * 0.5
        assert difference**2 == pytest.approx(
            1.959964**2 * slope @ one.covariance @ slope, rel=1e-6
        )


def test_the_value_is_right_on_average_where_the_quotient_is_not():
    rng = np.random.default_rng(1)
    spread = np.diag([0.01, 0.015, 0.015])
    drawn = rng.multivariate_normal([0.5, 0.5, 0.5], spread, 2000)
    drawn = drawn[(drawn[:, 1:] > 0).all(1)]
    plain = np.mean(drawn[:, 0] / np.sqrt(drawn[:, 1] * drawn[:, 2]))
    value = np.mean([Ratio(one, spread).centred for one in drawn])
    assert plain > 1.02
    assert value == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("a", [-0.1, 0.0, 0.1])
def test_a_denominator_that_may_be_nought_refuses(a):
    found = Ratio(np.array([0.5, a, 0.5]), SPREAD).share(1, "a/1", "too noisy")
    assert (found.value, found.note) == (None, "too noisy")
    ceiling = Ratio(np.array([0.5, a, 0.5]), SPREAD).ceiling(1, "a/1")
    assert ceiling.low == 0


def test_values_above_one_stay():
    found = Ratio(np.array([0.6, 0.4, 0.5]), SPREAD / 10).share(1, "a/1", "no")
    assert found.value > 1.3
    assert found.note == "above 1 by sampling"


@pytest.mark.parametrize("is_shared", [True, False])
def test_influences_of_kernels_say_what_leaving_out_a_group_does(is_shared):
    rng = np.random.default_rng(2)
    n, other = 200, 200 if is_shared else 150
    ours, theirs = (rng.normal(0.3, 1, (k, 7)) for k in (n, other))
    found = KernelProducts.of(ours, theirs, is_shared)
    left = KernelProducts.of(ours[1:], theirs[1:] if is_shared else theirs, is_shared)
    # A product of sums falls by 2 / n with a group, besides what that group added.
    scale = np.array([2 if is_shared else 1, 2, 2 if is_shared else 0]) / n
    change = found.numbers - left.numbers - scale * found.numbers
    np.testing.assert_allclose(found.influence[0], change, rtol=0.05, atol=1)
    np.testing.assert_allclose(found.influence.sum(0), 0, atol=1e-8)


def test_products_of_kernels_are_free_of_their_noise():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(300):
        noise = rng.normal(size=(40, 50))  # the same for both, and no kernel
        found.append(KernelProducts.of(noise, noise, True).numbers)
    assert np.abs(np.mean(found, axis=0)).max() < 4 * np.std(found) / 300**0.5
