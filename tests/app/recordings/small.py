"""A small recording of two cells whose rates are known, in NumPy alone."""

import numpy as np

from yoked.experiments.recordings.recording import Recording, Segment

STEP_MS = 10.0


def rates_of(frames):
    """Return expected spikes of every step: of light at bar 2, of dark at bar 4."""
    lags = np.arange(25.0)
    course = 0.5 * (lags / 6) ** 4 * np.exp(4 - 4 * lags / 6)  # largest 60 ms ago
    bars = [np.convolve(frames[:, 0, x], course)[: len(frames)] for x in (2, 4)]
    return 0.15 * np.exp(np.stack([bars[0], -bars[1]], axis=1))


def segment(use, n_steps, n_repeats, seed):
    rng = np.random.default_rng(seed)
    frames = rng.normal(0, 0.6, (n_steps, 1, 7)).astype(np.float32)
    rates = rates_of(frames)
    counts = rng.poisson(rates, (n_repeats, *rates.shape)).astype(np.uint8)
    return Segment(use, counts, frames, np.arange(n_steps, dtype=np.int32))


def small(n_steps=12_000, n_repeats=30):
    """Return segments for fit, repeats and test."""
    parts = (
        segment("fit", n_steps, 1, 1),
        segment("repeats", 600, n_repeats, 2),
        segment("test", 800, n_repeats, 3),
    )
    return Recording("small", STEP_MS, STEP_MS, ("light", "dark"), parts)
