"""Filters over steps and pooling over places: areas, delays, widths, and edges."""

import math

import pytest
import torch

from yoked.models.retina.places import (
    Axis,
    across_frame,
    from_cells,
    from_pixels,
    onto,
)
from yoked.models.retina.steps import (
    delay_kernel,
    filtered,
    gamma_kernel,
    n_steps,
    shown_in_steps,
)


def number(value):
    return torch.tensor(float(value), dtype=torch.float64)


@pytest.mark.parametrize(
    ("tau", "order", "step_ms"), [(4.49, 4.33, 1.0), (166.0, 1.0, 5.0), (7.5, 0.0, 1.0)]
)
def test_a_filter_has_unit_area_and_its_mean_delay(tau, order, step_ms):
    weights = gamma_kernel(800, step_ms, number(tau), order)[-1].flip(0)
    assert weights.sum().item() == pytest.approx(1, abs=1e-6)
    lags = torch.arange(800) * step_ms
    assert (weights * lags).sum().item() == pytest.approx((order + 1) * tau, rel=5e-3)


def test_a_filter_sees_the_past_alone():
    kernel = gamma_kernel(20, 5.0, number(10), 0)
    assert not kernel.triu(1).any()
    late = torch.zeros(1, 20, 3, dtype=torch.float64)
    late[:, 12:] = 1.0
    assert not filtered(kernel, late)[:, :12].any()


def test_a_filter_hardly_changes_with_the_step():
    """A pulse of 100 ms through the cone's fast filter, sampled 150 ms after onset."""
    found = []
    for step_ms in (10.0, 1.0):
        kernel = gamma_kernel(round(200 / step_ms), step_ms, number(4.49), 4.33)
        pulse = shown_in_steps(1, 100.0, step_ms, 100.0).double()[None]
        response = filtered(kernel, pulse)[0, :, 0]
        found.append(response.view(20, -1).mean(dim=1))
    assert torch.allclose(found[0], found[1], atol=0.02)


@pytest.mark.parametrize("delay_ms", [0.0, 10.0, 17.3, 42.0])
def test_a_delay_moves_a_signal_by_that_long(delay_ms):
    weights = delay_kernel(10, 10.0, number(delay_ms))[-1].flip(0)
    assert weights.sum().item() == pytest.approx(1)
    moved = (weights * torch.arange(10) * 10).sum()
    assert moved.item() == pytest.approx(delay_ms)


def test_frames_fill_the_steps_they_are_shown_in():
    shown = shown_in_steps(3, frame_ms=50 / 3, step_ms=10.0, tail_ms=20.0)
    assert shown.shape == (7, 3)
    assert torch.allclose(shown.sum(dim=0) * 10, torch.full((3,), 50 / 3))
    assert torch.allclose(shown[:5].sum(dim=1), torch.ones(5))
    assert not shown[5:].any()


@pytest.mark.parametrize(
    ("frames", "frame_ms", "tail_ms", "steps"),
    [(1, 100.0, 50.0, 15), (1, 100.0, 45.0, 15), (6, 50 / 3, 0.0, 10), (1, 1.0, 0, 1)],
)
def test_an_interval_has_the_steps_that_it_needs(frames, frame_ms, tail_ms, steps):
    assert n_steps(frames, frame_ms, 10.0, tail_ms) == steps


def test_a_mosaic_is_centred_and_fills_the_frame():
    frame = Axis(52, 0.05), Axis(30, 0.05)
    rows, columns = across_frame(frame, 0.1)
    assert (rows.n, columns.n) == (26, 15)
    places = rows.places(torch.zeros(()))
    assert places.sum().item() == pytest.approx(0, abs=1e-6)
    assert places[0].item() == pytest.approx(-1.25)


def test_pixels_and_cells_give_the_same_wide_gaussian():
    sigma = number(0.12)
    pixels, cells = Axis(400, 0.01), Axis(41, 0.1)
    fine = from_pixels(Axis(1, 0.1), pixels, sigma)[0]
    assert fine.sum().item() == pytest.approx(1, abs=1e-6)
    coarse = from_cells(Axis(1, 0.1), cells, sigma)[0]
    assert coarse.sum().item() == pytest.approx(1, abs=1e-6)
    spread = [
        math.sqrt(float((weights * axis.places(sigma) ** 2).sum()))
        for weights, axis in ((fine, pixels), (coarse, cells))
    ]
    assert spread == pytest.approx([0.12, 0.12], rel=2e-3)


def test_a_gaussian_narrower_than_a_pixel_sees_that_pixel_alone():
    axis = Axis(5, 0.05)
    weights = from_pixels(axis, axis, number(1e-5))
    assert torch.allclose(weights, torch.eye(5).double())


@pytest.mark.parametrize("spacing", [0.04, 0.1, 0.14, 0.5])
def test_a_uniform_mosaic_is_uniform_on_the_grid(spacing):
    mosaic = Axis.across(2.6, spacing)
    weights = onto(Axis.across(2.6, 0.1), mosaic, number(0))
    assert weights.shape == (26, mosaic.n)
    assert torch.allclose(weights.sum(dim=1), torch.ones(26).double())


def test_a_mosaic_like_the_grid_is_left_as_it_is():
    axis = Axis.across(2.6, 0.1)
    assert torch.allclose(onto(axis, axis, number(0)), torch.eye(26).double())
