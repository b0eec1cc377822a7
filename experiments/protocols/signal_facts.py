"""How strong a signal is: its contrast by both rules, its d' in white noise."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .noise_and_signal import FULL_CONTRAST
from .parts import Parts
from .signal import signal_levels, signal_template


@dataclass(frozen=True)
class SignalFacts:
    """Facts of a protocol's signal at its highest main contrast.

    Attributes
    ----------
    contrast_rule
        Which of the two the protocol's contrast is.
    peak
        Contrast where the signal is strongest, of the gain that is largest.
    rms
        Root of the mean square of its contrast over all elements.
    ideal_dprime
        In white Gaussian noise: d' of one field for the ideal observer, which there is
        the best linear one and the template, too. None in other noise and without any.
    """

    contrast_rule: str
    peak: float
    rms: float
    ideal_dprime: float | None

    def plain(self) -> dict[str, Any]:
        """Give the facts as plain data."""
        return asdict(self)


def signal_facts(protocol: Parts) -> SignalFacts:
    """Give how strong a protocol's signal is, before it is rounded to levels.

    Examples
    --------
    >>> import yoked
    >>> facts = signal_facts(yoked.load_protocol("gabor-in-noise"))
    >>> round(facts.peak, 3), round(facts.rms, 3), round(facts.ideal_dprime, 2)
    (0.087, 0.021, 2.25)
    """
    contrast = max(protocol.contrast.values)
    largest = max(abs(gain) for gain in protocol.signal.gains) * contrast
    template = signal_template(protocol)
    return SignalFacts(
        protocol.signal.contrast_rule,
        float(np.abs(template).max()) * largest,
        math.sqrt(float((template**2).mean())) * largest,
        _ideal_dprime(protocol, contrast),
    )


def _ideal_dprime(protocol: Parts, contrast: float) -> float | None:
    noise = protocol.noise
    if noise.basis is not None or noise.kind != "gaussian" or noise.sd == 0:
        return None
    levels = [signal_levels(protocol, g * contrast) for g in protocol.signal.gains]
    difference = (levels[1] - levels[0]).astype(np.float64)
    return float(np.linalg.norm(difference)) / (FULL_CONTRAST * noise.sd)
