"""An estimate: a number, how sure it is, what it rests on, which formula made it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

Z95 = 1.959963984540054  # Phi^-1(.975): half the width of a normal 95 % interval, in SE
NUMBERS = ("value", "se", "low", "high")


class CannotTell(ValueError):
    """The data cannot tell a quantity, or a task has no such quantity.

    A refusal of statistics: a class without trials, too few of them, a signal that is
    not known. Wrong arguments are a plain `ValueError`.
    """


@dataclass(frozen=True)
class Estimate:
    """A quantity estimated from trials, with its uncertainty.

    Attributes
    ----------
    value
        None where the data cannot tell; then `note` says why. May be infinite.
    se
        Standard error; None where it is undefined (`value` at the edge of its range).
    low, high
        Limits of the 95 % interval; may be infinite.
    n
        What the estimate rests on: trials, or pairs of a double pass.
    formula
        Name and version of the formula, such as "dprime-2afc-loglinear/2". Another
        formula, or a corrected one, has another name.
    note
        Sentences about the estimate's limits, or None.

    Raises
    ------
    ValueError
        If a number is NaN, the limits do not enclose the value, or a missing value
        comes without its reason.
    """

    value: float | None
    se: float | None
    low: float | None
    high: float | None
    n: int
    formula: str
    note: str | None = None

    def __post_init__(self) -> None:
        numbers = [self.value, self.se, self.low, self.high]
        if any(number is not None and math.isnan(number) for number in numbers):
            raise ValueError(f"{self.formula} must be free of NaN, got {numbers}")
        if self.value is None and not self.note:
            raise ValueError(f"{self.formula} without a value must say why in its note")
        if self.se is not None and not self.se >= 0:
            raise ValueError(f"se must be >= 0, got {self.se}")
        ends = (self.low, self.value, self.high)
        known = [end for end in ends if end is not None]
        if known != sorted(known):
            raise ValueError(f"low, value and high must rise in this order, got {ends}")

    @classmethod
    def missing(cls, formula: str, note: str, n: int = 0) -> "Estimate":
        """Return an estimate without a value, and the reason."""
        return cls(None, None, None, None, n, formula, note)

    @classmethod
    def normal(
        cls, value: float, se: float, n: int, formula: str, note: str | None = None
    ) -> "Estimate":
        """Return an estimate whose 95 % interval is the value -+ 1.96 SE."""
        value, se = float(value), float(se)
        return cls(value, se, value - Z95 * se, value + Z95 * se, n, formula, note)

    def with_note(self, *sentences: str | None) -> "Estimate":
        """Return the estimate with further sentences at the end of its note."""
        parts = [part for part in (self.note, *sentences) if part]
        return replace(self, note="; ".join(parts) or None)

    def to_dict(self) -> dict[str, Any]:
        """Give the estimate as JSON can hold it; infinities as `plain_number` has them.

        Examples
        --------
        >>> gamma = Estimate(1.9, None, 1.1, math.inf, 100, "gamma/1")
        >>> gamma.to_dict()["high"], gamma.to_dict()["se"]
        ('Infinity', None)
        """
        return {
            **{name: plain_number(getattr(self, name)) for name in NUMBERS},
            "n": self.n,
            "formula": self.formula,
            "note": self.note,
        }

    def short(self) -> str:
        """Give the value with its interval; "-" is unknown, "∞" infinite.

        Examples
        --------
        >>> Estimate(1.6, 0.1, 1.42, 1.779, 300, "dprime/1").short()
        '1.600 [1.420, 1.779]'
        >>> Estimate(1.335, None, 0.647, math.inf, 100, "gamma/1").short()
        '1.335 [0.647, ∞]'
        >>> Estimate.missing("gamma/1", "no trial was shown and answered twice").short()
        '-'
        """
        value, low, high = map(_decimals, (self.value, self.low, self.high))
        return value if low == high == "-" else f"{value} [{low}, {high}]"

    def __str__(self) -> str:
        """Give one line to read: value, SE, interval, n, formula."""
        if self.value is None:
            return f"none: {self.note} ({self.formula})"
        value, low, high = map(_decimals, (self.value, self.low, self.high))
        se = "" if self.se is None else f" SE {self.se:.3f}"
        limits = f" [{low}, {high}]" if self.low is not None else ""
        return f"{value}{se}{limits} n={self.n} ({self.formula})"


def plain_number(value: float | None) -> float | str | None:
    """Return a number as JSON can hold it: infinite is told from unknown.

    JSON has neither infinity nor NaN. What is infinite is the text "Infinity" or
    "-Infinity", which `float` in Python, `Number` in JavaScript and `as.numeric` in R
    read as the number; what is unknown, NaN too, is None.

    Examples
    --------
    >>> plain_number(math.inf), plain_number(-math.inf), plain_number(math.nan)
    ('Infinity', '-Infinity', None)
    >>> float("Infinity") == math.inf
    True
    """
    if value is None or math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _decimals(value: float | None) -> str:
    if value is None:
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.3f}"


def mapped(
    estimate: Estimate,
    function: Callable[[float], float],
    formula: str,
    slope: float | None = None,
) -> Estimate:
    """Carry an estimate through a monotone function, its limits with it.

    Parameters
    ----------
    function
        Rising or falling over the whole interval.
    slope
        Derivative of the function at the value, for the SE by the delta method; None
        leaves the SE undefined.
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return replace(estimate, formula=formula)
    low, high = sorted((function(estimate.low), function(estimate.high)))
    known = slope is not None and math.isfinite(slope) and estimate.se is not None
    se = abs(slope) * estimate.se if known else None  # type: ignore[operator, arg-type]
    value = function(estimate.value)
    return Estimate(value, se, low, high, estimate.n, formula, estimate.note)
