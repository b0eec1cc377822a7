"""How long frames stay by their clock, beside how long they were meant to."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32

from .recording import BACKGROUND

LEAST_FRAMES = 3


@dataclass(frozen=True)
class Stay:
    """How long a frame stays, leaving out those that were dropped or stayed longer.

    Attributes
    ----------
    ms
        On average.
    n_frames
        Of how many.
    error_ms
        How far this may be off, as a clock counts in steps.
    """

    ms: float
    n_frames: int
    error_ms: float

    def drift(self, frame_ms: float) -> float:
        """Give by how many frames they are surely late or early in the end."""
        return (abs(self.ms - frame_ms) - self.error_ms) * self.n_frames / frame_ms


def stay(
    frame_of_step: Int32[np.ndarray, " step"], step_ms: float, frame_ms: float
) -> Stay | None:
    """Take from a clock how long its frames stay; None if they are fewer than three.

    The first and the last frame do not count, as they may be cut, nor do frames that
    stay for another time than the median by more than half of it, and a step.

    Examples
    --------
    >>> clock = np.repeat(np.arange(6, dtype=np.int32), [1, 2, 2, 6, 2, 9])
    >>> stay(clock, step_ms=5.0, frame_ms=10.0).ms
    10.0
    """
    starts = np.flatnonzero(np.diff(frame_of_step)) + 1
    frame, length = frame_of_step[starts[:-1]], np.diff(starts)
    # Frames that are shorter than a step are skipped by the clock.
    n_each = np.ones_like(length)
    if frame_ms < step_ms:
        n_each = np.maximum(frame_of_step[starts[1:]] - frame, 1)
    usual = np.median(length) if len(length) else 0
    kept = (np.abs(length - usual) <= max(usual / 2, 1)) & (frame != BACKGROUND)
    n_frames = int(n_each[kept].sum())
    if n_frames < LEAST_FRAMES:
        return None
    # Together, frames in a row are off by a step at most.
    n_rows = 1 + int((~kept[:-1] & kept[1:]).sum())
    ms = float(length[kept].sum()) * step_ms / n_frames
    return Stay(ms, n_frames, n_rows * step_ms / n_frames)
