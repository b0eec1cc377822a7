"""Sensitivity of single units: exact where they are linear, told beside their noise."""

import numpy as np
import pytest
import torch

from yoked.models.networks.from_torch import from_torch
from yoked.models.noise import noise_like
from yoked.models.registry import load
from yoked.models.robustness.unit_sensitivity import moved_units

EPS = (0.1, 0.4)


class Noisy(torch.nn.Module):
    def __init__(self, sd):
        super().__init__()
        self.sd = sd

    def forward(self, x):
        return x + self.sd * noise_like(x)


def observer(noise=0.0, n=5):
    torch.manual_seed(1)
    layers = [torch.nn.Flatten(), torch.nn.Linear(64, n)]
    network = torch.nn.Sequential(*layers, Noisy(noise))
    return from_torch(network, preprocess="gray", size_px=8, field_deg=2), layers[1]


def pictures(n=20):
    noise = torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    return (0.1 * noise).clamp(-0.4, 0.4)


def test_a_linear_unit_moves_by_eps_times_the_norm_of_its_weights():
    seen, linear = observer()
    shown = pictures()
    found = moved_units(seen, "1", shown, 0.25, EPS, units=5, attacked=3, steps=8)
    norms = linear.weight.norm(dim=1).detach().numpy()[found.units]
    expected = np.array(EPS)[:, None, None] * norms[:, None] * np.ones(3)
    np.testing.assert_allclose(found.change, expected, rtol=1e-5)
    responses = linear(shown.flatten(1)).detach().double().numpy()
    np.testing.assert_allclose(found.range, np.ptp(responses, axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.sd, responses.std(0, ddof=1), rtol=1e-5)
    assert not found.noise_sd.any()
    assert (found.n_varying, found.n_looked_at) == (5, 5)


def test_noise_moves_no_mean_and_is_measured_beside_it():
    seen, linear = observer(noise=0.05)
    found = moved_units(
        seen, "2", pictures(), 0.25, EPS, units=5, attacked=3, steps=8, noise_draws=16
    )
    norms = linear.weight.norm(dim=1).detach().numpy()
    expected = np.array(EPS)[:, None, None] * norms[:, None] * np.ones(3)
    np.testing.assert_allclose(found.change, expected, rtol=1e-4)
    np.testing.assert_allclose(found.noise_sd, 0.05, rtol=0.1)
    silent = moved_units(
        seen, "2", pictures(), 0.25, EPS, units=5, attacked=3, steps=8, noise=False
    )
    assert not silent.noise_sd.any()


def test_an_eps_of_0_moves_nothing_and_clipping_leaves_less():
    seen, linear = observer()
    # Contrast of 1 everywhere can only fall.
    bright = torch.cat([torch.ones(1, 1, 8, 8), pictures(5)])
    found = moved_units(
        seen, "1", bright, 0.25, (0.0, 0.4), units=5, attacked=1, steps=40
    )
    assert not found.change[0].any()
    most = 0.4 * linear.weight.norm(dim=1).detach().numpy()
    assert (found.change[1, :, 0] < most).all()
    assert (found.change[1, :, 0] > 0.3 * most).all()


def test_a_retina_moves_and_its_noise_is_told():
    network = load("plain-cnn", front="retina", seed=1)
    shown = 2 * pictures(6)
    found = moved_units(
        network,
        "front",
        shown,
        0.1,
        (0.5, 1.0),
        frame_ms=50.0,
        units=3,
        attacked=1,
        steps=3,
        noise_draws=1,
    )
    assert 0 < found.n_varying < found.n_looked_at
    assert (found.change[1] > found.change[0]).all()
    assert (found.noise_sd > 0).all()
    assert not found.has_surrogate


def test_what_cannot_be_moved_is_said():
    seen, _ = observer()
    with pytest.raises(ValueError, match="pictures must be 2 or more, got 1"):
        moved_units(seen, "1", pictures(1), 0.25, EPS)
    with pytest.raises(ValueError, match=r"pictures must be of contrast in \[-1, 1\]"):
        moved_units(seen, "1", 10 * pictures(), 0.25, EPS)
    with pytest.raises(ValueError, match="eps must be one or more, got none"):
        moved_units(seen, "1", pictures(), 0.25, ())
    with pytest.raises(ValueError, match="units must be 1 or more, got 0"):
        moved_units(seen, "1", pictures(), 0.25, EPS, units=0)
    with pytest.raises(LookupError, match="no layer named 'x'"):
        moved_units(seen, "x", pictures(), 0.25, EPS)
    same = torch.zeros(3, 1, 8, 8)
    with pytest.raises(ValueError, match="must be one that responds otherwise"):
        moved_units(seen, "1", same, 0.25, EPS)
