"""The template of a signal: what it is at contrast 1, drawn on the noise grid."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from .contents import OWN_PATTERN, OWN_SIGNAL, kept_on_grid
from .levels import FULL_CONTRAST
from .noise_and_signal import Noise, Signal
from .patterns import Drawn, Pattern


@lru_cache(maxsize=64)
def template_of(signal: Signal, noise: Noise) -> Float[np.ndarray, " frame row column"]:
    """Give the template as a protocol asks for it, before it is projected on images."""
    template = _asked_for(signal, noise)
    every = (_asked_for(each, noise) for each in signal.on_one_scale)
    largest = max(size_of(each, signal) for each in every)
    # A gaussian much finer than the grid has no element: the protocol refuses it.
    template = np.round(template / largest, 9) if largest > 0 else template
    template.setflags(write=False)
    return template


@lru_cache(maxsize=64)
def mean_of_patterns(
    signal: Signal, noise: Noise
) -> Float[np.ndarray, " frame row column"]:
    """Give the mean of the patterns that are to be told apart, at contrast 1."""
    mean = np.mean([_pattern(each, noise) for each in signal.patterns], axis=0)
    size = size_of(mean, signal)
    mean = np.round(mean / size, 9) if size > 0 else mean
    mean.setflags(write=False)
    return mean


def contrasts_of_patterns(signal: Signal, noise: Noise) -> tuple[float, float]:
    """Give pedestal and contrast at which patterns are seen as they are drawn.

    At these the mean of the patterns and what tells them apart add up to one of them.
    """
    mean = np.mean([_pattern(each, noise) for each in signal.patterns], axis=0)
    every = [_asked_for(each, noise) for each in signal.on_one_scale]
    return size_of(mean, signal), max(size_of(each, signal) for each in every)


def size_of(template: np.ndarray, signal: Signal) -> float:
    """Give what the signal's contrast is that of: the largest magnitude, or the RMS."""
    if signal.contrast_rule == "rms":
        return float(np.sqrt(np.mean(template**2)))
    return float(np.abs(template).max())


def _asked_for(signal: Signal, noise: Noise) -> np.ndarray:
    """Draw a signal at any scale."""
    if signal.kind == "patterns":
        drawn = [_pattern(each, noise) for each in signal.patterns]
        if signal.is_of_many:
            return drawn[max(signal.pattern, 0)] - np.mean(drawn, axis=0)
        return (drawn[1] - drawn[0]) / 2
    if signal.values:
        return np.array(signal.values, np.float64).reshape(noise.grid)
    return _drawn(signal, noise, OWN_SIGNAL)


def _pattern(pattern: Pattern, noise: Noise) -> np.ndarray:
    """Draw a pattern: from a formula its peak is 1, from a file it keeps its own."""
    drawn = _drawn(pattern, noise, OWN_PATTERN)
    peak = np.abs(drawn).max()
    if pattern.kind != "array" and peak > 0:
        drawn = drawn / peak
    return pattern.weight * drawn


def _drawn(drawn: Drawn, noise: Noise, what: str) -> np.ndarray:
    template = np.zeros(noise.grid)
    frames = slice(drawn.frames[0], drawn.frames[1] + 1)
    if drawn.kind == "array":
        return kept_on_grid(drawn.sha256, what, noise.grid) / FULL_CONTRAST
    if drawn.kind == "bar":
        rows = slice(drawn.rows[0], drawn.rows[1] + 1)
        template[frames, rows, drawn.columns[0] : drawn.columns[1] + 1] = 1.0
    elif drawn.kind == "blobs":
        template[frames] = _blobs(drawn, noise)
    elif drawn.kind != "unknown":
        template[frames] = _envelope(drawn, noise) * _carrier(drawn, noise)
    return template


def _blobs(drawn: Drawn, noise: Noise) -> np.ndarray:
    """Sum gaussians, each of its own place, widths and height."""
    y, x = centred(noise.grid[1])[:, None], centred(noise.grid[2])[None, :]
    sums = np.zeros(noise.grid[1:])
    for row, column, tall, wide, height in drawn.blobs:
        squared = ((y - row) / tall) ** 2 + ((x - column) / wide) ** 2
        sums += height * np.exp(-squared / 2)
    return sums


def centred(n: int) -> np.ndarray:
    """Give the places of elements about the middle of the field."""
    return np.arange(n) - (n - 1) / 2


def _envelope(signal: Drawn, noise: Noise) -> np.ndarray:
    y, x = centred(noise.grid[1])[:, None], centred(noise.grid[2])[None, :]
    return np.exp(-(x**2 + y**2) / (2 * signal.sigma**2))


def _carrier(signal: Drawn, noise: Noise) -> np.ndarray | float:
    """Cosine grating of a gabor; 1 for a gaussian."""
    if signal.kind == "gaussian":
        return 1.0
    y, x = centred(noise.grid[1])[:, None], centred(noise.grid[2])[None, :]
    angle = np.deg2rad(signal.orientation_deg)
    along = (x * np.cos(angle) + y * np.sin(angle)) * signal.cycles / noise.grid[2]
    return np.cos(2 * np.pi * along + np.deg2rad(signal.phase_deg))
