"""Responses of cells, or of a network's units, to the gratings of the V1 battery."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..stimulus.gratings import gratings

SETS = ("orientation", "frequency", "size")


@dataclass(frozen=True, eq=False)
class GratingResponses:
    """Mean responses by unit; axes beyond the first are those of `gratings(name)`.

    Attributes
    ----------
    orientation
        (unit, cycles, frequency, orientation, phase).
    frequency, size
        (unit, radius, frequency, orientation, phase); None where they were not shown.
    blank
        Responses to gray.

    Raises
    ------
    ValueError
        If a shape is not that of its set, there are no units, or a response is not
        finite.
    """

    orientation: Float[np.ndarray, " unit cycles four twelve phase"]
    frequency: Float[np.ndarray, " unit two many six phase"] | None
    size: Float[np.ndarray, " unit radius four six phase"] | None
    blank: Float[np.ndarray, " unit"]

    def __post_init__(self) -> None:
        for name in SETS:
            values, shape = getattr(self, name), (self.n_units, *gratings(name).shape)
            if values is None:
                continue
            if values.shape != shape:
                rule = f"of shape {shape}"
                raise ValueError(
                    f"responses to {name} must be {rule}, got {values.shape}"
                )
            if not np.isfinite(values).all():
                raise ValueError(f"responses to {name} must be finite, got nan or inf")
        if not self.n_units:
            raise ValueError("responses must be of one unit or more, got none")
        if not np.isfinite(self.blank).all():
            raise ValueError("responses to gray must be finite, got nan or inf")

    @property
    def n_units(self) -> int:
        """How many units there are."""
        return len(self.blank)
