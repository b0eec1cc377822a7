"""The mean over replicates of one model, such as networks trained from several seeds.

Replicates are a random factor, as observers are: what is said is of the model, not of
the networks that happened to be trained. Of their own trials each, the mean is that of
random effects (`random_effects.py`). Where all had the same trials, errors are common
to them, and their spread does not show that part: the variance is the spread's, s^2 / n
[1]_, plus the mean of the squared errors, as if all of the error were common. That is
the most it can be: the interval is never too narrow by it. Its t has Satterthwaite's
degrees of freedom [2]_.

References
----------
.. [1] Cameron, Gelbach & Miller (2011), J. Bus. Econ. Stat. 29, 238-249 (errors that
   are shared in two ways).
.. [2] Satterthwaite (1946), Biometrics Bull. 2, 110-114.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from ..trials.estimate import Estimate
from .random_effects import RANDOM_EFFECTS, random_effects, t_estimate

COMMON_TRIALS = "mean-of-replicates-on-common-trials/1"


@dataclass(frozen=True)
class OverReplicates:
    """A quantity over replicates.

    Attributes
    ----------
    mean
        With its interval.
    between_sd
        SD of replicates' own values; None of fewer than two. On common trials it is the
        SD as observed.
    n
        Replicates that have a value.
    """

    mean: Estimate
    between_sd: float | None
    n: int


def over_replicates(
    estimates: Sequence[Estimate], common_trials: bool
) -> OverReplicates:
    """Average a quantity over replicates.

    Estimates without a value are left out, and counted in the note. Where one has a
    value and no SE, at the end of its range, there is no mean: without it the mean
    would be of the others alone.

    Parameters
    ----------
    estimates
        One for each replicate.
    common_trials
        Whether all had the same trials.

    Examples
    --------
    >>> ones = [Estimate.normal(x, 0.2, 100, "dprime/1") for x in (1.0, 1.5, 1.2)]
    >>> over_replicates(ones, common_trials=True).mean.short()
    '1.233 [0.711, 1.755]'
    """
    formula = COMMON_TRIALS if common_trials else RANDOM_EFFECTS
    known = [each for each in estimates if each.value is not None]
    n_out = len(estimates) - len(known)
    note = f"{n_out} without a value left out" if n_out else None
    if not known:
        reason = next((each.note for each in estimates if each.note), "no replicate")
        return OverReplicates(Estimate.missing(formula, str(reason)), None, 0)
    if len(known) == 1:
        alone = known[0].with_note("one replicate: the interval is of its trials", note)
        return OverReplicates(alone, None, 1)
    values = np.array([each.value for each in known], np.float64)
    if any(not each.se for each in known) or not np.isfinite(values).all():
        reason = (
            "a replicate is at the end of the range, where it has no standard error"
        )
        missing = Estimate.missing(formula, reason, len(known))
        return OverReplicates(missing, None, len(known))
    ses = np.array([each.se for each in known], np.float64)
    if not common_trials:
        found = random_effects(values, ses)
        mean = t_estimate(float(found.mean), float(found.se), found.n, formula, note)
        return OverReplicates(mean, float(found.between_sd), found.n)
    spread = float(values.var(ddof=1)) / len(values)
    error = float((ses**2).mean())
    se = np.sqrt(spread + error)
    df = (spread + error) ** 2 * (len(values) - 1) / spread**2 if spread else np.inf
    arm = float(student.ppf(0.975, df) * se)
    value = float(values.mean())
    mean = Estimate(
        value, float(se), value - arm, value + arm, len(values), formula, note
    )
    return OverReplicates(mean, float(values.std(ddof=1)), len(values))
