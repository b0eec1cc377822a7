"""Geometry: degrees and pixels agree with 2 atan(s / 2d), scales are the nearest."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.experiments.monitors.geometry import (
    distance_for,
    fitting_distance_cm,
    nearest_scale,
    px_per_degree,
)
from yoked.experiments.protocols.parts import Display


def degrees_across(size_cm, distance_cm):
    """Return the visual angle of a length that is centred in front of the eye."""
    return math.degrees(2 * math.atan(size_cm / (2 * distance_cm)))


widths = st.floats(20, 200)
distances = st.floats(20, 500)
pixels = st.integers(640, 8000)


@given(widths, pixels, distances)
def test_as_many_px_as_a_degree_has_span_one_degree(width_cm, width_px, distance_cm):
    n = px_per_degree(width_cm, width_px, distance_cm)
    assert degrees_across(n * width_cm / width_px, distance_cm) == pytest.approx(1)


@given(widths, pixels, distances)
def test_twice_the_distance_has_twice_the_px_per_degree(width_cm, width_px, d):
    near, far = (px_per_degree(width_cm, width_px, k * d) for k in (1, 2))
    assert far == pytest.approx(2 * near)


def test_a_centimetre_at_57_3_cm_is_a_degree():
    assert degrees_across(1, 180 / math.pi) == pytest.approx(1, abs=1e-4)
    assert px_per_degree(40, 1600, 57.3) == pytest.approx(40, abs=0.01)


def test_a_right_angle_is_twice_the_distance_across():
    assert degrees_across(2, 1) == pytest.approx(90)


@given(st.floats(0.01, 2), st.integers(1, 64), st.floats(10, 200))
def test_no_other_scale_comes_nearer(deg, px, pixels_per_degree):
    display = Display(deg, (1, px))
    chosen = nearest_scale(display, pixels_per_degree)

    def off(scale: int) -> float:
        return abs(math.log(scale * px / pixels_per_degree / deg))

    assert chosen.scale >= 1
    assert all(off(chosen.scale) <= off(s) + 1e-9 for s in range(1, chosen.scale + 3))
    assert chosen.deg_per_element == pytest.approx(
        chosen.scale * px / pixels_per_degree
    )
    assert chosen.error == pytest.approx(chosen.deg_per_element / deg - 1)


@given(st.integers(1, 8), widths, pixels)
def test_at_the_fitting_distance_the_scale_is_exact(scale, width_cm, width_px):
    display = Display(0.2, (52, 4))
    distance = fitting_distance_cm(display, scale, width_cm, width_px)
    chosen = nearest_scale(display, px_per_degree(width_cm, width_px, distance))
    assert chosen.scale == scale
    assert chosen.error == pytest.approx(0, abs=1e-9)


@given(widths, pixels, distances)
def test_a_distance_comes_back_from_its_px_per_degree(width_cm, width_px, distance_cm):
    n = px_per_degree(width_cm, width_px, distance_cm)
    assert distance_for(n, width_cm, width_px) == pytest.approx(distance_cm)


@pytest.mark.parametrize("name", ["width_cm", "width_px", "distance_cm"])
def test_a_length_that_is_not_positive_is_refused(name):
    lengths = {"width_cm": 50.0, "width_px": 1920, "distance_cm": 57.0, name: 0}
    with pytest.raises(ValueError, match=f"{name} must be more than 0, got 0"):
        px_per_degree(**lengths)
