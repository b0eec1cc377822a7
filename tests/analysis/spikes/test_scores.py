"""Scores of rates: known rates have known scores, and intervals hold the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yoked.analysis.spikes.psth import smoothed
from yoked.analysis.spikes.scores import explained_variance, psth_correlation

from .cells import poisson, slow, softplus

N, STEPS, WIDTH = 30, 2000, 10


def made(n_cells=4, seed=1, n_steps=STEPS):
    rng = np.random.default_rng(seed)
    rate = softplus(slow(n_steps, n_cells, rng))
    return rate, poisson(rate, N, rng)


def bins(values):
    return values.reshape(*values.shape[:-2], -1, WIDTH, values.shape[-1]).sum(-2)


def within(cells, truth, errors=4):
    return all(
        abs(one.value - true) < errors * one.se
        for one, true in zip(cells, np.broadcast_to(truth, len(cells)), strict=True)
    )


def test_the_true_rate_explains_all_that_can_be_explained():
    rate, counts = made()
    found = explained_variance(rate, counts, WIDTH).explained
    assert within(found.cells, 1)
    assert all(one.se < 0.05 for one in found.cells)
    assert found.mean.n == 4
    assert found.mean.note == "cells were recorded together and are few: 4 are 4"


def test_the_true_rate_correlates_at_its_ceiling():
    rate, counts = made()
    found = psth_correlation(rate, counts, 15)
    assert within(found.share.cells, 1)
    for r, ceiling, share in zip(
        found.r.cells, found.ceiling.cells, found.share.cells, strict=True
    ):
        assert share.value == pytest.approx(r.value / ceiling.value)
        assert ceiling.value < 1


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 0.0), (1.5, 0.0), (1.0, 0.01)])
def test_a_wrong_gain_and_offset_cost_what_the_closed_form_says(gain, offset):
    rate, counts = made()
    mean = rate.mean(axis=0)
    given = np.maximum(mean + gain * (rate - mean) + offset, 0)
    true, seen = bins(rate), bins(given)
    expected = 1 - np.mean((seen - true) ** 2, axis=0) / true.var(axis=0)
    found = explained_variance(given, counts, WIDTH).explained.cells
    assert within(found, expected)
    if gain < 1:  # nothing was cut off
        np.testing.assert_allclose(expected, 1 - (1 - gain) ** 2)
        shares = psth_correlation(given, counts, 15).share.cells
        assert within(shares, 1)


def test_an_unrelated_part_lowers_the_share_by_its_length():
    rng = np.random.default_rng(4)
    drive, other = slow(20_000, 1, rng), slow(20_000, 1, rng)
    rate, given = 0.2 + 0.04 * drive, 0.2 + 0.04 * (0.6 * drive + 0.8 * other)
    counts = poisson(rate, N, rng)
    found = psth_correlation(given, counts, 15)
    true = np.corrcoef(smoothed(given, 15)[:, 0], smoothed(rate, 15)[:, 0])[0, 1]
    assert true == pytest.approx(0.6, abs=0.1)
    assert abs(found.share.cells[0].value - true) < 0.02
    explained = explained_variance(given, counts, WIDTH).explained.cells[0]
    a, b = bins(rate)[:, 0], bins(given)[:, 0]
    share, gain, off = np.corrcoef(a, b)[0, 1], b.std() / a.std(), (b - a).mean()
    expected = share**2 - (share - gain) ** 2 - off**2 / a.var()
    assert abs(explained.value - expected) < 0.02


def test_the_share_is_the_normalised_correlation_of_schoppe():
    rate, counts = made()
    given = rate[::-1] + 0.01
    y = smoothed(counts, 7)
    p = smoothed(given, 7)
    power = (y.sum(0).var(0) - y.var(1).sum(0)) / (N * (N - 1))  # signal power
    covariance = np.mean((p - p.mean(0)) * (y.mean(0) - y.mean((0, 1))), axis=0)
    expected = covariance / np.sqrt(p.var(0) * power)
    found = psth_correlation(given, counts, 7).share.cells
    np.testing.assert_allclose([one.value for one in found], expected, rtol=1e-9)


def test_the_explained_variance_is_feve_of_single_repeats():
    rate, counts = made()
    given = 0.8 * rate + 0.004
    y, p = bins(counts), bins(given)
    noise = y.var(axis=0, ddof=1).mean(axis=0)
    error, total = ((y - p) ** 2).mean((0, 1)), y.var(axis=(0, 1))
    expected = 1 - (error - noise) / (total - noise)
    found = explained_variance(given, counts, WIDTH).explained.cells
    np.testing.assert_allclose([one.value for one in found], expected, atol=2e-4)


@settings(max_examples=15)
@given(st.floats(min_value=0.01, max_value=50), st.floats(min_value=0, max_value=3))
def test_scale_and_offset_of_rates_change_no_correlation(scale, offset):
    rate, counts = made(1, n_steps=400)
    one, other = (
        psth_correlation(each, counts) for each in (rate, scale * rate + offset)
    )
    assert other.r.cells[0].value == pytest.approx(one.r.cells[0].value, abs=1e-8)
    assert other.ceiling.cells[0] == one.ceiling.cells[0]


def test_intervals_hold_the_scores_of_an_endless_stimulus():
    rng = np.random.default_rng(5)

    def pair(n_steps):
        drive, other = slow(n_steps, 1, rng), slow(n_steps, 1, rng)
        return softplus(drive), softplus(0.8 * drive + 0.6 * other)

    rate, given = pair(1_000_000)
    true, seen = bins(rate)[:, 0], bins(given)[:, 0]
    explained = 1 - np.mean((true - seen) ** 2) / true.var()
    share = np.corrcoef(smoothed(rate, 20)[:, 0], smoothed(given, 20)[:, 0])[0, 1]
    n, hits = 150, np.zeros(2)
    for _ in range(n):
        rate, given = pair(STEPS)
        counts = poisson(rate, 20, rng)
        found = (
            explained_variance(given, counts, WIDTH).explained.cells[0],
            psth_correlation(given, counts).share.cells[0],
        )
        hits += [
            one.low <= truth <= one.high
            for one, truth in zip(found, (explained, share), strict=True)
        ]
    assert (hits / n > 0.87).all()  # .92 and .93 of 300; 10 stretches of 3.3 s
    assert (hits / n < 0.99).all()


def test_a_cell_that_is_silent_has_no_score_and_is_left_out():
    rate, counts = made(3)
    counts[..., 1] = 0
    found = explained_variance(rate, counts).explained
    assert found.cells[1].note == "the PSTH does not vary over steps"
    assert found.mean.n == 2
    assert "1 of 3 left out, without a finite value" in found.mean.note


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda rate: rate[:-1], r"of the 2000 steps and 4 cells of the spikes, got"),
        (lambda rate: -rate, r"rates must be finite and 0 or more, got -0\.0"),
        (lambda rate: rate * np.nan, "rates must be finite and 0 or more, got nan"),
    ],
)
def test_rates_that_do_not_fit_are_refused(change, text):
    rate, counts = made()
    for score in (psth_correlation, explained_variance):
        with pytest.raises(ValueError, match=text):
            score(change(rate), counts)
