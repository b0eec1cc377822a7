"""A proportion with Wilson's interval [1]_, and the check of the counts it is of.

References
----------
.. [1] Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.
"""

import math

from .estimate import Z95, Estimate

PROPORTION = "proportion-wilson/1"


def wilson_interval(proportion: float, n: int | float) -> tuple[float, float]:
    """Return Wilson's 95 % limits of a proportion [1]_; `n` may be an effective number.

    Examples
    --------
    >>> [round(limit, 4) for limit in wilson_interval(1.0, 100)]
    [0.963, 1.0]
    """
    centre = (proportion + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    variance = proportion * (1 - proportion) / n + Z95**2 / (4 * n**2)
    half = Z95 * math.sqrt(variance) / (1 + Z95**2 / n)
    # Rounding must not push a limit past 0, 1, or the proportion itself.
    low, high = max(centre - half, 0.0), min(centre + half, 1.0)
    return min(low, proportion), max(high, proportion)


def proportion(
    count: int, n: int, formula: str = PROPORTION, design_effect: float = 1.0
) -> Estimate:
    """Estimate a proportion, uncorrected, with Wilson's 95 % interval.

    Parameters
    ----------
    design_effect
        Variance relative to independent trials: above 1 where trials share their noise.

    Returns
    -------
    Estimate
        Its SE is binomial, 0 at a proportion of 0 or 1: read the interval there.

    Raises
    ------
    ValueError
        If the counts do not fit each other, or `n` is 0.

    Examples
    --------
    >>> print(proportion(75, 100))
    0.750 SE 0.043 [0.657, 0.825] n=100 (proportion-wilson/1)
    """
    check_counts(count=count, rest=n - count)
    if n == 0:
        raise ValueError("n must be > 0, got 0")
    value, n_effective = count / n, n / design_effect
    se = math.sqrt(value * (1 - value) / n_effective)
    return Estimate(value, se, *wilson_interval(value, n_effective), n, formula)


def check_counts(**counts: int) -> None:
    """Check that numbers are counts.

    Raises
    ------
    ValueError
        If one is negative, or no whole number.

    Examples
    --------
    >>> check_counts(hits=3, misses=0)
    """
    for name, count in counts.items():
        if count < 0 or int(count) != count:
            raise ValueError(f"{name} must be a count >= 0, got {count}")
