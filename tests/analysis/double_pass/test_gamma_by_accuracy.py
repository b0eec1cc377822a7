"""Gamma against accuracy: a published slope, a known one, and what has none."""

import numpy as np
import pytest

from tests.analysis.coverage.gamma_by_accuracy import simulate
from tests.analysis.murray2015 import murray2015
from yoked.analysis.double_pass.gamma_by_accuracy import gamma_by_accuracy


def test_the_recipe_gives_the_published_slope_of_a_published_observer(shared_data):
    # Murray, Patel & Yee (2015), figure 3, observer 1: -.37.
    made = murray2015(shared_data("murray2015/experiment1_subject01.txt"))
    found = gamma_by_accuracy(made)
    assert found.recipe.value == pytest.approx(-0.370, abs=5e-4)
    assert len(found.recipe_contrasts) == 5
    # One likelihood of twice as many contrasts: no sign of a slope.
    assert len(found.contrasts) == 10
    assert found.slope.low < 0 < found.slope.high
    assert found.p > 0.1


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_the_likelihood_finds_the_slope_of_a_simulated_observer(task):
    made = simulate(task, 5, 4000, -0.6, 0.2, np.random.default_rng(1))
    found = gamma_by_accuracy(made)
    assert found.slope.value == pytest.approx(-0.6, abs=3 * found.slope.se)
    assert found.slope.se < 0.1
    assert found.slope.high < 0
    assert found.p < 1e-6
    assert found.recipe.value < 0


def test_the_interval_is_open_where_the_contrasts_cannot_tell():
    made = simulate("2afc", 2, 25, 0.0, 0.0, np.random.default_rng(2))
    slope = gamma_by_accuracy(made).slope
    assert slope.high == np.inf or slope.low == -np.inf
    assert "a line needs three" in gamma_by_accuracy(made).recipe.note


def test_what_has_no_slope_says_why():
    made = simulate("2afc", 3, 100, 0.0, 0.0, np.random.default_rng(3))
    with pytest.raises(ValueError, match=r"two or more with 20 pairs .* got 1"):
        gamma_by_accuracy(made.where(made.contrast == made.contrasts[0]))
