"""Intervals at the ceiling: exact coverage by enumeration, known limits, pairs."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from scipy.stats import binom, multivariate_normal

from yoked.analysis.sensitivity.mafc import mafc_proportion_correct
from yoked.analysis.sensitivity.mover import (
    mid_p_lower,
    shared_variance,
    z_part,
)
from yoked.analysis.sensitivity.sdt import (
    criterion_from_counts,
    dprime_2afc,
    dprime_from_counts,
    dprime_mafc,
    interval_bias,
    ln_beta,
)

LEVELS = np.arange(0, 7.01, 0.25)
CRITERIA = np.arange(0, 2.01, 0.25)
SIZES = (25, 50, 100, 200)
ESTIMATES = {
    "d'": (dprime_from_counts, lambda d, c: d),
    "d', 2AFC": (dprime_2afc, lambda d, c: d / math.sqrt(2)),
    "criterion": (criterion_from_counts, lambda d, c: c),
    "interval bias": (interval_bias, lambda d, c: c),
    "ln beta": (ln_beta, lambda d, c: c * d),
}


@cache
def limits(name, n):
    """Limits at every pair of counts that any of the observers gives in earnest."""
    ends = np.full((n + 1, n + 1, 2), np.nan)
    for h, f in np.argwhere(chances(n).max(axis=0) > 1e-5):
        found = ESTIMATES[name][0](int(h), int(n - h), int(f), int(n - f))
        ends[h, f] = found.low, found.high
    return ends


@cache
def chances(n):
    """Chance of each pair of counts, by d' and criterion."""
    k, d, c = np.arange(n + 1), LEVELS[:, None], CRITERIA
    hits, false_alarms = (
        binom.pmf(k, n, ndtr(sign * d / 2 - c).ravel()[:, None]) for sign in (1, -1)
    )
    return hits[:, :, None] * false_alarms[:, None]


def coverages(name, n):
    """Exact coverage by d' and criterion; what was left out counts as a miss."""
    d, c = (x.ravel() for x in np.meshgrid(LEVELS, CRITERIA, indexing="ij"))
    truth = ESTIMATES[name][1](d, c)[:, None, None]
    low, high = np.moveaxis(limits(name, n), 2, 0)
    held = (low <= truth + 1e-9) & (truth <= high + 1e-9)
    return (chances(n) * held).sum((1, 2)).reshape(len(LEVELS), len(CRITERIA))


@pytest.mark.parametrize("name", ESTIMATES)
def test_the_interval_covers_at_every_d_and_criterion_with_25_trials_a_class(name):
    assert coverages(name, 25).min() > 0.93


@pytest.mark.slow
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", ESTIMATES)
def test_the_interval_covers_at_every_d_and_criterion(name, n):
    assert coverages(name, n).min() > 0.93


@pytest.mark.parametrize("n", SIZES)
def test_the_parts_of_the_interval_cover_at_every_d_and_criterion(n):
    # The same for d' and criterion, all counts at once, from the parts alone.
    each = z_part(np.arange(n + 1), np.array(n))
    d, c = (x.ravel() for x in np.meshgrid(LEVELS, CRITERIA, indexing="ij"))
    below, above = (each.value - each.low) ** 2, (each.high - each.value) ** 2
    for weight, truth in ((-1, d), (1, -2 * c)):
        other = (above, below) if weight < 0 else (below, above)
        value = each.value[:, None] + weight * each.value
        low = value - np.sqrt(below[:, None] + other[0])
        high = value + np.sqrt(above[:, None] + other[1])
        at = truth[:, None, None]
        held = (low <= at + 1e-9) & (at <= high + 1e-9)
        assert (chances(n) * held).sum((1, 2)).min() > 0.94


@pytest.mark.parametrize(("m", "n"), [(3, 25), (4, 100), (8, 25)])
def test_several_alternatives_are_covered_up_to_the_ceiling(m, n):
    ends = [dprime_mafc(k, n, m) for k in range(n + 1)]
    low, high = np.array([(e.low, e.high) for e in ends]).T
    for d in LEVELS:
        mass = binom.pmf(np.arange(n + 1), n, float(mafc_proportion_correct(d, m)))
        assert mass[(low <= d) & (d <= high)].sum() > 0.92


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((200, 0, 0, 200), (4.719, math.inf)),
        ((50, 0, 0, 50), (3.588, math.inf)),
        ((50, 0, 2, 48), (3.071, math.inf)),
        ((40, 10, 10, 40), (1.112, 2.243)),
    ],
)
def test_known_counts_have_the_known_limits(counts, expected):
    found, two = dprime_from_counts(*counts), dprime_2afc(*counts)
    assert (found.low, found.high) == pytest.approx(expected, abs=5e-4)
    assert (two.low, two.high) == pytest.approx(
        [end / math.sqrt(2) for end in expected], abs=5e-4
    )


def test_a_class_without_errors_takes_one_limit_and_is_named():
    open_above, closed = dprime_from_counts(50, 0, 2, 48), ln_beta(40, 10, 10, 40)
    assert "responses were all alike" in open_above.note
    assert closed.note is None
    criterion = criterion_from_counts(50, 0, 2, 48)
    assert criterion.low == -math.inf
    assert criterion.high == pytest.approx(0.219, abs=1e-3)
    assert criterion_from_counts(50, 0, 0, 50).high == math.inf


counts = st.integers(min_value=0, max_value=60)


@given(counts, counts, counts, counts)
def test_exchanging_the_classes_or_the_responses_mirrors_the_interval(h, m, f, c):
    if not (h + m and f + c):
        return
    one, swapped = dprime_from_counts(h, m, f, c), dprime_from_counts(m, h, c, f)
    assert swapped.low == pytest.approx(-one.high)
    assert one.low <= one.value <= one.high
    there, back = criterion_from_counts(h, m, f, c), criterion_from_counts(c, f, m, h)
    assert back.high == pytest.approx(-there.low)


@given(st.integers(0, 40), st.integers(1, 40))
def test_mid_p_limits_solve_their_equation(k, rest):
    n = k + rest
    low = float(mid_p_lower(np.array(k), np.array(n)))
    if k == 0:
        assert low == 0
        return
    tail = binom.sf(k, n, low) + binom.pmf(k, n, low) / 2
    assert tail == pytest.approx(0.025, rel=1e-6)


@pytest.mark.parametrize(("rate", "r"), [(0.5, 0.5), (0.9, 0.8), (0.97, 0.2)])
def test_pairs_raise_the_variance_of_a_count_by_what_two_normals_share(rate, r):
    z = float(ndtri(rate))
    both = multivariate_normal([0, 0], [[1, r], [r, 1]]).cdf([z, z])
    rho = (both - rate**2) / (rate * (1 - rate))
    assert shared_variance(rate, 1.0, r) == pytest.approx(1 + rho, abs=1e-4)
    assert shared_variance(rate, 0.5, r) == pytest.approx(1 + rho / 2, abs=1e-4)
