"""What can be drawn on the noise grid by a formula or from a file, with its rules."""

import math
from dataclasses import dataclass
from typing import Protocol as Interface
from typing import runtime_checkable

from .checks import Faults

DRAWN_KINDS = ("bar", "gabor", "gaussian", "blobs", "array")
Range = tuple[int, int]


@runtime_checkable
class Drawn(Interface):
    """What a signal and a pattern have in common."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def frames(self) -> Range: ...  # noqa: D102
    @property
    def rows(self) -> Range: ...  # noqa: D102
    @property
    def columns(self) -> Range: ...  # noqa: D102
    @property
    def sigma(self) -> float: ...  # noqa: D102
    @property
    def cycles(self) -> float: ...  # noqa: D102
    @property
    def orientation_deg(self) -> float: ...  # noqa: D102
    @property
    def phase_deg(self) -> float: ...  # noqa: D102
    @property
    def blobs(self) -> tuple[tuple[float, float, float, float, float], ...]: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Pattern:
    """One of the patterns that are to be told apart; fields as of `Signal`.

    A drawn one has a peak of 1, times its `weight`; one from a file keeps its contrast.
    """

    kind: str
    frames: Range = (0, 0)
    rows: Range = (0, 0)
    columns: Range = (0, 0)
    sigma: float = 0.0
    cycles: float = 0.0
    orientation_deg: float = 0.0
    phase_deg: float = 0.0
    blobs: tuple[tuple[float, float, float, float, float], ...] = ()
    sha256: str = ""
    weight: float = 1.0

    def __post_init__(self) -> None:
        faults = Faults()
        rule = f"one of {', '.join(DRAWN_KINDS)}"
        faults.unless(self.kind in DRAWN_KINDS, "kind", rule, self.kind)
        fits = bool(self.weight) and math.isfinite(self.weight)
        faults.unless(fits, "weight", "a number other than 0", self.weight)
        if self.kind == "array":
            faults.unless(bool(self.sha256), "sha256", "given with kind array", "")
        check_drawn(self, faults)
        faults.raise_any()


def check_drawn(drawn: Drawn, faults: Faults) -> None:
    """Note a sentence for every rule that a signal and a pattern share and break."""
    for name in ("frames", "rows", "columns"):
        first, last = getattr(drawn, name)
        rule = "a range of elements, first then last"
        faults.unless(0 <= first <= last, name, rule, [first, last])
    for name in ("sigma", "cycles", "orientation_deg", "phase_deg"):
        value = getattr(drawn, name)
        faults.unless(math.isfinite(value), name, "a finite number", value)
    if drawn.kind in ("gabor", "gaussian"):
        faults.unless(drawn.sigma > 0, "sigma", "more than 0", drawn.sigma)
    if drawn.kind == "gabor":
        faults.unless(drawn.cycles > 0, "cycles", "more than 0", drawn.cycles)
    _check_blobs(drawn, faults)
    fits = drawn.kind == "array" or not drawn.sha256
    faults.unless(fits, "sha256", "given with kind array only", drawn.sha256)


def _check_blobs(drawn: Drawn, faults: Faults) -> None:
    value = [list(blob) for blob in drawn.blobs]
    if drawn.kind != "blobs":
        faults.unless(not value, "blobs", "given with kind blobs only", value)
        return
    fits = bool(value) and all(all(map(math.isfinite, blob)) for blob in value)
    fits = fits and all(blob[2] > 0 and blob[3] > 0 for blob in value)
    rule = "[row, column, sigma of rows, sigma of columns, height] of one or more"
    faults.unless(fits, "blobs", rule, value)
