"""Bits per spike: exact likelihoods, known gains, and a bound that looks at nothing."""

import numpy as np
import pytest
from scipy import stats

from yoked.analysis.spikes.likelihood import (
    WIDTHS,
    best_widths,
    bits_given_spikes,
    bits_per_spike,
    rates_of_others,
)

from .cells import averaged, poisson, slow, softplus

STEPS = 1500


def made(n_repeats=30, n_cells=2, seed=1):
    rng = np.random.default_rng(seed)
    rate = softplus(slow(STEPS, n_cells, rng), 0.05)
    return rate, poisson(rate, n_repeats, rng)


def test_poisson_bits_are_those_of_the_likelihood_written_out():
    rate, counts = made()
    found = bits_per_spike(rate, counts).bits.cells
    mean = counts.mean(axis=(0, 1))
    gain = stats.poisson.logpmf(counts, rate) - stats.poisson.logpmf(counts, mean)
    expected = gain.sum((0, 1)) / np.log(2) / counts.sum((0, 1))
    np.testing.assert_allclose([one.value for one in found], expected, rtol=1e-9)


def test_bernoulli_bits_are_those_of_the_likelihood_written_out():
    rate, counts = made()
    seen = np.minimum(counts, 1)
    found = bits_per_spike(rate, seen, "bernoulli").bits.cells
    mean = seen.mean(axis=(0, 1))
    gain = stats.bernoulli.logpmf(seen, rate) - stats.bernoulli.logpmf(seen, mean)
    expected = gain.sum((0, 1)) / np.log(2) / seen.sum((0, 1))
    np.testing.assert_allclose([one.value for one in found], expected, rtol=1e-9)


def test_the_true_rate_tells_what_the_stimulus_tells_of_a_spike():
    rate, counts = made(n_repeats=100)
    mean = rate.mean(axis=0)
    expected = (rate / mean * np.log2(rate / mean)).mean(axis=0)
    for one, truth in zip(
        bits_per_spike(rate, counts).bits.cells, expected, strict=True
    ):
        assert one.value == pytest.approx(truth, rel=0.04)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_a_constant_rate_tells_nothing_and_a_wrong_one_costs(factor):
    _, counts = made()
    constant = np.broadcast_to(factor * counts.mean(axis=(0, 1)), (STEPS, 2)).copy()
    expected = np.log2(factor) - (factor - 1) / np.log(2)
    for one in bits_per_spike(constant, counts).bits.cells:
        assert one.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("law", ["poisson", "bernoulli"])
def test_the_bound_is_below_the_true_rate_and_near_it(law):
    rate, counts = made(n_repeats=60)
    found = bits_per_spike(rate, np.minimum(counts, 1), law)
    for one in found.share.cells:
        assert 1 < one.value < 1.15
        assert one.se < 0.05  # much less than that of the bits themselves
    assert all(width > 5 for width in found.widths)


def test_the_bound_never_looks_at_the_repeat_that_it_is_scored_on():
    _, counts = made(n_repeats=6)
    other = counts.copy()
    other[2] = np.random.default_rng(9).poisson(0.4, counts[2].shape)
    one, changed = best_widths(counts), best_widths(other)
    assert (one[2] == changed[2]).all()
    same = rates_of_others(counts, one)[2], rates_of_others(other, changed)[2]
    np.testing.assert_allclose(*same, rtol=1e-12)


def test_the_width_is_the_best_of_those_tried_one_by_one():
    _, counts = made(n_repeats=5, n_cells=1)
    y = counts[..., 0]
    for held in range(5):
        scores = []
        for width in WIDTHS:
            score = 0.0
            for row in set(range(5)) - {held}:
                rest = [k for k in range(5) if k not in (held, row)]
                others = y[rest].sum(0) + y[rest].mean()
                score += stats.poisson.logpmf(y[row], averaged(others, width) / 4).sum()
            scores.append(score)
        assert best_widths(counts)[held, 0] == np.argmax(scores)


def test_a_spike_at_a_rate_of_nought_is_infinitely_unlikely():
    rate, counts = made()
    rate[np.argmax(counts[..., 1].sum(0)), 1] = 0
    found = bits_per_spike(rate, counts)
    assert found.bits.cells[1].value == -np.inf
    assert "a spike came where the rate allows none" in found.bits.cells[1].note
    assert found.bits.mean.value == found.bits.cells[0].value


def test_a_silent_cell_has_no_bits():
    rate, counts = made()
    counts[..., 0] = 0
    found = bits_per_spike(rate, counts)
    assert found.bits.cells[0].note == "the cell has no spike"
    assert found.ceiling_lower_bound.cells[0].value is None


def test_two_repeats_have_no_bound():
    rate, counts = made(n_repeats=2)
    found = bits_per_spike(rate, counts)
    assert found.ceiling_lower_bound is None
    assert found.share is None
    assert found.bits.cells[0].value > 0


@pytest.mark.parametrize(
    ("law", "factor", "text"),
    [
        ("gauss", 1, "law must be poisson or bernoulli, got 'gauss'"),
        ("bernoulli", 1, "spikes must be one at most in a step for Bernoulli's law"),
        ("poisson", -1, "rates must be finite and 0 or more, got -"),
    ],
)
def test_what_does_not_fit_is_refused(law, factor, text):
    rate, counts = made()
    counts[0, 0, 0] = 2
    with pytest.raises(ValueError, match=text):
        bits_per_spike(factor * rate, counts, law)


def test_a_rate_beyond_one_is_no_probability():
    rate, counts = made()
    with pytest.raises(ValueError, match="rates must be at most 1 for Bernoulli's law"):
        bits_per_spike(100 * rate, np.minimum(counts, 1), "bernoulli")


@pytest.mark.parametrize("law", ["poisson", "bernoulli"])
def test_bits_given_spikes_are_bits_where_no_step_depends_on_another(law):
    rate, counts = made()
    counts, rate = (counts, rate) if law == "poisson" else (counts > 0, rate / 2)
    counts = counts.astype(np.int64)
    each = stats.poisson if law == "poisson" else stats.bernoulli
    told = each.logpmf(counts, rate).sum(axis=0)
    found = bits_given_spikes(told, counts, law).cells
    expected = bits_per_spike(rate, counts, law).bits.cells
    for one, other in zip(found, expected, strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-9)


def test_a_likelihood_of_another_segment_is_refused():
    with pytest.raises(ValueError, match=r"steps and cells, \(5, 2\), got \(4, 2\)"):
        bits_given_spikes(np.zeros((4, 2)), np.ones((3, 5, 2), np.int64))
