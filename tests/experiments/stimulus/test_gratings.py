"""Gratings of the V1 battery: the published formula, sizes, places."""

import math

import numpy as np
import pytest

from yoked.experiments.stimulus.gratings import gratings


@pytest.mark.parametrize(
    ("name", "n"),
    [("mapping", 3528), ("orientation", 1152), ("frequency", 2112), ("size", 2304)],
)
def test_a_set_has_every_combination_once(name, n):
    found = gratings(name)
    assert len(found) == n == math.prod(found.shape)
    rows = zip(
        found.y_deg,
        found.x_deg,
        found.radius_deg,
        found.frequency,
        found.orientation_deg,
        found.phase_deg,
        strict=True,
    )
    assert len(set(rows)) == n


@pytest.mark.parametrize(("name", "k"), [("size", 1234), ("orientation", 77)])
def test_a_picture_is_the_published_formula_pixel_by_pixel(name, k):
    found = gratings(name)
    picture = found.pictures(k, k + 1)[0]
    rng = np.random.default_rng(1)
    for row, column in rng.integers(300, 430, (400, 2)):
        x, y = (column - 336) / 56 - 0.5, (row - 336) / 56 - 0.5
        expected = 128
        if x * x + y * y <= found.radius_deg[k] ** 2:
            theta = math.radians(found.orientation_deg[k])
            along = x * math.cos(theta) + y * math.sin(theta)
            phase = math.radians(found.phase_deg[k])
            wave = math.sin(2 * math.pi * found.frequency[k] * along + phase)
            expected = int(255 * (wave + 1) / 2)
        assert abs(int(picture[row, column]) - expected) <= (
            0 if expected == 128 else 1
        )


def test_frequencies_and_radii_are_the_published_grids():
    found = gratings("frequency")
    frequencies = np.unique(found.frequency.round(6))
    assert len(frequencies) == 22
    assert np.log2(frequencies[[0, -1]]) == pytest.approx([-1.375, 3.875], abs=1e-5)
    turns = gratings("orientation")
    assert np.unique((turns.radius_deg * 2 * turns.frequency).round(6)).tolist() == [
        2,
        3,
        4,
    ]


def test_the_middle_of_a_picture_is_the_picture_of_the_middle():
    found = gratings("mapping")
    whole, middle = found.pictures(100, 104), found.pictures(100, 104, 448)
    assert np.array_equal(whole[:, 112:-112, 112:-112], middle)


def test_another_name_is_refused():
    with pytest.raises(LookupError, match="'frequency' or 'size', got 'colour'"):
        gratings("colour")
