"""The weighted up-down staircase: its settings in a protocol."""

import math
from dataclasses import dataclass

from .checks import Faults

# Correct responses in a row that a step down takes, by rule.
RULES = {"1-up-1-down": 1, "1-up-2-down": 2, "1-up-3-down": 3}


@dataclass(frozen=True)
class Staircase:
    """Settings of a weighted up-down staircase on the contrast in dB.

    Attributes
    ----------
    rule
        How many correct responses in a row a step down takes; any wrong response is a
        step up. The step up is as much larger than the step down as it must be for the
        staircase to converge at `contrast.target_correct` (Kaernbach 1991).
    steps_db
        Size of the step down, in dB (20 log10 of contrast): the first until the first
        reversal, then the next; the last one stays.
    start
        Contrast of the first trial; 0 takes the highest of the grid.
    reversals
        The staircase ends after so many of them, and what is left of its trials falls
        away; 0 lets it run for all its trials.
    """

    rule: str = "1-up-1-down"
    steps_db: tuple[float, ...] = (4.0, 2.0, 1.0)
    start: float = 0.0
    reversals: int = 0

    def __post_init__(self) -> None:
        faults = Faults()
        rule = f"one of {', '.join(RULES)}"
        faults.unless(self.rule in RULES, "rule", rule, self.rule)
        steps = self.steps_db
        fits = len(steps) > 0 and all(0 < s <= 40 and math.isfinite(s) for s in steps)
        faults.unless(fits, "steps_db", "one or more numbers in (0, 40]", list(steps))
        faults.unless(0 <= self.start <= 1, "start", "in [0, 1]", self.start)
        rule = f"0, or more than the {len(steps) - 1} that change the step"
        fits = self.reversals == 0 or self.reversals >= len(steps)
        faults.unless(fits, "reversals", rule, self.reversals)
        faults.raise_any()

    def step_up_db(self, step_down_db: float, target_correct: float) -> float:
        """Give the step up that makes a staircase converge at a proportion correct.

        At the target the expected step is 0: p^n down = (1 - p^n) up.

        Examples
        --------
        >>> Staircase().step_up_db(1.0, 0.75)
        3.0
        >>> round(Staircase(rule="1-up-2-down").step_up_db(1.0, 0.7071), 2)
        1.0
        """
        goes_down = target_correct ** RULES[self.rule]
        return step_down_db * goes_down / (1 - goes_down)
