"""Fronts that take a gaze: what is dense where, limits that change nothing, scales."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from yoked.models.backbones.fixation import (
    CorticalConfig,
    CorticalFixation,
    RetinalConfig,
    RetinalFixation,
    sampled_at,
    sampling_radii,
)

MIDDLE = torch.zeros(1, 2)


def pictures(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@given(
    n=st.integers(1, 200),
    r_max=st.floats(1, 500),
    density=st.floats(1, 50),
)
def test_samples_reach_the_edge_and_thin_out_as_they_should(n, r_max, density):
    radii = sampling_radii(n, r_max, density)
    apart = np.diff(radii)
    assert len(radii) == n + 1
    assert radii[-1] == pytest.approx(r_max, rel=1e-9)
    # d_i = d_0 exp(a r_i / 2): at the edge it would be d_0 times the root of density.
    expected = apart[0] * density ** (radii[:-1] / r_max / 2)
    assert apart == pytest.approx(expected, rel=1e-6)


def test_a_retina_has_ten_times_as_many_samples_at_the_gaze_as_at_the_edge():
    apart = np.diff(sampling_radii(1000, 160.0))
    assert (apart[-1] / apart[0]) ** 2 == pytest.approx(10, rel=0.01)
    # The integral of exp(-a r / 2), which is what many samples come to.
    first = 160 * (1 - 10**-0.5) / (np.log(10) / 2) / 1000
    assert apart[0] == pytest.approx(first, rel=0.005)


@pytest.mark.parametrize("size", [(28, 28), (31, 31), (20, 45)])
def test_even_sampling_from_the_middle_is_the_picture(size):
    front = RetinalFixation(size, RetinalConfig.coarse())
    x = pictures(1, 2, *size)
    assert torch.allclose(front(x, MIDDLE)[:, :, 0], x, atol=1e-5)


def test_even_sampling_from_elsewhere_is_the_picture_moved_and_gray_beyond():
    front = RetinalFixation((32, 32), RetinalConfig.coarse())
    x = pictures(1, 1, 32, 32)
    seen = front(x, torch.tensor([[0.25, -0.125]]))[:, :, 0]  # 8 px down, 4 to the left
    assert torch.allclose(seen[..., :24, 4:], x[..., 8:, :28], atol=1e-5)
    assert (seen[..., 25:, :] == 0).all()
    assert (seen[..., :3] == 0).all()


def test_a_retina_magnifies_the_gaze_and_keeps_directions():
    places = RetinalFixation((64, 64)).places
    even = RetinalFixation((64, 64), RetinalConfig.coarse()).places
    far, usual = places.norm(dim=-1), even.norm(dim=-1)
    assert torch.allclose(places / far[..., None], even / usual[..., None], atol=1e-5)
    near = usual < 4
    assert (far[near] < 0.75 * usual[near]).all()
    assert far[32, 63] == pytest.approx(float(usual[32, 63]), rel=0.02)
    assert torch.equal(places.flip(0)[..., 0], -places[..., 0])  # up is as down


def test_mirrored_pictures_are_seen_mirrored():
    x = pictures(2, 1, 33, 33)
    gaze = torch.tensor([[0.1, 0.2], [-0.2, 0.05]])
    for front in (RetinalFixation((33, 33)), CorticalFixation((33, 33))):
        mirrored = front(x.flip(-1), gaze * torch.tensor([1.0, -1.0]))
        assert torch.allclose(mirrored, front(x, gaze).flip(-1), atol=1e-5)


def test_cortical_maps_cover_ever_more_of_the_picture():
    front = CorticalFixation((64, 64), CorticalConfig.small())
    reached = []
    for scale in range(3):
        x = torch.zeros(1, 1, 64, 64, requires_grad=True)
        front(x, MIDDLE)[0, 0, scale].sum().backward()
        columns = torch.nonzero(x.grad[0, 0].abs().sum(0) > 1e-3).flatten()
        reached.append(len(columns))
        assert columns[0] + columns[-1] == 63  # about the middle
    sides = (16, 32, 48)
    for wide, side in zip(reached, sides, strict=True):
        assert side <= wide <= side + 12  # and a little by the blur


def test_an_even_field_stays_as_it_is_at_every_scale():
    seen = CorticalFixation((64, 64), CorticalConfig.small())(
        torch.full((1, 1, 64, 64), 0.3), torch.tensor([[0.05, -0.1]])
    )
    assert seen[0, 0, :2] == pytest.approx(0.3, abs=1e-6)


def test_the_finest_scale_keeps_what_the_coarsest_blurs_away():
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    checks = (0.5 * (-1.0) ** (x // 2 + y // 2))[None, None]
    seen = CorticalFixation((64, 64), CorticalConfig.small())(checks, MIDDLE)[0, 0]
    power = seen.square().mean(dim=(1, 2))
    assert power[0] > 10 * power[2]


def test_sampling_is_differentiable_by_the_picture():
    places = RetinalFixation((7, 7)).places.double()
    x = pictures(2, 1, 7, 7).double().requires_grad_()
    gaze = torch.tensor([[0.11, -0.07], [0.0, 0.2]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda each: sampled_at(each, gaze, places), (x,))


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: RetinalConfig(reach=0.7), r"reach must be in \[0, 0.5\], got 0.7"),
        (lambda: RetinalConfig(density=0.5), "density must be 1 or more, got 0.5"),
        (lambda: CorticalConfig(scales=(0.5, 0.25)), "scales must be rising shares of"),
        (lambda: CorticalConfig(blur=0), "blur must be more than 0, got 0"),
    ],
)
def test_what_no_eye_can_be_is_refused(make, rule):
    with pytest.raises(ValueError, match=rule):
        make()
