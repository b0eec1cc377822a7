"""Ratings: published fits, known observers, the area theorem, limits, the errors."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import mannwhitneyu

from tests.analysis.observers import linear as simulated
from yoked.analysis.sensitivity.mafc import mafc_proportion_correct
from yoked.analysis.sensitivity.roc import (
    auc,
    roc,
    roc_from_ratings,
)
from yoked.analysis.sensitivity.sdt import dprime_from_counts
from yoked.analysis.trials.responses import Responses

RADIOLOGIST = [[33, 6, 6, 11, 2], [3, 2, 2, 11, 33]]  # Hanley & McNeil (1982)


def spread_out(counts):
    ratings = [np.repeat(np.arange(len(row)), row) for row in counts]
    return np.concatenate(ratings), np.repeat([0, 1], [sum(row) for row in counts])


def rate(mean, sd, n, criteria, rng):
    """Return ratings and targets of n noise-only and n signal trials."""
    x = np.concatenate([rng.normal(size=n), rng.normal(mean, sd, n)])
    return np.searchsorted(criteria, x), np.repeat([0, 1], n)


@pytest.mark.parametrize(("mean", "s"), [(1.0, 1.0), (1.5, 0.7), (0.8, 1.4)])
def test_the_model_of_a_known_observer_is_recovered(mean, s):
    criteria = np.array([-1.0, -0.3, 0.4, 1.0, 1.8])
    rng = np.random.default_rng(1)
    made = roc_from_ratings(*rate(mean, 1 / s, 200_000, criteria, rng), 6)
    d_a = mean * s * math.sqrt(2 / (1 + s**2))
    assert made.d_a.value == pytest.approx(d_a, abs=0.015)
    assert made.slope.value == pytest.approx(s, abs=0.015)
    assert made.auc_normal.value == pytest.approx(ndtr(d_a / math.sqrt(2)), abs=0.003)
    fitted = [c.value for c in made.criteria]
    np.testing.assert_allclose(fitted, criteria, atol=0.02)
    assert made.fit_p > 0.01


def test_the_published_radiologist_has_the_published_areas():
    # Hanley & McNeil (1982), Radiology 143: Wilcoxon .893; maximum likelihood .911.
    made = roc_from_ratings(*spread_out(RADIOLOGIST), 5)
    assert round(made.auc.value, 3) == 0.893
    assert made.auc.se == pytest.approx(0.032, abs=0.002)
    assert round(made.auc_normal.value, 3) == 0.911


def test_the_area_of_decision_variables_is_mann_whitneys_statistic():
    rng = np.random.default_rng(2)
    x, target = rng.normal(size=300).round(1), rng.integers(0, 2, 300)
    x = x + target
    u = mannwhitneyu(x[target == 1], x[target == 0]).statistic
    area = u / ((target == 1).sum() * (target == 0).sum())
    assert auc(x, target).value == pytest.approx(area)


def test_equal_variance_area_dprime_and_2afc_are_one_theorem():
    rng = np.random.default_rng(3)
    n, true = 400_000, 1.2
    x = np.concatenate([rng.normal(size=n), rng.normal(true, 1, n)])
    target = np.repeat([0, 1], n)
    expected = float(mafc_proportion_correct(true, 2))
    assert expected == pytest.approx(ndtr(true / math.sqrt(2)))
    assert auc(x, target).value == pytest.approx(expected, abs=0.002)
    hits, false_alarms = int((x[n:] > 0.5).sum()), int((x[:n] > 0.5).sum())
    yes_no = dprime_from_counts(hits, n - hits, false_alarms, n - false_alarms)
    of_dprime = ndtr(yes_no.value / math.sqrt(2))
    assert of_dprime == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize(("mean", "s", "n"), [(1.0, 1.0, 100), (1.5, 0.7, 200)])
def test_intervals_cover_the_truth_19_times_in_20(mean, s, n):
    rng, criteria, n_runs = np.random.default_rng(4), [-0.8, 0.0, 0.6, 1.3], 400
    edges = np.concatenate([[-np.inf], criteria, [np.inf]])
    noise, signal = np.diff(ndtr(edges)), np.diff(ndtr(s * (edges - mean)))
    trapezoid = sum(
        signal[i] * (noise[:i].sum() + noise[i] / 2) for i in range(len(noise))
    )
    d_a = mean * s * math.sqrt(2 / (1 + s**2))
    truths = (trapezoid, ndtr(d_a / math.sqrt(2)), d_a, s)
    covered = np.zeros(4)
    for _ in range(n_runs):
        made = roc_from_ratings(*rate(mean, 1 / s, n, criteria, rng), 5)
        estimates = (made.auc, made.auc_normal, made.d_a, made.slope)
        covered += [
            e.low <= true <= e.high for e, true in zip(estimates, truths, strict=True)
        ]
    assert covered / n_runs == pytest.approx(0.95, abs=4 * 0.22 / math.sqrt(n_runs))


def test_trials_shown_twice_widen_the_errors_to_the_spread_of_sessions():
    rng, n, criteria = np.random.default_rng(5), 150, [-0.5, 0.5, 1.5]
    target = np.repeat([0, 1, 0, 1], n)
    cluster = np.tile(np.arange(2 * n), 2)
    found = []
    for _ in range(300):
        shared = rng.normal(0, math.sqrt(0.8), 2 * n)
        x = np.tile(shared, 2) + rng.normal(0, math.sqrt(0.2), 4 * n) + target
        made = roc_from_ratings(np.searchsorted(criteria, x), target, 4, cluster)
        found.append(
            [
                e
                for each in (made.auc, made.d_a, made.slope)
                for e in (each.value, each.se)
            ]
        )
    area, area_se, d_a, d_a_se, slope, slope_se = np.array(found).T
    assert area_se.mean() == pytest.approx(area.std(), rel=0.15)
    assert d_a_se.mean() == pytest.approx(d_a.std(), rel=0.15)
    assert slope_se.mean() == pytest.approx(slope.std(), rel=0.15)
    alone = roc_from_ratings(np.searchsorted(criteria, x), target, 4)
    assert made.d_a.se > 1.1 * alone.d_a.se
    assert made.d_a.note == "SE allows for trials shown twice"


@given(st.lists(st.integers(1, 60), min_size=8, max_size=8))
def test_naming_the_ratings_backwards_mirrors_the_area(counts):
    ratings, target = spread_out([counts[:4], counts[4:]])
    forward, backward = (
        roc_from_ratings(ratings, target, 4),
        roc_from_ratings(3 - ratings, target, 4),
    )
    assert backward.auc.value == pytest.approx(1 - forward.auc.value)
    assert np.all(np.diff(forward.hit_rate) > 0)
    if forward.d_a.value is not None and backward.d_a.value is not None:
        assert backward.d_a.value == pytest.approx(-forward.d_a.value, abs=1e-4)
        assert backward.slope.value == pytest.approx(forward.slope.value, abs=1e-4)


@given(st.permutations(range(40)))
def test_the_order_of_the_trials_does_not_matter(order):
    rng = np.random.default_rng(6)
    ratings, target = rate(1.0, 1.2, 20, [-0.5, 0.5, 1.0], rng)
    one, other = (
        roc_from_ratings(ratings, target, 4),
        roc_from_ratings(ratings[order], target[order], 4),
    )
    assert one.auc.value == pytest.approx(other.auc.value)
    assert one.d_a == other.d_a


def test_a_category_never_used_costs_one_boundary_and_nothing_else():
    ratings, target = spread_out([[30, 20, 0, 12, 5], [8, 15, 0, 22, 40]])
    made = roc_from_ratings(ratings, target, 5)
    without = roc_from_ratings(np.where(ratings > 2, ratings - 1, ratings), target, 4)
    assert made.d_a == without.d_a
    values = [c.value is None for c in made.criteria]
    assert values == [False, True, False, False]
    assert made.criteria[1].note == "no response was 2"


def test_two_categories_are_a_yes_no_task_whose_slope_cannot_be_told():
    ratings, target = spread_out([[40, 10], [10, 40]])
    made = roc_from_ratings(ratings, target, 2)
    assert made.hit_rate[0] == 40.5 / 51
    assert made.auc.value == pytest.approx(0.8)
    assert made.slope.value is None
    assert "unequal variance needs three or more" in made.auc_normal.note


def test_classes_that_do_not_overlap_have_an_area_and_no_fit():
    made = roc_from_ratings(*spread_out([[10, 10, 0, 0], [0, 0, 10, 10]]), 4)
    assert (made.auc.value, made.auc.se, made.auc.high) == (1.0, None, 1.0)
    assert made.auc.low == pytest.approx(20 / (20 + 1.96**2), abs=1e-3)
    assert made.d_a.note.startswith("the likelihood has no maximum")


def test_a_rating_session_is_read_by_its_raw_ratings():
    rng = np.random.default_rng(7)
    observer = simulated.Linear(simulated.unit(np.ones(4)), gamma=1.0)
    table, source = simulated.run(observer, "yes_no", 4000, 0.15, seed=7, n_pairs=400)
    ratings, _ = rate(1.2, 1.3, len(table), [-0.8, -0.2, 0.4, 1.0, 1.6], rng)
    target = table["target"].to_numpy()
    table["response"] = ratings[target * len(table) + np.arange(len(table))]
    session = simulated.session(table, source, "rating")
    made = roc(session)
    assert made.counts.shape == (2, 6)
    assert made.d_a.low < 1.2 / math.sqrt((1 + 1.3**2) / 2) < made.d_a.high
    text = json.dumps(made.to_dict(), allow_nan=False)
    assert json.loads(text)["slope"]["formula"] == "roc-slope-ml/1"


def test_bad_ratings_get_a_clear_sentence():
    two = np.array([0, 1])
    with pytest.raises(ValueError, match="ratings must be in 0 to 3, got 4"):
        roc_from_ratings(np.array([4, 0]), two, 4)
    with pytest.raises(ValueError, match="target must be 0 or 1, got 2"):
        roc_from_ratings(two, np.array([0, 2]), 2)
    with pytest.raises(ValueError, match=r"both classes .* got 0 signal and 2 noise"):
        auc(two, np.array([0, 0]))
    with pytest.raises(ValueError, match="n_responses must be >= 2, got 1"):
        roc_from_ratings(two, two, 1)
    observer = simulated.Linear(simulated.unit(np.ones(4)))
    responses: Responses = simulated.linear_responses(
        observer, "2afc", 100, 0.1, seed=1
    )[0]
    with pytest.raises(ValueError, match="task must be rating or yes_no for a ROC"):
        roc(responses)
