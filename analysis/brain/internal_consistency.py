"""Internal consistency: how much of the averaged responses comes back, unit by unit.

The repetitions are cut at random into two halves; each half is averaged; of every unit
the two are correlated over stimuli; and r is brought to all repetitions by Spearman
[1]_ and Brown [2]_:

    2 r / (1 + r).

The median over units, averaged over ten such cuts, is the ceiling of Brain-Score [3]_,
and the cuts are its own (a shuffle of the repetitions from seed 1; the first half are
n // 2 of n). With an odd number the halves differ by one, and the formula takes them as
equal; two repetitions have one cut alone.

With signal of variance S and noise N in a repetition, it estimates S / (S + N / n): the
share of the variance of the average over n repetitions that is signal. The true model
correlates with that average by its root.

References
----------
.. [1] Spearman (1910), Br. J. Psychol. 3, 271-295.
.. [2] Brown (1910), Br. J. Psychol. 3, 296-322.
.. [3] Schrimpf et al. (2018), bioRxiv 407007.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Real

from ..trials.estimate import CannotTell, Estimate
from ..trials.result import Result
from .over_units import correlations, mean_per_unit, over_units, split_error

CONSISTENCY = "internal-consistency-spearman-brown/1"
N_SPLITS = 10
SEED = 1
NO_UNIT = "no unit's responses vary over stimuli in both halves of the repetitions"

UNEVEN = (
    "stimuli were not shown equally often: internal consistency is that of those shown "
    "often, and no ceiling of a score over all"
)


@dataclass(frozen=True, eq=False)
class InternalConsistency(Result):
    """How much of the averaged responses comes back.

    Attributes
    ----------
    consistency
        Mean over splits of the median over units; its interval is over units.
    split_sem
        Standard error over splits as Brain-Score prints it: of the cuts alone.
    n_stimuli, n_repeats, n_units
        What there is.
    r
        Of every unit in each split, brought to all repetitions; NaN where it does not
        count.
    """

    consistency: Estimate
    split_sem: float | None
    n_stimuli: int
    n_repeats: int
    n_units: int
    r: Float[np.ndarray, " split unit"]

    @property
    def is_even(self) -> bool:
        """Whether every stimulus was shown at least half as often as any."""
        return self.consistency.note != UNEVEN

    @property
    def per_unit(self) -> Float[np.ndarray, " unit"]:
        """Mean over splits."""
        return mean_per_unit(self.r)

    def parts(self) -> dict[str, Any]:
        """Give the fields, with units' means in place of all splits."""
        return {**self._fields_but("r"), "per_unit": self.per_unit}


def internal_consistency(
    responses: Real[np.ndarray, " repeat stimulus unit"],
    n_splits: int = N_SPLITS,
    seed: int = SEED,
) -> InternalConsistency:
    """Estimate internal consistency from random halves of the repetitions.

    Parameters
    ----------
    responses
        NaN where a repetition is missing. A stimulus that is missing in all of a half
        does not count there. Where one was shown less than half as often as
        another, the result says that it is no ceiling of a score over all of them.
    n_splits
        Cuts into halves.
    seed
        Of the cuts.

    Raises
    ------
    CannotTell
        If there are fewer than two repetitions or three stimuli.

    References
    ----------
    Brain-Score's ceiling of neural benchmarks; see the module.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> signal = rng.normal(size=(500, 40))
    >>> responses = signal + 2 * rng.normal(size=(4, 500, 40))  # 1 / (1 + 4 / 4)
    >>> print(internal_consistency(responses).consistency.short())
    0.495 [0.480, 0.512]
    """
    n_repeats, n_stimuli, n_units = responses.shape
    if n_repeats < 2:
        raise CannotTell(f"repetitions must be 2 or more to be halved, got {n_repeats}")
    if n_stimuli < 3:
        raise CannotTell(f"stimuli must be 3 or more to correlate, got {n_stimuli}")
    rng = np.random.RandomState(seed)  # what ShuffleSplit, and so Brain-Score, draws by
    r = np.stack([_one_split(responses, rng) for _ in range(n_splits)])
    found = over_units(r, CONSISTENCY, NO_UNIT)
    shown = np.isfinite(responses).sum(axis=0)
    if found.value is not None and 2 * shown.min() < shown.max():
        found = replace(found, note=UNEVEN)
    return InternalConsistency(
        consistency=found,
        split_sem=split_error(r),
        n_stimuli=n_stimuli,
        n_repeats=n_repeats,
        n_units=n_units,
        r=r,
    )


def _one_split(
    responses: np.ndarray, rng: np.random.RandomState
) -> Float[np.ndarray, " unit"]:
    order = rng.permutation(len(responses))
    n_test = len(order) - len(order) // 2
    halves = [mean_over_repeats(responses[o]) for o in (order[:n_test], order[n_test:])]
    return spearman_brown(correlations(*halves))


def spearman_brown(r: Float[np.ndarray, " *of"]) -> Float[np.ndarray, " *of"]:
    """Return the correlation of halves brought to the whole: 2 r / (1 + r).

    Examples
    --------
    >>> spearman_brown(np.array([0.0, 0.5, 1.0])).round(4).tolist()
    [0.0, 0.6667, 1.0]
    """
    with np.errstate(divide="ignore"):
        return 2 * r / (1 + r)


def mean_over_repeats(
    responses: Real[np.ndarray, " repeat stimulus unit"],
) -> Float[np.ndarray, " stimulus unit"]:
    """Return the mean of the repetitions that there are; NaN where there is none.

    Examples
    --------
    >>> mean_over_repeats(np.array([[[1.0, np.nan]], [[3.0, np.nan]]])).tolist()
    [[2.0, nan]]
    """
    known = np.isfinite(responses)
    n = known.sum(axis=0)
    total = np.where(known, responses, 0.0).sum(axis=0, dtype=np.float64)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)
