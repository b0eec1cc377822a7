"""The noise of a protocol and the signal in it: parts that check their own rules."""

import math
from dataclasses import dataclass, replace

from .basis import Basis
from .checks import Faults, ProtocolError
from .levels import FULL_CONTRAST
from .patterns import Pattern, check_drawn
from .variants import MOST_VARIANTS, Variant

SOURCES = ("yoked-1", "matlab5-rand", "matlab5-randn", "stored")
ON_A_BASIS = "yoked-1-basis"  # what a session's noise is where the protocol has a basis
NOISE_KINDS = ("gaussian", "binary", "uniform", "other")
GENERATED_KINDS = ("gaussian", "binary")  # what yoked-1 can make
SIGNAL_KINDS = (
    "bar", "gabor", "gaussian", "blobs", "array", "coefficients", "patterns", "unknown"
)  # fmt: skip
CONTRAST_RULES = ("peak", "rms")
OUTSIDE = ("drop", "show")
PAIRS = ("independent", "opposite")
HEADROOM_SD = 5.0  # a frame of noise on a basis is clipped beyond so many SD


@dataclass(frozen=True)
class Noise:
    """The noise: distribution, SD in contrast, grid (frames, rows, columns).

    The source 'stored' is an array in the trial log, of an experiment that was not
    ours; only there may the distribution be 'uniform' or 'other'.

    With a `basis` the levels are coefficients of images, in units of 1 / (127
    `fineness`) contrast, and `sd` is the contrast SD of the element where the noise is
    strongest. `floor_sd` is that of white noise added to it; with `pairs` 'opposite'
    the second interval has the noise of the first with the other sign. A picture that
    is equal in all alternatives is known by its SHA-256.
    """

    kind: str
    sd: float
    grid: tuple[int, int, int]
    source: str = "yoked-1"
    truncate_sd: float = 0.0  # 0: the source's own tail (yoked-1: 4.3 SD)
    basis: Basis | None = None
    fineness: int = 15
    floor_sd: float = 0.0
    pairs: str = "independent"
    picture_sha256: str = ""

    def __post_init__(self) -> None:
        faults = Faults()
        kinds = NOISE_KINDS if self.source == "stored" else GENERATED_KINDS
        faults.unless(
            self.kind in kinds, "kind", f"one of {', '.join(kinds)}", self.kind
        )
        faults.unless(0 <= self.sd <= 1, "sd", "in (0, 1]", self.sd)
        fits = all(1 <= size <= 1024 for size in self.grid)
        faults.unless(
            fits, "grid", "three whole numbers from 1 to 1024", list(self.grid)
        )
        rule = f"one of {', '.join(SOURCES)}"
        faults.unless(self.source in SOURCES, "source", rule, self.source)
        own = self.source == "yoked-1" and self.truncate_sd
        faults.unless(not own, "truncate_sd", "0 with yoked-1 noise", self.truncate_sd)
        faults.unless(
            self.truncate_sd >= 0, "truncate_sd", "0 or more", self.truncate_sd
        )
        self._check_basis(faults)
        faults.raise_any()

    def _check_basis(self, faults: Faults) -> None:
        fits = 1 <= self.fineness <= 255 and self.fineness % 2 == 1
        rule = "an odd number from 1 to 255"
        faults.unless(fits, "fineness", rule, self.fineness)
        faults.unless(0 <= self.floor_sd <= 1, "floor_sd", "in [0, 1]", self.floor_sd)
        rule = f"one of {', '.join(PAIRS)}"
        faults.unless(self.pairs in PAIRS, "pairs", rule, self.pairs)
        if self.basis is not None:
            own = self.source in ("yoked-1", "stored")
            rule = "yoked-1 or stored with noise on a basis"
            faults.unless(own, "source", rule, self.source)
            return
        for name in ("fineness", "floor_sd", "pairs"):
            value, default = getattr(self, name), type(self).__dict__[name]
            rule = f"{default!r} without a basis"
            faults.unless(value == default, name, rule, value)

    @property
    def generator(self) -> str:
        """What makes this noise: the name of a session's noise source."""
        is_drawn = self.basis is not None and self.source == "yoked-1"
        return ON_A_BASIS if is_drawn else self.source

    def max_level(self, sd: float | None = None) -> int:
        """Give the largest level the noise can reach, at its own SD or another.

        Noise on a basis: what the protocol keeps room for, 5 SD where it is strongest.
        """
        sd = self.sd if sd is None else sd
        if self.basis is not None:
            most = HEADROOM_SD * math.hypot(sd, self.floor_sd)
            return round(FULL_CONTRAST * min(most, 1.0))
        if self.kind == "binary":
            reach = 1.0
        elif self.truncate_sd:
            reach = self.truncate_sd
        elif self.kind == "uniform":
            reach = math.sqrt(3)
        else:
            reach = _TAIL_SD
        return round(FULL_CONTRAST * min(sd * reach, 1.0))


# Phi^-1(65535.5 / 65536), where the Gaussian noise of yoked-1 ends.
_TAIL_SD = 4.324919040826046


@dataclass(frozen=True)
class Signal:
    """The signal: a template on the noise grid, and its gain by alternative.

    `frames`, `rows` and `columns` are inclusive ranges of elements: all of a bar, and
    the frames in which a gabor or gaussian is there. `gains` are (without the target,
    with the target): the intervals of a forced choice, or the two classes of a yes/no
    or rating task. 'blobs' are a sum of gaussians, each [row, column, sigma of rows,
    sigma of columns, height] from the centre. An 'array' comes from a file and is known
    by its `sha256`; imported data may bring it as `values` (one per element of the
    grid, frame by frame and row by row), or the signal may be 'unknown'.

    Of two `patterns` to be told apart, half the difference is the signal: gain -1 gives
    the first, gain 1 the second. Of three or more to be identified, each one's
    difference from the mean is, all on one scale; `pattern` is the number of one that
    is shown alone. `pedestal` is the contrast of what is there in all
    alternatives: the mean of the patterns, otherwise the signal itself. By the
    `contrast_rule` a contrast is that of the peak or, 'rms', the root of the mean
    square over all elements, of the signal as it is shown.

    Of a signal with `variants` each stimulus shows one, drawn with equal chance; each
    changes some of the fields above.

    In noise on a basis a signal is a sum of its images: 'coefficients' names them,
    (number, weight) each, and any other kind is projected. What the images cannot
    `show` of it falls away; with `outside` 'show' it is added all the same.
    """

    kind: str
    gains: tuple[float, float] = (0.0, 1.0)
    frames: tuple[int, int] = (0, 0)
    rows: tuple[int, int] = (0, 0)
    columns: tuple[int, int] = (0, 0)
    sigma: float = 0.0  # SD of the envelope, in elements
    cycles: float = 0.0  # cycles across the field
    orientation_deg: float = 0.0  # 0: vertical stripes
    phase_deg: float = 0.0  # 0: cosine, a peak in the middle
    values: tuple[float, ...] = ()
    coefficients: tuple[tuple[int, float], ...] = ()
    outside: str = "drop"
    blobs: tuple[tuple[float, float, float, float, float], ...] = ()
    sha256: str = ""
    patterns: tuple[Pattern, ...] = ()
    pedestal: float = 0.0
    contrast_rule: str = "peak"
    variants: tuple[Variant, ...] = ()
    pattern: int = -1

    def __post_init__(self) -> None:
        faults = Faults()
        rule = f"one of {', '.join(SIGNAL_KINDS)}"
        faults.unless(self.kind in SIGNAL_KINDS, "kind", rule, self.kind)
        rule = "two different numbers from -1 to 1"
        fits = self.gains[0] != self.gains[1] and all(abs(g) <= 1 for g in self.gains)
        faults.unless(fits, "gains", rule, list(self.gains))
        check_drawn(self, faults)
        self._check_patterns(faults)
        self._check_values(faults)
        self._check_coefficients(faults)
        self._check_variants(faults)
        faults.raise_any()

    @property
    def drawn_from(self) -> tuple["Signal", ...]:
        """What is shown of it: each variant or pattern, or itself alone."""
        if self.is_of_many and self.pattern < 0:
            return self.on_one_scale
        return tuple(self._as(each) for each in self.variants) or (self,)

    @property
    def is_of_many(self) -> bool:
        """Whether there are three patterns or more."""
        return len(self.patterns) > 2

    @property
    def on_one_scale(self) -> tuple["Signal", ...]:
        """The signals that have one contrast in common: each pattern's, or itself."""
        if not self.is_of_many:
            return (self,)
        return tuple(replace(self, pattern=k) for k in range(len(self.patterns)))

    def _as(self, variant: Variant) -> "Signal":
        without, with_target = self.gains
        gains = (without, with_target * variant.weight)
        return replace(self, variants=(), gains=gains, **variant.changed)

    def _check_variants(self, faults: Faults) -> None:
        n, rule = len(self.variants), f"all different, two to {MOST_VARIANTS} of them"
        if n == 0:
            return
        fits = 2 <= n == len(set(self.variants)) <= MOST_VARIANTS
        faults.unless(fits, "variants", rule, n)
        rule = "left out with kind patterns or unknown"
        known = self.kind not in ("patterns", "unknown")
        faults.unless(known, "variants", rule, n)
        rule = "0 without the target where there are variants"
        faults.unless(self.gains[0] == 0, "gains", rule, list(self.gains))
        rule = "0 with variants"
        faults.unless(self.pedestal == 0, "pedestal", rule, self.pedestal)
        for number, variant in enumerate(self.variants):
            try:
                self._as(variant)
            except ProtocolError as error:
                new = [f for f in error.faults if f not in faults.found]
                faults.found += [f"variants[{number}].{fault}" for fault in new]

    def _check_patterns(self, faults: Faults) -> None:
        n = len(self.patterns)
        if self.kind == "patterns":
            faults.unless(n >= 2, "patterns", "two or more", n)
            due, gains = [0, 1] if self.is_of_many else [-1, 1], list(self.gains)
            rule = (
                f"{due} with {'three or more' if self.is_of_many else 'two'} patterns"
            )
            faults.unless(gains == due, "gains", rule, gains)
            faults.unless(self.pattern < n, "pattern", f"below {n}", self.pattern)
        else:
            faults.unless(n == 0, "patterns", "given with kind patterns only", n)
        faults.unless(0 <= self.pedestal <= 1, "pedestal", "in [0, 1]", self.pedestal)
        rule = f"one of {', '.join(CONTRAST_RULES)}"
        known = self.contrast_rule in CONTRAST_RULES
        faults.unless(known, "contrast_rule", rule, self.contrast_rule)

    def _check_coefficients(self, faults: Faults) -> None:
        numbers = [number for number, _ in self.coefficients]
        fits = len(set(numbers)) == len(numbers) and all(n >= 0 for n in numbers)
        fits = fits and all(w and math.isfinite(w) for _, w in self.coefficients)
        if self.kind == "coefficients":
            rule = "[number, weight] of one or more images, weights other than 0"
            fits = fits and bool(numbers)
        else:
            rule, fits = "given with kind coefficients only", not numbers
        value = [list(pair) for pair in self.coefficients]
        faults.unless(fits, "coefficients", rule, value)
        rule = f"one of {', '.join(OUTSIDE)}"
        faults.unless(self.outside in OUTSIDE, "outside", rule, self.outside)

    def _check_values(self, faults: Faults) -> None:
        n = len(self.values)
        if self.kind != "array":
            faults.unless(n == 0, "values", "given with kind array only", n)
            return
        if self.sha256:
            faults.unless(n == 0, "values", "left out with a sha256", n)
            return
        fits = all(map(math.isfinite, self.values)) and any(self.values)
        faults.unless(
            fits, "values", "finite numbers, not all of them 0", f"{n} values"
        )
