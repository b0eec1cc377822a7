"""From responses in the bins of a network's steps to those in the bins asked for."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

TIME_BINS = "time-bins-overlap-mean/1"
Bins = Sequence[tuple[float, float]]


def require_bins(bins: Bins, name: str = "time_bins") -> list[tuple[float, float]]:
    """Give time bins as pairs of numbers.

    Raises
    ------
    ValueError
        If there are none, or one does not end after its start.
    """
    found = [tuple(map(float, each)) for each in bins]
    wrong = [each for each in found if len(each) != 2 or not each[0] < each[1]]
    if wrong or not found:
        rule = "one or more pairs (start, end) in ms, start < end"
        raise ValueError(f"{name} must be {rule}, got {wrong[0] if wrong else 'none'}")
    return [(each[0], each[1]) for each in found]


def overlap_weights(steps: Bins, wanted: Bins) -> Float[np.ndarray, " wanted step"]:
    """Give the weights with which steps are averaged in each of the bins asked for.

    A step has the weight of that share of it which lies in the bin; the weights of a
    bin add up to 1. So Brain-Score aligns models in time ("portion").

    Parameters
    ----------
    steps
        When each step is, in ms.
    wanted
        The bins asked for.

    Raises
    ------
    ValueError
        If a bin asked for is not within the steps as a whole.

    Examples
    --------
    >>> overlap_weights([(50, 150), (150, 250)], [(70, 170), (150, 250)]).tolist()
    [[0.8, 0.2], [0.0, 1.0]]
    """
    rows = [_weights(steps, each) for each in wanted]
    return np.array(rows)


def _weights(steps: Bins, wanted: tuple[float, float]) -> np.ndarray:
    inside = [max(0.0, min(b, wanted[1]) - max(a, wanted[0])) for a, b in steps]
    covered, length = sum(inside), wanted[1] - wanted[0]
    if covered < length * (1 - 1e-9):
        low, high = steps[0][0], steps[-1][1]
        rule = f"within the network's steps, {low:g} to {high:g} ms"
        got = f"{wanted[0]:g} to {wanted[1]:g} ms"
        raise ValueError(f"a time bin must be {rule}, got {got}")
    share = np.array(inside) / [b - a for a, b in steps]
    return share / share.sum()
