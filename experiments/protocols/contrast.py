"""Signal contrasts of a protocol, and what chooses them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .checks import Faults
from .levels import FULL_CONTRAST
from .staircase import Staircase

QUEST_PLUS, STAIRCASE = "quest+", "staircase"
MAIN = ("constant", "adaptive")
_HUGE = 1e300


@dataclass(frozen=True)
class Contrast:
    """Signal contrasts: those of the main blocks, and the calibration's grid.

    Attributes
    ----------
    values
        Contrasts of the main blocks, shown equally often. A calibration block replaces
        a single value by its own estimate.
    lowest, highest, n_steps
        The calibration's grid: contrasts spaced evenly in logarithm, each moved to the
        nearest displayable level, doubles dropped.
    target_correct
        Proportion correct that the calibration aims at.
    keep_correct
        After a main block outside this range the contrast moves one step of the grid.
        (0, 1) leaves it where it is.
    unit
        'contrast'; of imported data also 'relative', where they say how strong the
        signal was in a unit of their own, or do not say it, and 'declared', where they
        do not say it and a contrast is taken in its place, so that models can be shown
        the trials.
    procedure
        What chooses contrasts of the grid: 'quest+', 'staircase', or the name of an
        installed procedure (entry point group `yoked.procedures`).
    main
        'constant': main blocks show `values`. 'adaptive': the procedure chooses the
        contrast of every main trial, too, but for second passes of a double pass.
    staircase
        Settings of the staircase.
    options
        Settings of an installed procedure, which it knows.
    """

    values: tuple[float, ...]
    lowest: float = 0.0
    highest: float = 0.0
    n_steps: int = 0
    target_correct: float = 0.75
    keep_correct: tuple[float, float] = (0.65, 0.85)
    unit: str = "contrast"
    procedure: str = QUEST_PLUS
    main: str = "constant"
    staircase: Staircase = field(default_factory=Staircase)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = Faults()
        units = ("contrast", "relative", "declared")
        faults.unless(
            self.unit in units, "unit", f"one of {', '.join(units)}", self.unit
        )
        most, to = (_HUGE, "1e300") if self.unit == "relative" else (1.0, "1")
        fits = len(self.values) > 0 and all(0 <= value <= most for value in self.values)
        rule = f"one or more numbers from 0 to {to}"
        faults.unless(fits, "values", rule, list(self.values))
        distinct = len(set(self.values)) == len(self.values)
        faults.unless(distinct, "values", "all different", list(self.values))
        if self.n_steps:
            fits = 0 < self.lowest < self.highest <= 1
            rule = "below highest, both in (0, 1]"
            faults.unless(fits, "lowest", rule, self.lowest)
            faults.unless(self.n_steps >= 2, "n_steps", "2 or more", self.n_steps)
        low, high = self.keep_correct
        fits = 0 <= low < high <= 1
        faults.unless(fits, "keep_correct", "a range within 0 to 1", [low, high])
        fits = 0.5 < self.target_correct < 1
        faults.unless(fits, "target_correct", "in (.5, 1)", self.target_correct)
        self._check_procedure(faults)
        faults.raise_any()

    def _check_procedure(self, faults: Faults) -> None:
        faults.unless(
            self.procedure != "", "procedure", "a procedure's name", self.procedure
        )
        rule = f"one of {', '.join(MAIN)}"
        faults.unless(self.main in MAIN, "main", rule, self.main)
        if self.is_adaptive:
            rule, values = "one contrast where main is adaptive", list(self.values)
            faults.unless(len(values) == 1, "values", rule, values)
            n = self.n_steps
            faults.unless(n > 0, "n_steps", "given where main is adaptive", n)
        start = self.staircase.start
        if self.n_steps and start:
            rule = "from lowest to highest, or 0"
            fits = self.lowest <= start <= self.highest
            faults.unless(fits, "staircase.start", rule, start)
        shipped = self.procedure in (QUEST_PLUS, STAIRCASE)
        fits = not (shipped and self.options)
        rule = f"left out with {self.procedure}"
        faults.unless(fits, "options", rule, sorted(self.options))

    @property
    def is_adaptive(self) -> bool:
        """Whether a procedure chooses the contrast of every main trial."""
        return self.main == "adaptive"

    @cached_property
    def grid(self) -> tuple[float, ...]:
        """Distinct displayable contrasts, rising."""
        if not self.n_steps:
            return ()
        ratio = (self.highest / self.lowest) ** (1 / (self.n_steps - 1))
        steps = (self.lowest * ratio**i for i in range(self.n_steps))
        levels = sorted({max(1, round(FULL_CONTRAST * step)) for step in steps})
        return tuple(level / FULL_CONTRAST for level in levels)

    @property
    def highest_shown(self) -> float:
        """The highest contrast that any trial may have."""
        return max(*self.values, *self.grid, 0.0)
