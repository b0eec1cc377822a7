"""VOneBlock: the published cells, the equations of their responses, and the noise."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from yoked.experiments.session.observer import ObserverNoise
from yoked.models.backbones.vone_block import (
    VOneBlock,
    VOneConfig,
    draw_gabors,
    gabors,
)
from yoked.models.noise import drawn_for


@pytest.fixture(scope="module")
def cells():
    """Return the published 512 cells."""
    return draw_gabors(512, seed=0)


def block(**changes):
    small = VOneConfig.small()
    return VOneBlock(1, VOneConfig(**{**vars(small), "noise": "none", **changes}))


def test_the_first_cells_are_the_published_ones(cells):
    assert cells.frequency[:3].round(4).tolist() == [2.2152, 5.4342, 4.2983]
    assert cells.orientation[:3].round(3).tolist() == [106.693, 98.127, 89.770]
    assert cells.phase[:3].round(3).tolist() == [197.573, 257.468, 216.995]
    assert cells.size_across[:3].round(5).tolist() == [0.26982, 0.63591, 0.48202]


def test_the_cells_are_distributed_as_the_published_ones(cells):
    sf = cells.frequency
    found = [sf.min(), np.median(sf), sf.mean(), sf.max()]
    assert np.round(found, 3).tolist() == [0.511, 2.749, 3.128, 7.969]
    assert round(float(np.median(cells.size_across)), 3) == 0.356
    assert round(float(np.median(cells.size_along)), 3) == 0.441
    across, along = np.log(cells.size_across), np.log(cells.size_along)
    assert round(float(np.corrcoef(across, np.log(sf))[0, 1]), 3) == 0.758
    assert round(float(np.corrcoef(across, along)[0, 1]), 2) == 0.62
    wrapped = np.where(cells.orientation >= 157.5, cells.orientation - 180, 0)
    turned = np.where(cells.orientation >= 157.5, wrapped, cells.orientation)
    share = np.histogram(turned, [-22.5, 22.5, 67.5, 112.5, 157.5])[0] / 512
    assert share.round(3).tolist() == [0.268, 0.215, 0.303, 0.215]
    assert round(float(np.median(cells.size_across / (sf / 28))), 2) == 3.68


def test_a_lower_limit_of_frequency_leaves_the_other_draws_alone(cells):
    slower = draw_gabors(512, seed=0, sf_max=6)
    assert slower.frequency.max() <= 5.6
    assert (slower.orientation == cells.orientation).all()
    with pytest.raises(ValueError, match=r"sf_max must be more than 0.7, got 0.5"):
        VOneConfig(sf_max=0.5)


def test_the_carrier_changes_along_rows_at_orientation_0():
    cell = draw_gabors(512, seed=0)
    flat = type(cell)(*(np.array([v]) for v in (2.0, 0.0, 0.0, 0.5, 0.5)))
    (picture,) = gabors(flat, 0, kernel=25, px_per_deg=28)
    middle = picture[:, 12]
    period = 14
    assert middle[12] == middle.max()
    assert middle[12 - period // 2] < 0 < middle[12]
    assert np.allclose(picture, picture[:, ::-1])
    assert (picture[12] > 0).all()


def test_simple_cells_rectify_and_complex_cells_have_the_energy():
    front = block()
    x = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    even, odd = functional.conv2d(x, front.filters, stride=2, padding=7).chunk(2, 1)
    expected = torch.cat(
        [even[:, :16].relu(), (even[:, 16:] ** 2 + odd[:, 16:] ** 2).div(2).sqrt()], 1
    )
    assert torch.allclose(front(x), 25 * expected, atol=1e-5)


def test_gray_has_a_gradient_that_is_a_number():
    front, x = block(), torch.zeros(1, 1, 32, 32, requires_grad=True)
    front(x).sum().backward()
    assert x.grad.isfinite().all()


def test_complex_cells_do_not_care_for_phase():
    front = block(kernel=25, px_per_deg=28.0, stride=4)
    row = torch.arange(64.0)
    phases = torch.arange(0, 360, 45).deg2rad()[:, None]
    gratings = torch.sin(2 * torch.pi * 3 * row / 28 + phases)  # (phase, row)
    x = gratings[:, None, :, None].expand(-1, -1, -1, 64)
    responses = front(x)[:, :, 8, 8]
    modulation = responses.std(0) / responses.mean(0).clamp(min=1e-3)
    mean = responses.mean(0).view(2, 16)
    strong = (mean > 0.3 * mean.amax(1, keepdim=True)).flatten()
    assert modulation[16:][strong[16:]].max() < 0.15
    assert modulation[:16][strong[:16]].min() > 0.8


def test_neuronal_noise_has_a_fano_factor_near_one_in_counts():
    front = block(noise="neuronal")
    mean = torch.full((4000, 32, 1, 1), 20.0)
    torch.manual_seed(1)
    counts = 0.35 * front._with_noise(mean) + 0.07
    fano = counts.var() / counts.mean()
    assert 0.95 < fano < 1.05


def test_the_noise_is_that_of_the_trials_of_a_session():
    front, x = block(noise="neuronal"), torch.ones(2, 1, 32, 32)

    def responses(seed):
        with drawn_for(ObserverNoise(seed, np.array([3, 4]))):
            return front(x)

    assert torch.equal(responses(1), responses(1))
    assert not torch.equal(responses(1), responses(2))
    assert not torch.equal(responses(1)[0], responses(1)[1])


def test_gaussian_noise_has_its_sd_and_wrong_noise_is_refused():
    front = block(noise="gaussian", gaussian_sd=2.0)
    torch.manual_seed(1)
    noisy = front._with_noise(torch.full((4000, 32, 1, 1), 50.0))
    assert abs(float(noisy.std()) - 2.0) < 0.02
    with pytest.raises(ValueError, match="noise must be 'neuronal', 'gaussian' or"):
        VOneConfig(noise="poisson")


def test_each_cell_sees_one_channel_and_nothing_is_learned():
    front = VOneBlock(3)
    seen = front.filters.abs().sum(dim=(2, 3)) > 0
    assert (seen.sum(1) == 1).all()
    assert torch.equal(seen[:512], seen[512:])
    assert not list(front.parameters())
    assert front.n_channels == 512


def test_shuffled_cells_keep_values_pairs_and_channels_and_lose_their_orientation():
    small = VOneConfig.small()
    own, mixed = (
        VOneBlock(3, replace(small, is_shuffled=each)).filters for each in (False, True)
    )
    assert torch.equal(own.flatten(2).sort().values, mixed.flatten(2).sort().values)
    again = VOneBlock(3, replace(small, is_shuffled=True)).filters
    assert torch.equal(again, mixed)
    assert (own != mixed).any(dim=(1, 2, 3)).all()
    n = small.n_simple + small.n_complex

    def angle(filters):
        pair = filters.unflatten(0, (2, n)).flatten(2)
        return (pair[0] * pair[1]).sum(1)

    assert torch.allclose(angle(own), angle(mixed), atol=1e-8)

    def peak(filters):  # the largest share of power that one frequency has
        power = torch.fft.rfft2(filters.sum(1)).abs().square()
        return (power.amax(dim=(1, 2)) / power.sum(dim=(1, 2))).median()

    assert peak(mixed) < 0.5 * peak(own)
