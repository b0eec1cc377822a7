"""Noise of ganglion cells: the Fano factor that was asked for, and its gradients."""

import numpy as np
import pytest
import scipy.io
import torch

from yoked.experiments.session.observer import ObserverNoise
from yoked.models.noise import drawn_for
from yoked.models.retina.noise import FANO_FACTOR, GaussianNoise, PoissonNoise
from yoked.models.retina.staged import StagedRetina, StagedRetinaConfig


def counts(noise, rate, n=40_000, steps=10):
    """Return spike counts over 100 ms at a steady rate."""
    torch.manual_seed(1)
    rates = torch.full((1, steps, n, 1), float(rate))
    return (noise(rates) * 0.01).sum(dim=1).double().flatten()


@pytest.mark.parametrize("fano", [0.1, 0.3, 1.0, 1.6])
@pytest.mark.parametrize("rate", [2.0, 30.0, 200.0])
def test_gaussian_counts_have_the_fano_factor_that_was_asked_for(fano, rate):
    found = counts(GaussianNoise(fano, 10.0), rate)
    assert found.mean().item() == pytest.approx(rate / 10, rel=0.02)
    assert (found.var() / found.mean()).item() == pytest.approx(fano, abs=0.05)


@pytest.mark.parametrize("rate", [2.0, 30.0, 200.0])
def test_poisson_counts_are_whole_numbers_with_a_fano_factor_of_1(rate):
    found = counts(PoissonNoise(10.0), rate)
    assert torch.allclose(found, found.round(), atol=1e-4)
    assert found.mean().item() == pytest.approx(rate / 10, rel=0.02)
    assert (found.var() / found.mean()).item() == pytest.approx(1, abs=0.05)


def test_gaussian_gradients_flow_through_mean_and_spread():
    rates = torch.full((1, 1, 1, 1), 30.0, requires_grad=True)
    torch.manual_seed(5)
    noisy = GaussianNoise(0.3, 10.0)(rates)
    noisy.sum().backward()
    deviation = (noisy - rates).item()
    assert rates.grad is not None
    assert rates.grad.item() == pytest.approx(1 + deviation / 2 / 30, rel=1e-3)


def test_poisson_gradients_are_a_surrogate_and_say_so():
    rates = torch.full((1, 1, 8, 8), 30.0, requires_grad=True)
    PoissonNoise(10.0)(rates).sum().backward()
    assert torch.equal(rates.grad, torch.ones_like(rates))
    for noise, surrogate in (("poisson", True), ("gaussian", False), ("none", False)):
        config = StagedRetinaConfig(noise=noise)
        retina = StagedRetina(config, 0.05, (8, 8), 100.0)
        flags = [getattr(m, "has_surrogate_gradient", False) for m in retina.modules()]
        assert any(flags) is surrogate


def test_poisson_counts_are_keyed_by_trial():
    rates = torch.full((2, 5, 4, 4), 80.0)
    with drawn_for(ObserverNoise(7, np.array([4, 9]))):
        both = PoissonNoise(10.0)(rates)
    with drawn_for(ObserverNoise(7, np.array([9]))):
        alone = PoissonNoise(10.0)(rates[1:])
    assert torch.equal(both[1:], alone)


def test_a_silent_cell_has_finite_gradients():
    rates = torch.zeros(1, 3, 4, 4, requires_grad=True)
    GaussianNoise(0.3, 10.0)(rates).sum().backward()
    assert rates.grad.isfinite().all()


def test_the_default_is_what_six_recorded_cells_do(shared_data):
    recording = scipy.io.loadmat(shared_data("mahuas2020/repeat_data_bars.mat"))
    spikes = recording["spikes_train"]  # (cell, bin of 5/3 ms, repeat)
    windows = spikes[:, :1980].reshape(6, 33, 60, 54).sum(axis=2).astype(float)
    variance = windows.var(axis=2, ddof=1).sum(axis=1)
    fano = variance / windows.mean(axis=2).sum(axis=1)
    assert np.all((fano > 0.25) & (fano < 0.36))
    assert np.median(fano) == pytest.approx(FANO_FACTOR, abs=0.03)
