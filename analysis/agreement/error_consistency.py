"""Error consistency: Cohen's kappa of who is right on which trial.

Kappa = (c_obs - c_exp) / (1 - c_exp), where c_exp is what independent observers with
these proportions correct share [1]_. Pooled over contrasts, their common difficulty
would pass for consistency: so it is taken within contrast and averaged by trials. The
variance is that of Fleiss, Cohen & Everitt [2]_, with trials added within stimuli.

References
----------
.. [1] Geirhos, Meding & Wichmann (2020), NeurIPS 33.
.. [2] Fleiss, Cohen & Everitt (1969), Psychol. Bull. 72, 323-327.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ..trials.estimate import Estimate

KAPPA = "error-consistency-by-contrast/1"
OF_CHOICES = "no response is correct: this is kappa of the choices"
MIN_KAPPA_TRIALS = 10
Right = Bool[np.ndarray, " trial"] | Int[np.ndarray, " trial"]  # or what was chosen


@dataclass(frozen=True, eq=False)
class Consistency:
    """Kappa of two observers, and what each stimulus adds to it.

    Attributes
    ----------
    value
        Kappa, averaged over contrasts by their trials.
    influence
        Of each stimulus by its number; squares add up to the variance.
    n
        Trials that entered.
    """

    value: float
    influence: Float[np.ndarray, " stimulus"]
    n: int

    @classmethod
    def of(
        cls,
        first: Right,
        second: Right,
        contrast: Float[np.ndarray, " trial"],
        stimulus: Int[np.ndarray, " trial"],
        used: Bool[np.ndarray, " trial"],
    ) -> "Consistency":
        """Estimate kappa from the trials of `used`, one or more; see `usable`."""
        total, n = 0.0, int(used.sum())
        influence = np.zeros(int(stimulus.max(initial=-1)) + 1)
        for value in np.unique(contrast[used]):
            here = used & (contrast == value)
            kappa, each = _kappa(first[here], second[here])
            total += kappa * int(here.sum())
            influence += np.bincount(stimulus[here], each, len(influence))
        return cls(total / n, influence / n, n)


def usable(
    right: Sequence[Right], contrast: Float[np.ndarray, " trial"]
) -> Bool[np.ndarray, " trial"]:
    """Say which trials enter: of contrasts with 10 or more, where nobody never varied.

    Where an observer was always right, or always wrong, kappa says nothing.
    """
    used = np.zeros(len(contrast), bool)
    for value in np.unique(contrast):
        here = contrast == value
        vary = all(one[here].min() < one[here].max() for one in right)
        used |= here & (here.sum() >= MIN_KAPPA_TRIALS) & vary
    return used


def error_consistency(
    first_correct: Right,
    second_correct: Right,
    contrast: Float[np.ndarray, " trial"],
    cluster: Int[np.ndarray, " trial"],
) -> Estimate:
    """Estimate error consistency, by contrast.

    Contrasts with fewer than 10 trials, or at which an observer was always right (or
    wrong), are left out and counted in the note.

    Parameters
    ----------
    cluster
        Number of the stimulus of each trial.
    """
    used = usable([first_correct, second_correct], contrast)
    left_out = int((~used).sum())
    rule = f"fewer than {MIN_KAPPA_TRIALS} trials, or no variation in being correct"
    note = f"{left_out} trials left out: contrasts with {rule}" if left_out else None
    if not used.any():
        return Estimate.missing(KAPPA, note or "no trials")
    found = Consistency.of(first_correct, second_correct, contrast, cluster, used)
    se = float(np.linalg.norm(found.influence))
    return Estimate.normal(found.value, se, found.n, KAPPA, note)


def _kappa(a: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray]:
    """Kappa of two codings, and each trial's influence.

    Squares of these sum to n^2 x its variance.
    """
    codes, both = np.unique([a, b], return_inverse=True)
    a, b = both.reshape(2, -1)
    p, q = (np.array([np.mean(one == k) for k in range(len(codes))]) for one in (a, b))
    observed, expected = float(np.mean(a == b)), float(p @ q)
    # d c_exp / d (share of the cell a trial is in): the other observer's marginals.
    marginal = q[a] + p[b]
    gradient = (a == b) * (1 - expected) - (1 - observed) * marginal
    influence = gradient / (1 - expected) ** 2
    return (observed - expected) / (1 - expected), influence - influence.mean()
