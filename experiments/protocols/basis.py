"""Noise on a basis: the images whose coefficients are drawn, by kind.

`[noise.basis]` is one of these tables; `images.py` makes the images.
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar

from .checks import Faults

MOST_IMAGES = 65_536
MOST_BYTES = 256 * 2**20  # of the images' boxes
LAYOUTS = ("centred", "rcicr")
_WITHOUT_WEIGHTS: tuple[float, ...] = ()


def _check_weights(weights: tuple[float, ...], n: int, each: str) -> Faults:
    faults = Faults()
    if weights:
        rule = f"{n} numbers, one per {each}"
        faults.unless(len(weights) == n, "weights", rule, len(weights))
        fits = all(weight > 0 and math.isfinite(weight) for weight in weights)
        faults.unless(fits, "weights", "more than 0, each of them", list(weights))
    return faults


def _check_list(
    values: tuple[float, ...], name: str, faults: Faults, above: float = -math.inf
) -> None:
    finite = all(math.isfinite(value) and value > above for value in values)
    rule = "one or more numbers" if above == -math.inf else f"numbers above {above:g}"
    faults.unless(bool(values) and finite, name, rule, list(values))


def _check_places(places: tuple[tuple[float, float], ...], faults: Faults) -> None:
    finite = all(math.isfinite(at) for place in places for at in place)
    rule = "one or more of [row, column]"
    faults.unless(bool(places) and finite, "places", rule, [list(p) for p in places])


@dataclass(frozen=True)
class Sinusoids:
    """Patches that halve from scale to scale, with sinusoids of all orientations.

    Scale s has 2^s x 2^s patches; each has `n_orientations` x 2 phases, `cycles` to a
    patch. Weights: one per scale. The `layout` 'rcicr' is that of the R package of this
    name, in which a wave begins in a patch's corner.
    """

    KIND: ClassVar[str] = "sinusoids"
    kind: str
    n_scales: int
    n_orientations: int = 6
    cycles: float = 2.0
    weights: tuple[float, ...] = _WITHOUT_WEIGHTS
    each_frame: bool = False
    sha256: str = ""
    layout: str = "centred"

    def __post_init__(self) -> None:
        faults = _check_weights(self.weights, self.n_scales, "scale")
        rule = f"one of {', '.join(LAYOUTS)}"
        faults.unless(self.layout in LAYOUTS, "layout", rule, self.layout)
        fits = 1 <= self.n_scales <= 11
        faults.unless(fits, "n_scales", "from 1 to 11", self.n_scales)
        fits = self.n_orientations >= 1
        faults.unless(fits, "n_orientations", "1 or more", self.n_orientations)
        fits = 0 < self.cycles < math.inf
        faults.unless(fits, "cycles", "more than 0", self.cycles)
        faults.raise_any()


@dataclass(frozen=True)
class Gratings:
    """Gratings, or gabors where `sigma` is given, at places, that may drift.

    `cycles` across the field; `drifts` in cycles over all frames; `sigma` is the SD of
    the envelope in elements; places are [row, column] from the centre. Weights: one per
    entry of `cycles`.
    """

    KIND: ClassVar[str] = "gratings"
    kind: str
    cycles: tuple[float, ...]
    orientations_deg: tuple[float, ...]
    phases_deg: tuple[float, ...] = (0.0, 90.0)
    drifts: tuple[float, ...] = (0.0,)
    sigma: float = 0.0
    places: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    weights: tuple[float, ...] = _WITHOUT_WEIGHTS
    each_frame: bool = False
    sha256: str = ""

    def __post_init__(self) -> None:
        faults = _check_weights(self.weights, len(self.cycles), "entry of cycles")
        for name in ("cycles", "orientations_deg", "phases_deg", "drifts"):
            _check_list(getattr(self, name), name, faults)
        _check_places(self.places, faults)
        fits = 0 <= self.sigma < math.inf
        faults.unless(fits, "sigma", "0 or more", self.sigma)
        faults.raise_any()


@dataclass(frozen=True)
class Bumps:
    """Gaussian bumps on lattices: `scales` has [spacing, sigma] of each, in elements.

    Weights: one per scale.
    """

    KIND: ClassVar[str] = "bumps"
    kind: str
    scales: tuple[tuple[float, float], ...]
    weights: tuple[float, ...] = _WITHOUT_WEIGHTS
    each_frame: bool = False
    sha256: str = ""

    def __post_init__(self) -> None:
        faults = _check_weights(self.weights, len(self.scales), "scale")
        fits = all(0 < size < math.inf for scale in self.scales for size in scale)
        rule = "one or more of [spacing, sigma], in elements and above 0"
        value = [list(scale) for scale in self.scales]
        faults.unless(bool(self.scales) and fits, "scales", rule, value)
        faults.raise_any()


@dataclass(frozen=True)
class Bars:
    """Bars of one length and width, in elements. Weights: one per orientation."""

    KIND: ClassVar[str] = "bars"
    kind: str
    length: float
    width: float
    orientations_deg: tuple[float, ...]
    places: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    weights: tuple[float, ...] = _WITHOUT_WEIGHTS
    each_frame: bool = False
    sha256: str = ""

    def __post_init__(self) -> None:
        faults = _check_weights(self.weights, len(self.orientations_deg), "orientation")
        for name in ("length", "width"):
            value = getattr(self, name)
            faults.unless(0 < value < math.inf, name, "more than 0", value)
        _check_list(self.orientations_deg, "orientations_deg", faults)
        _check_places(self.places, faults)
        faults.raise_any()


@dataclass(frozen=True)
class Arrays:
    """Images of one's own, known by the SHA-256 of what they are.

    A protocol file names their `file`, which `contents.py` reads: the relative sizes
    that images have there go into the weights, one per image.
    """

    KIND: ClassVar[str] = "array"
    kind: str
    sha256: str
    weights: tuple[float, ...] = field(default=_WITHOUT_WEIGHTS, repr=False)

    def __post_init__(self) -> None:
        faults = _check_weights(self.weights, len(self.weights), "image")
        faults.raise_any()


Basis = Sinusoids | Gratings | Bumps | Bars | Arrays
