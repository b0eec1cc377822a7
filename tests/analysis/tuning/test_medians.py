"""The median over a layer's units, and that of surround suppression."""

import numpy as np
import pytest

from yoked.analysis.tuning.medians import (
    LEAST_UNITS,
    SUPPRESSION,
    median_of,
    median_suppression,
)
from yoked.experiments.recordings.grating_responses import GratingResponses
from yoked.experiments.stimulus.gratings import gratings


def test_units_without_the_property_do_not_count_and_few_have_no_interval():
    values = np.r_[np.arange(1.0, 10.0), np.nan]
    found = median_of(values, "an-example/1")
    assert (found.value, found.n, found.se) == (5.0, 9, None)
    assert f"fewer than {LEAST_UNITS} units" in found.note
    nothing = median_of(np.array([np.nan]), "an-example/1")
    assert nothing.value is None


def test_intervals_hold_a_known_median_as_often_as_they_say():
    rng = np.random.default_rng(1)
    sets = [median_of(rng.exponential(size=60), "x/1", k) for k in range(300)]
    held = np.mean([each.low <= np.log(2) <= each.high for each in sets])
    assert 0.9 < held < 0.99


@pytest.mark.parametrize("suppression", [0.0, 0.4])
def test_units_that_are_suppressed_by_a_known_share_are_told(suppression):
    shapes = {name: gratings(name).shape for name in ("orientation", "size")}
    rng = np.random.default_rng(1)
    n, (n_radii, *others) = 20, shapes["size"]
    # Responses rise to a radius and then fall by the share, for every other factor.
    course = np.r_[
        np.linspace(0, 1, n_radii // 2),
        np.linspace(1, 1 - suppression, n_radii - n_radii // 2),
    ]
    gains = rng.uniform(20, 40, n)
    size = gains[:, None] * course
    size = size.reshape(n, n_radii, *[1] * len(others)) * np.ones((1, 1, *others))
    orientation = gains.reshape(n, 1, 1, 1, 1) * np.ones((1, *shapes["orientation"]))
    given = GratingResponses(
        orientation=orientation, frequency=None, size=size, blank=np.zeros(n)
    )
    found = median_suppression(given)
    assert found.formula == SUPPRESSION
    assert found.value == pytest.approx(suppression, abs=0.02)
