"""The ideal observer of a protocol: the template matched to the signal as it was shown.

The signal is the one shown: quantised to contrast levels where the noise is ours, as it
was published where the noise is foreign. The noise's SD is the realised one. In noise
that is cut off, one element beyond the cut proves a signal, so the template is ideal
among linear observers only, and the note says so.

In noise on a basis the ideal observer weights every coefficient by signal over noise,
both in their SDs: d' is the length of S_k / sigma_k. White noise on top hides some of
the coefficients, and this d' is then a bound.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ...experiments.protocols.noise_and_signal import Noise
from ...experiments.protocols.parts import FULL_CONTRAST
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.signal import signal_template
from ...experiments.stimulus.noise import level_table
from ..trials.estimate import CannotTell
from ..trials.held import Held
from ..trials.responses import NO_TARGET, Responses
from ..trials.score import decision_noise_sd, why_not_white
from ..trials.shown import shown_signal

OUTSIDE = "a part of the signal is shown outside the images of the noise"
FLOOR = "a bound: the white noise that is added hides some of the coefficients"
VARIANTS = "the signal is drawn from variants: the ideal observer's d' has no formula"
PATTERNS = "efficiency is defined for two alternatives that differ by one signal"
NO_SIGNAL = "the two alternatives show the same at every contrast"
PLACES = "the signal may be at several places, and the ideal observer is not linear"
NO_NOISE = "there is no noise, so an ideal observer makes no errors"


def signal_difference(
    protocol: Protocol, contrast: float, is_quantised: bool = True
) -> Float[np.ndarray, " *shape"]:
    """Return what tells the alternatives apart, in contrast: target less non-target.

    In noise on a basis, by coefficient in SDs (`shown_signal`).

    Parameters
    ----------
    is_quantised
        Whether each alternative is first rounded to contrast levels, as it is shown.
    """
    without, with_target = protocol.signal.gains
    if not is_quantised:
        return shown_signal(protocol, (with_target - without) * contrast, False)
    shown, other = (
        shown_signal(protocol, gain * contrast) for gain in (with_target, without)
    )
    return shown - other


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
    if noise.kind != "gaussian" or noise.source != "yoked-1":
        rule = "gaussian noise of source yoked-1"
        raise CannotTell(
            f"protocol must have {rule}, got {noise.kind} of {noise.source}"
        )
    if noise.sd == 0:
        raise CannotTell(NO_NOISE)
    if protocol.places.count > 1:
        raise CannotTell(PLACES)
    return float(np.linalg.norm(signal_difference(protocol, contrast))) / _own_sd(noise)


def _own_sd(noise: Noise) -> float:
    """SD of the contract's noise after rounding; on a basis, of what is in SDs.

    Where the second interval has the negative of the first's noise, their difference
    varies as that of two intervals of sqrt 2 times the SD would.
    """
    if noise.basis is not None:
        return math.sqrt(2) if noise.pairs == "opposite" else 1.0
    levels = level_table("gaussian", noise.sd).astype(np.float64)
    return float(np.std(levels)) / FULL_CONTRAST


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
        if noise.sd == 0:
            return cls(protocol, 1.0, True, reason=NO_NOISE)
        is_own = held.noise.name == "yoked-1"
        reason = _why_no_ideal(protocol, held.responses)
        if noise.basis is not None:
            note = FLOOR if noise.floor_sd else None
            return cls(protocol, _own_sd(noise), True, note, reason)
        if reason or is_own:
            return cls(protocol, _own_sd(noise), is_own, reason=reason)
        trials = held.shown
        sd = decision_noise_sd(trials) / math.sqrt(2 if trials.is_forced_choice else 1)
        if trials.shape != noise.grid:
            reason = f"the noise has the grid {trials.shape}, the signal {noise.grid}"
        cut = f"ideal among linear observers: the noise ends at {noise.truncate_sd} SD"
        note = cut if noise.truncate_sd else None
        return cls(protocol, sd, False, note, reason or why_not_white(trials))

    def dprime(self, contrast: float) -> float:
        """Give its d' at a contrast, per interval in a forced choice."""
        shown = signal_difference(self.protocol, contrast, self.is_quantised)
        return float(np.linalg.norm(shown)) / self.sd


def _why_no_ideal(protocol: Protocol, counted: Responses) -> str | None:
    if not len(counted):
        return "no trial counts"
    if not counted.has_target:
        return NO_TARGET
    if protocol.noise.kind != "gaussian":
        return f"in {protocol.noise.kind} noise one element can prove the signal"
    if protocol.places.count > 1:
        return PLACES
    if protocol.signal.outside == "show":
        return OUTSIDE
    if protocol.signal.variants:
        return VARIANTS
    if protocol.task.identifies:
        return PATTERNS
    if not (signal_template(protocol).any() and counted.contrasts.any()):
        return NO_SIGNAL
    return None
