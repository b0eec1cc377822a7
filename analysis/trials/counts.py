"""The four counts of a two-alternative task, and what a double pass does to them."""

import numpy as np

from .estimate import CannotTell
from .responses import Responses, design_effect

FourCounts = tuple[int, int, int, int]
"""Signal trials answered "signal" and not, then noise-only trials likewise."""


def four_counts(responses: Responses) -> FourCounts:
    """Count hits, misses, false alarms and correct rejections.

    In 2AFC the first interval plays the signal, as in `sdt.dprime_2afc`.

    Raises
    ------
    ValueError
        If the task has more than two alternatives, or a class has no trials.
    """
    if responses.n_alternatives > 2:
        rule = "two for hits and false alarms"
        raise CannotTell(f"alternatives must be {rule}, got {responses.n_alternatives}")
    signal = 0 if responses.task == "2afc" else 1
    cell = 2 * (responses.target != signal) + (responses.response != signal)
    hits, misses, false_alarms, rejections = np.bincount(cell, minlength=4).tolist()
    for target, n in ((signal, hits + misses), (1 - signal, false_alarms + rejections)):
        if not n:
            raise CannotTell(f"no counted trial has target {target}")
    return hits, misses, false_alarms, rejections


def shared_noise_effect(responses: Responses) -> float:
    """Return the design effect of the double pass on the rates of correct responses.

    Variance relative to independent trials, about the rate of each class at each
    contrast; 1 without pairs.
    """
    cell = (
        np.searchsorted(responses.contrasts, responses.contrast)
        * responses.n_alternatives
    )
    correct = responses.correct.astype(np.float64)
    return design_effect(correct, cell + responses.target, responses.cluster)
