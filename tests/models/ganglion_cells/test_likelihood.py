"""Likelihoods of spikes: their slopes, and where the two kinds agree."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from yoked.models.ganglion_cells.likelihood import LIKELIHOODS, log_likelihood, slopes

etas = st.floats(min_value=-12, max_value=3)


def one(value):
    return torch.tensor([float(value)], dtype=torch.float64)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@given(eta=etas, n=st.integers(min_value=0, max_value=5))
def test_slopes_are_numerical_derivatives(likelihood, eta, n):
    def value(at):
        return log_likelihood(one(n), one(at), likelihood).item()

    found = slopes(one(n), one(eta), likelihood)
    assert found.value.item() == value(eta)
    by_hand = (value(eta + 1e-4) - value(eta - 1e-4)) / 2e-4
    assert found.slope.item() == pytest.approx(by_hand, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@given(eta=etas)
def test_the_curvature_is_the_variance_of_the_slope(likelihood, eta):
    # Fisher's information, summed over what a step may hold.
    total = 0.0
    u = math.exp(eta)
    counts = range(200) if likelihood == "poisson" else (0, 1)
    for n in counts:
        found = slopes(one(n), one(eta), likelihood)
        total += math.exp(found.value.item()) * found.slope.item() ** 2
    expected = slopes(one(0), one(eta), likelihood).curvature.item()
    assert total == pytest.approx(expected, rel=1e-4 + u * 1e-6)


@given(eta=st.floats(min_value=-15, max_value=-7), n=st.integers(0, 1))
def test_both_agree_at_low_rates(eta, n):
    poisson, bernoulli = (slopes(one(n), one(eta), name) for name in LIKELIHOODS)
    for ours, theirs in zip(poisson, bernoulli, strict=True):
        assert ours.item() == pytest.approx(theirs.item(), rel=2e-3, abs=1e-6)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_what_may_happen_has_a_probability_of_1(likelihood):
    counts = torch.arange(60 if likelihood == "poisson" else 2, dtype=torch.float64)
    each = log_likelihood(counts, torch.full_like(counts, 0.7), likelihood)
    assert each.exp().sum().item() == pytest.approx(1)


def test_no_likelihood_of_that_name():
    rule = "the likelihood must be one of poisson, bernoulli, got 'gaussian'"
    with pytest.raises(ValueError, match=rule):
        log_likelihood(one(0), one(0), "gaussian")
