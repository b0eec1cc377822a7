"""Equivalent input noise of a session: thresholds of its conditions by noise SD."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ...experiments.protocols.signal import signal_template
from ..psychometric.equivalent_noise import (
    EquivalentNoise,
    NoiseThresholds,
    equivalent_noise,
)
from ..psychometric.fit import PsychometricFit, PsychometricSettings
from ..trials.estimate import CannotTell
from ..trials.responses import SessionLike
from ..trials.result import Cells, Result
from ..trials.shown import require_one_signal
from .psychometric import psychometric

# Where a procedure stays near the threshold no trial tells the lapse rate.
SETTINGS = PsychometricSettings(lapse=0.01, n_simulations=0)


@dataclass(frozen=True, eq=False)
class SessionEquivalentNoise(Result):
    """The linear amplifier model of a session's thresholds.

    Attributes
    ----------
    session, observer
        Id and name.
    conditions
        Names, in the order of the thresholds.
    noise_sd, threshold, se
        Of each condition: SD of its noise, threshold and its standard error, contrast.
    threshold_at, dprime_at
        Proportion correct of the thresholds, and the d' that it stands for.
    left_out
        Why a condition has no threshold, by its name.
    model
        Equivalent noise, gain, efficiency, and the tests of the model.
    """

    session: str
    observer: str
    conditions: tuple[str, ...]
    noise_sd: Float[np.ndarray, " condition"]
    threshold: Float[np.ndarray, " condition"]
    se: Float[np.ndarray, " condition"]
    threshold_at: float
    dprime_at: float
    left_out: Mapping[str, str]
    model: EquivalentNoise

    def table(self) -> list[Cells]:
        """Give one row."""
        model = self.model
        return [
            {
                "session": self.session,
                "observer": self.observer,
                "thresholds": len(self.threshold),
                "equivalent noise": model.noise_sd.short(),
                "gain": model.gain.short(),
                "efficiency": model.efficiency.short(),
                "p": "" if model.p is None else f"{model.p:.3f}",
            }
        ]


def session_equivalent_noise(
    parts: Mapping[str, SessionLike],
) -> SessionEquivalentNoise:
    """Return the equivalent noise of a session whose conditions differ in noise SD.

    Each condition's threshold is that of its psychometric function, with a lapse rate
    of 1 % that is not fitted; the signal must be the same in all.

    Parameters
    ----------
    parts
        The session by condition, as `yoked.by_condition` gives it.

    Raises
    ------
    CannotTell
        If signals differ, or fewer than three conditions in two noise SDs have a
        threshold.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("equivalent-noise")
    >>> template = yoked.load_observer("template")
    >>> session = yoked.run(protocol, template, seed=1, internal_noise=1.0)
    >>> found = yoked.equivalent_noise(yoked.by_condition(session))
    >>> found.model.noise_sd.low < 0.15 < found.model.noise_sd.high  # gamma times SD
    True
    """
    protocols = [part.protocol for part in parts.values()]
    if len({protocol.signal for protocol in protocols}) != 1:
        raise CannotTell("conditions must have the same signal for equivalent noise")
    require_one_signal(protocols[0])
    fits, left_out = _fits(parts)
    sd = [parts[name].protocol.noise.sd for name in fits]
    if len(fits) < 3 or len(set(sd)) < 2:
        rule = "three conditions or more, in two noise SDs or more"
        why = "".join(f"; {name}: {reason}" for name, reason in left_out.items())
        raise CannotTell(f"thresholds must be those of {rule}, got {len(fits)}{why}")
    thresholds = NoiseThresholds.from_fits(sd, list(fits.values()))
    gains = protocols[0].signal.gains
    norm = abs(gains[1] - gains[0]) * float(
        np.linalg.norm(signal_template(protocols[0]))
    )
    first = next(iter(parts.values()))
    return SessionEquivalentNoise(
        session=first.id.partition("/")[0],
        observer=first.observer,
        conditions=tuple(fits),
        noise_sd=thresholds.noise_sd,
        threshold=thresholds.threshold,
        se=thresholds.se,
        threshold_at=next(iter(fits.values())).threshold_at,
        dprime_at=float(thresholds.dprime[0]),
        left_out=left_out,
        model=equivalent_noise(thresholds, norm),
    )


def _fits(
    parts: Mapping[str, SessionLike],
) -> tuple[dict[str, PsychometricFit], dict[str, str]]:
    """Fit every condition; those without a threshold are named with the reason."""
    fits, left_out = {}, {}
    for name, part in parts.items():
        try:
            fit = psychometric(part, SETTINGS)
        except CannotTell as reason:
            left_out[name] = str(reason)
            continue
        if fit.threshold.value is None or fit.threshold.se is None:
            left_out[name] = fit.threshold.note or "no standard error"
        else:
            fits[name] = fit
    return fits, left_out
