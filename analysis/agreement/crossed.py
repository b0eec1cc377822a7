"""Means over people and stimuli, with intervals over both: either is a sample.

Other people, and other stimuli, would have given another number. The variance is the
sum of two: of the mean as one person after the other is left out (the jackknife [1]_),
and of what each stimulus adds to it. The chance in single responses is in both, so an
interval is a little too wide rather than too narrow [2]_. Its t has the degrees of
freedom of Satterthwaite; of a share, which differs between people more than between
stimuli, those of the people.

References
----------
.. [1] Arvesen (1969), Ann. Math. Stat. 40, 2076-2100 (of pairs of observers).
.. [2] Owen (2007), Ann. Appl. Stat. 1, 386-411.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from ..trials.estimate import Estimate

ONE_PERSON = "the interval is over stimuli alone: with fewer than three people nothing \
tells how much people differ"


def crossed_estimate(
    value: float,
    without: Sequence[float | None],
    influence: Float[np.ndarray, " stimulus"],
    n: int,
    formula: str,
    ends: tuple[float, float],
    freedom: float | None = None,
) -> Estimate:
    """Return a mean with its interval over people and stimuli.

    Parameters
    ----------
    without
        The mean without each of the people; None where that has no value.
    influence
        What each stimulus adds to the mean; squares add up to its variance.
    ends
        Of what the mean can be.
    freedom
        Degrees of freedom; by default those of Satterthwaite.
    """
    known = [each for each in without if each is not None]
    m, k = len(known), int(np.count_nonzero(influence))
    of_people = (m - 1) / m * _squares(known) if m > 2 else 0.0
    of_stimuli = float(influence @ influence)
    variance = of_people + of_stimuli
    note = None if m > 2 else ONE_PERSON
    if variance == 0:
        return Estimate(value, None, None, None, n, formula, note)
    if freedom is None:
        parts = of_stimuli**2 / max(k - 1, 1) + of_people**2 / max(m - 1, 1)
        freedom = variance**2 / parts
    half = float(student.ppf(0.975, freedom)) * math.sqrt(variance)
    low, high = max(value - half, ends[0]), min(value + half, ends[1])
    return Estimate(
        value, math.sqrt(variance), min(low, value), max(high, value), n, formula, note
    )


def crossed_share(
    yes: Float[np.ndarray, " person stimulus"],
    asked: Float[np.ndarray, " person stimulus"],
    formula: str,
) -> Estimate:
    """Estimate a share of all responses, with its interval over people and stimuli.

    Parameters
    ----------
    yes, asked
        1 where the response was this, and where there was one; else 0.

    Examples
    --------
    >>> yes = np.tile([1.0, 1.0, 1.0, 0.0], (3, 5))
    >>> print(crossed_share(yes, np.ones_like(yes), "share/1"))
    0.750 SE 0.097 [0.333, 1.000] n=60 (share/1)
    """
    asked_of, n = asked.sum(axis=1), float(asked.sum())
    if not n:
        return Estimate.missing(formula, "no response counts")
    value = float(yes.sum() / n)
    influence = (yes - value * asked).sum(axis=0) / n

    def share(people: np.ndarray) -> float | None:
        total = float(asked_of[people].sum())
        return float(yes[people].sum() / total) if total else None

    people = np.flatnonzero(asked_of > 0)
    without = leaving_out(people, share)
    freedom = float(len(people) - 1) if len(people) > 2 else None
    return crossed_estimate(
        value, without, influence, int(n), formula, (0.0, 1.0), freedom
    )


def leaving_out(
    people: np.ndarray, mean: Callable[[np.ndarray], float | None]
) -> list[float | None]:
    """Return a mean without each of the people."""
    return [mean(people[people != each]) for each in people]


def _squares(values: Sequence[float]) -> float:
    each = np.array(values)
    return float(np.sum((each - each.mean()) ** 2))
