"""Digits that are made up: where npm has none, their pictures are drawn here."""

import numpy as np

from yoked.experiments.pictures.digits import Digits


def bars(n_each=20):
    """Give ten kinds of strokes, each at its own slant, in different thicknesses."""
    y, x = np.mgrid[:28, :28] - 13.5
    ink, labels = [], []
    for digit in range(10):
        theta = np.pi * digit / 10
        away = np.abs(x * np.cos(theta) + y * np.sin(theta))
        for k in range(n_each):
            shade = 0.5 + k / (2 * n_each)  # tells which one it is
            ink.append((shade * (away < 2 + k / 10)).astype(np.float32))
            labels.append(digit)
    return Digits(np.stack(ink), np.array(labels))
