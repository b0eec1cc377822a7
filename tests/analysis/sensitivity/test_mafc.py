"""Several alternatives: the table of methods.md 2.2, inverse, slope, and the errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.analysis.sensitivity.mafc import (
    mafc_dprime,
    mafc_proportion_correct,
    mafc_slope,
)


@pytest.mark.parametrize(
    ("m", "p"), [(2, 0.760250), (3, 0.633702), (4, 0.552031), (8, 0.385481)]
)
def test_proportion_correct_at_dprime_one_matches_the_table(m, p):
    assert mafc_proportion_correct(1.0, m) == pytest.approx(p, abs=5e-7)


@given(st.floats(-3, 6), st.integers(2, 12))
def test_mafc_dprime_inverts_proportion_correct(d, m):
    p = mafc_proportion_correct(d, m)
    assert float(mafc_dprime(p, m)) == pytest.approx(d, abs=1e-6)


@given(st.floats(-3, 5), st.integers(2, 12))
def test_the_slope_is_the_derivative(d, m):
    step = 1e-5
    ends = [mafc_proportion_correct(d + sign * step, m) for sign in (-1, 1)]
    rise = float(ends[1] - ends[0]) / (2 * step)
    assert float(mafc_slope(d, m)) == pytest.approx(rise, abs=1e-8)


def test_numbers_without_a_meaning_get_a_clear_sentence():
    with pytest.raises(ValueError, match="n_alternatives must be >= 2, got 1"):
        mafc_proportion_correct(1.0, 1)
    with pytest.raises(
        ValueError, match=r"proportion_correct must be in \(0, 1\), got 1"
    ):
        mafc_dprime(1.0, 2)
