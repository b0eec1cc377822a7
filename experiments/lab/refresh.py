"""The refresh of a screen, as its flips showed it: its rate, and whether it is one."""

from dataclasses import dataclass

NO_VSYNC_HZ = 500.0  # faster than any screen: such flips do not wait for it
MOST_JITTER = 0.05  # of the period: a steady screen stays far below
MOST_LATE = 0.02  # of the flips; a hiccup or two is no irregular screen


@dataclass(frozen=True)
class Flips:
    """The time between flips when nothing but one picture is drawn.

    Attributes
    ----------
    n
        Intervals.
    median_ms, mad_ms
        Their median, and the median absolute deviation from it.
    n_dropped
        Of them later than 1.5 times the median.
    """

    n: int
    median_ms: float
    mad_ms: float
    n_dropped: int = 0

    @property
    def hz(self) -> float:
        """Refresh rate."""
        return 1000 / max(self.median_ms, 1e-3)

    @property
    def is_synchronised(self) -> bool:
        """Whether flips wait for the screen at all."""
        return self.median_ms > 1000 / NO_VSYNC_HZ

    @property
    def is_steady(self) -> bool:
        """Whether the rate is one at all: little spread, and hardly a flip late."""
        varies = self.mad_ms > MOST_JITTER * self.median_ms
        return not varies and self.n_dropped <= MOST_LATE * self.n

    def found(self) -> str:
        """Say in words what was measured.

        Examples
        --------
        >>> Flips(120, 11.82, 4.0, 17).found()
        '11.82 ms with a MAD of 4.00 ms, and 17 of 120 frames late'
        """
        spread = f"{self.median_ms:.2f} ms with a MAD of {self.mad_ms:.2f} ms"
        return f"{spread}, and {self.n_dropped} of {self.n} frames late"
