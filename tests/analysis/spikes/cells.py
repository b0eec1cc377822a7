"""Cells of known rates, simulated without Yoked, for the tests of spikes."""

import numpy as np
from scipy.ndimage import gaussian_filter1d


def slow(n_steps, n_cells, rng, width=15):
    """Return Gaussian drives of SD 1 that change within `width` steps."""
    drive = rng.normal(size=(n_steps, n_cells))
    drive = gaussian_filter1d(drive, width, axis=0, mode="wrap")
    return drive * np.sqrt(2 * width * np.sqrt(np.pi))


def softplus(drive, mean=0.03):
    """Return rates of such drives: next to silent half of the time, with peaks."""
    return mean * np.log1p(np.exp(2 * drive - 1))


def poisson(rate, n_repeats, rng):
    """Return counts (repeat, step, cell)."""
    return rng.poisson(np.broadcast_to(rate, (n_repeats, *rate.shape)))


def averaged(values, width):
    """Return the mean of `width` (odd) steps about each, at the ends of fewer."""
    half = width // 2
    return np.stack(
        [
            values[max(k - half, 0) : k + half + 1].mean(axis=0)
            for k in range(len(values))
        ]
    )
