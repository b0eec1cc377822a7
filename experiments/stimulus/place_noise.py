"""The noise of a protocol with places: a field for each, and that of the signal's."""

from typing import Any

import numpy as np
from jaxtyping import Float64, Int16

from ..protocols.images import Images
from ..protocols.protocol import Protocol
from ..protocols.signal import places_of
from .basis_source import BasisNoise
from .by_condition import in_order, part_of

# As in `sources`, which imports this.
NoiseSource = Any
Table = Any


class PlaceNoise:
    """Noise aligned to the signal's place: of each interval, the field that is there.

    Parameters
    ----------
    fields
        Gives every field: that of place p in interval i is number i x places + p.
    protocol
        Has places.

    Examples
    --------
    >>> import yoked
    >>> from yoked.experiments.stimulus.sources import noise_source
    >>> source = noise_source("yoked-1", yoked.load_protocol("cued-detection"), 1)
    >>> table = {"stimulus_id": [7, 7], "place": [0, 3], "block_kind": ["main"] * 2}
    >>> here = source.field(table, 0)
    >>> bool((here[1] == source.fields.field(table, 3)[1]).all())
    True
    """

    def __init__(self, fields: NoiseSource, protocol: Protocol, steps: int = 0) -> None:
        self.fields, self.name = fields, fields.name
        self._protocol, self._steps = protocol, steps
        self.n_places = protocol.places.count

    def away(self, steps: int) -> "PlaceNoise":
        """Give the noise of the place that is so many after the signal's."""
        return type(self)(self.fields, self._protocol, steps)

    def field(self, table: Table, interval: int) -> np.ndarray:
        """Give the noise of one interval of every trial, at the signal's place."""
        return self._each(self.fields.field, table, interval)

    def _each(self, make: Any, table: Table, interval: int) -> np.ndarray:
        place = (places_of(self._protocol, table) + self._steps) % self.n_places
        parts = []
        for one in np.unique(place) if len(place) else [0]:
            rows = np.flatnonzero(place == one)
            number = interval * self.n_places + int(one)
            parts.append((rows, make(part_of(table, rows), number)))
        return in_order(parts)


class PlaceCoefficients(PlaceNoise):
    """The same of noise on a basis: each patch has coefficients of its own."""

    @property
    def images(self) -> Images:
        """The basis of a patch."""
        return self.fields.images

    @property
    def unit_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient in the main trials, in units of `coefficients`."""
        return self.fields.unit_sd

    @property
    def contrast_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient in the main trials, in contrast."""
        return self.fields.contrast_sd

    def coefficients(
        self, table: Table, interval: int
    ) -> Int16[np.ndarray, " trial image"]:
        """Give those of one interval of every trial, at the signal's place."""
        return self._each(self.fields.coefficients, table, interval)


def at_places(fields: NoiseSource, protocol: Protocol) -> PlaceNoise:
    """Align a source's fields to the signal's place."""
    kind = PlaceCoefficients if isinstance(fields, BasisNoise) else PlaceNoise
    return kind(fields, protocol)
