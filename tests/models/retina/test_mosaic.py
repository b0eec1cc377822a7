"""The retina: centre and surround in degrees, ON and OFF, and the edge."""

import math

import pytest
import torch

from yoked.models.retina.mosaic import (
    Retina,
    RetinaConfig,
    as_contrast_tensor,
    pooled_gaussians,
)

FINE = RetinaConfig(spacing_deg=0.01)  # one cell a pixel at .01 degrees


def drive(retina, contrast):
    """Return ON minus OFF: the response before it is rectified."""
    on, off = retina(contrast).unbind(-3)
    return on - off


def test_gray_gives_no_response():
    retina = Retina(RetinaConfig(), 0.05, (52, 52))
    gray = as_contrast_tensor(torch.full((2, 52, 52), 128, dtype=torch.uint8))
    assert not retina(gray).any()


def test_on_cells_see_bright_what_off_cells_see_dark():
    retina = Retina(RetinaConfig(), 0.05, (20, 30))
    contrast = torch.randn(3, 20, 30, generator=torch.Generator().manual_seed(1))
    bright, dark = retina(contrast), retina(-contrast)
    assert torch.equal(bright[:, 0], dark[:, 1])
    assert torch.equal(bright[:, 1], dark[:, 0])
    assert (bright >= 0).all()
    assert not (bright[:, 0] * bright[:, 1]).any()


def test_a_wide_field_gives_the_centre_less_the_surround():
    retina = Retina(FINE, 0.01, (301, 301))
    response = retina(torch.full((1, 301, 301), 0.5))[0, 0, 150, 150]
    assert response.item() == pytest.approx(0.5 * (1 - 0.55), abs=1e-4)


def test_a_cells_receptive_field_is_the_published_difference_of_gaussians():
    retina = Retina(FINE, 0.01, (201, 201))
    point = torch.zeros(1, 201, 201)
    point[0, 100, 100] = 1.0
    found = drive(retina, point)[0]
    distances = (torch.arange(201) - 100).double() * 0.01  # degrees
    centre, surround = 0.03 / math.sqrt(2), 6.7 * 0.03 / math.sqrt(2)

    def gaussian(x, sigma):
        # Averaged over the pixel: its width is not small beside the centre.
        edges = torch.stack([x - 0.005, x + 0.005]) / sigma
        return torch.special.ndtr(edges).diff(dim=0)[0]

    line = gaussian(distances, centre) * gaussian(torch.zeros(1).double(), centre)
    line -= (
        0.55
        * gaussian(distances, surround)
        * gaussian(torch.zeros(1).double(), surround)
    )
    assert torch.allclose(found[100], line.float(), atol=1e-6)
    assert torch.allclose(found[:, 100], line.float(), atol=1e-6)


def test_receptive_fields_keep_their_size_in_degrees():
    """A grating of 4 cycles a degree gives the same response at any resolution."""
    sizes = {0.01: 400, 0.02: 200}
    found = []
    for deg_per_px, n in sizes.items():
        places = (torch.arange(n) + 0.5) * deg_per_px
        grating = torch.cos(2 * math.pi * 4 * places).expand(1, n, n)
        retina = Retina(RetinaConfig(spacing_deg=0.02), deg_per_px, (n, n))
        rows, columns = retina.n_cells
        found.append(drive(retina, grating)[0, rows // 2, columns // 4 : -columns // 4])
    assert torch.allclose(found[0], found[1], atol=2e-2)
    assert found[0].max() > 0.3


@pytest.mark.parametrize(
    ("n_px", "deg_per_px", "cells"), [(52, 0.05, 26), (31, 0.0261, 7), (9, 0.2, 9)]
)
def test_the_mosaic_has_a_cell_every_tenth_of_a_degree(n_px, deg_per_px, cells):
    retina = Retina(RetinaConfig(), deg_per_px, (n_px, n_px))
    assert retina.n_cells == (cells, cells)


def test_a_frame_smaller_than_the_spacing_has_one_cell():
    assert Retina(RetinaConfig(), 0.001, (3, 5)).n_cells == (1, 1)


def test_a_gaussian_narrower_than_a_pixel_sees_that_pixel_alone():
    assert torch.allclose(pooled_gaussians(5, 1, 1e-3), torch.eye(5))


def test_what_falls_beyond_the_frame_has_no_weight():
    weights = pooled_gaussians(21, 1, 4.0)
    assert weights[10].sum().item() == pytest.approx(1, abs=0.01)
    assert weights[0].sum().item() == pytest.approx(0.5, abs=0.06)


def test_nothing_in_the_retina_is_trained_or_saved():
    retina = Retina(RetinaConfig(), 0.05, (52, 52))
    assert not list(retina.parameters())
    assert not retina.state_dict()


def test_a_size_of_zero_is_refused():
    with pytest.raises(ValueError, match="centre_deg must be more than 0, got 0"):
        RetinaConfig(centre_deg=0)
