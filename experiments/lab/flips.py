"""Flips of a screen: how regular they are, and how many come late."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .refresh import Flips
from .screen import Screen

LATE = 1.5  # of the refresh period: a flip that comes later dropped a frame
N_FLIPS = 120
N_SETTLE = 6  # the first flips fill the driver's queue and return early
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Dropped:
    """Flips over a long while.

    Attributes
    ----------
    seconds
        How long.
    n
        Intervals between flips.
    n_dropped
        Of them later than 1.5 refresh periods.
    longest_ms
        The longest.
    worst_ms
        The longest of each second.
    """

    seconds: float
    n: int
    n_dropped: int
    longest_ms: float
    worst_ms: tuple[float, ...] = ()


@dataclass(frozen=True)
class KeyLatency:
    """Times from a trigger to its key or byte, through a loop-back device."""

    device: str
    n: int
    median_ms: float
    mad_ms: float
    longest_ms: float


def measure_refresh(screen: Screen, n: int = N_FLIPS) -> Flips:
    """Time flips of one gray picture; what was not steady is measured once more.

    A desktop has its hands full when a window opens.
    """
    first = _measured(screen, n)
    return first if first.is_steady else _measured(screen, n)


def _measured(screen: Screen, n: int) -> Flips:
    times = _flip_times(screen, N_SETTLE + n + 1)[N_SETTLE:]
    intervals = np.diff(times).tolist()
    median_ms, mad_ms = median_and_mad(intervals)
    n_dropped = sum(interval > LATE * median_ms for interval in intervals)
    return Flips(len(intervals), median_ms, mad_ms, n_dropped)


def _flip_times(screen: Screen, n: int) -> list[float]:
    (gray,) = screen.prepare([np.full((64, 64), screen.background, np.uint8)])
    times = []
    for _ in range(n):
        screen.draw(gray)
        times.append(screen.flip())
    return times


def median_and_mad(values: Sequence[float]) -> tuple[float, float]:
    """Give the median, and the median absolute deviation from it.

    Examples
    --------
    >>> median_and_mad([16.0, 17.0, 16.5, 50.0])
    (16.75, 0.5)
    """
    middle = statistics.median(values)
    return middle, statistics.median(abs(value - middle) for value in values)


def count_dropped(
    screen: Screen,
    period_ms: float,
    seconds: float = 60.0,
    progress: Progress = lambda stage, done, total: None,
) -> Dropped:
    """Draw a picture that changes every frame, and count flips that come late.

    Parameters
    ----------
    screen
        What is watched.
    period_ms
        Refresh period.
    seconds
        How long.
    progress
        Called every second.

    Raises
    ------
    ValueError
        If `seconds` is not positive.
    """
    if not seconds > 0:
        raise ValueError(f"seconds must be more than 0, got {seconds:g}")
    levels = (screen.background, screen.background ^ 1)  # a flicker nobody sees
    both = [np.full((64, 64), level, np.uint8) for level in levels]
    pictures = screen.prepare(both)
    worst = [0.0] * math.ceil(seconds)  # the longest interval of each second
    first = last = screen.flip()
    n = n_dropped = 0
    while last - first < 1000 * seconds:
        screen.draw(pictures[n % 2])
        now = screen.flip()
        second = min(int((now - first) // 1000), len(worst) - 1)
        if not worst[second]:
            progress("dropped frames", second, len(worst))
        worst[second] = max(worst[second], now - last)
        n_dropped += now - last > LATE * period_ms
        n, last = n + 1, now
    return Dropped(seconds, n, n_dropped, max(worst), tuple(worst))


def key_latency(device: str, latencies_ms: Sequence[float]) -> KeyLatency:
    """Sum up what a loop-back device measured."""
    middle, mad = median_and_mad(latencies_ms)
    return KeyLatency(device, len(latencies_ms), middle, mad, max(latencies_ms))
