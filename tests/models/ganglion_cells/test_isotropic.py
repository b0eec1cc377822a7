"""The isotropic field of a filter of bars: its line integrals are the filter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from yoked.models.ganglion_cells.eccentricity import centre_radius_deg
from yoked.models.ganglion_cells.isotropic import SIGMAS, field_of_bars

COURSE = np.array([0.0, 0.6, 1.0, 0.3, -0.4])


def bars(x, sigma):
    """Return a Gaussian of unit area, averaged over bars."""
    return ndtr((x + 0.5) / sigma) - ndtr((x - 0.5) / sigma)


def field_at(field, x, y):
    """Return the first component's field at a place, written out."""
    squared = x**2 + y**2
    parts = [
        w * np.exp(-squared / 2 / s**2) / (2 * np.pi * s**2)
        for w, s in zip(field.weights[0], SIGMAS, strict=True)
    ]
    return sum(parts)


def test_the_line_integrals_of_the_field_are_the_profile():
    x = np.arange(31) - 15.0
    profile = bars(x, 1.7) - 0.4 * bars(x, 5.1)
    field = field_of_bars(profile[:, None] * COURSE, n_components=1)
    y = np.linspace(-60, 60, 4001)
    fine = (np.arange(10) + 0.5) / 10 - 0.5  # within a bar
    integrals = [
        np.mean([np.trapezoid(field_at(field, at + d, y), y) for d in fine]) for at in x
    ]
    size = field.courses[0][2]  # the course is of unit length
    assert np.abs(np.array(integrals) * size - profile).max() < 0.01 * profile.max()


@given(st.floats(0.8, 4.0), st.floats(-3, 3))
def test_a_gaussian_gives_its_own_radius_and_place(sigma, place):
    x = np.arange(41) - 20.0
    field = field_of_bars(bars(x - place, sigma)[:, None] * COURSE)
    assert field.radius == pytest.approx(np.sqrt(2) * sigma, rel=0.03)
    assert field.centre == pytest.approx(20 + place, abs=0.05)
    assert field.share > 0.995


def test_what_is_not_symmetric_is_not_kept_and_said():
    x = np.arange(31) - 15.0
    one_sided = bars(x, 2.0) - 0.8 * bars(x - 5, 2.0)
    assert field_of_bars(one_sided[:, None] * COURSE).share < 0.9


def test_a_filter_of_noughts_is_refused():
    with pytest.raises(ValueError, match="must have a weight that is not 0, got none"):
        field_of_bars(np.zeros((31, 5)))


def test_centres_grow_with_eccentricity_as_published():
    published = {5.0: 0.10, 15.0: 0.18, 25.0: 0.23}  # Croner & Kaplan 1995, M cells
    assert {e: centre_radius_deg(e) for e in published} == pytest.approx(published)
    with pytest.raises(ValueError, match="must be 0 to 30 degrees, got 40"):
        centre_radius_deg(40.0)
