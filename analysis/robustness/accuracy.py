"""Accuracy on trials that are shown several times, and what tells a masked gradient."""

import math

import numpy as np
from jaxtyping import Bool

from ..trials.estimate import Estimate
from ..trials.proportion import proportion

ATTACKED = "accuracy-under-attack/1"
CORRUPTED = "accuracy-under-corruption/1"
MASKING = "masking-difference/1"


def accuracy(correct: Bool[np.ndarray, " trial showing"], formula: str) -> Estimate:
    """Estimate the proportion correct, with Wilson's interval.

    Showings of one trial are alike: the number of answers is divided by the design
    effect, m times the variance of the trials' own proportions over p (1 - p), from 1
    to m showings; by m where p is 0 or 1.

    Parameters
    ----------
    correct
        Of every trial at every showing.
    formula
        Name of what it is the accuracy of.

    Raises
    ------
    ValueError
        If there are no trials.

    Examples
    --------
    >>> correct = np.repeat([[True], [True], [False], [True]] * 25, 4, axis=1)
    >>> print(accuracy(correct, "accuracy-under-attack/1"))
    0.750 SE 0.043 [0.657, 0.825] n=400 (accuracy-under-attack/1)
    """
    n, m = correct.shape
    p = correct.mean() if correct.size else 0.0
    effect = float(m)
    if 0 < p < 1 and n > 1:
        spread = m * correct.mean(1).var(ddof=1) / (p * (1 - p))
        effect = float(np.clip(spread, 1, m))
    return proportion(int(correct.sum()), correct.size, formula, effect)


def masking(
    transferred: Bool[np.ndarray, " trial showing"],
    attacked: Bool[np.ndarray, " trial showing"],
) -> Estimate:
    """Estimate by how much a transferred attack is stronger than the white-box one.

    Accuracy under the attack made on the observer itself, less accuracy on the same
    trials as another observer's attack left them; paired by trial, with a normal
    interval. Whoever sees the gradients does at least as well as who does not: a
    difference above 0 says that the observer's gradients are masked [1]_.

    References
    ----------
    .. [1] Athalye, Carlini & Wagner (2018), Proc. ICML, 274-283.

    Examples
    --------
    >>> fooled = np.zeros((50, 1), bool)
    >>> masking(fooled, ~fooled).value
    1.0
    """
    each = attacked.mean(1) - transferred.mean(1)
    n = len(each)
    if n < 2:
        return Estimate.missing(MASKING, "fewer than two trials", n)
    se = float(each.std(ddof=1)) / math.sqrt(n)
    return Estimate.normal(float(each.mean()), se, n, MASKING)
