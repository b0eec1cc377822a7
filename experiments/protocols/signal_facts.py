"""How strong a signal is: its contrast by both rules, its d' in white noise."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from .noise_and_signal import FULL_CONTRAST
from .protocol import Protocol
from .signal import signal_levels, signal_template
from .variant_facts import closest_dprime, ideal_dprime, template_dprime


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
        In white Gaussian noise: d' of one field for the ideal observer. None in other
        noise and without any, as are the next two.
    linear_dprime
        For the mean of the signal's variants as weights: 0 where they cancel.
    template_dprime
        For the signal as weights, or its first variant. Of a signal without variants
        all three observers are one; where patterns are identified, it is d' between
        the two that are most alike.
    """

    contrast_rule: str
    peak: float
    rms: float
    ideal_dprime: float | None
    linear_dprime: float | None
    template_dprime: float | None

    def plain(self) -> dict[str, Any]:
        """Give the facts as plain data."""
        return asdict(self)


def signal_facts(protocol: Protocol) -> SignalFacts:
    """Give how strong a protocol's signal is, before it is rounded to levels.

    Examples
    --------
    >>> import yoked
    >>> facts = signal_facts(yoked.load_protocol("gabor-in-noise"))
    >>> round(facts.peak, 3), round(facts.rms, 3), round(facts.ideal_dprime, 2)
    (0.087, 0.021, 2.25)
    """
    contrast = max(protocol.contrast.values)
    largest = [
        max(map(abs, own.signal.gains)) * contrast * signal_template(own)
        for own in protocol.variants
    ]
    return SignalFacts(
        protocol.signal.contrast_rule,
        max(float(np.abs(each).max()) for each in largest),
        max(math.sqrt(float((each**2).mean())) for each in largest),
        *_dprimes(protocol, contrast),
    )


def _dprimes(
    protocol: Protocol, contrast: float
) -> tuple[float | None, float | None, float | None]:
    """Give d' of the ideal observer, of a linear one, and of a template."""
    noise = protocol.noise
    if noise.basis is not None or noise.kind != "gaussian" or noise.sd == 0:
        return None, None, None
    levels = np.stack([_told_apart(own, contrast) for own in protocol.variants])
    signals, mean = levels / (FULL_CONTRAST * noise.sd), levels.mean(axis=0)
    if len(signals) == 1 or protocol.task.identifies:
        only = closest_dprime(signals)
        return only, only, only
    linear, template = (template_dprime(signals, t) for t in (mean, signals[0]))
    return ideal_dprime(signals), linear, template


def _told_apart(protocol: Protocol, contrast: float) -> Int64[np.ndarray, " element"]:
    """Give what the target has more than the other alternative, in levels."""
    levels = [signal_levels(protocol, g * contrast) for g in protocol.signal.gains]
    return (levels[1] - levels[0]).astype(np.int64).ravel()
