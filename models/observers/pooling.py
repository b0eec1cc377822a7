"""How a template pools over the places of a scene: by likelihood, as a sum, or by max.

A scene's cue is read where a person reads it: in the frame that shows it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from ...experiments.protocols.noise_along import sd_along
from ...experiments.protocols.picture import picture_levels
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.scene import backdrops, layout_of
from ...experiments.protocols.signal import interval_gains, signal_levels

POOLS = ("likelihood", "sum", "max")
Weights = Int64[np.ndarray, " frame row column"]


@dataclass(frozen=True, eq=False)
class CueReader:
    """Tells what each trial's cue says of the signal's place.

    Attributes
    ----------
    frame
        Number of the frame that shows the cue; None without one.
    images
        What it can look like.
    priors
        Of each of them, how likely the signal is at each place.
    """

    frame: int | None
    images: UInt8[np.ndarray, " state y x"]
    priors: Float64[np.ndarray, " state place"]

    @classmethod
    def of(cls, protocol: Protocol) -> "CueReader":
        """Read the cues of a protocol, and those of its conditions.

        Raises
        ------
        ValueError
            If its conditions have other places, or cues at another time.
        """
        require_one_scene(protocol, "a template")
        every = (protocol, *protocol.resolved)
        n = protocol.places.count
        if not protocol.cue.kind:
            plain = np.full((1, n), 1 / n)
            return cls(None, np.zeros((1, 1, 1), np.uint8), plain)
        frame = 0 if protocol.cue.when == "before" else len(protocol.times_ms) - 1
        images = np.concatenate([backdrops(own)[:, frame] for own in every])
        priors = np.concatenate([_priors(own) for own in every])
        return cls(frame, images, priors)

    def __call__(
        self, frames: UInt8[np.ndarray, " trial alternative frame y x"]
    ) -> Float64[np.ndarray, " trial place"]:
        """Give how likely the signal of each trial is at each place."""
        n = len(frames)
        if self.frame is None:
            return np.repeat(self.priors, n, axis=0)
        shown = frames[:, 0, self.frame]
        found = np.full(n, -1)
        for state, image in enumerate(self.images):
            left = np.flatnonzero(found < 0)
            found[left[(shown[left] == image).all(axis=(1, 2))]] = state
        if (found < 0).any():
            raise ValueError("frames must show a cue of the protocol, got another")
        return self.priors[found]


def require_one_scene(protocol: Protocol, whom: str) -> None:
    """Refuse conditions whose patches are elsewhere: pixels do not tell which it is.

    Raises
    ------
    ValueError
        If conditions have other places, or patches in other frames.
    """
    every = (protocol, *protocol.resolved)
    rule = f"the same in all conditions for {whom}"
    layouts = {layout_of(own).patches if own.places.count else () for own in every}
    if len(layouts) > 1:
        raise ValueError(f"places must be {rule}, got {len(layouts)} layouts")
    if len({own.n_before for own in every}) > 1:
        raise ValueError(f"cue.when must be {rule}, got before and after")


def _priors(own: Protocol) -> Float64[np.ndarray, " state place"]:
    n = own.places.count
    valid, other = own.cue.priors(n)
    pointed = np.full((n, n), other) + (valid - other) * np.eye(n)
    return np.concatenate([pointed, np.full((1, n), 1 / n)])


@dataclass(frozen=True, eq=False)
class Pooling:
    """Turns a template's sum at every place into decision variables.

    Attributes
    ----------
    rule
        'likelihood': log of the sum over places of how likely the signal is there times
        the likelihood ratio, the ideal observer where the noise is white. 'sum': the
        sums weighted by how likely. 'max': the largest, whatever a cue says.
    means
        (target, interval), what the template sums to without noise.
    offset
        What it sums to without signal: of a picture.
    variance
        Of a sum, by the noise.
    is_forced_choice
        Whether each interval has a decision variable, or the trial one.
    """

    rule: str
    means: Float64[np.ndarray, " target interval"]
    offset: float
    variance: float
    is_forced_choice: bool

    @classmethod
    def of(cls, protocol: Protocol, rule: str, weights: Weights) -> "Pooling":
        """Take in signal and noise at the highest contrast of the main blocks."""
        area = int(np.prod(protocol.display.element_px))
        contrast = max(protocol.contrast.values)
        gains = interval_gains(protocol, np.arange(protocol.task.n_targets))
        means = [
            [
                float((weights * signal_levels(protocol, g * contrast)).sum())
                for g in row
            ]
            for row in gains.tolist()
        ]
        picture = picture_levels(protocol)
        offset = 0.0 if picture is None else float((weights * picture).sum())
        variance = sd_along(protocol, weights) ** 2
        return cls(
            rule,
            area * np.array(means),
            area * offset,
            area**2 * variance,
            protocol.task.is_forced_choice,
        )

    def __call__(
        self,
        sums: Float64[np.ndarray, " trial interval place"],
        priors: Float64[np.ndarray, " trial place"],
    ) -> Float64[np.ndarray, " trial alternative"]:
        """Give a decision variable for every alternative of every trial."""
        if self.rule == "sum":
            return (sums * priors[:, None]).sum(axis=-1)
        if self.rule == "max":
            return sums.max(axis=-1)
        with np.errstate(divide="ignore"):
            log_priors = np.log(priors)
        log_likelihoods = [
            self._log_likelihood(sums - self.offset, means, log_priors)
            for means in self.means
        ]
        both = np.stack(log_likelihoods, axis=1)
        return both if self.is_forced_choice else both[:, 1:] - both[:, :1]

    def _log_likelihood(
        self, sums: np.ndarray, means: np.ndarray, log_priors: np.ndarray
    ) -> Float64[np.ndarray, " trial"]:
        """Give the log likelihood of a target, against noise alone."""
        ratio = (sums * means[:, None] - means[:, None] ** 2 / 2) / self.variance
        return np.logaddexp.reduce(log_priors + ratio.sum(axis=1), axis=1)
