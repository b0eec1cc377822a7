"""The noise source `yoked-1-basis`: coefficients of images, and white noise on top."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float64, Int8, Int16

from ..protocols.coefficients import Coefficients, coefficients_of
from ..protocols.image_kinds import images_of
from ..protocols.images import Images
from ..protocols.noise_and_signal import FULL_CONTRAST, ON_A_BASIS
from ..protocols.protocol import Protocol
from .basis import rounded, summed
from .basis_fast import fast_coefficients, fast_floor
from .noise import level_table

Draw = Callable[[Coefficients, int, np.ndarray, int], np.ndarray]


class BasisNoise:
    """Noise on a basis of images, a function of seed and stimulus id.

    White noise is the case of one coefficient per element.

    Attributes
    ----------
    images
        The basis: `images.n` of them; `images.drawn(weights)` is a sum of them.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("orientation-noise")
    >>> source = BasisNoise(protocol, 20261120)
    >>> table = {"stimulus_id": [0, 1], "block_kind": ["main", "main"]}
    >>> source.coefficients(table, 0).shape, source.unit_sd.shape
    ((2, 24), (24,))
    """

    name = ON_A_BASIS

    def __init__(self, protocol: Protocol, seed: int) -> None:
        noise = protocol.noise
        if noise.basis is None:
            rule = f"on a basis for {self.name}"
            raise ValueError(f"noise must be {rule}, got white {noise.kind} noise")
        self.seed = seed
        self.images: Images = images_of(noise.basis, noise.grid)
        self._noise, self._catch_sd = noise, protocol.catch.sd
        self._n_places = max(1, protocol.places.count)

    @property
    def unit_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient in the main trials, in units of `coefficients`."""
        return coefficients_of(self._noise, self._noise.sd).unit_sds

    @property
    def contrast_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient in the main trials, in contrast."""
        return self.unit_sd / (FULL_CONTRAST * self._noise.fineness)

    def coefficients(
        self, table: Any, interval: int, draw: Draw = fast_coefficients
    ) -> Int16[np.ndarray, " trial image"]:
        """Give the noise's coefficients of one interval of every trial, in units.

        A unit is 1 / (127 fineness) contrast. The signal's are not in them. `draw` is
        how, `basis.drawn_coefficients` or its faster form.
        """
        sign = 1
        if self._noise.pairs == "opposite" and interval >= self._n_places:
            interval, sign = interval - self._n_places, -1
        ids = np.asarray(table["stimulus_id"], np.int64)
        drawn = np.empty((len(ids), self.images.n), np.int16)
        for rows, own in self.tables(table):
            drawn[rows] = draw(own, self.seed, ids[rows], interval)
        return np.int16(sign) * drawn

    def tables(self, table: Any) -> list[tuple[np.ndarray, Coefficients]]:
        """Pair the trials that share a noise SD with what their draws turn into."""
        is_catch = np.asarray(table["block_kind"]) == "catch"
        sds = ((~is_catch, self._noise.sd), (is_catch, self._catch_sd))
        return [
            (rows, coefficients_of(self._noise, sd)) for rows, sd in sds if rows.any()
        ]

    def floor(self, table: Any, interval: int) -> Int8[np.ndarray, " t f r c"] | None:
        """Give the levels of the white noise that is added, if there is any."""
        if not self._noise.floor_sd:
            return None
        ids = np.asarray(table["stimulus_id"], np.int64)
        lookup = level_table("gaussian", self._noise.floor_sd)
        n = int(np.prod(self._noise.grid))
        drawn = fast_floor(lookup, self.seed, ids, interval, n)
        return drawn.reshape(len(ids), *self._noise.grid)

    def field(self, table: Any, interval: int) -> Int8[np.ndarray, " t f r c"]:
        """Give the noise alone as the levels of a frame that had no signal.

        Its elements depend on each other: an analysis takes `coefficients`.
        """
        units = self.coefficients(table, interval).astype(np.int64)
        levels = rounded(summed(self.images, units), self._noise.fineness)
        floor = self.floor(table, interval)
        levels = levels if floor is None else levels + floor
        return np.clip(levels, -FULL_CONTRAST, FULL_CONTRAST).astype(np.int8)
