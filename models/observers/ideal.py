"""The ideal observer of a signal that may be one of several variants."""

import numpy as np
from jaxtyping import Float, Float64, Int64, UInt8

from ...experiments.protocols.parts import BACKGROUND, FULL_CONTRAST
from ...experiments.protocols.picture import picture_levels
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.variant_facts import log_mean_likelihood
from ...experiments.session.observer import ObserverNoise, Practice, Viewing
from .element_sums import weighted_sums
from .template import ideal_levels


class Ideal:
    """Gives the log of the mean likelihood ratio over the variants of the signal.

    It knows the variants and the noise, and not which variant a trial shows; no
    observer is more often correct. It weighs likelihoods for the highest contrast of
    the main blocks. Of a signal without variants it is the template, to scale; where
    patterns are identified it gives the log likelihood ratio of each. It looks at one
    patch: a scene is for `template`.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> ideal = Ideal()
    >>> practice = Practice(load_protocol("polarity-unknown"))
    >>> ideal.prepare(Viewing.of(practice.protocol))
    >>> ideal.learn(practice)
    >>> ideal.templates[:, 0, 0, 6].tolist()  # the bar may be bright or dark
    [38, -38]
    """

    name = "ideal"

    def __init__(self) -> None:
        self.templates: Int64[np.ndarray, " variant frame row column"] | None = None
        self._element_px = (1, 1)
        self._sd, self._identifies = 1.0, False
        self._behind: Float64[np.ndarray, " variant"] = np.zeros(1)

    def prepare(self, viewing: Viewing) -> None:
        """Take in how many pixels an element has."""
        self._element_px = viewing.element_px

    def learn(self, practice: Practice) -> None:
        """Read the signal of every variant, and the SD of the noise.

        Raises
        ------
        ValueError
            If the protocol has places, or noise that is not Gaussian and white.
        """
        protocol = practice.protocol
        if n := protocol.places.count:
            rule = "left out for ideal, which looks at one patch (template does them)"
            raise ValueError(f"places must be {rule}, got {n}")
        _require_white(protocol)
        self._identifies = protocol.task.identifies
        self.templates = np.stack([ideal_levels(own) for own in protocol.variants])
        self._sd = FULL_CONTRAST * protocol.noise.sd
        picture = picture_levels(protocol)
        behind = np.zeros(protocol.noise.grid) if picture is None else picture
        self._behind = (self.templates * behind).sum(axis=(1, 2, 3))

    def decide(
        self,
        frames: UInt8[np.ndarray, " trial alternative frame y x"],
        noise: ObserverNoise,
    ) -> Float[np.ndarray, " trial variable"]:
        """Give the log of the mean likelihood ratio of every alternative."""
        if self.templates is None:
            raise ValueError("ideal must learn before it decides, got no learn call")
        high, wide = self._element_px
        n_frames, rows, columns = self.templates.shape[1:]
        due = (n_frames, rows * high, columns * wide)
        if frames.shape[2:] != due:
            got = tuple(frames.shape[2:])
            raise ValueError(f"frames must be {due} px, got {got}")
        images = np.ascontiguousarray(frames).reshape(-1, *due)
        sums = [
            weighted_sums(images, BACKGROUND, each, self._element_px)
            for each in self.templates
        ]
        products = np.stack(sums, axis=-1) / (high * wide) - self._behind
        energies = (self.templates.astype(np.float64) ** 2).sum(axis=(1, 2, 3))
        products, energies = products / self._sd**2, energies / self._sd**2
        if self._identifies:
            return products - energies / 2
        return log_mean_likelihood(products, energies).reshape(frames.shape[:2])


def _require_white(protocol: Protocol) -> None:
    noise = protocol.noise
    if noise.basis is not None or noise.kind != "gaussian" or noise.sd == 0:
        rule = "gaussian and white for the ideal observer"
        got = f"{noise.kind} of SD {noise.sd:g}"
        got = got if noise.basis is None else "noise on a basis of images"
        raise ValueError(f"noise must be {rule}, got {got}")
