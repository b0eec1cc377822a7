"""Observers whose robustness is known: linear, noisy, and with a masked gradient."""

import numpy as np
import torch

from yoked.models.networks.from_torch import from_torch
from yoked.models.noise import drawn_for, noise_like

SIDE = 52  # px of a frame of bar-in-noise; an element is 52 x 4


def weights(middle=1.0, flank=-0.3):
    """Give weights of pixels: a bright bar with dark flanks."""
    bars = np.zeros(13, np.float32)
    bars[6], bars[5], bars[7] = middle, flank, flank
    return torch.from_numpy(np.tile(np.repeat(bars, 4), (SIDE, 1))) / (4 * SIDE)


class LinearEye:
    """Scores are a weighted sum of contrast."""

    name = "linear-eye"

    def __init__(self):
        self.weights = weights()

    def prepare(self, viewing):
        pass

    def scores(self, contrast):
        return (contrast * self.weights).sum((2, 3, 4))

    def decide(self, frames, noise):
        contrast = (torch.as_tensor(frames).float() - 128) / 127
        with torch.no_grad(), drawn_for(noise):
            return self.scores(contrast).double().numpy()


class StairEye(LinearEye):
    """The same in fine steps, which have no gradient: it is masked on purpose."""

    name = "stair-eye"

    def scores(self, contrast):
        return torch.round(super().scores(contrast) * 2000) / 2000


class NoisyEye(LinearEye):
    """Many noisy, rectified bars: which of them pass a gradient is drawn anew."""

    name = "noisy-eye"

    def __init__(self, n=40, noise=20.0, threshold=1.5, seed=1):
        generator = torch.Generator().manual_seed(seed)
        bars = torch.randn(n, 13, generator=generator)
        self.templates = bars.repeat_interleave(4, 1) / SIDE
        self.readout = bars[:, 6] / n
        self.noise, self.threshold = noise, threshold

    def scores(self, contrast):
        rows = contrast.sum((2, 3)) @ self.templates.T  # (trial, alternative, bar)
        rates = torch.relu(10 * rows + self.noise * (noise_like(rows) - self.threshold))
        return rates @ self.readout


def small_network(noise=0.0):
    """Give a small convolutional network, with noise behind its first layer."""

    class Noisy(torch.nn.Module):
        def forward(self, x):
            return x + noise * noise_like(x) if noise else x

    torch.manual_seed(3)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(1, 6, 5, padding=2),
        Noisy(),
        torch.nn.ReLU(),
        torch.nn.AvgPool2d(4),
        torch.nn.Conv2d(6, 6, 3, padding=1),
        torch.nn.ReLU(),
    )
    return from_torch(
        layers, name="small-cnn", preprocess="gray", size_px=24, fit_trials=512
    )
