"""The one likelihood: known values, known observers at many contrasts, refusals."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from tests.analysis.coverage.internal_noise import double_pass
from tests.analysis.murray2015 import murray2015
from yoked.analysis.double_pass.consistency import fit_consistency, maximise
from yoked.analysis.double_pass.showings import Showings, natural_spline
from yoked.analysis.double_pass.showings_numba import both_below, evaluate, place
from yoked.analysis.double_pass.smooth_thresholds import (
    consistent_share,
    internal_noise,
    internal_noise_by_agreement,
    smooth_showings,
)
from yoked.analysis.trials.responses import Responses


def pairs(first, second, target=None, contrast=1.0, task="2afc"):
    """Return pairs of responses; targets alternate unless given."""
    n = len(first)
    target = np.arange(n) % 2 if target is None else target
    table = pd.DataFrame(
        {
            "trial": np.arange(2 * n),
            "target": np.tile(target, 2),
            "response": np.concatenate([first, second]),
            "contrast": np.tile(np.broadcast_to(contrast, n), 2),
            "repeats": pd.array([pd.NA] * n + list(range(n)), dtype="Int64"),
        }
    )
    return Responses.from_table(table, task, 2)


@pytest.mark.parametrize("r", [-0.8, 0.0, 0.3, 0.8, 0.93, 0.999])
def test_a_bivariate_normal_is_an_arcsine_at_its_middle(r):
    expected = 0.25 + math.asin(r) / (2 * math.pi)
    assert both_below(0.0, 0.0, r) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("r", [-0.95, -0.3, 0.5, 0.8, 0.97])
@pytest.mark.parametrize(("a", "b"), [(0.3, -1.2), (2.0, 1.9), (-1.0, -1.0)])
def test_a_bivariate_normal_is_the_integral(a, b, r):
    expected = multivariate_normal([0, 0], [[1, r], [r, 1]]).cdf([a, b])
    assert both_below(a, b, r) == pytest.approx(expected, abs=2e-6)
    assert both_below(a, b, r) == pytest.approx(both_below(b, a, r), abs=1e-14)


@pytest.mark.parametrize("lapse", [0.0, 0.08])
def test_score_and_information_are_those_of_the_likelihood(lapse):
    made = double_pass(np.random.default_rng(1), "yes_no", 7, 1.0, 0.3)
    showings = Showings.of(made, "power")
    at = np.array([0.2, -0.6, 0.7, 0.3, 0.45, lapse])
    n, k = len(showings.yes), 4

    def value(at, yes=showings.yes):
        m, jacobian = np.empty(n), np.empty((n, k))
        place(showings.base, showings.power, showings.log_contrast, at[:k], m, jacobian)
        score, information = np.empty(k + 2), np.empty((k + 2, k + 2))
        total = evaluate(
            m,
            jacobian,
            yes,
            showings.first,
            showings.second,
            showings.pair_weight,
            showings.single,
            showings.single_weight,
            at[k],
            at[k + 1],
            score,
            information,
        )
        return total, score, information

    step = 1e-5
    free = range(k + 1 + (lapse > 0))
    for j in free:
        ahead, behind = at.copy(), at.copy()
        ahead[j], behind[j] = at[j] + step, at[j] - step
        slope = (value(ahead)[0] - value(behind)[0]) / (2 * step)
        assert value(at)[1][j] == pytest.approx(slope, rel=1e-5, abs=1e-4)
    # Expected information is the covariance of the score over responses.
    rng, scores = np.random.default_rng(2), []
    m = np.empty(n)
    place(
        showings.base,
        showings.power,
        showings.log_contrast,
        at[:k],
        m,
        np.empty((n, k)),
    )
    for _ in range(2000):
        common = rng.normal(size=n)
        common[showings.second] = common[showings.first]
        noise = math.sqrt(at[k]) * common + math.sqrt(1 - at[k]) * rng.normal(size=n)
        yes = m + noise > 0
        guessed = rng.random(n) < lapse
        yes[guessed] = rng.random(guessed.sum()) < 0.5
        scores.append(value(at, yes)[1])
    found = np.cov(np.array(scores).T)
    expected = value(at)[2]
    size = np.sqrt(np.diag(expected))
    close = (found - expected) / np.outer(size, size)
    assert np.abs(close[: len(free), : len(free)]).max() < 0.12


def test_showings_counted_together_give_the_same_fit():
    made = double_pass(np.random.default_rng(3), "2afc", 7, 1.0, 0.3)
    for thresholds in ("power", "cells", "spline"):
        showings = Showings.of(made, thresholds)
        alone, together = maximise(showings), maximise(showings.counted())
        assert together.r == pytest.approx(alone.r, abs=1e-4)
        assert together.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-5)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
@pytest.mark.parametrize("contrasts", [1, 28, 363])
def test_a_large_double_pass_tells_gamma_at_any_number_of_contrasts(task, contrasts):
    rng = np.random.default_rng(4)
    made = double_pass(rng, task, contrasts, 1.0, 0.5, pairs=8000, single=0)
    noise = internal_noise(made).gamma
    assert abs(noise.value - 1) < 3.5 * noise.se
    assert noise.se < 0.05


def test_many_contrasts_do_not_pass_for_noise():
    # With a threshold for each of 28 contrasts the median was 1.59.
    rng = np.random.default_rng(5)
    found = [
        internal_noise(double_pass(rng, "yes_no", 28, 1.0, 0.0)).gamma
        for _ in range(40)
    ]
    assert np.median([g.value for g in found]) == pytest.approx(1.0, abs=0.13)
    assert np.mean([g.low <= 1 <= g.high for g in found]) > 0.83


def test_the_adjustment_undoes_what_estimated_thresholds_cost():
    # Reference: r .455 plain and .480 adjusted for a true .5, 50 pairs in 150 trials.
    rng, gained = np.random.default_rng(6), []
    for _ in range(40):
        made = double_pass(rng, "yes_no", 28, 1.0, 0.0, pairs=50, single=50)
        showings = Showings.of(made).counted()
        fits = (fit_consistency(showings, adjusted=a) for a in (True, False))
        adjusted, plain = (fit.r for fit in fits)
        gained.append(adjusted - plain)
    assert np.mean(gained) == pytest.approx(0.025, abs=0.01)


@settings(deadline=None, max_examples=8)
@given(
    scale=st.floats(0.05, 3),
    flipped=st.booleans(),
    swapped=st.booleans(),
    seed=st.integers(0, 9),
)
def test_units_of_contrast_and_names_of_responses_change_nothing(
    scale, flipped, swapped, seed
):
    made = double_pass(np.random.default_rng(seed), "2afc", 5, 1.0, 0.4, pairs=80)
    second = made.second_rows
    one, other = made.response[made.first[second]], made.response[second]
    target = made.target[second]
    contrast = made.contrast[second]
    plain = consistent_share(pairs(one, other, target, contrast)).r
    if swapped:
        one, other = other, one
    if flipped:
        one, other, target = 1 - one, 1 - other, 1 - target
    changed = consistent_share(pairs(one, other, target, scale * contrast)).r
    assert changed.value == pytest.approx(plain.value, abs=2e-3)
    assert changed.low == pytest.approx(plain.low, abs=2e-3)


def test_a_power_of_contrast_that_does_not_fit_gives_way_to_splines():
    rng = np.random.default_rng(7)
    made = double_pass(rng, "2afc", 28, 1.0, 0.0, "saturates", pairs=30_000)
    _, thresholds, p = smooth_showings(made)
    assert (thresholds, p < 0.01) == ("spline", True)
    share = consistent_share(made)
    assert "thresholds are splines" in share.r.note
    assert abs(share.r.value - 0.5) < 3.5 * share.r.se


def test_a_power_of_contrast_is_rejected_as_rarely_as_it_should_be():
    rng, p = np.random.default_rng(8), []
    for _ in range(60):
        made = double_pass(rng, "2afc", 28, 1.0, 0.0, pairs=60, single=100)
        p.append(smooth_showings(made)[2])
    assert np.mean(np.array(p) < 0.05) < 0.17  # .05 + 4 standard errors


def test_a_spline_is_a_line_beyond_its_knots_and_knows_few_values():
    x = np.linspace(0, 1, 200)
    smooth = natural_spline(x)
    assert smooth.shape == (200, 3)
    assert np.abs(np.diff(smooth[:2], 2, axis=0)).max(initial=0) < 1e-9
    assert natural_spline(np.repeat([0.0, 1.0, 2.0], 5)).shape == (15, 2)
    assert natural_spline(np.repeat([0.0, 1.0], 5)).shape == (10, 1)


def test_few_pairs_give_r_but_no_gamma():
    made = double_pass(np.random.default_rng(9), "yes_no", 1, 1.0, 0.0, pairs=20)
    noise = internal_noise(made)
    assert noise.r.value is not None
    assert noise.gamma.value is None
    assert noise.gamma.note == "gamma needs 50 pairs or more, got 20"
    assert internal_noise_by_agreement(consistent_share(made)).gamma.value is None


def test_a_strong_bias_can_leave_many_pairs_too_few():
    rng = np.random.default_rng(14)
    made = double_pass(rng, "yes_no", 1, 1.0, 2.2, pairs=120, single=300)
    noise = internal_noise(made)
    assert noise.r.value is not None
    assert "gamma needs a standard error of r of 0.25 or less" in noise.gamma.note


def test_a_lower_limit_at_no_consistency_leaves_gamma_open_above():
    made = double_pass(np.random.default_rng(10), "2afc", 1, 3.0, 0.0, pairs=150)
    gamma = internal_noise(made).gamma
    assert gamma.high == math.inf
    assert 0 < gamma.low <= gamma.value


def test_passes_that_agree_less_than_by_chance_have_their_keys_swapped():
    rng = np.random.default_rng(11)
    one = rng.integers(0, 2, 200)
    other = np.where(rng.random(200) < 0.1, one, 1 - one)
    share = consistent_share(pairs(one, other))
    assert share.r.value is None
    same = int((one == other).sum())
    assert share.r.note == (
        f"the passes agree on {same} of 200 pairs, fewer than without anything in "
        "common: are the responses of one pass reversed (keys swapped)?"
    )


def test_independent_passes_are_no_reversed_keys():
    rng = np.random.default_rng(12)
    reversed_ = 0
    for _ in range(40):
        one, other = rng.integers(0, 2, (2, 100))
        reversed_ += "reversed" in (consistent_share(pairs(one, other)).r.note or "")
    assert reversed_ == 0


def test_responses_that_never_vary_and_missing_pairs_are_named():
    same = np.ones(40, int)
    assert "responses never varied" in consistent_share(pairs(same, same)).r.note
    none = pairs(same, same)
    none = none.where(np.arange(80) < 40)
    assert consistent_share(none).r.note == "no trial was shown and answered twice"


def test_perfect_agreement_has_no_internal_noise_but_an_interval():
    answers = np.random.default_rng(13).integers(0, 2, 100)
    noise = internal_noise(pairs(answers, answers))
    assert (noise.gamma.value, noise.gamma.low) == (0.0, 0.0)
    assert 0 < noise.gamma.high < 0.6
    assert noise.r.value == 1


def test_the_published_observer_by_likelihood_and_by_agreement(shared_data):
    made = murray2015(shared_data("murray2015/experiment1_subject01.txt"))
    share = consistent_share(made)
    noise = internal_noise(made).gamma
    assert share.thresholds == "spline"
    assert share.p_power == pytest.approx(2e-4, rel=0.3)
    assert noise.value == pytest.approx(0.812, abs=0.002)
    assert (noise.low, noise.high) == pytest.approx((0.716, 0.925), abs=0.003)
    by_agreement = internal_noise_by_agreement(share).gamma
    assert by_agreement.value == pytest.approx(0.812, abs=0.003)
