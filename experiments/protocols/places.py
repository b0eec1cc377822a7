"""Places and cues: patches around fixation, one with the signal, and what points."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from .checks import Faults

ARRANGEMENTS = ("ring", "row", "explicit")
MOST_PLACES = 8
CUES = ("arrow", "ring", "marks")
WHEN = ("before", "after")


@dataclass(frozen=True)
class Places:
    """Where the patches of a scene are, in degrees from fixation.

    Attributes
    ----------
    arrangement
        'ring', 'row' or 'explicit'; without one there is one patch, and no scene.
    n
        Places of a ring or a row.
    eccentricity_deg
        Radius of the ring, to the middle of a patch.
    first_deg
        Direction of the first place of a ring, counter-clockwise from the right; the
        others follow counter-clockwise.
    spacing_deg, height_deg
        Between the middles of neighbours in a row, which is centred on fixation; and
        how far it is above.
    centres_deg
        Of 'explicit' places, each [to the right, up].
    size_deg
        Width and height of the scene; 0: as small as it can be.
    marks
        Whether each place is marked by a line above and one below.
    """

    arrangement: str = ""
    n: int = 0
    eccentricity_deg: float = 0.0
    first_deg: float = 45.0
    spacing_deg: float = 0.0
    height_deg: float = 0.0
    centres_deg: tuple[tuple[float, float], ...] = ()
    size_deg: float = 0.0
    marks: bool = True

    def __post_init__(self) -> None:
        faults = Faults()
        if not self.arrangement:
            rule = f"one of {', '.join(ARRANGEMENTS)}"
            faults.unless(_is_default(self), "arrangement", rule, self.arrangement)
            faults.raise_any()
            return
        rule = f"one of {', '.join(ARRANGEMENTS)}"
        known = self.arrangement in ARRANGEMENTS
        faults.unless(known, "arrangement", rule, self.arrangement)
        self._check_needed(faults)
        fits = 0 <= self.size_deg <= 180
        faults.unless(fits, "size_deg", "in [0, 180]", self.size_deg)
        faults.raise_any()

    def _check_needed(self, faults: Faults) -> None:
        """What an arrangement needs is there, and what it does not know is not."""
        is_listed = self.arrangement == "explicit"
        n = len(self.centres_deg) if is_listed else self.n
        rule = f"1 to {MOST_PLACES} places"
        faults.unless(
            1 <= n <= MOST_PLACES, "centres_deg" if is_listed else "n", rule, n
        )
        needs = {"ring": "eccentricity_deg", "row": "spacing_deg"}
        for kind, name in needs.items():
            value = getattr(self, name)
            if kind == self.arrangement:
                faults.unless(0 < value < 90, name, "in (0, 90)", value)
            else:
                faults.unless(value == 0, name, f"left out but in a {kind}", value)
        rule = "left out but in a row"
        is_row = self.arrangement == "row"
        faults.unless(
            is_row or self.height_deg == 0, "height_deg", rule, self.height_deg
        )
        if is_listed:
            faults.unless(self.n == 0, "n", "left out with centres_deg", self.n)
        else:
            got = [list(centre) for centre in self.centres_deg]
            rule = "left out unless explicit"
            faults.unless(not got, "centres_deg", rule, got)

    @property
    def count(self) -> int:
        """How many places there are; 0 without a scene."""
        return len(self.centres)

    @property
    def centres(self) -> tuple[tuple[float, float], ...]:
        """The middle of each place in degrees from fixation, (to the right, up).

        Examples
        --------
        >>> Places(arrangement="row", n=2, spacing_deg=6).centres
        ((-3.0, 0.0), (3.0, 0.0))
        """
        if self.arrangement == "ring":
            angles = (
                math.radians(self.first_deg + 360 * i / self.n) for i in range(self.n)
            )
            r = self.eccentricity_deg
            return tuple((r * math.cos(a), r * math.sin(a)) for a in angles)
        if self.arrangement == "row":
            steps = (i - (self.n - 1) / 2 for i in range(self.n))
            return tuple((step * self.spacing_deg, self.height_deg) for step in steps)
        return self.centres_deg


@dataclass(frozen=True)
class Cue:
    """What points at a place before or after the patches are shown.

    Attributes
    ----------
    kind
        'arrow' at fixation, 'ring' around the place, or 'marks': those of the place are
        bright, the others dark. Without a kind nothing points: position uncertainty.
    when
        'before' each interval, or 'after' it.
    validity
        Share of trials whose cue points at the signal's place, of those whose cue
        points at one place. Otherwise it points at any of the others.
    neutral
        Share of trials whose cue points at all places.
    shown_ms
        How long the cue is there.
    gap_ms
        From when it goes to the patches; or, 'after', from the patches to the cue.
    """

    kind: str = ""
    when: str = "before"
    validity: float = 0.0
    neutral: float = 0.0
    shown_ms: float = 200.0
    gap_ms: float = 0.0

    def __post_init__(self) -> None:
        faults = Faults()
        rule = f"one of {', '.join(CUES)}"
        if not self.kind:
            faults.unless(_is_default(self), "kind", rule, self.kind)
            faults.raise_any()
            return
        faults.unless(self.kind in CUES, "kind", rule, self.kind)
        rule = f"one of {', '.join(WHEN)}"
        faults.unless(self.when in WHEN, "when", rule, self.when)
        fits = 0 < self.validity <= 1
        faults.unless(fits, "validity", "in (1 / places, 1]", self.validity)
        faults.unless(0 <= self.neutral <= 1, "neutral", "in [0, 1]", self.neutral)
        fits = 0 < self.shown_ms <= 60_000
        faults.unless(fits, "shown_ms", "in (0, 60000] ms", self.shown_ms)
        fits = 0 <= self.gap_ms <= 60_000
        faults.unless(fits, "gap_ms", "in [0, 60000] ms", self.gap_ms)
        faults.raise_any()

    @property
    def frames_ms(self) -> tuple[float, ...]:
        """Durations of the frames that it adds to each interval, in their order."""
        if not self.kind:
            return ()
        gap = (self.gap_ms,) if self.gap_ms else ()
        return (self.shown_ms, *gap) if self.when == "before" else (*gap, self.shown_ms)

    def priors(self, n: int) -> tuple[float, float]:
        """Give how likely the signal is at the place cued, and at each of the others.

        Examples
        --------
        >>> Cue(kind="arrow", validity=0.7).priors(4)
        (0.7, 0.1)
        """
        if n == 1:
            return 1.0, 0.0
        return self.validity, round((1 - self.validity) / (n - 1), 12)


def as_places(values: Iterable[object]) -> list[int | None]:
    """Give the places of trials as numbers, whatever a table has for a missing one.

    Examples
    --------
    >>> as_places([2, 3.0, None, float("nan")])
    [2, 3, None, None]
    """
    return [_whole(value) for value in values]


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _is_default(part: Places | Cue) -> bool:
    return all(getattr(part, each.name) == each.default for each in fields(part))
