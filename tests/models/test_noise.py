"""An observer's noise on a device: keyed by trial, whatever the batch."""

import numpy as np
import pytest
import torch

from yoked.experiments.session.observer import ObserverNoise
from yoked.models.noise import drawn_for, noise_like, normal_on


def test_a_device_draws_what_the_observers_noise_is():
    noise, same = (ObserverNoise(11, np.array([3, 8, 2**62])) for _ in range(2))
    noise.normal(5)
    with drawn_for(same):
        noise_like(torch.zeros(3, 5))
        drawn = noise_like(torch.zeros(6, 2, 5))  # two alternatives a trial
    assert np.array_equal(drawn.numpy().reshape(3, 20), noise.normal(20))
    assert same.n_used == noise.n_used


def test_torch_alone_draws_the_same():
    noise = ObserverNoise(2**40 + 3, np.array([3, 2**62 + 5]))
    noise.normal(13)
    drawn = normal_on(torch.device("cpu"), noise, 30, noise.n_used)
    assert np.array_equal(drawn.numpy(), noise.normal(30))


def test_noise_depends_on_neither_place_nor_neighbours():
    whole = ObserverNoise(11, np.arange(10))
    with drawn_for(whole):
        all_of_them = noise_like(torch.zeros(10, 7))
    rows = np.array([9, 2])
    with drawn_for(ObserverNoise(11, np.arange(10)).of(rows)):
        assert torch.equal(noise_like(torch.zeros(2, 7)), all_of_them[rows])


def test_outside_a_session_torch_draws():
    torch.manual_seed(1)
    expected = torch.randn(4, 2)
    torch.manual_seed(1)
    assert torch.equal(noise_like(torch.zeros(4, 2)), expected)


def test_rows_that_are_nobodys_are_refused():
    rule = r"x of noise_like must be a multiple of the 3 trials .* got \(4, 2\)"
    with (
        drawn_for(ObserverNoise(11, np.arange(3))),
        pytest.raises(ValueError, match=rule),
    ):
        noise_like(torch.zeros(4, 2))
