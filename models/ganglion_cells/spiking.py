"""Simulation of coupled cells: each step's rates follow from the spikes before it.

    eta_i(t) = drive_i(t) + sum_j sum_k J_ij(k) n_j(t - 1 - k)

A cell cannot fire in the `refractory` steps after a spike. Steps hold one spike at
most, with probability u = exp(eta) (at most 1) where rates were fitted as Poisson, and
1 - exp(-u) where they were fitted as Bernoulli.
"""

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from .spiking_numba import fire, fire_at_rate

_AT_ONCE = 2**22  # random numbers


def coupled_spikes(
    drive: Float64[np.ndarray, " step cell"],
    couplings: Float64[np.ndarray, " cell source lag"],
    refractory: Int64[np.ndarray, " cell"],
    n_repeats: int,
    seed: int,
    likelihood: str,
) -> UInt8[np.ndarray, " repeat step cell"]:
    """Simulate repeats of one drive.

    Parameters
    ----------
    drive
        Logarithm of expected spikes, but for what other spikes do.
    couplings
        What a spike of a source does, lag 0 being the next step.
    refractory
        Steps after a spike in which a cell does not fire.

    Examples
    --------
    >>> drive = np.full((1000, 1), np.log(0.5))
    >>> none, refractory = np.zeros((1, 1, 1)), np.array([1])
    >>> spikes = coupled_spikes(drive, none, refractory, 2, 1, "poisson")
    >>> bool((spikes[:, 1:] & spikes[:, :-1]).any()), bool(0.3 < spikes.mean() < 0.37)
    (False, True)
    """
    return _fired(drive, couplings, refractory, n_repeats, seed, likelihood)[0]


def coupled_rates(
    drive: Float64[np.ndarray, " step cell"],
    couplings: Float64[np.ndarray, " cell source lag"],
    refractory: Int64[np.ndarray, " cell"],
    n_repeats: int,
    seed: int,
    likelihood: str,
) -> Float64[np.ndarray, " step cell"]:
    """Give the expected spikes of every step: the mean over repeats of their chances.

    It has far less noise than the mean of the spikes, and is nowhere 0.

    Examples
    --------
    >>> drive = np.full((1000, 1), np.log(0.5))
    >>> none, refractory = np.zeros((1, 1, 1)), np.array([1])
    >>> rates = coupled_rates(drive, none, refractory, 200, 1, "poisson")
    >>> bool(abs(rates[10:].mean() - 1 / 3) < 0.005)
    True
    """
    return _fired(drive, couplings, refractory, n_repeats, seed, likelihood)[1]


def _fired(
    drive: np.ndarray,
    couplings: np.ndarray,
    refractory: np.ndarray,
    n_repeats: int,
    seed: int,
    likelihood: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Give spikes, and the mean chance of each step to have one."""
    rng, is_bernoulli = np.random.default_rng(seed), likelihood == "bernoulli"
    spikes = np.zeros((n_repeats, *drive.shape), np.uint8)
    chances = np.zeros(drive.shape)
    at_once = max(1, _AT_ONCE // drive.size)
    for first in range(0, n_repeats, at_once):  # the same numbers as all at once
        part = spikes[first : first + at_once]
        chance = rng.random(part.shape)
        fire(drive, couplings, refractory, chance, is_bernoulli, part, chances)
    return spikes, chances / n_repeats


def mean_preserving_drive(
    log_rate: Float64[np.ndarray, " step cell"],
    couplings: Float64[np.ndarray, " cell source lag"],
    refractory: Int64[np.ndarray, " cell"],
    n_repeats: int,
    seed: int,
    likelihood: str,
) -> Float64[np.ndarray, " step cell"]:
    """Give the drive at which spikes come as often as without couplings, at every step.

    Repeats are simulated side by side: at each step the drive is such that their mean
    chance of a spike is that of a cell whose u is the given rate, or as near below it
    as 30 turns come: where too many are refractory, or a few alone are far above.

    Examples
    --------
    >>> log_rate = np.full((50, 1), np.log(0.2))
    >>> none, refractory = np.zeros((1, 1, 1)), np.array([1])
    >>> drive = mean_preserving_drive(log_rate, none, refractory, 2000, 1, "poisson")
    >>> spikes = coupled_spikes(drive, none, refractory, 2000, 2, "poisson")
    >>> bool(0.19 < spikes.mean() < 0.21)
    True
    """
    chance = np.random.default_rng(seed).random((n_repeats, *log_rate.shape))
    drive = np.empty_like(log_rate)
    is_bernoulli = likelihood == "bernoulli"
    fire_at_rate(log_rate, couplings, refractory, chance, is_bernoulli, drive)
    return drive
