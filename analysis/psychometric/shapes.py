"""Shapes of psychometric functions, and the likelihood of responses under them.

A function rises from the guess rate to 1 - lapse rate along x, contrast or its natural
logarithm:

    psi(x) = guess + (1 - guess - lapse) F((x - x_t) / s + q_t)

F is a distribution function, s a scale, and q_t its quantile at which psi is the
proportion correct that defines the threshold x_t. Spread is given as the width, from
F = .05 to F = .95, as psignifit does [1]_, so that shapes compare.

A task of one class of trials (forced choice) has binomial responses with rate psi. With
two classes (yes/no), psi is the proportion correct of an unbiased observer [2]_, and a
criterion of its own at each contrast is fitted beside it: z(H) = z(psi) - c and
z(F) = -z(psi) - c.

References
----------
.. [1] Schuett, Harmeling, Macke & Wichmann (2016), Vision Res. 122, 105-123.
.. [2] Macmillan & Creelman (2005), Detection Theory, 2nd ed. (p(c)max).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import entr, erf, expit, ndtr, ndtri, xlog1py, xlogy

from ..sensitivity.intervals import best_criteria

TAIL = 0.05  # the width reaches from F = .05 to F = .95
NEARLY = 1e-12  # no chance is nearer to 0 or 1


@dataclass(frozen=True)
class Shape:
    """A distribution function, its density and its quantiles."""

    name: str
    cdf: Callable[[np.ndarray], np.ndarray]
    density: Callable[[np.ndarray], np.ndarray]
    quantile: Callable[[float], float]

    @property
    def spread(self) -> float:
        """Quantiles from F = .05 to F = .95 at a scale of one."""
        return self.quantile(1 - TAIL) - self.quantile(TAIL)


def _normal_density(u: np.ndarray) -> np.ndarray:
    return np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi)


def _gumbel_density(u: np.ndarray) -> np.ndarray:
    u = np.minimum(u, 30.0)  # where the density has long been 0, and exp(u) finite
    return np.exp(u - np.exp(u))


def _half_normal_density(u: np.ndarray) -> np.ndarray:
    grown = np.exp(np.minimum(u, 30.0))
    return 2 * _normal_density(grown) * grown


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("cumulative_normal", ndtr, _normal_density, lambda p: float(ndtri(p))),
        Shape(
            "logistic",
            expit,
            lambda u: expit(u) * expit(-u),
            lambda p: math.log(p / (1 - p)),
        ),
        # Weibull's function of contrast is Gumbel's of its logarithm.
        Shape(
            "weibull",
            lambda u: -np.expm1(-np.exp(np.minimum(u, 30.0))),
            _gumbel_density,
            lambda p: math.log(-math.log1p(-p)),
        ),
        # Two alternatives and d' = (c / alpha)^beta; beta is 1 for a linear observer.
        Shape(
            "power_dprime",
            lambda u: erf(np.exp(np.minimum(u, 30.0)) / math.sqrt(2)),
            _half_normal_density,
            lambda p: math.log(ndtri((1 + p) / 2)),
        ),
    )
}
ON_LOG_AXIS = ("weibull", "power_dprime")


def psychometric_values(
    x: np.ndarray, parameters: np.ndarray, shape: Shape, threshold_at: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return psi, and its derivatives (level, parameter).

    Parameters
    ----------
    x
        (level) contrast on the axis of the fit; -inf, the logarithm of 0, gives the
        guess rate.
    parameters
        Threshold and log width on that axis, lapse and guess rate.
    """
    threshold, log_width, lapse, guess = parameters.tolist()
    rise, above = 1 - guess - lapse, threshold_at - guess
    quantile = shape.quantile(above / rise)
    scale = math.exp(log_width) / shape.spread
    is_shown = np.isfinite(x)
    away = np.where(is_shown, x - threshold, 0.0) / scale
    reached = np.where(is_shown, shape.cdf(away + quantile), 0.0)
    density = np.where(is_shown, shape.density(away + quantile), 0.0)
    at_quantile = float(shape.density(np.array([quantile]))[0]) * rise**2
    by_lapse = density * rise * above / at_quantile - reached
    by_guess = 1 - reached + density * rise * (above - rise) / at_quantile
    slopes = [-density * rise / scale, -density * rise * away, by_lapse, by_guess]
    return guess + rise * reached, np.stack(slopes, axis=1)


def log_likelihood(
    psi: np.ndarray, k: np.ndarray, n: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log likelihood, its slope by psi and the expected information, by level.

    Parameters
    ----------
    psi
        (level) the function's values.
    k, n
        (level, class). Forced choice: correct trials and trials, one class. Yes/no:
        "yes" responses and trials of the signal and of the noise-only class.
    """
    psi = np.clip(psi, NEARLY, 1 - NEARLY)
    if k.shape[1] == 1:
        k, n, spread = k[:, 0], n[:, 0], psi * (1 - psi)
        value = xlogy(k, psi) + xlog1py(n - k, -psi)
        return value, (k - n * psi) / spread, n / spread
    z = ndtri(psi)
    c = best_criteria(z, k, n)
    value, slope, weights = np.zeros(len(psi)), np.zeros(len(psi)), []
    for column, sign in ((0, 1.0), (1, -1.0)):
        eta = sign * z - c
        p = np.clip(ndtr(eta), NEARLY, 1 - NEARLY)
        density, yes = _normal_density(eta), k[:, column]
        value += xlogy(yes, p) + xlog1py(n[:, column] - yes, -p)
        slope += sign * density * (yes - n[:, column] * p) / (p * (1 - p))
        weights.append(n[:, column] * density**2 / (p * (1 - p)))
    # What is left of the information on z where the criterion is not known.
    left = 4 * weights[0] * weights[1] / np.maximum(weights[0] + weights[1], 1e-300)
    by_psi = 1 / _normal_density(z)
    return value, slope * by_psi, left * by_psi**2


def saturated_log_likelihood(k: np.ndarray, n: np.ndarray) -> float:
    """Return the log likelihood of responses under their own rates."""
    rate = k / np.maximum(n, 1)
    return -float((n * (entr(rate) + entr(1 - rate))).sum())


def simulated_responses(
    psi: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw responses of an observer with this psi, and the criteria of the data."""
    if k.shape[1] == 1:
        rates = psi[:, None]
    else:
        z = ndtri(np.clip(psi, NEARLY, 1 - NEARLY))
        c = best_criteria(z, k, n)
        rates = ndtr(np.stack([z - c, -z - c], axis=1))
    return rng.binomial(n.astype(np.int64), rates).astype(np.float64)
