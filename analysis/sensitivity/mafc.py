"""Proportion correct and d' of an unbiased observer with m alternatives [1]_.

References
----------
.. [1] Green & Swets (1966), Signal Detection Theory and Psychophysics; Macmillan &
   Creelman (2005), Detection Theory: A User's Guide, 2nd ed., chapter 10.
"""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

Numbers = float | Float[np.ndarray, " ..."]

# Trapezoid rule for an integral against the normal density: for a smooth integrand its
# error falls faster than any power of the step, and .05 is at double precision.
_NODES = np.linspace(-8.5, 8.5, 341)
_WEIGHTS = np.exp(-(_NODES**2) / 2)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def mafc_proportion_correct(
    dprime: Numbers, n_alternatives: int
) -> Float[np.ndarray, " ..."]:
    """Return the unbiased proportion correct of an m-alternative task at some d'.

    The integral of phi(x - d') Phi(x)^(m - 1), the chance that the target's decision
    variable is the largest of m [1]_.

    Raises
    ------
    ValueError
        If there are fewer than two alternatives.

    Examples
    --------
    >>> [round(float(mafc_proportion_correct(1.0, m)), 6) for m in (2, 3, 4)]
    [0.76025, 0.633702, 0.552031]
    """
    check_alternatives(n_alternatives)
    below = ndtr(_NODES + np.asarray(dprime)[..., None])
    return np.asarray(below ** (n_alternatives - 1) @ _WEIGHTS)


def mafc_slope(dprime: Numbers, n_alternatives: int) -> Float[np.ndarray, " ..."]:
    """Return the derivative of `mafc_proportion_correct` with respect to d'."""
    check_alternatives(n_alternatives)
    x = _NODES + np.asarray(dprime)[..., None]
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    slope = (n_alternatives - 1) * ndtr(x) ** (n_alternatives - 2) * density
    return np.asarray(slope @ _WEIGHTS)


def mafc_dprime(
    proportion_correct: Numbers, n_alternatives: int
) -> Float[np.ndarray, " ..."]:
    """Return the d' at which an unbiased observer has this proportion correct.

    Raises
    ------
    ValueError
        If a proportion is not in (0, 1), or there are fewer than two alternatives.

    Examples
    --------
    >>> round(float(mafc_dprime(0.552031, 4)), 4)
    1.0
    """
    p = np.asarray(proportion_correct, np.float64)
    if not np.all((p > 0) & (p < 1)):
        raise ValueError(f"proportion_correct must be in (0, 1), got {p}")
    goal = ndtri(p)
    check_alternatives(n_alternatives)
    d = np.asarray(goal - ndtri(1 / n_alternatives))
    # Newton's method on the z axis, where the function is nearly straight.
    for _ in range(12):
        now = mafc_proportion_correct(d, n_alternatives)
        z = ndtri(now)
        density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        d = np.asarray(d - (z - goal) * density / mafc_slope(d, n_alternatives))
    return np.asarray(d)


def check_alternatives(n_alternatives: int) -> None:
    """Raise ValueError unless there are two alternatives or more."""
    if n_alternatives < 2:
        raise ValueError(f"n_alternatives must be >= 2, got {n_alternatives}")
