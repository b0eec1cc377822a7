"""How hard a signal is that is drawn from variants: d' of three observers.

Their decision variables are no Gaussians of one variance, so that d' is that of an
equal area under the ROC, sqrt(2) z(area): what they would need in a forced choice of
two intervals.
"""

import math
from itertools import combinations

import numpy as np
from jaxtyping import Float, Float64

_N_DRAWN = 1 << 18  # of either class: the ideal observer's d' within about .01
_SEED = 20261129

Signals = Float[np.ndarray, " variant element"]
"""The signal of each variant in white noise of SD 1."""


def ideal_dprime(signals: Signals) -> float:
    """Return d' of who knows the variants, not which: the mean of their likelihoods.

    By simulation from a fixed seed: there is no closed form for variants at large.

    Examples
    --------
    >>> round(ideal_dprime(np.array([[2.0], [-2.0]])), 1)  # of unknown sign
    1.5
    """
    overlaps = signals @ signals.T
    values, vectors = np.linalg.eigh(overlaps)
    spread = vectors * np.sqrt(np.clip(values, 0, None))
    rng = np.random.default_rng(_SEED)
    n = len(signals)

    def drawn() -> Float64[np.ndarray, " field variant"]:
        return rng.standard_normal((_N_DRAWN, n)) @ spread.T

    without = log_mean_likelihood(drawn(), overlaps.diagonal())
    shown = overlaps[np.arange(_N_DRAWN) % n]
    with_target = log_mean_likelihood(drawn() + shown, overlaps.diagonal())
    below = np.searchsorted(np.sort(without), with_target)
    return _of_area(float(below.mean()) / _N_DRAWN)


def closest_dprime(signals: Signals) -> float:
    """Return d' between the two that are most alike; of one, between it and none.

    Examples
    --------
    >>> closest_dprime(np.array([[3.0, 0.0], [-1.0, 0.0], [0.0, 4.0]]))
    4.0
    """
    if len(signals) == 1:
        return float(np.linalg.norm(signals))
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(signals, 2))


def log_mean_likelihood(
    products: Float[np.ndarray, " *trial variant"],
    energies: Float[np.ndarray, " variant"],
) -> Float64[np.ndarray, " *trial"]:
    """Return the log of the mean over variants of their likelihood ratio.

    Parameters
    ----------
    products
        Of each field with the signal of every variant, over the variance of the noise.
    energies
        Of each signal with itself, likewise.

    Examples
    --------
    >>> log_mean_likelihood(np.array([[3.0, 3.0]]), np.array([2.0, 2.0])).tolist()
    [2.0]
    """
    logs = products - np.asarray(energies) / 2
    highest = logs.max(axis=-1)
    return highest + np.log(np.exp(logs - highest[..., None]).mean(axis=-1))


def template_dprime(signals: Signals, template: Float[np.ndarray, " element"]) -> float:
    """Return d' of who takes a weighted sum of elements; 0 where all weights are.

    Examples
    --------
    >>> signals = np.array([[2.0], [-2.0]])
    >>> template_dprime(signals, signals[0])
    0.0
    """
    from scipy.special import ndtr

    size = float(np.linalg.norm(template))
    if size == 0:
        return 0.0
    means = signals @ template / size
    return _of_area(float(ndtr(means / math.sqrt(2)).mean()))


def _of_area(area: float) -> float:
    from scipy.special import ndtri

    return math.sqrt(2) * float(ndtri(area))
