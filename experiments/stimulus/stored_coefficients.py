"""Noise on a basis that others have shown: coefficients kept as an array."""

from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from ..protocols.basis import Sinusoids
from ..protocols.coefficients import coefficient_sds, integer_weights
from ..protocols.image_kinds import images_of
from ..protocols.images import Images
from ..protocols.protocol import Protocol
from ..protocols.rcicr_sinusoids import as_shown

# As in `sources`, which imports this.
NoiseArray = Any


class StoredCoefficients:
    """Coefficients kept as an array (stimulus, interval, 1, 1, image), in contrast.

    They are analysed as the numbers that they were, not as whole units.

    Parameters
    ----------
    protocol
        Has a basis. In opposite pairs the array has one interval.
    fields
        The array.

    Attributes
    ----------
    images
        The basis, as it was shown.
    """

    name = "stored"

    def __init__(self, protocol: Protocol, fields: NoiseArray) -> None:
        noise = protocol.noise
        if noise.basis is None:
            raise ValueError(f"noise must be on a basis, got white {noise.kind} noise")
        self.fields, self._noise = fields, noise
        images = images_of(noise.basis, noise.grid)
        if isinstance(noise.basis, Sinusoids) and noise.basis.layout == "rcicr":
            images = as_shown(noise.basis, noise.grid, images)
        self.images: Images = images
        if fields.shape[-1] != images.n:
            rule = f"a coefficient for each of {images.n} images"
            raise ValueError(f"stored noise must have {rule}, got {fields.shape[-1]}")

    @cached_property
    def contrast_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient, in contrast."""
        assert self._noise.basis is not None
        weights = integer_weights(self._noise.basis, self.images)
        return coefficient_sds(self.images, weights, self._noise.sd)

    @property
    def unit_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient in units of `coefficients`, which are in contrast."""
        return self.contrast_sd

    def coefficients(
        self, table: Any, interval: int
    ) -> Float32[np.ndarray, " trial image"]:
        """Give the coefficients of one interval; the stimulus id is the array's row."""
        sign = 1
        if self._noise.pairs == "opposite":
            interval, sign = 0, 1 - 2 * interval
        ids = np.asarray(table["stimulus_id"], np.int64)
        drawn = self.fields[ids, interval].reshape(len(ids), self.images.n)
        return np.float32(sign) * drawn

    def field(self, table: Any, interval: int) -> Float32[np.ndarray, " t f r c"]:
        """Give the noise alone in contrast: what the coefficients look like."""
        drawn = [self.images.drawn(each) for each in self.coefficients(table, interval)]
        shape = (len(drawn), *self._noise.grid)
        return np.asarray(drawn, np.float32).reshape(shape)
