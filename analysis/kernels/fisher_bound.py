"""How well a first-order kernel can be known: the Fisher bound of a linear observer.

P(yes) = Phi(eta), eta = a + w . noise / internal SD. Averaged over white noise, eta is
normal with mean z sqrt(1 + gamma^2) / gamma and variance 1 / gamma^2, and no unbiased
estimate of the kernel has a larger signal-to-noise ratio than

    SNR = N gamma^-2 E[phi(eta)^2 / (Phi(eta) Phi(-eta))]    (elements << trials).

The weighted sum of class means is the score of the same model at zero kernel, the least
squares fit allows for the variance that the kernel explains: their efficiencies are
their own signal-to-noise ratios over this one. All are per one class with Phi^-1 of its
rate z; several classes are averaged.
"""

import numpy as np
from scipy.special import ndtri

from .closed_forms import check_gamma, check_rate, kernel_snr, response_information

NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)


def bound_snr(n_trials: float, proportion_correct: float, gamma: float) -> float:
    """Return the largest signal-to-noise ratio that a kernel of n trials can have.

    Infinite for an observer without internal noise.

    Examples
    --------
    >>> round(bound_snr(1000, 0.75, 1.0))
    394
    """
    check_rate(proportion_correct)
    check_gamma(gamma)
    if gamma == 0:
        return float("inf")
    z = float(ndtri(proportion_correct))
    centre, sd = z * np.sqrt(1 + gamma**2) / gamma, 1 / gamma
    # Information is gone where |eta| > 12; the density where |eta - centre| > 9 sd.
    low, high = max(-12.0, centre - 9 * sd), min(12.0, centre + 9 * sd)
    eta = (high + low) / 2 + (high - low) / 2 * NODES
    density = np.exp(-(((eta - centre) / sd) ** 2) / 2) / (sd * np.sqrt(2 * np.pi))
    mean = (high - low) / 2 * float(WEIGHTS @ (density * response_information(eta)))
    return float(n_trials * mean / gamma**2)


def weighted_sum_efficiency(proportion_correct: float, gamma: float) -> float:
    """Return the share of the bound that the weighted sum of class means attains.

    Examples
    --------
    >>> round(weighted_sum_efficiency(0.75, 1.0), 3)
    0.684
    """
    bound = bound_snr(1.0, proportion_correct, gamma)
    return kernel_snr(1.0, proportion_correct, gamma) / bound


def least_squares_efficiency(proportion_correct: float, gamma: float) -> float:
    """Return the share of the bound that regression of responses on noise attains.

    The weighted sum's over 1 - R^2, R^2 the responses' variance that the kernel
    explains.

    Examples
    --------
    >>> round(least_squares_efficiency(0.75, 1.0), 3)
    0.936
    """
    explained = kernel_snr(1.0, proportion_correct, gamma)
    return weighted_sum_efficiency(proportion_correct, gamma) / (1 - explained)
