"""Screen and distance by card and blind spot: known geometry, limits, the errors."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.experiments.monitors.blind_spot import (
    BLIND_SPOT_DEG,
    CARD_MM,
    ViewingError,
    measured_viewing,
)
from yoked.experiments.monitors.geometry import px_per_degree


def spot(distance_mm: float, px_per_mm: float) -> float:
    return distance_mm * math.tan(math.radians(BLIND_SPOT_DEG)) * px_per_mm


@given(st.floats(2.5, 25.0), st.floats(200.0, 1500.0), st.booleans())
def test_a_known_screen_and_distance_are_recovered(px_per_mm, distance_mm, upright):
    spots = [spot(distance_mm * share, px_per_mm) for share in (0.95, 1.0, 1.05)]
    found = measured_viewing(CARD_MM[upright] * px_per_mm, upright, spots)
    assert found.px_per_mm == pytest.approx(px_per_mm, abs=1e-4)
    assert found.distance_mm == pytest.approx(distance_mm, abs=0.06)
    assert found.distance_sd_mm == pytest.approx(0.05 * distance_mm, abs=0.06)
    due = px_per_degree(10.0, 1000, distance_mm / 10) * px_per_mm / 10
    assert found.px_per_degree == pytest.approx(due, rel=1e-3)


def test_an_arm_s_length_is_assumed_without_the_blind_spot():
    found = measured_viewing(CARD_MM[0] * 96 / 25.4)
    assert found.px_per_degree == pytest.approx(37.8, abs=0.05)  # 38 is what we assume
    assert (found.distance_sd_mm, found.distances_mm) == (None, ())


@pytest.mark.parametrize(
    ("card", "spots", "reason", "message"),
    [
        (100.0, [], "card", "from 2 to 30 pixels a mm, got 1.17"),
        (5000.0, [], "card", "from 2 to 30 pixels a mm, got 58.4"),
        (323.5, [100.0] * 3, "distance", "from 150 to 2000 mm, got 110"),
        (323.5, [3000.0] * 3, "distance", "from 150 to 2000 mm, got 3306"),
        (323.5, [300.0, 500.0, 700.0], "spread", "of their mean, got 33 to 77 cm"),
    ],
)
def test_what_cannot_be_is_refused(card, spots, reason, message):
    with pytest.raises(ViewingError, match=message) as caught:
        measured_viewing(card, False, spots)
    assert caught.value.reason == reason
