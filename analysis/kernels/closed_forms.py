"""First-order kernels in closed form: what a linear observer's are, and what they cost.

No data, only formulas: for planning a session and for testing estimates. The observer
weighs white noise of SD sigma with a unit template and adds internal noise of SD
gamma x sigma; a share r = 1 / (1 + gamma^2) of the decision variable's variance is
consistent. z = Phi^-1(rate), the rate being that of "yes" in a class of a yes/no task,
or of correct responses in 2AFC.

References
----------
.. [1] Murray, Bennett & Sekuler (2002), J. Vis. 2(1):6, eqs 4 and A15.
.. [2] Burgess & Colborne (1988), J. Opt. Soc. Am. A 5, 617-627.
"""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import log_ndtr, ndtri

from ..double_pass.internal_noise import (
    agreement_probability,
    agreement_slope,
    r_from_gamma,
)


def response_information(
    z: float | Float[np.ndarray, " ..."],
) -> Float[np.ndarray, " ..."]:
    """Return phi(z)^2 / (Phi(z) Phi(-z)): what one response tells about its mean.

    Examples
    --------
    >>> round(float(response_information(0.0)), 4)  # 2 / pi
    0.6366
    """
    z = np.asarray(z, np.float64)
    logarithm = -(z**2) - math.log(2 * math.pi) - log_ndtr(z) - log_ndtr(-z)
    return np.asarray(np.exp(logarithm))


def kernel_snr(n_trials: float, proportion_correct: float, gamma: float) -> float:
    """Return the signal-to-noise ratio of a weighted-sum kernel [1]_.

    The squared length of the expected kernel over the variance of one element,
    N phi(z)^2 / (Phi(z) Phi(-z)) x r.

    Examples
    --------
    >>> round(kernel_snr(1000, 0.75, gamma=1.0), 1)
    269.3
    """
    check_rate(proportion_correct)
    check_gamma(gamma)
    information = float(response_information(float(ndtri(proportion_correct))))
    return n_trials * information * r_from_gamma(gamma)


def trials_for_correlation(
    correlation: float, n_elements: int, proportion_correct: float, gamma: float
) -> float:
    """Return the trials after which a weighted-sum kernel is this like the template.

    p r^2 / (1 - r^2) Pc (1 - Pc) (1 + gamma^2) / phi(z)^2.

    Raises
    ------
    ValueError
        If the correlation is not between 0 and 1.

    Examples
    --------
    >>> [
    ...     round(trials_for_correlation(*case))
    ...     for case in ((0.9, 64, 0.75, 1.0), (0.95, 12, 0.75, 1.35))
    ... ]
    [1013, 582]
    """
    if not 0 < correlation < 1:
        raise ValueError(f"correlation must be between 0 and 1, got {correlation}")
    odds = correlation**2 / (1 - correlation**2)
    return n_elements * odds / kernel_snr(1.0, proportion_correct, gamma)


def gamma_standard_error(
    n_pairs: float, proportion_correct: float, gamma: float
) -> float:
    """Return the standard error of gamma from the agreement of a double pass.

    The binomial error of the agreement, carried through its closed form.

    Examples
    --------
    >>> round(gamma_standard_error(100, 0.75, gamma=1.0), 2)
    0.32
    """
    check_rate(proportion_correct)
    if not gamma > 0:
        raise ValueError(f"gamma must be > 0, got {gamma}")
    z, r = float(ndtri(proportion_correct)), r_from_gamma(gamma)
    agree = float(agreement_probability(z, r))
    slope = agreement_slope(r, np.array([z]), np.ones(1))
    return math.sqrt(agree * (1 - agree) / n_pairs) / slope / (2 * r**2 * gamma)


def check_rate(rate: float) -> None:
    """Raise ValueError unless a rate is between 0 and 1."""
    if not 0 < rate < 1:
        raise ValueError(f"rate must be between 0 and 1, got {rate}")


def check_gamma(gamma: float) -> None:
    """Raise ValueError unless gamma is a ratio of SDs."""
    if not gamma >= 0:
        raise ValueError(f"gamma must be >= 0, got {gamma}")
