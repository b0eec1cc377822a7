"""The ideal observer of a protocol: the template matched to the signal as it was shown.

The signal is the one shown: quantised to contrast levels where the noise is ours, as it
was published where the noise is foreign. The noise's SD is the realised one. In noise
that is cut off, one element beyond the cut proves a signal, so the template is ideal
among linear observers only, and the note says so.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ...experiments.protocols.coefficients import coefficients_of
from ...experiments.protocols.parts import FULL_CONTRAST
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.signal import (
    signal_levels,
    signal_template,
    signal_units,
)
from ...experiments.stimulus.noise import level_table
from ..trials.estimate import CannotTell
from ..trials.held import Held
from ..trials.responses import Responses
from ..trials.score import decision_noise_sd, why_not_white

NO_SIGNAL = "the two alternatives show the same at every contrast"


def signal_difference(
    protocol: Protocol, contrast: float, is_quantised: bool = True
) -> Float[np.ndarray, " frame row column"]:
    """Return what tells the alternatives apart, in contrast: target less non-target.

    Parameters
    ----------
    is_quantised
        Whether each alternative is first rounded to contrast levels, as it is shown.
    """
    without, with_target = protocol.signal.gains
    if not is_quantised:
        return (with_target - without) * contrast * signal_template(protocol)
    shown, other = (
        signal_levels(protocol, gain * contrast).astype(np.float64)
        for gain in (with_target, without)
    )
    return (shown - other) / FULL_CONTRAST


def ideal_dprime(protocol: Protocol, contrast: float) -> float:
    """Return d' of the ideal observer in the noise of the stimulus contract `yoked-1`.

    Per interval in a forced choice; of the two classes in yes/no and rating. In noise
    on a basis: of who is told the coefficients.

    Raises
    ------
    ValueError
        If the noise is not Gaussian, or not the contract's own.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> round(ideal_dprime(load_protocol("bar-in-noise"), 0.227), 3)  # 29 levels
    2.283
    """
    noise = protocol.noise
    if noise.kind == "gaussian" and noise.basis is not None:
        return _dprime_on_basis(protocol, contrast)
    if noise.kind != "gaussian" or noise.source != "yoked-1":
        rule = "gaussian noise of source yoked-1"
        raise CannotTell(
            f"protocol must have {rule}, got {noise.kind} of {noise.source}"
        )
    return float(np.linalg.norm(signal_difference(protocol, contrast))) / _own_sd(
        noise.sd
    )


def _dprime_on_basis(protocol: Protocol, contrast: float) -> float:
    """Give d' of who is told the coefficients: no observer of pixels does better."""
    without, with_target = (
        signal_units(protocol, gain * contrast) for gain in protocol.signal.gains
    )
    own = coefficients_of(protocol.noise, protocol.noise.sd)
    return float(np.linalg.norm((with_target - without) / own.unit_sds))


def _own_sd(sd: float) -> float:
    """SD of the contract's noise after rounding to levels."""
    return float(np.std(level_table("gaussian", sd).astype(np.float64))) / FULL_CONTRAST


@dataclass(frozen=True)
class IdealObserver:
    """What an ideal observer of a session knows, or why there is none.

    Attributes
    ----------
    protocol
        Says the signal.
    sd
        Realised SD of the noise in one element.
    is_quantised
        Whether the signal was rounded to contrast levels.
    note, reason
        A limit of this ideal; why there is none.
    """

    protocol: Protocol
    sd: float
    is_quantised: bool
    note: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, held: Held) -> "IdealObserver":
        """Return the ideal observer of a session's counted trials."""
        protocol, noise = held.protocol, held.protocol.noise
        is_own = held.noise.name == "yoked-1"
        reason = _why_no_ideal(protocol, held.responses)
        if protocol.noise.basis is not None:
            note = "ideal for who is told the coefficients of the noise's images"
            return cls(protocol, noise.sd, True, note, reason)
        if reason or is_own:
            return cls(protocol, _own_sd(noise.sd), is_own, reason=reason)
        trials = held.shown
        sd = decision_noise_sd(trials) / math.sqrt(2 if trials.is_forced_choice else 1)
        if trials.shape != noise.grid:
            reason = f"the noise has the grid {trials.shape}, the signal {noise.grid}"
        cut = f"ideal among linear observers: the noise ends at {noise.truncate_sd} SD"
        note = cut if noise.truncate_sd else None
        return cls(protocol, sd, False, note, reason or why_not_white(trials))

    def dprime(self, contrast: float) -> float:
        """Give its d' at a contrast, per interval in a forced choice."""
        if self.protocol.noise.basis is not None:
            return _dprime_on_basis(self.protocol, contrast)
        shown = signal_difference(self.protocol, contrast, self.is_quantised)
        return float(np.linalg.norm(shown)) / self.sd


def _why_no_ideal(protocol: Protocol, counted: Responses) -> str | None:
    if not len(counted):
        return "no trial counts"
    if protocol.noise.kind != "gaussian":
        return f"in {protocol.noise.kind} noise one element can prove the signal"
    if not (signal_template(protocol).any() and counted.contrasts.any()):
        return NO_SIGNAL
    return None
