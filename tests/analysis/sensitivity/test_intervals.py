"""Intervals of d': exact coverage by enumeration, agreement, limits, the errors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from tests.analysis.observers import linear as simulated
from yoked.analysis.sensitivity.by_task import dprime as dprime_of
from yoked.analysis.sensitivity.by_task import shared_effects
from yoked.analysis.sensitivity.intervals import (
    enumerated_dprime,
    profile_dprime,
)
from yoked.analysis.sensitivity.sdt import dprime_2afc, dprime_from_counts
from yoked.analysis.trials.counts import four_counts
from yoked.analysis.trials.estimate import Estimate

counts = st.integers(min_value=0, max_value=200)
LINEAR = simulated.Linear(simulated.unit(np.ones(4)), gamma=0.5)


def coverage(function, n, d, c):
    """Return the exact coverage with n trials a class, all but .1 % of the mass."""
    k = np.arange(n + 1)
    hit, false_alarm = (binom.pmf(k, n, ndtr(sign * d / 2 - c)) for sign in (1, -1))
    joint = np.outer(hit, false_alarm)
    order = np.argsort(joint, axis=None)[::-1]
    kept = order[: int(np.searchsorted(joint.ravel()[order].cumsum(), 0.999)) + 1]
    covered = mass = 0.0
    for h, f in zip(*np.unravel_index(kept, joint.shape), strict=True):
        estimate = function(int(h), int(n - h), int(f), int(n - f))
        covered += joint[h, f] * (estimate.low <= d <= estimate.high)
        mass += joint[h, f]
    return covered / mass


def normal_dprime(*responses):
    found = dprime_from_counts(*responses)
    return Estimate.normal(found.value, found.se, found.n, found.formula)


@pytest.mark.parametrize("pc", [0.6, 0.75, 0.9])
def test_the_normal_interval_would_cover_the_truth_with_200_trials(pc):
    for c in (0.0, 0.3):
        assert 0.93 < coverage(normal_dprime, 100, 2 * ndtri(pc), c) < 0.97


@pytest.mark.parametrize(
    "function", [dprime_from_counts, profile_dprime, enumerated_dprime]
)
def test_all_three_intervals_cover_where_a_normal_one_fails(function):
    d = 2 * ndtri(0.9)
    assert coverage(normal_dprime, 100, d, 0.8) < 0.91
    assert 0.93 < coverage(function, 100, d, 0.8) < 0.975


@pytest.mark.slow
@pytest.mark.parametrize("function", [profile_dprime, enumerated_dprime])
@pytest.mark.parametrize("n", [20, 50])
@pytest.mark.parametrize(("pc", "c"), [(0.6, 0), (0.75, 0.8), (0.9, 0.3), (0.9, 0.8)])
def test_both_intervals_cover_at_few_trials(function, n, pc, c):
    assert 0.93 < coverage(function, n, 2 * ndtri(pc), c) < 0.985


def test_at_many_trials_all_intervals_are_one():
    responses = (4000, 1000, 1500, 3500)
    normal = normal_dprime(*responses)
    for other in (
        dprime_from_counts(*responses),
        profile_dprime(*responses),
        enumerated_dprime(*responses),
    ):
        assert (other.value, other.se, other.n) == (normal.value, normal.se, normal.n)
        assert other.low == pytest.approx(normal.low, abs=2e-3)
        assert other.high == pytest.approx(normal.high, abs=2e-3)


@given(counts, counts, counts, counts)
def test_swapping_the_two_responses_mirrors_the_interval(h, m, f, c):
    if not (h + m and f + c):
        return
    one, other = profile_dprime(h, m, f, c), profile_dprime(m, h, c, f)
    assert other.low == pytest.approx(-one.high, abs=1e-4)
    assert one.low < one.value < one.high


def test_the_profile_of_a_perfect_session_is_closed_by_the_correction_alone():
    profile, normal = profile_dprime(50, 0, 0, 50), normal_dprime(50, 0, 0, 50)
    assert math.inf > profile.high > normal.high
    assert 2 * ndtri(0.95) < profile.low < profile.value


def test_two_intervals_of_time_are_two_looks():
    responses = (40, 10, 15, 35)
    one, two = (
        profile_dprime(*responses),
        profile_dprime(*responses, forced_choice=True),
    )
    assert two.value == pytest.approx(dprime_2afc(*responses).value)
    assert two.low == pytest.approx(one.low / math.sqrt(2))
    assert two.se == pytest.approx(one.se / math.sqrt(2))
    assert two.formula == "dprime-2afc-loglinear-profile/2"
    exact = enumerated_dprime(*responses, forced_choice=True)
    assert exact.formula == "dprime-2afc-loglinear-enumerated/1"


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_a_double_pass_widens_the_profile(task):
    made, _ = simulated.linear_responses(LINEAR, task, 800, 0.15, 1, n_pairs=400)
    estimate, effect = dprime_of(made, "profile"), np.mean(shared_effects(made))
    assert effect > 1.1
    assert estimate.value == pytest.approx(dprime_of(made).value)
    assert estimate.se == pytest.approx(dprime_of(made).se)
    alone = profile_dprime(*four_counts(made), task == "2afc")
    wider = (estimate.high - estimate.low) / (alone.high - alone.low)
    assert wider == pytest.approx(math.sqrt(effect), rel=0.02)
    assert "trials shown twice" in estimate.note


def test_counts_that_are_not_there_get_a_clear_sentence():
    made, _ = simulated.linear_responses(LINEAR, "2afc", 100, 0.15, 2)
    with pytest.raises(ValueError, match="no counted trial has target 1"):
        four_counts(made.where(made.target == 0))
    missing = dprime_of(made.where(made.target == 0), "profile")
    assert missing.note == "a class has no counted trial"
    four, _ = simulated.linear_responses(LINEAR, "mafc", 100, 0.15, 2, n_alternatives=4)
    with pytest.raises(ValueError, match=r"must be two for hits .* got 4"):
        dprime_of(four, "profile")
    with pytest.raises(ValueError, match="hits must be a count >= 0, got -1"):
        profile_dprime(-1, 2, 1, 1)
