"""How far away a participant sits, where a protocol asks for it to be measured."""

from dataclasses import dataclass

from .checks import Faults

CARD, DISTANCE = "card", "distance"
MOST_REPEATS = 20


@dataclass(frozen=True)
class ViewingAsked:
    """What a browser measures of screen and distance before the first trial.

    In the lab, where the monitor is known, it asks for nothing.

    Attributes
    ----------
    measure
        'card': the screen's pixels, by a card that is laid on it; an arm's length is
        assumed. 'distance': that, and how far away the eye is, by the blind spot.
        Empty: nothing.
    repeats
        How often the blind spot is looked for.
    """

    measure: str = ""
    repeats: int = 5

    def __post_init__(self) -> None:
        faults = Faults()
        known = self.measure in ("", CARD, DISTANCE)
        faults.unless(known, "measure", f"{CARD}, {DISTANCE} or empty", self.measure)
        fits, rule = 3 <= self.repeats <= MOST_REPEATS, f"from 3 to {MOST_REPEATS}"
        faults.unless(fits, "repeats", rule, self.repeats)
        faults.raise_any()
