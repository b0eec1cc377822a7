"""Variants of a signal: what it is drawn from, where it is not said which it is."""

import math
from dataclasses import dataclass, fields
from typing import Any

from .checks import Faults
from .patterns import Range

MOST_VARIANTS = 64


@dataclass(frozen=True)
class Variant:
    """What one variant changes of a signal; what it leaves out stays as it is.

    The others are fields of `Signal`. `weight` multiplies the contrast: with -1 what
    was bright is dark.
    """

    weight: float = 1.0
    frames: Range | None = None
    rows: Range | None = None
    columns: Range | None = None
    sigma: float | None = None
    cycles: float | None = None
    orientation_deg: float | None = None
    phase_deg: float | None = None

    def __post_init__(self) -> None:
        faults = Faults()
        fits = math.isfinite(self.weight) and 0 < abs(self.weight) <= 1
        faults.unless(fits, "weight", "from -1 to 1 and not 0", self.weight)
        faults.raise_any()

    @property
    def changed(self) -> dict[str, Any]:
        """The signal's fields that it changes, without the weight."""
        own = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
        return {name: value for name, value in own.items() if value is not None}
