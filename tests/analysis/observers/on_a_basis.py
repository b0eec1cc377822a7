"""Observers of pixels in noise on a basis, and what their kernels in coefficients are.

The truth is worked out from the images alone: a pixel template W sees coefficient k
with the weight b_k . W, so per SD of the coefficient with sigma_k b_k . W.
"""

from dataclasses import replace

import numpy as np

import yoked
from yoked.experiments.protocols.basis import Bars, Gratings

GABOR = {"cycles": 2.5, "sigma": 3.0, "orientation_deg": 0.0}
COLUMNS = range(-6, 7)


def gabor_protocol(contrast=0.15, **options):
    """Return 2AFC of an upright gabor in noise of four orientations, two phases."""
    protocol = yoked.load_protocol("orientation-noise")
    basis = Gratings(
        kind="gratings",
        cycles=(GABOR["cycles"],),
        orientations_deg=(0.0, 45.0, 90.0, 135.0),
        sigma=GABOR["sigma"],
    )
    return replace(
        protocol,
        noise=replace(protocol.noise, basis=basis, sd=0.12, **options),
        contrast=replace(protocol.contrast, values=(contrast,), highest=0.3),
    )


def identity_protocol():
    """Return `bar-in-noise` on a basis of its own elements, one unit to a level."""
    protocol = yoked.load_protocol("bar-in-noise")
    places = tuple((0.0, float(column)) for column in COLUMNS)
    basis = Bars("bars", 1.0, 1.0, (0.0,), places)
    return replace(protocol, noise=replace(protocol.noise, basis=basis, fineness=1))


def gabor(phase_deg, n=20):
    """Return an upright gabor on the grid, by a formula of its own."""
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    wave = np.cos(2 * np.pi * GABOR["cycles"] * x / n + np.deg2rad(phase_deg))
    return wave * np.exp(-(x**2 + y**2) / (2 * GABOR["sigma"] ** 2))


def elements(frames):
    """Take one pixel of each 4 x 4, less the background."""
    return frames[:, :, 0, ::4, ::4].astype(np.float64) - 128


class Matched:
    """Multiplies every frame with an upright gabor, and sums."""

    name = "matched"

    def prepare(self, viewing):
        """Need nothing."""

    def decide(self, frames, noise):
        """Give a number per alternative."""
        return np.einsum("taij,ij->ta", elements(frames), gabor(0))


class Energy(Matched):
    """Adds the squares of an upright gabor in two phases."""

    name = "gabor energy"

    def decide(self, frames, noise):
        """Give a number per alternative."""
        pair = np.stack([gabor(0), gabor(90)])
        return np.square(np.einsum("taij,pij->tap", elements(frames), pair)).sum(-1)


def seen_by(template, source):
    """Return the kernel of a pixel template, per SD of each coefficient."""
    images = source.images.dense().reshape(source.images.n, -1) / 127
    return source.contrast_sd * (images @ np.ravel(template))


def energy_kernel(source, signal, internal_noise, n=400_000, seed=0):
    """Return H2 of `Energy` in coefficients, by NumPy, and the share it is correct.

    Parameters
    ----------
    signal
        What the target adds, in SDs of the coefficients.
    """
    rng = np.random.default_rng(seed)
    pair = np.stack([seen_by(gabor(phase), source) for phase in (0, 90)])
    x = rng.standard_normal((2, n, len(signal)))
    energy = np.square((x + np.stack([signal, 0 * signal])[:, None]) @ pair.T).sum(-1)
    sd = np.sqrt(np.mean([each.var() for each in energy]))
    energy += internal_noise * sd * rng.standard_normal(energy.shape)
    correct = energy[0] > energy[1]
    target, other = (
        np.cov(field[correct].T) - np.cov(field[~correct].T) for field in x
    )
    return target - other, float(correct.mean())
