"""Populations of a known truth: features times weights, and noise."""

import numpy as np


def population(n=600, p=20, units=40, repeats=6, noise=2.0, seed=1):
    """Return features, and responses whose signal has a variance of 1.

    The average over repeats has a reliability of 1 / (1 + noise^2 / repeats).
    """
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, p))
    signal = features @ rng.normal(size=(p, units)) / np.sqrt(p)
    signal /= signal.std(axis=0)
    return features, signal + noise * rng.normal(size=(repeats, n, units))


def reliability(noise=2.0, repeats=6):
    """Return it from the variances of signal and noise."""
    return 1 / (1 + noise**2 / repeats)
