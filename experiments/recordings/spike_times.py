"""From times to steps: spikes are counted in them, and each is given its frame."""

import math

import numpy as np
from jaxtyping import Float, Int32, UInt8

from .recording import RecordingError

MOST_SPIKES = 255  # in a step, as counts are kept in eight bits
# A time on the border of two steps is in the later one, though 1.001 s x 1000 is a
# little less than 1001 in floating point.
_BORDER = 1e-6


def counts_in_steps(
    times_s: Float[np.ndarray, " spike"],
    n_steps: int,
    step_ms: float,
    start_s: float = 0.0,
) -> tuple[UInt8[np.ndarray, " step"], int]:
    """Count the spikes of one cell in steps, and those that are in none of them.

    Parameters
    ----------
    times_s
        In any order.
    start_s
        When the first step begins. A spike on the border of two steps, to a millionth
        of a step, belongs to the later one.

    Returns
    -------
    counts
        Spikes in every step.
    n_outside
        How many came before the first step or after the last.

    Raises
    ------
    RecordingError
        If a time is no finite number, or a step has more than 255 spikes.

    Examples
    --------
    >>> counts, n_outside = counts_in_steps(np.array([0.001, 0.0025, 0.7]), 4, 1.0)
    >>> counts.tolist(), n_outside
    ([0, 1, 1, 0], 1)
    """
    _check_steps(n_steps, step_ms, start_s)
    _check_finite("spike times", times_s)
    step = np.floor((times_s - start_s) * 1000 / step_ms + _BORDER)
    inside = (step >= 0) & (step < n_steps)
    counts = np.bincount(step[inside].astype(np.int64), minlength=n_steps)
    if counts.max() > MOST_SPIKES:
        at = int(counts.argmax())
        rule = f"at most {MOST_SPIKES} of a cell in a step"
        raise RecordingError(f"spikes must be {rule}, got {counts[at]} in step {at}")
    return counts.astype(np.uint8), int((~inside).sum())


def clock_of_frames(
    onsets_s: Float[np.ndarray, " frame"],
    n_steps: int,
    step_ms: float,
    start_s: float = 0.0,
) -> Int32[np.ndarray, " step"]:
    """Give the frame that is shown in the middle of every step, -1 before the first.

    A frame stays until the next one; the last one stays.

    Parameters
    ----------
    onsets_s
        When each frame came.
    start_s
        When the first step begins, on the same clock.

    Raises
    ------
    RecordingError
        If there is no onset, one is no finite number, or they do not rise.

    Examples
    --------
    >>> clock_of_frames(np.array([0.002, 0.004]), n_steps=6, step_ms=1.0).tolist()
    [-1, -1, 0, 0, 1, 1]
    """
    _check_steps(n_steps, step_ms, start_s)
    if not len(onsets_s):
        raise RecordingError("onsets of frames must be one or more, got none")
    _check_finite("onsets of frames", onsets_s)
    falls = np.flatnonzero(np.diff(onsets_s) <= 0)
    if len(falls):
        at = int(falls[0]) + 1
        got = f"{onsets_s[at]:g} s of frame {at} after {onsets_s[at - 1]:g} s"
        raise RecordingError(f"onsets of frames must rise, got {got}")
    middle = start_s + (np.arange(n_steps) + 0.5) * (step_ms / 1000)
    return (np.searchsorted(onsets_s, middle, side="right") - 1).astype(np.int32)


def _check_steps(n_steps: int, step_ms: float, start_s: float) -> None:
    if n_steps < 1:
        raise RecordingError(f"n_steps must be 1 or more, got {n_steps}")
    if not 0 < step_ms < math.inf:
        raise RecordingError(f"step_ms must be more than 0, got {step_ms}")
    if not math.isfinite(start_s):
        raise RecordingError(f"start_s must be a finite number, got {start_s}")


def _check_finite(what: str, times_s: np.ndarray) -> None:
    n = int((~np.isfinite(times_s)).sum())
    if n:
        raise RecordingError(f"{what} must be finite numbers, got {n} that are not")
