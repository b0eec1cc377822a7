"""The template of a signal: what it is at contrast 1, drawn on the noise grid."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from .noise_and_signal import Noise, Signal


@lru_cache(maxsize=64)
def template_of(signal: Signal, noise: Noise) -> Float[np.ndarray, " frame row column"]:
    """Give the template as a protocol asks for it, before it is projected on images."""
    template = np.zeros(noise.grid)
    frames = slice(signal.frames[0], signal.frames[1] + 1)
    if signal.kind == "array":
        template[:] = np.reshape(signal.values, noise.grid)
    elif signal.kind == "bar":
        rows = slice(signal.rows[0], signal.rows[1] + 1)
        template[frames, rows, signal.columns[0] : signal.columns[1] + 1] = 1.0
    elif signal.kind != "unknown":
        template[frames] = _envelope(signal, noise) * _carrier(signal, noise)
    largest = np.abs(template).max()
    # A gaussian much finer than the grid has no element: the protocol refuses it.
    template = np.round(template / largest, 9) if largest > 0 else template
    template.setflags(write=False)
    return template


def centred(n: int) -> np.ndarray:
    """Give the places of elements about the middle of the field."""
    return np.arange(n) - (n - 1) / 2


def _envelope(signal: Signal, noise: Noise) -> np.ndarray:
    y, x = centred(noise.grid[1])[:, None], centred(noise.grid[2])[None, :]
    return np.exp(-(x**2 + y**2) / (2 * signal.sigma**2))


def _carrier(signal: Signal, noise: Noise) -> np.ndarray | float:
    """Cosine grating of a gabor; 1 for a gaussian."""
    if signal.kind == "gaussian":
        return 1.0
    y, x = centred(noise.grid[1])[:, None], centred(noise.grid[2])[None, :]
    angle = np.deg2rad(signal.orientation_deg)
    along = (x * np.cos(angle) + y * np.sin(angle)) * signal.cycles / noise.grid[2]
    return np.cos(2 * np.pi * along + np.deg2rad(signal.phase_deg))
