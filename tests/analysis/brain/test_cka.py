"""CKA: equal and independent representations, symmetries, sums written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from yoked.analysis.brain.cka import cka


def pair(n=60, p=30, q=20, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    k = min(p, 10)
    return x, x[:, :k] @ rng.normal(size=(k, q)) + 2 * rng.normal(size=(n, q))


@pytest.mark.parametrize("unbiased", [True, False])
def test_identical_representations_have_1(unbiased):
    x, _ = pair()
    found = cka(x, x, unbiased)
    assert found.value == pytest.approx(1, abs=1e-12)
    assert found.se == pytest.approx(0, abs=1e-9)


def test_independent_ones_are_below_a_tenth_unbiased_and_above_nine_tenths_biased():
    """As Brain-Score's tests have it: 1,000 stimuli, 10,000 units."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 1000, 10000), dtype=np.float32)
    assert abs(cka(x, y).value) < 0.1
    assert cka(x, y, unbiased=False).value > 0.9


def test_the_biased_one_is_its_formula_with_centred_matrices():
    x, y = pair()
    h = np.eye(60) - 1 / 60
    k, m = h @ x @ x.T @ h, h @ y @ y.T @ h
    expected = (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())
    assert cka(x, y, unbiased=False).value == pytest.approx(expected, abs=1e-12)


def test_the_unbiased_one_is_a_mean_over_four_different_stimuli():
    """HSIC as a U-statistic: products of all i, j, q, r that differ (Song et al.)."""
    x, y = pair(7, 3, 4)

    def hsic(a, b):
        k, m, total, n = a @ a.T, b @ b.T, 0.0, 0
        for i in range(7):
            for j in range(7):
                for q in range(7):
                    for r in range(7):
                        if len({i, j, q, r}) == 4:
                            total += k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q])
                            n += 1
        return total / n

    expected = hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))
    assert cka(x, y).value == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("unbiased", [True, False])
def test_the_error_is_what_leaving_out_each_stimulus_gives(unbiased):
    x, y = pair(20)
    without = [
        cka(np.delete(x, k, 0), np.delete(y, k, 0), unbiased).value for k in range(20)
    ]
    expected = np.sqrt(19 * np.var(without))
    assert cka(x, y, unbiased).se == pytest.approx(expected, abs=1e-10)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 100), st.booleans())
def test_rotations_scales_and_offsets_change_nothing(seed, scale, unbiased):
    x, y = pair(20, 6, 5, seed=1)
    turned = scale * x @ ortho_group.rvs(6, random_state=seed) + 3
    expected = cka(x, y, unbiased).value
    assert cka(turned, y, unbiased).value == pytest.approx(expected, abs=1e-9)
    assert cka(y, turned, unbiased).value == pytest.approx(expected, abs=1e-9)


def test_the_interval_holds_what_many_stimuli_give():
    truth = cka(*pair(4000, 30, 20, seed=5)).value
    held, rng = 0, np.random.default_rng(6)
    weights = np.random.default_rng(5)
    weights.normal(size=(4000, 30))  # the same weights as of the truth
    w = weights.normal(size=(10, 20))
    for _ in range(100):
        x = rng.normal(size=(100, 30))
        found = cka(x, x[:, :10] @ w + 2 * rng.normal(size=(100, 20)))
        held += found.low <= truth <= found.high
    assert 88 <= held <= 100


def test_it_is_0_where_a_self_product_is_not_positive():
    """Four stimuli on a square have a negative product with themselves."""
    x = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    assert cka(x, x).value in (0.0, pytest.approx(1.0))


@pytest.mark.parametrize("value", [1.0, 0.1])  # the mean of 0.1 is not 0.1 exactly
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_what_does_not_vary_is_like_nothing(value, kind):
    still = cka(np.full((7, 3), value, kind), np.eye(7))
    assert still.value is None
    assert still.note == "one of the two does not vary over stimuli"


def test_few_and_other_stimuli_are_refused():
    with pytest.raises(ValueError, match="stimuli must be 4 or more, got 3"):
        cka(np.eye(3), np.eye(3))
    with pytest.raises(ValueError, match=r"features must be of the 5 .*, got 4"):
        cka(np.eye(4), np.eye(5))
