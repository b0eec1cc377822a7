"""The noise ceiling of a group: how well a model could correlate with its kernels.

It is how well [1]_ the best model could correlate with an
observer's kernel on average: at most as well as the mean over all observers does (the
upper end, which has seen that observer), and at least as well as the mean over the
others does (the lower end).

References
----------
.. [1] Nili, Wingfield, Walther, Su, Marslen-Wilson & Kriegeskorte (2014), PLoS Comput.
   Biol. 10, e1003553.
"""

import numpy as np
from jaxtyping import Float

from ..trials.estimate import CannotTell, Estimate
from .random_effects import t_estimate

LOWER = "group-ceiling-lower-leave-one-out/1"
UPPER = "group-ceiling-upper/1"


def noise_ceiling(
    kernels: Float[np.ndarray, " observer element"],
) -> tuple[Estimate, Estimate]:
    """Return the lower and the upper noise ceiling of a group's kernels [1]_.

    Mean Pearson correlation of each kernel, standardised over elements, with the mean
    of the others, and with the mean of all. Intervals are t over observers.

    Raises
    ------
    ValueError
        If there are fewer than two kernels, one is the same everywhere, or they cancel.

    Examples
    --------
    >>> alike = np.array([[0.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.1, 1.0, 0.0]])
    >>> [round(end.value, 3) for end in noise_ceiling(alike)]
    [0.998, 0.999]
    """
    if len(kernels) < 2:
        raise CannotTell(f"observers must be two or more, got {len(kernels)}")
    z = kernels - kernels.mean(1, keepdims=True)
    size = np.linalg.norm(z, axis=1, keepdims=True)
    if not size.all():
        raise CannotTell("kernels must vary over elements, got one value everywhere")
    z = z / size
    ends = []
    for mean, formula in (
        (z.sum(0) - z, LOWER),
        (np.broadcast_to(z.sum(0), z.shape), UPPER),
    ):
        length = np.linalg.norm(mean, axis=1)
        if length.min() < 1e-12:  # kernels have length 1 here
            raise CannotTell("kernels of observers must not cancel, got a mean of 0")
        r = (z * mean).sum(1) / length
        se = float(r.std(ddof=1)) / np.sqrt(len(r))
        ends.append(t_estimate(float(r.mean()), float(se), len(r), formula))
    return ends[0], ends[1]


def no_ceilings(reason: str, n: int = 0) -> tuple[Estimate, Estimate]:
    """Return both ends without a value, and why."""
    return Estimate.missing(LOWER, reason, n), Estimate.missing(UPPER, reason, n)
