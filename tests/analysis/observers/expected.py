"""What the kernels of a linear observer must be, in closed form: docs/methods.md 4."""

import math

from scipy.special import ndtri

from yoked.analysis.kernels.closed_forms import kernel_snr
from yoked.analysis.kernels.information import weighted_sum_efficiency


def kernel_amplitude_yes_no(rate, gamma, noise_sd=1.0):
    """Return the length of the mean noise of "yes" less "no" trials of one class."""
    share = 1 / math.sqrt(1 + gamma**2)
    density = math.exp(-(ndtri(rate) ** 2) / 2) / math.sqrt(2 * math.pi)
    return noise_sd * share * density / (rate * (1 - rate))


def kernel_amplitude_2afc(proportion_correct, gamma, noise_sd=1.0):
    """Return the length of the 2AFC kernel, the sum of its two halves."""
    one = kernel_amplitude_yes_no(proportion_correct, gamma, noise_sd)
    return math.sqrt(2) * one


def kernel_element_se(n_trials, rate, noise_sd=1.0, is_forced_choice=True):
    """Return the standard error of an element to which the observer is blind.

    `n_trials` of the 2AFC session, or of one class of a yes/no session.
    """
    variance = noise_sd**2 / (n_trials * rate * (1 - rate))
    return math.sqrt((1 + is_forced_choice) * variance)


def expected_cosine(snr, n_elements):
    """Return how alike a kernel and the template it estimates will be, 0 to 1."""
    return math.sqrt(snr / (snr + n_elements - 1))


def split_half_correlation(snr_of_half, n_elements):
    """Return the expected correlation of the kernels of two halves of a session."""
    return snr_of_half / (snr_of_half + n_elements)


def least_squares_efficiency(proportion_correct, gamma):
    """Return the share of the Fisher bound that regression on the noise attains.

    The weighted sum's over 1 - R^2, R^2 the responses' variance that the kernel
    explains.
    """
    explained = kernel_snr(1.0, proportion_correct, gamma)
    return weighted_sum_efficiency(proportion_correct, gamma) / (1 - explained)
