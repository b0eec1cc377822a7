"""Breaks between blocks, in a browser."""

from dataclasses import dataclass

from .checks import Faults

LONGEST_S = 3600.0


@dataclass(frozen=True)
class Breaks:
    """How breaks between blocks are.

    Attributes
    ----------
    at_least_s
        For so long nobody goes on; 0: as soon as they like.
    """

    at_least_s: float = 0.0

    def __post_init__(self) -> None:
        faults, fits = Faults(), 0 <= self.at_least_s <= LONGEST_S
        faults.unless(fits, "at_least_s", "from 0 to 3600", self.at_least_s)
        faults.raise_any()
