"""Second-order kernels in closed form: their noise, its largest eigenvalue, their cost.

For the 2AFC kernel, the sum of the two halves, in white noise of SD sigma (per
interval). An observer without second order has a symmetric matrix of noise: independent
elements above the diagonal, the Gaussian orthogonal ensemble, whose eigenvalues fill
-+2 sqrt(p) s [1]_. A single true eigenvalue stands out from them above sqrt(p) s [2]_,
and is safe to see above the edge.

References
----------
.. [1] Wigner (1958), Ann. Math. 67, 325-327.
.. [2] Baik, Ben Arous & Peche (2005), Ann. Probab. 33, 1643-1697; for this ensemble
   Feral & Peche (2007), Commun. Math. Phys. 272, 185-228.
"""

import math

from ..kernels.closed_forms import check_rate


def null_element_se(
    n_trials: float, proportion_correct: float, noise_sd: float = 1.0
) -> float:
    """Return the SE of an off-diagonal element, sigma^2 sqrt(2 / (N Pc (1 - Pc))).

    On the diagonal it is the square root of two larger.

    Examples
    --------
    >>> round(null_element_se(1000, 0.75), 4)
    0.1033
    """
    check_rate(proportion_correct)
    variance = 2 / (n_trials * proportion_correct * (1 - proportion_correct))
    return noise_sd**2 * math.sqrt(variance)


def null_edge(
    n_trials: float, n_elements: int, proportion_correct: float, noise_sd: float = 1.0
) -> float:
    """Return the largest eigenvalue expected without second order, 2 sqrt(p) s.

    Examples
    --------
    >>> round(null_edge(1000, 13, 0.75), 2)
    0.74
    """
    se = null_element_se(n_trials, proportion_correct, noise_sd)
    return 2 * math.sqrt(n_elements) * se


def trials_for_eigenvalue(
    eigenvalue: float, n_elements: int, proportion_correct: float
) -> float:
    """Return the trials after which an eigenvalue stands clear of the null edge.

    8 p / (lambda^2 Pc (1 - Pc)), lambda in noise variances.

    Raises
    ------
    ValueError
        If the eigenvalue is 0.

    Examples
    --------
    >>> round(trials_for_eigenvalue(0.66, 12, 0.75), -1)
    1180.0
    """
    if eigenvalue == 0:
        raise ValueError("eigenvalue must differ from 0, got 0")
    edge = null_edge(1.0, n_elements, proportion_correct)
    return (edge / eigenvalue) ** 2
