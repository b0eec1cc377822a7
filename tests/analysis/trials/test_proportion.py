"""A proportion: Wilson's interval, a design effect, and the errors."""

import pytest

from yoked.analysis.trials.proportion import proportion, wilson_interval


def test_proportions_carry_wilsons_interval():
    # Agresti & Coull (1998), 0 of 10: (0, .2775).
    assert wilson_interval(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    estimate = proportion(10, 10)
    assert (estimate.value, estimate.high, estimate.se) == (1.0, 1.0, 0.0)
    assert estimate.low == pytest.approx(1 - 0.2775, abs=1e-4)


def test_a_design_effect_widens_the_interval():
    plain, shared = proportion(75, 100), proportion(75, 100, design_effect=1.44)
    assert shared.se == pytest.approx(1.2 * plain.se)
    assert shared.low < plain.low < plain.high < shared.high


def test_a_proportion_of_nothing_gets_a_clear_sentence():
    with pytest.raises(ValueError, match="n must be > 0, got 0"):
        proportion(0, 0)
    with pytest.raises(ValueError, match="rest must be a count >= 0, got -1"):
        proportion(3, 2)
