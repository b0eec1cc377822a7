"""Screen and distance of a participant at home: by a card, and by the blind spot."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from .geometry import px_per_degree

CARD_MM = (85.60, 53.98)  # ISO/IEC 7810, ID-1: bank cards and most others
BLIND_SPOT_DEG = 13.5  # from fixation to its near border
ASSUMED_MM = 573.0  # where one degree is 10 mm: an arm's length
PX_PER_MM = (2.0, 30.0)  # 51 to 762 pixels an inch
DISTANCE_MM = (150.0, 2000.0)
LARGEST_SPREAD = 0.2  # SD of the distances as a share of their mean


class ViewingError(ValueError):
    """What was measured cannot be.

    Attributes
    ----------
    reason, values
        'card', 'distance' or 'spread', and the numbers of a sentence about it.
    """

    def __init__(self, reason: str, sentence: str, **values: float) -> None:
        self.reason, self.values = reason, values
        super().__init__(sentence)


@dataclass(frozen=True)
class MeasuredViewing:
    """A participant's screen and distance.

    Attributes
    ----------
    px_per_mm
        Screen pixels.
    distance_mm, distance_sd_mm
        Mean and SD of `distances_mm`; assumed, and None, where there are none.
    distances_mm
        One for each time that the blind spot was found.
    px_per_degree
        Screen pixels in the middle of the screen.
    """

    px_per_mm: float
    distance_mm: float
    distance_sd_mm: float | None
    distances_mm: tuple[float, ...]
    px_per_degree: float


def measured_viewing(
    card_px: float, is_upright: bool = False, spots_px: Sequence[float] = ()
) -> MeasuredViewing:
    """Give screen and distance from a card's width and the blind spot's place.

    A point vanishes at an angle a from where the eye looks; then it is d tan(a) away
    from there, d the distance of the eye [1]_.

    Parameters
    ----------
    card_px
        Width of the drawn card when it was as large as a real one, in screen px.
    is_upright
        Whether that was the card's shorter side.
    spots_px
        From where the eye looked to where the point vanished, in screen px; one for
        each time. Empty: the distance is assumed.

    Raises
    ------
    ViewingError
        If that is no screen, no distance, or the distances differ by more than one
        person's do.

    References
    ----------
    .. [1] Li, Joo, Yeatman & Reinecke (2020), Sci. Rep. 10, 904.

    Examples
    --------
    >>> found = measured_viewing(card_px=323.5, spots_px=[518.0, 524.0, 515.0])
    >>> round(found.px_per_mm, 3), round(found.distance_mm), round(found.px_per_degree)
    (3.779, 572, 38)
    """
    px_per_mm = card_px / CARD_MM[is_upright]
    low, high = PX_PER_MM
    if not low <= px_per_mm <= high:
        rule = f"from {low:g} to {high:g} pixels a mm"
        sentence = f"a screen must have {rule}, got {px_per_mm:.3g}"
        raise ViewingError("card", sentence)
    tangent = math.tan(math.radians(BLIND_SPOT_DEG))
    distances = tuple(spot / px_per_mm / tangent for spot in spots_px)
    distance, sd = ASSUMED_MM, None
    if distances:
        distance = mean(distances)
        sd = stdev(distances) if len(distances) > 1 else None
        _require_possible(distances, distance, sd)
    mm_per_degree = px_per_degree(1.0, 10, distance / 10)  # 10 px a cm are 1 a mm
    return MeasuredViewing(
        px_per_mm=round(px_per_mm, 4),
        distance_mm=round(distance, 1),
        distance_sd_mm=None if sd is None else round(sd, 1),
        distances_mm=tuple(round(each, 1) for each in distances),
        px_per_degree=round(mm_per_degree * px_per_mm, 3),
    )


def _require_possible(
    distances: Sequence[float], distance: float, sd: float | None
) -> None:
    low, high = DISTANCE_MM
    if not low <= distance <= high:
        rule = f"from {low:g} to {high:g} mm"
        sentence = f"a distance must be {rule}, got {distance:.0f}"
        cm = round(distance / 10)
        limits = {"low": round(low / 10), "high": round(high / 10)}
        raise ViewingError("distance", sentence, cm=cm, **limits)
    if sd is not None and sd > LARGEST_SPREAD * distance:
        rule = f"within an SD of {LARGEST_SPREAD:.0%} of their mean"
        nearest, farthest = (round(d / 10) for d in (min(distances), max(distances)))
        sentence = f"distances must be {rule}, got {nearest} to {farthest} cm"
        raise ViewingError("spread", sentence, low=nearest, high=farthest)
