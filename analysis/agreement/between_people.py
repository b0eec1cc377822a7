"""Error consistency between people, over people and over stimuli.

Kappa of every two observers who saw the same trials (`error_consistency.py`), averaged
over pairs. It varies with who took part and with which stimuli they saw, and a person
is in many pairs; so the variance is that over people, of the jackknife that leaves out
one of them in turn, plus that over stimuli, from their influences added over pairs,
less what both count, each person's stimuli by themselves [1]_; and never less than one
of them. The interval is t on n - 1 degrees of freedom for n people.

References
----------
.. [1] Cameron, Gelbach & Miller (2011), J. Bus. Econ. Stat. 29, 238-249 (errors that
   are shared in two ways).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import numpy as np
from jaxtyping import Int64

from ..trials.estimate import CannotTell, Estimate
from ..trials.held import Held
from ..trials.responses import SessionLike
from .error_consistency import Consistency, usable
from .random_effects import t_estimate
from .shared import FEWEST_SHARED, SharedTrials

BETWEEN = "error-consistency-between-people-two-way/1"
NO_PAIRS = "no two observers saw the same trials"
OVER_STIMULI = "the interval is over stimuli alone: over people it takes three or more"

Key = Int64[np.ndarray, " stimulus"]


def consistency_between(by_observer: Mapping[str, Sequence[SessionLike]]) -> Estimate:
    """Estimate the mean error consistency of observers who shared trials.

    Parameters
    ----------
    by_observer
        Sessions of each.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> people = {
    ...     name: [
    ...         yoked.run(
    ...             protocol,
    ...             yoked.load_observer("template"),
    ...             seed=1,
    ...             observer_seed=number,
    ...             internal_noise=1.0,
    ...             trials=400,
    ...             contrast=0.2,
    ...         )
    ...     ]
    ...     for number, name in enumerate("abc", 10)
    ... }
    >>> found = consistency_between(people)
    >>> found.n, 0.1 < found.value < 0.6
    (3, True)
    """
    names = list(by_observer)
    held = {name: [Held.of(one) for one in own] for name, own in by_observer.items()}
    pairs: dict[tuple[int, int], tuple[float, Key, np.ndarray]] = {}
    for i, j in combinations(range(len(names)), 2):
        found = _pair(held[names[i]], held[names[j]])
        if found is not None:
            pairs[i, j] = found
    if not pairs:
        return Estimate.missing(BETWEEN, NO_PAIRS, len(names))
    return _estimate(pairs)


def _pair(
    ours: Sequence[Held], theirs: Sequence[Held]
) -> tuple[float, Key, np.ndarray] | None:
    """Give kappa of two observers over their sessions, and what each stimulus adds."""
    values, n, keys, influences = [], [], [], []
    for one, other in product(ours, theirs):
        try:
            shared = SharedTrials.of(one, other)
        except CannotTell:
            continue
        right = (
            shared.ours.scored[shared.rows],
            shared.theirs.scored[shared.other_rows],
        )
        contrast = shared.ours.contrast[shared.rows]
        used = usable(right, contrast)
        if len(shared) < FEWEST_SHARED or not used.any():
            continue
        found = Consistency.of(*right, contrast, shared.stimulus, used)
        _, first = np.unique(shared.stimulus, return_index=True)
        values.append(found.value)
        n.append(found.n)
        keys.append(one.stimuli[shared.rows][first])
        influences.append(found.influence)
    if not values:
        return None
    weight = np.array(n) / sum(n)
    parts = [w * each for w, each in zip(weight, influences, strict=True)]
    value = float(weight @ np.array(values))
    return value, np.concatenate(keys), np.concatenate(parts)


def _estimate(
    pairs: dict[tuple[int, int], tuple[float, Key, np.ndarray]],
) -> Estimate:
    values = {pair: value for pair, (value, _, _) in pairs.items()}
    mean = float(np.mean(list(values.values())))
    people = sorted({person for pair in pairs for person in pair})
    keys = np.unique(np.concatenate([key for _, key, _ in pairs.values()]))
    of_person = np.zeros((len(people), len(keys)))
    total = np.zeros(len(keys))
    for (i, j), (_, key, influence) in pairs.items():
        at, part = np.searchsorted(keys, key), influence / len(pairs)
        np.add.at(total, at, part)
        for person in (i, j):
            np.add.at(of_person[people.index(person)], at, part)
    over_stimuli = float(total @ total)
    n = len(people)
    if n < 3:
        se = float(np.sqrt(over_stimuli))
        found = Estimate.normal(mean, se, n, BETWEEN)
        return found.with_note(OVER_STIMULI)
    over_people = _jackknife(values, people)
    both = float((of_person**2).sum())
    variance = max(over_people + over_stimuli - both, over_people, over_stimuli)
    return t_estimate(mean, float(np.sqrt(variance)), n, BETWEEN)


def _jackknife(values: dict[tuple[int, int], float], people: list[int]) -> float:
    """Return the variance of the mean over pairs, one person left out in turn."""
    left = []
    for person in people:
        others = [value for pair, value in values.items() if person not in pair]
        left += [float(np.mean(others))] if others else []
    n = len(left)
    return float(np.var(left)) * (n - 1) if n > 1 else 0.0
