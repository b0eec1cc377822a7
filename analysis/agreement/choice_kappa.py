"""Error consistency of several people, and of models with them, on shared stimuli.

Kappa of every pair by `error_consistency.py`, within conditions, and its mean. The
ceilings are those of any model: it agrees with people about as well as one of them does
(the lower), and nothing that says the same of a stimulus each time agrees with them
better than the best choice of stimuli to be right about (the upper).

With p2 the model's proportion correct, kappa with person h is (A_h - c_h) / (1 - c_h),
and A_h a sum over stimuli. So among models that are right on k stimuli the best is
right where sum_h (2 x_hs - 1) / (1 - c_h) is largest, x_hs being whether h was right;
the ceiling is the largest of these over k. It knows these people's responses to these
stimuli, and no model can exceed it on them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Int

from ..trials.estimate import Estimate
from .crossed import crossed_estimate, leaving_out
from .error_consistency import MIN_KAPPA_TRIALS, Consistency, usable

BETWEEN = "error-consistency-between-people/1"
WITH_PEOPLE = "error-consistency-with-people/1"
BEST = "error-consistency-best-model/1"
ONE_PERSON = "there is one person, and nobody to compare with"
NOTHING_SHARED = (
    f"no two observers share a condition with {MIN_KAPPA_TRIALS} stimuli that neither "
    "got all right or all wrong"
)


@dataclass(frozen=True, eq=False)
class Scored:
    """Who was right about what: observers by stimuli, each stimulus in a condition.

    Attributes
    ----------
    right, asked
        Whether each observer was right about it, and responded at all.
    condition
        Of each stimulus, as a number.
    """

    right: Bool[np.ndarray, " observer stimulus"]
    asked: Bool[np.ndarray, " observer stimulus"]
    condition: Int[np.ndarray, " stimulus"]

    def of(self, chosen: Bool[np.ndarray, " stimulus"]) -> "Scored":
        """Return some of the stimuli."""
        return Scored(
            self.right[:, chosen], self.asked[:, chosen], self.condition[chosen]
        )

    def pair(self, one: int, other: int) -> Consistency | None:
        """Return kappa of two observers; None where they share too little."""
        shared = self.asked[one] & self.asked[other]
        rows = np.flatnonzero(shared)
        condition = self.condition[rows].astype(np.float64)
        both = self.right[one, rows], self.right[other, rows]
        used = usable(both, condition)
        if not used.any():
            return None
        n = len(self.condition)
        found = Consistency.of(*both, condition, rows, used)
        influence = np.zeros(n)
        influence[: len(found.influence)] = found.influence
        return Consistency(found.value, influence, found.n)


def kappa_between(scored: Scored, people: Int[np.ndarray, " person"]) -> Estimate:
    """Estimate the mean kappa of all pairs of people."""
    if len(people) < 2:
        return Estimate.missing(BETWEEN, ONE_PERSON)
    pairs = {
        pair: found
        for pair in combinations(people.tolist(), 2)
        if (found := scored.pair(*pair)) is not None
    }

    def mean(some: np.ndarray) -> float | None:
        inside = set(some.tolist())
        kappas = [each.value for pair, each in pairs.items() if {*pair} <= inside]
        return float(np.mean(kappas)) if kappas else None

    return _estimate(pairs, people, mean, BETWEEN)


def kappa_with(
    scored: Scored, observer: int, people: Int[np.ndarray, " person"]
) -> Estimate:
    """Estimate the mean kappa of an observer with people; with all but itself."""
    others = people[people != observer]
    if not len(others):
        return Estimate.missing(WITH_PEOPLE, ONE_PERSON)
    pairs = {
        (person,): found
        for person in others.tolist()
        if (found := scored.pair(observer, person)) is not None
    }

    def mean(some: np.ndarray) -> float | None:
        kappas = [pairs[(p,)].value for p in some.tolist() if (p,) in pairs]
        return float(np.mean(kappas)) if kappas else None

    return _estimate(pairs, others, mean, WITH_PEOPLE)


def best_kappa(scored: Scored, people: Int[np.ndarray, " person"]) -> Estimate:
    """Return the largest mean kappa with people that any model could reach.

    By condition, averaged by stimuli; of the stimuli to which all responded.
    """
    if not len(people):
        return Estimate.missing(BEST, "there are no people")
    total, n = 0.0, 0
    common = scored.asked[people].all(axis=0)
    for condition in np.unique(scored.condition):
        here = common & (scored.condition == condition)
        right = scored.right[people][:, here]
        size = int(here.sum())
        if size < MIN_KAPPA_TRIALS or not _varies(right):
            continue
        total, n = total + size * _best(right), n + size
    if not n:
        return Estimate.missing(BEST, NOTHING_SHARED)
    return Estimate(total / n, None, None, None, n, BEST)


def _varies(right: np.ndarray) -> bool:
    return bool(np.all(right.any(axis=1) & ~right.all(axis=1)))


def _best(right: Bool[np.ndarray, " person stimulus"]) -> float:
    """Return the largest mean kappa over how many stimuli a model is right about."""
    n, p = right.shape[1], right.mean(axis=1)
    sign = np.where(right, 1.0, -1.0)
    best = -1.0
    for k in range(1, n):
        chance = p * k / n + (1 - p) * (1 - k / n)
        weight = 1 / (1 - chance)
        score = weight @ sign
        # Agreement is 1 - p where the model is right about nothing, and each stimulus
        # that it is right about adds +-1 / n.
        top = np.sort(score)[n - k :].sum() / n
        best = max(best, float(np.mean((1 - p - chance) * weight) + top / len(p)))
    return best


def _estimate(
    pairs: dict[tuple[int, ...], Consistency],
    people: np.ndarray,
    mean: Callable[[np.ndarray], float | None],
    formula: str,
) -> Estimate:
    if not pairs:
        return Estimate.missing(formula, NOTHING_SHARED)
    value = mean(people)
    assert value is not None
    influence = np.mean([each.influence for each in pairs.values()], axis=0)
    n = max(each.n for each in pairs.values())
    without = leaving_out(people, mean)
    return crossed_estimate(value, without, influence, n, formula, (-1.0, 1.0))
