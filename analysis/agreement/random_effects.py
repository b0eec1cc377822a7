"""The mean over observers who differ: random effects.

Every observer has a value of its own, spread about the mean with variance tau^2, and is
measured with its own SE. tau^2 is DerSimonian & Laird's moment estimate [1]_, the mean
is weighted by 1 / (SE^2 + tau^2), and its SE is Hartung & Knapp's [2]_, from the
weighted spread of what was measured, never below the one by weights alone; with t on
n - 1 degrees of freedom it holds for few observers, where 1.96 does not [3]_.

References
----------
.. [1] DerSimonian & Laird (1986), Control. Clin. Trials 7, 177-188.
.. [2] Hartung & Knapp (2001), Stat. Med. 20, 3875-3889.
.. [3] Rover, Knapp & Friede (2015), BMC Med. Res. Methodol. 15:99 (never below).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from ..trials.estimate import CannotTell, Estimate

RANDOM_EFFECTS = "random-effects-dersimonian-laird-hartung-knapp/2"
Values = Float[np.ndarray, " observer *shape"]


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """Mean over observers, element by element.

    Attributes
    ----------
    mean, se
        The mean and its standard error.
    between_sd
        tau: SD of observers' own values about the mean; 0 where they differ no more
        than their SEs say.
    n
        Observers.
    """

    mean: Float[np.ndarray, " *shape"]
    se: Float[np.ndarray, " *shape"]
    between_sd: Float[np.ndarray, " *shape"]
    n: int


def random_effects(values: Values, ses: Values) -> RandomEffects:
    """Estimate the mean over observers of each element.

    Raises
    ------
    ValueError
        If there are fewer than two observers, or an SE is not above 0.

    Examples
    --------
    >>> found = random_effects(np.array([[1.0], [3.0]]), np.array([[0.1], [0.1]]))
    >>> found.mean.tolist(), found.between_sd.round(2).tolist()
    ([2.0], [1.41])
    """
    n = len(values)
    if n < 2:
        raise CannotTell(f"observers must be two or more, got {n}")
    if not np.all((ses > 0) & np.isfinite(ses)):
        raise CannotTell(f"standard errors must be above 0, got {ses.min()}")
    fixed = 1 / ses**2
    total = fixed.sum(0)
    about = (fixed * (values - (fixed * values).sum(0) / total) ** 2).sum(0)
    spread = total - (fixed**2).sum(0) / total
    between = np.maximum((about - (n - 1)) / spread, 0)
    weight = 1 / (ses**2 + between)
    mean = (weight * values).sum(0) / weight.sum(0)
    excess = (weight * (values - mean) ** 2).sum(0) / (n - 1)
    se = np.sqrt(np.maximum(excess, 1) / weight.sum(0))
    return RandomEffects(
        np.asarray(mean), np.asarray(se), np.asarray(np.sqrt(between)), n
    )


def random_effects_mean(estimates: list[Estimate]) -> Estimate:
    """Return the mean of several observers' estimates, with its t interval.

    Estimates without a value or an SE are left out, and counted in the note.

    Examples
    --------
    >>> ones = [Estimate.normal(x, 0.2, 100, "dprime/1") for x in (1.0, 1.5, 1.2)]
    >>> print(random_effects_mean(ones))
    1.233 SE 0.145 [0.608, 1.858] n=3 (random-effects-dersimonian-laird-hartung-knapp/2)
    """
    known = [one for one in estimates if one.value is not None and one.se]
    left_out = len(estimates) - len(known)
    note = f"{left_out} observers left out, without a value" if left_out else None
    if len(known) < 2:
        reason = f"observers must be two or more, got {len(known)}"
        return Estimate.missing(RANDOM_EFFECTS, reason, len(known))
    values, ses = np.array([(one.value, one.se) for one in known], np.float64).T
    found = random_effects(values, ses)
    return t_estimate(float(found.mean), float(found.se), found.n, RANDOM_EFFECTS, note)


def t_estimate(
    value: float, se: float, n: int, formula: str, note: str | None = None
) -> Estimate:
    """Return an estimate from n observers with the interval of t on n - 1 degrees."""
    arm = float(student.ppf(0.975, n - 1)) * se
    return Estimate(value, se, value - arm, value + arm, n, formula, note)
