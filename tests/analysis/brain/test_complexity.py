"""Complexity: 0 of what is linear, known values of the rest, what changes nothing."""

import numpy as np
import pytest
from scipy import integrate, stats

from yoked.analysis.brain.complexity import layer_complexity

RNG = np.random.default_rng(1)
PIXELS = RNG.normal(size=(3000, 12))
WEIGHTS = RNG.normal(size=(12, 40))
SUMS = PIXELS @ WEIGHTS / np.linalg.norm(WEIGHTS, axis=0)  # of SD 1
RECTIFIED = 1 - 0.25 / (0.5 - 0.5 / np.pi)


def of_gaussian(function):
    """Return 1 - R^2 of the best line through a function of a standard normal."""

    def mean(f):
        return integrate.quad(lambda z: f(z) * stats.norm.pdf(z), -9, 9, limit=200)[0]

    slope = mean(lambda z: z * function(z))
    variance = mean(lambda z: function(z) ** 2) - mean(function) ** 2
    return 1 - slope**2 / variance


def elu(z):
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


@pytest.mark.parametrize(
    "function", [lambda z: np.maximum(z, 0), np.tanh, elu, np.cos, lambda z: z**3]
)
def test_a_function_of_a_sum_has_what_a_line_leaves_of_it(function):
    found = layer_complexity(PIXELS, function(SUMS))
    assert found.value == pytest.approx(of_gaussian(function), abs=0.02)


def test_closed_forms_of_a_rectified_sum_and_of_the_larger_of_two():
    assert of_gaussian(lambda z: np.maximum(z, 0)) == pytest.approx(RECTIFIED)
    # Of two independent ones the larger has the variance 1 - 1 / pi; the half of
    # their sum, which a line tells, has 1 / 2.
    one, other = PIXELS[:, :6], PIXELS[:, 6:]
    found = layer_complexity(PIXELS, np.maximum(one, other))
    assert found.value == pytest.approx(1 - 0.5 / (1 - 1 / np.pi), abs=0.02)
    assert pytest.approx(1 - 0.5 / (1 - 1 / np.pi)) == RECTIFIED


def test_a_linear_layer_has_none_and_more_of_a_square_is_more():
    found = [
        layer_complexity(PIXELS, SUMS + share * SUMS**2).value
        for share in (0, 0.2, 0.5, 1, 3)
    ]
    assert found[0] == pytest.approx(0, abs=1e-4)
    assert found == sorted(found)
    assert found[3] == pytest.approx(2 / 3, abs=0.03)  # variances 1 and 2


def test_units_of_pixels_and_responses_and_a_mean_change_nothing():
    responses = np.maximum(SUMS, 0)
    one = layer_complexity(PIXELS, responses).value
    other = layer_complexity(1e3 * PIXELS + 4, 1e-3 * responses - 7).value
    assert other == pytest.approx(one, abs=1e-9)


def test_constant_units_do_not_count_and_without_others_nothing_is_told():
    some = np.concatenate([np.maximum(SUMS, 0), np.full((3000, 5), 2.5)], axis=1)
    found = layer_complexity(PIXELS, some)
    assert (found.n, found.note) == (40, "5 of 45 units do not count")
    none = layer_complexity(PIXELS, np.zeros((3000, 4)))
    assert none.note == "no unit's responses vary over the pictures"


def test_too_few_pictures_are_told():
    found = layer_complexity(PIXELS[:30], SUMS[:30])
    assert "27 pictures to fit a map of 12 pixels: too high" in found.note
    with pytest.raises(ValueError, match="finite numbers, got 1 that are not"):
        layer_complexity(PIXELS, np.where(np.arange(3000)[:, None] == 3, np.nan, 1.0))
    with pytest.raises(ValueError, match="of the 3000 stimuli of the responses"):
        layer_complexity(PIXELS[:20], SUMS)
