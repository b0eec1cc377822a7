"""Tuning curves: closed forms, limits, symmetries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import iv

from yoked.analysis.tuning.curves import (
    circular_variance,
    frequency_tuning,
    orientation_bandwidth,
    orthogonal_ratio,
    preferred_orientation,
    size_tuning,
)
from yoked.experiments.stimulus.gratings import FREQUENCIES, ORIENTATIONS, RADII_DEG


def von_mises(theta_deg, best_deg, k):
    return np.exp(k * (np.cos(2 * np.deg2rad(theta_deg - best_deg)) - 1))


def half_width(curve, highest):
    """Solve where a function of the distance from its peak is .707 of the peak."""
    return brentq(lambda x: curve(x) - 0.707 * curve(0), 1e-6, highest)


@pytest.mark.parametrize("k", [0.3, 1.0, 2.5])
def test_a_von_mises_cell_has_its_closed_forms(k):
    curve = von_mises(ORIENTATIONS, 60, k)
    variance = 1 - iv(1, k) / iv(0, k)
    assert circular_variance(curve, ORIENTATIONS) == pytest.approx(variance, abs=1e-3)
    assert orthogonal_ratio(curve) == pytest.approx(np.exp(-2 * k))


@pytest.mark.parametrize("k", [1.0, 2.5, 5.0])
def test_a_bandwidth_is_that_of_the_smoothed_curve(k):
    def smoothed(away):
        beside = von_mises(away - 15, 0, k) + von_mises(away + 15, 0, k)
        return (von_mises(away, 0, k) + 0.4 * beside) / 1.8

    curve = von_mises(ORIENTATIONS, 75, k)
    found = orientation_bandwidth(curve, ORIENTATIONS)
    assert found == pytest.approx(half_width(smoothed, 90), abs=1.5)


def test_a_cell_that_hardly_cares_has_no_bandwidth():
    assert np.isnan(orientation_bandwidth(np.ones(12), ORIENTATIONS))
    flat = 1 + 0.1 * von_mises(ORIENTATIONS, 30, 1)
    assert np.isnan(orientation_bandwidth(flat, ORIENTATIONS))
    assert np.isnan(circular_variance(np.zeros(12), ORIENTATIONS))
    assert np.isnan(orthogonal_ratio(np.zeros(12)))


@given(st.integers(0, 11), st.floats(0.5, 4))
def test_turning_a_cell_turns_its_preferred_orientation_alone(steps, k):
    curve = von_mises(ORIENTATIONS, 0, k)
    turned = np.roll(curve, steps)
    best = preferred_orientation(turned, ORIENTATIONS)
    assert (best - 15 * steps) % 180 == pytest.approx(0, abs=1e-9)
    assert -22.5 <= best < 157.5
    assert circular_variance(turned, ORIENTATIONS) == pytest.approx(
        circular_variance(curve, ORIENTATIONS), abs=1e-9
    )


@pytest.mark.parametrize(("peak", "octaves"), [(2.0, 0.6), (3.4, 1.0), (5.0, 0.8)])
def test_a_log_gaussian_cell_has_its_peak_and_bandwidth(peak, octaves):
    step = np.log2(FREQUENCIES[1] / FREQUENCIES[0])

    def curve(away):
        return np.exp(-0.5 * (away / octaves) ** 2)

    def smoothed(away):
        return (curve(away) + 0.2 * (curve(away - step) + curve(away + step))) / 1.4

    found = frequency_tuning(curve(np.log2(FREQUENCIES / peak)), FREQUENCIES)
    assert found.peak == pytest.approx(peak, rel=0.04)
    width = 2 * half_width(smoothed, 3)
    assert found.bandwidth == pytest.approx(100 * 2**-width, rel=0.08)


def test_a_cell_of_low_frequencies_has_no_frequency_bandwidth():
    low = np.linspace(1, 0, 22)
    assert np.isnan(frequency_tuning(low, FREQUENCIES).bandwidth)


def test_a_field_with_a_surround_is_measured_and_one_without_is_not():
    def response(surround):
        centre = 1 - np.exp(-((RADII_DEG / 0.4) ** 2))
        return centre * (1 - surround * (1 - np.exp(-((RADII_DEG / 1.6) ** 2))))

    found = size_tuning(response(0.6), RADII_DEG)
    curve = response(0.6)
    assert found.suppression == pytest.approx(1 - curve[-1] / curve.max())
    assert found.summation_field_deg < found.surround_deg
    without = size_tuning(response(0), RADII_DEG)
    assert without.suppression == 0
    assert np.isnan(without.summation_field_deg)
    assert np.isnan(size_tuning(np.zeros(12), RADII_DEG).suppression)
