"""Bars: a frame of one row is as the middle of a frame that is high."""

from dataclasses import replace

import pytest
import torch

from yoked.models.retina.gratings import ganglion_rates
from yoked.models.retina.staged import STAGES, StagedRetina, StagedRetinaConfig

QUIET = StagedRetinaConfig(noise="none", tail_ms=0.0)
N_BARS, DEG = 31, 0.05


def bars(n_frames=12, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return 0.3 * torch.randn(1, n_frames, 1, N_BARS, generator=generator)


def test_bars_are_the_middle_of_a_tall_frame():
    shown, height = bars(), 121
    one_row = StagedRetina(QUIET, DEG, (1, N_BARS), 10.0, is_bar=True)
    tall = StagedRetina(QUIET, DEG, (height, N_BARS), 10.0)
    with torch.no_grad():
        ours = ganglion_rates(one_row, shown)
        theirs = ganglion_rates(tall, shown.expand(-1, -1, height, -1))
    for name, rates in ours.items():
        middle = theirs[name][:, :, theirs[name].shape[2] // 2]
        assert rates.shape[2] == 1
        assert rates.std() > 1
        assert torch.allclose(rates[:, :, 0], middle, rtol=1e-3, atol=0.05)


def test_every_constant_of_a_retina_of_bars_can_be_learnt():
    learnable = tuple(stage for stage in STAGES if stage != "noise")
    config = replace(QUIET, learnable=learnable)
    retina = StagedRetina(config, DEG, (1, N_BARS), 10.0, is_bar=True)
    assert retina.n_cells[0] == 1
    retina(bars()).square().mean().backward()
    slopes = {name: each.grad for name, each in retina.named_parameters()}
    assert slopes
    for name, slope in slopes.items():
        assert slope is not None, name
        assert torch.isfinite(slope).all(), name
    assert sum(bool(slope != 0) for slope in slopes.values()) > 0.8 * len(slopes)


def test_bars_are_one_pixel_high():
    with pytest.raises(ValueError, match="bars must be 1 pixel high, got 2"):
        StagedRetina(QUIET, DEG, (2, N_BARS), 10.0, is_bar=True)
