"""Intervals between spikes that one cell cannot have."""

import math

import numpy as np
from jaxtyping import Int64, UInt8


def surely_short(
    counts: UInt8[np.ndarray, " repeat step cell"],
    step_ms: float,
    refractory_ms: float,
) -> tuple[Int64[np.ndarray, " cell"], Int64[np.ndarray, " cell"]]:
    """Count the intervals that are below the refractory period wherever spikes were.

    When in its step a spike came is not known. An interval over d steps is surely short
    if d + 1 steps are no longer than the refractory period. Of k spikes in one step
    that is no longer than the refractory period, all k - 1 intervals are; in a step of
    up to m such periods, m - 1 of them may be longer.

    Returns
    -------
    short, every
        Of each cell: intervals that are surely short, and all.

    Examples
    --------
    >>> counts = np.array([2, 0, 1, 1, 3], np.uint8).reshape(1, 5, 1)
    >>> for step_ms in (0.7, 1.0, 2.0):
    ...     short, every = surely_short(counts, step_ms, refractory_ms=1.5)
    ...     print(int(short[0]), int(every[0]))
    5 6
    3 6
    1 6
    """
    allowed = math.ceil(step_ms / refractory_ms - 1e-9) - 1
    short = np.maximum(counts.astype(np.int64) - 1 - allowed, 0).sum(axis=(0, 1))
    per_repeat = counts.sum(axis=1, dtype=np.int64)
    every = np.maximum(per_repeat - 1, 0).sum(axis=0)
    farthest = int(refractory_ms / step_ms + 1e-9) - 1  # steps of a surely short one
    if farthest >= 1:
        for cell in range(counts.shape[2]):
            repeat, step = np.nonzero(counts[:, :, cell])
            near = (np.diff(step) <= farthest) & (np.diff(repeat) == 0)
            short[cell] += near.sum()
    return short, every
