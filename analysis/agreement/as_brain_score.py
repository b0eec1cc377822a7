"""Choices by Brain-Score's formulas: error consistency and accuracy distance.

For each person and condition kappa is (c_obs - c_exp) / (1 - c_exp), with c_exp = p1 p2
+ (1 - p1)(1 - p2) of who was right. Its mean is taken over a person's conditions, then
over people, and of that mean the absolute value [1]_. Where both were always right, or
both always wrong, kappa is 0 / 0 and its condition is left out. Ours, in
`choice_kappa.py`, weighs conditions by their trials, keeps the sign, and leaves out
conditions of few trials and those in which one of the two never varies.

Accuracy distance is 1 - |p1 - p2| / max(p2, 1 - p2), p2 being the person's: the share
of the largest difference there could be that is not there [2]_.

References
----------
.. [1] Brain-Score's `error_consistency`, after Geirhos, Meding & Wichmann (2020).
.. [2] Brain-Score's `accuracy_distance`, with a chance level of 0.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Int

from ..trials.estimate import Estimate
from ..trials.result import Result
from .choice_kappa import Scored

KAPPA = "error-consistency-brain-score/1"
KAPPA_CEILING = "error-consistency-brain-score-ceiling/1"
DISTANCE = "accuracy-distance-brain-score/1"
DISTANCE_CEILING = "accuracy-distance-brain-score-ceiling/1"
NO_INTERVAL = "of Brain-Score's number no interval is known"
NONE_SHARED = "there are no two observers to compare on a condition that both have"
NO_KAPPA = "in no condition that two observers share is kappa defined"


@dataclass(frozen=True, eq=False)
class AsBrainScore(Result):
    """Brain-Score's two numbers of choices.

    Attributes
    ----------
    kappa
        Error consistency: the absolute value of the mean over people of the mean over
        conditions.
    accuracy_distance
        1 where proportions correct are equal, 0 where they could not be further apart;
        mean over conditions, then people.
    """

    kappa: Estimate
    accuracy_distance: Estimate


def as_brain_score(
    scored: Scored, observer: int, people: Int[np.ndarray, " person"]
) -> AsBrainScore:
    """Compare an observer with people, a person with the others.

    Examples
    --------
    A network that is right on what A is, compared with A, B and C (who is always
    right): Brain-Score's own example, .2.

    >>> a, b = [1, 1, 1, 0, 0, 0, 1, 0, 1], [0, 1, 1, 0, 0, 0, 0, 1, 0]
    >>> right = np.array([a, b, [1] * 9, a], bool)
    >>> scored = Scored(right, np.ones_like(right), np.repeat([1, 2, 3], 3))
    >>> round(as_brain_score(scored, 3, np.arange(3)).kappa.value, 9)
    0.2
    """
    others = people[people != observer].tolist()
    pairs = [(observer, person) for person in others]
    return _of_pairs(scored, pairs, KAPPA, DISTANCE)


def ceiling_as_brain_score(
    scored: Scored, people: Int[np.ndarray, " person"]
) -> AsBrainScore:
    """Compare all pairs of people.

    Parameters
    ----------
    people
        In the order of their names: of two, the first is taken for the model, which
        matters to accuracy distance.
    """
    pairs = list(combinations(people.tolist(), 2))
    return _of_pairs(scored, pairs, KAPPA_CEILING, DISTANCE_CEILING)


def kappa_of_shares(observed: float, expected: float) -> float | None:
    """Return kappa, None where it is 0 / 0.

    Examples
    --------
    >>> kappa_of_shares(1.0, 0.5), kappa_of_shares(0.0, 0.5), kappa_of_shares(1.0, 1.0)
    (1.0, -1.0, None)
    """
    return None if expected == 1 else (observed - expected) / (1 - expected)


def _of_pairs(
    scored: Scored, pairs: list[tuple[int, int]], kappa: str, distance: str
) -> AsBrainScore:
    return AsBrainScore(
        _mean_of(scored, pairs, _kappa, kappa, NO_KAPPA),
        _mean_of(scored, pairs, _distance, distance, NONE_SHARED),
    )


def _mean_of(
    scored: Scored,
    pairs: list[tuple[int, int]],
    measure: Callable[[np.ndarray, np.ndarray], float | None],
    formula: str,
    why: str,
) -> Estimate:
    means, n = [], 0
    for pair in pairs:
        values = [measure(*each) for each in _conditions(scored, *pair)]
        known = [value for value in values if value is not None]
        means += [np.mean(known)] if known else []
        n += len(known)
    if not means:
        return Estimate.missing(formula, why)
    value = abs(float(np.mean(means)))
    return Estimate(value, None, None, None, n, formula, NO_INTERVAL)


def _conditions(
    scored: Scored, one: int, other: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield who was right on the stimuli that both have, by condition."""
    shared = scored.asked[one] & scored.asked[other]
    for condition in np.unique(scored.condition[shared]):
        here = shared & (scored.condition == condition)
        yield scored.right[one, here], scored.right[other, here]


def _kappa(one: np.ndarray, other: np.ndarray) -> float | None:
    p, q = float(one.mean()), float(other.mean())
    return kappa_of_shares(float(np.mean(one == other)), p * q + (1 - p) * (1 - q))


def _distance(one: np.ndarray, person: np.ndarray) -> float:
    p, q = float(one.mean()), float(person.mean())
    return 1 - abs(p - q) / max(q, 1 - q)
