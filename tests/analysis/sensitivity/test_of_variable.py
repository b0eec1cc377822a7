"""d' of a decision variable that is known."""

import numpy as np
import pytest

from yoked.analysis.sensitivity.of_variable import dprime_of_variable
from yoked.analysis.trials.estimate import CannotTell


def test_intervals_hold_a_known_dprime_as_often_as_they_say():
    rng = np.random.default_rng(1)
    found = [
        dprime_of_variable(rng.normal(1.5, 1, 80), rng.normal(0, 1, 200))
        for _ in range(600)
    ]
    held = np.mean([each.low < 1.5 < each.high for each in found])
    assert 0.92 < held < 0.98


def test_scale_and_place_change_nothing_and_the_sides_change_its_sign():
    rng = np.random.default_rng(2)
    signal, noise = rng.normal(1, 2, 50), rng.normal(0, 1, 60)
    found = dprime_of_variable(signal, noise)
    assert dprime_of_variable(3 * signal - 5, 3 * noise - 5).value == pytest.approx(
        found.value
    )
    assert dprime_of_variable(noise, signal).value == pytest.approx(-found.value)
    assert found.n == 110


def test_too_few_values_or_constant_ones_cannot_tell():
    with pytest.raises(CannotTell, match="2 or more of either, got 1 and 9"):
        dprime_of_variable(np.zeros(1), np.arange(9.0))
    with pytest.raises(CannotTell, match="values must vary"):
        dprime_of_variable(np.ones(4), np.ones(4))
