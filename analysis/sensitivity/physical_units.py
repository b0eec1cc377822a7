"""What was shown, in units that another laboratory can compare.

An element of the noise covers A = width x height degrees^2 and lasts T seconds (a frame
of a movie; a still field has no spectrum over time, and no T here). White noise of RMS
contrast sigma then has the two-sided spectral density, and the signal s the energy [1]_

    N = sigma^2 A (T)          E = A (T) sum s^2

in degrees^2 (s). E / N = sum s^2 / sigma^2 has no unit and needs no geometry: it is the
square of the ideal observer's d'. At threshold it is what thresholds in noise are
compared by.

References
----------
.. [1] Pelli & Farell (1999), J. Opt. Soc. Am. A 16, 647-653.
"""

import math
from dataclasses import dataclass

import numpy as np

from ...experiments.session.observer import Viewing
from ..trials.estimate import CannotTell, Estimate, mapped
from ..trials.held import Held
from ..trials.responses import SessionLike
from ..trials.result import Result
from .ideal import IdealObserver, signal_difference

ENERGY = "signal-energy-at-threshold/1"
RATIO = "energy-over-noise-density-at-threshold/1"


@dataclass(frozen=True)
class ContrastEnergy(Result):
    """The signal of one contrast.

    Attributes
    ----------
    contrast
        The signal's.
    rms_contrast
        Root of its mean square over the field, of target less non-target.
    energy
        In degrees^2, and s where movies.
    over_noise
        Energy over the noise's spectral density; the squared d' of an ideal observer.
    """

    contrast: float
    rms_contrast: float
    energy: float
    over_noise: float


@dataclass(frozen=True)
class PhysicalUnits(Result):
    """Noise and signal in physical units.

    Attributes
    ----------
    unit
        Of energy and spectral density: 'deg^2', or 'deg^2 s' where movies.
    element_deg
        Width and height of an element.
    frame_s
        Duration of a frame of a movie; None where the field is still.
    noise_rms_contrast
        Realised SD of the noise in one element.
    noise_density
        Two-sided spectral density of the noise.
    by_contrast
        The signal at each contrast, rising.
    threshold_energy, threshold_over_noise
        At the threshold of the psychometric function; None without one.
    geometry
        Where the degrees are from.
    """

    unit: str
    element_deg: tuple[float, float]
    frame_s: float | None
    noise_rms_contrast: float
    noise_density: float
    by_contrast: tuple[ContrastEnergy, ...]
    threshold_energy: Estimate | None
    threshold_over_noise: Estimate | None
    geometry: str


def physical_units(
    session: SessionLike,
    threshold: Estimate | None = None,
    viewing: Viewing | None = None,
) -> PhysicalUnits:
    """Return noise and signal of a session in degrees (and seconds).

    Parameters
    ----------
    threshold
        Contrast at threshold, whose interval is carried over.
    viewing
        As the session's display showed it; as the protocol asks for by default.

    Raises
    ------
    CannotTell
        If no trial counts, or the noise is not white and Gaussian, or the signal is not
        known.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=100, contrast=0.227)
    >>> found = physical_units(session)
    >>> round(found.by_contrast[0].over_noise ** 0.5, 3)  # d' of the ideal observer
    2.283
    """
    held = Held.of(session)
    ideal = IdealObserver.of(held)
    if ideal.reason:
        raise CannotTell(
            f"physical units need white noise and a signal: {ideal.reason}"
        )
    protocol = held.protocol
    if protocol.noise.basis is not None:
        raise CannotTell("physical units need white noise, got noise on a basis")
    seen = Viewing.of(protocol) if viewing is None else viewing
    width = seen.deg_per_element
    height = seen.deg_per_px * seen.element_px[0]
    frame_s = seen.frame_ms / 1000 if protocol.noise.grid[0] > 1 else None
    volume = width * height * (1.0 if frame_s is None else frame_s)
    density = ideal.sd**2 * volume

    def squares(contrast: float) -> float:
        shown = signal_difference(protocol, contrast, ideal.is_quantised)
        return float(np.sum(shown**2))

    n_elements = math.prod(protocol.noise.grid)
    contrasts = tuple(
        ContrastEnergy(
            contrast=float(c),
            rms_contrast=math.sqrt(squares(float(c)) / n_elements),
            energy=volume * squares(float(c)),
            over_noise=squares(float(c)) / ideal.sd**2,
        )
        for c in held.responses.contrasts
    )
    energy = over_noise = None
    if threshold is not None and threshold.value is not None:
        one = float(np.sum(signal_difference(protocol, 1.0, False) ** 2))
        energy = _squared(threshold, volume * one, ENERGY)
        over_noise = _squared(threshold, one / ideal.sd**2, RATIO)
    geometry = (
        f"as {held.protocol.name} asks for" if viewing is None else "as it was shown"
    )
    return PhysicalUnits(
        unit="deg^2" if frame_s is None else "deg^2 s",
        element_deg=(width, height),
        frame_s=frame_s,
        noise_rms_contrast=ideal.sd,
        noise_density=density,
        by_contrast=contrasts,
        threshold_energy=energy,
        threshold_over_noise=over_noise,
        geometry=geometry,
    )


def _squared(threshold: Estimate, factor: float, formula: str) -> Estimate:
    """Carry a contrast to factor x contrast^2."""
    slope = 2 * factor * (threshold.value or 0.0)
    return mapped(threshold, lambda c: factor * max(c, 0.0) ** 2, formula, slope)
