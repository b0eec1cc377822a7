"""Equivalent input noise: the linear amplifier model of thresholds in external noise.

A linear observer with additive internal noise needs, for a sensitivity d' [1]_,

    c^2 = (d' / beta)^2 (sigma_ext^2 + sigma_eq^2)

where sigma_ext is the SD of the external noise, sigma_eq the noise that, added to the
stimulus, would do what the internal noise does, and beta the gain: d' per unit contrast
per unit of noise SD. An ideal observer's gain is the norm of the signal at contrast 1,
so efficiency is (beta / norm)^2.

The model says more than one threshold curve can test: that thresholds at two levels of
d' have the ratio of the two d' in every external noise [2]_. Two tests are made of it:

    proportional   the ratio is the d' ratio. Multiplicative noise, or a transducer that
                   is not linear, makes it another, though the same in all noise.
    constant       the ratio is the same in all noise.

References
----------
.. [1] Pelli & Farell (1999), J. Opt. Soc. Am. A 16, 647-653.
.. [2] Lu & Dosher (1999), J. Opt. Soc. Am. A 16, 764-778.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.stats import chi2

from ..trials.estimate import Z95, Estimate
from ..trials.result import Result
from .fit import PsychometricFit

NOISE = "equivalent-noise-lam/1"
GAIN = "gain-lam/1"
EFFICIENCY = "efficiency-lam/1"
REACH = 7.0  # how far beyond the data noise and gain are looked for, in logarithms
STEP = 0.01  # of the table over the equivalent noise, in its logarithm
DROP = float(chi2.ppf(0.95, 1))


@dataclass(frozen=True, eq=False)
class NoiseThresholds:
    """Thresholds by external noise and level of performance, one row each.

    Attributes
    ----------
    noise_sd
        SD of the external noise, contrast; 0 for none.
    dprime
        The level of performance, as d' of the same observer in yes/no.
    threshold, se
        Contrast, and its standard error.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> noise = np.array([0.0, 0.05, 0.1, 0.2])
    >>> threshold = 1.0 / 5.0 * np.sqrt(noise**2 + 0.08**2)
    >>> thresholds = NoiseThresholds(noise, np.ones(4), threshold, 0.05 * threshold)
    >>> len(thresholds)
    4
    """

    noise_sd: Float[np.ndarray, " row"]
    dprime: Float[np.ndarray, " row"]
    threshold: Float[np.ndarray, " row"]
    se: Float[np.ndarray, " row"]

    def __post_init__(self) -> None:
        for name in ("dprime", "threshold", "se"):
            values = getattr(self, name)
            wrong = values[~((values > 0) & np.isfinite(values))]
            if wrong.size:
                raise ValueError(f"{name} must be > 0 and finite, got {wrong[0]:g}")
        wrong = self.noise_sd[~((self.noise_sd >= 0) & np.isfinite(self.noise_sd))]
        if wrong.size:
            raise ValueError(f"noise_sd must be >= 0 and finite, got {wrong[0]:g}")

    @classmethod
    def from_fits(
        cls, noise_sd: Sequence[float], fits: Sequence[PsychometricFit]
    ) -> "NoiseThresholds":
        """Collect the thresholds of psychometric functions, one per external noise.

        Several levels come from fits with several `threshold_at`. Two fits to the same
        trials share their errors, which makes the tests of ratios cautious.

        Raises
        ------
        ValueError
            If a fit has no threshold with a standard error.
        """
        for sd, fit in zip(noise_sd, fits, strict=True):
            if fit.threshold.value is None or fit.threshold.se is None:
                why = fit.threshold.note
                raise ValueError(f"threshold at noise SD {sd:g} must be there: {why}")
        columns = (
            noise_sd,
            [fit.threshold_dprime for fit in fits],
            [fit.threshold.value for fit in fits],
            [fit.threshold.se for fit in fits],
        )
        return cls(*(np.array(column, np.float64) for column in columns))

    def __len__(self) -> int:
        return len(self.noise_sd)


@dataclass(frozen=True)
class EquivalentNoise(Result):
    """The linear amplifier model of an observer, and how far to believe it.

    Attributes
    ----------
    noise_sd
        Equivalent input noise sigma_eq, contrast.
    gain
        beta: d' per unit contrast and unit of total noise SD.
    efficiency
        (beta / norm of the signal)^2; missing where no norm is given.
    chi_square, df, p
        Of the residuals in log threshold; p is None without df.
    proportional_p, constant_p
        Of the two tests of threshold ratios; None with one level of performance.
    note
        Which prediction is rejected, and what that means; None if none is.
    """

    noise_sd: Estimate
    gain: Estimate
    efficiency: Estimate
    chi_square: float
    df: int
    p: float | None
    proportional_p: float | None
    constant_p: float | None
    note: str | None


def equivalent_noise(
    thresholds: NoiseThresholds, signal_norm: float | None = None
) -> EquivalentNoise:
    """Fit the linear amplifier model to thresholds, and test it.

    Weighted least squares in log threshold; intervals are the profile likelihood's.

    Parameters
    ----------
    signal_norm
        Root of the summed squares of the signal at contrast 1, for the efficiency.

    Raises
    ------
    ValueError
        If there are fewer than three rows or two external noises.

    Examples
    --------
    >>> noise = np.array([0.0, 0.05, 0.1, 0.2])
    >>> threshold = 1.0 / 5.0 * np.sqrt(noise**2 + 0.08**2)
    >>> thresholds = NoiseThresholds(noise, np.ones(4), threshold, 0.05 * threshold)
    >>> print(equivalent_noise(thresholds, signal_norm=10.0).efficiency)
    0.250 SE 0.025 [0.207, 0.306] n=4 (efficiency-lam/1)
    """
    n_noises = len(np.unique(thresholds.noise_sd))
    if len(thresholds) < 3 or n_noises < 2:
        rule = "three or more in two external noises or more"
        got = f"{len(thresholds)} in {n_noises}"
        raise ValueError(f"thresholds must be {rule}, got {got}")
    fit = _Fit.of(thresholds)
    noise, gain = _noise(fit), _gain(fit)
    df = len(thresholds) - 2
    proportional, constant = _ratio_tests(thresholds)
    return EquivalentNoise(
        noise_sd=noise,
        gain=gain,
        efficiency=_efficiency(gain, signal_norm),
        chi_square=fit.best[1],
        df=df,
        p=float(chi2.sf(fit.best[1], df)) if df > 0 else None,
        proportional_p=proportional,
        constant_p=constant,
        note=_verdict(proportional, constant),
    )


@dataclass(frozen=True, eq=False)
class _Fit:
    """Weighted squares of y = log(c / d') + log(gain) - log(total noise).

    Chi square is quadratic in the logarithm of the gain, with coefficients that are
    tabulated over that of the equivalent noise.
    """

    log_noise: np.ndarray  # (grid), even steps
    weight: float
    linear: np.ndarray  # (grid), half the slope of chi square at gain 1
    constant: np.ndarray  # (grid), chi square at gain 1
    n: int

    @classmethod
    def of(cls, thresholds: NoiseThresholds) -> "_Fit":
        sd = thresholds.noise_sd
        lowest, highest = math.log(sd[sd > 0].min()), math.log(sd.max())
        grid = np.arange(lowest - REACH, highest + REACH, STEP)
        weight = (thresholds.threshold / thresholds.se) ** 2
        total = np.log(sd**2 + np.exp(2 * grid)[:, None]) / 2
        rest = np.log(thresholds.threshold / thresholds.dprime) - total
        return cls(grid, float(weight.sum()), rest @ weight, rest**2 @ weight, len(sd))

    @cached_property
    def by_noise(self) -> np.ndarray:
        """Chi square at each equivalent noise, at its best gain."""
        return self.constant - self.linear**2 / self.weight

    @cached_property
    def best(self) -> tuple[float, float]:
        """Logarithm of the equivalent noise, and chi square, at the minimum."""
        place, least = _lowest(self.by_noise)
        return float(self.log_noise[0] + STEP * place), least

    @cached_property
    def log_gain(self) -> float:
        linear = np.interp(self.best[0], self.log_noise, self.linear)
        return float(-linear / self.weight)

    def by_gain(self, log_gain: float) -> float:
        """Chi square at this gain, at its best equivalent noise."""
        quadratic = self.weight * log_gain**2
        return _lowest(quadratic + 2 * log_gain * self.linear + self.constant)[1]


def _lowest(values: np.ndarray) -> tuple[float, float]:
    """Place and height of the lowest point, by a parabola through three of a grid."""
    i = int(np.argmin(values))
    if i in (0, len(values) - 1):
        return float(i), float(values[i])
    left, middle, right = values[i - 1 : i + 2].tolist()
    bend = left - 2 * middle + right
    if bend <= 0:
        return float(i), middle
    shift = (left - right) / (2 * bend)
    return i + shift, max(middle - (left - right) ** 2 / (8 * bend), 0.0)


def _noise(fit: _Fit) -> Estimate:
    """Equivalent noise with the limits where chi square has risen by 3.84."""
    place, least = fit.best

    def excess(x: float) -> float:
        return float(np.interp(x, fit.log_noise, fit.by_noise)) - least - DROP

    ends = (float(fit.log_noise[0]), float(fit.log_noise[-1]))
    low, high = (_crossing(excess, place, end) for end in ends)
    if low is None and high is None:
        reason = "thresholds do not bend with external noise: any noise is possible"
        return Estimate.missing(NOISE, reason, fit.n)
    note = None
    if low is None:
        note = "not told from none: no external noise is low enough"
    if high is None:
        note = "without an upper limit: no external noise is high enough"
    return _of_logarithm(place, low, high, fit.n, NOISE, note)


def _gain(fit: _Fit) -> Estimate:
    """Gain with the limits where chi square has risen by 3.84."""
    least = fit.by_gain(fit.log_gain)

    def excess(x: float) -> float:
        return fit.by_gain(x) - least - DROP

    best = fit.log_gain
    low, high = (_crossing(excess, best, best + side * REACH) for side in (-1, 1))
    if low is None and high is None:
        return Estimate.missing(GAIN, "external noise never matters here", fit.n)
    is_open = low is None or high is None
    note = "open: no external noise is high enough" if is_open else None
    return _of_logarithm(best, low, high, fit.n, GAIN, note)


def _of_logarithm(
    value: float,
    low: float | None,
    high: float | None,
    n: int,
    formula: str,
    note: str | None,
) -> Estimate:
    """Return e^value; an end that is None is open. SE: half the interval / 1.96."""
    se = None
    if low is not None and high is not None:
        se = math.exp(value) * (high - low) / (2 * Z95)
    ends = (
        0.0 if low is None else math.exp(min(low, value)),
        math.inf if high is None else math.exp(max(high, value)),
    )
    return Estimate(math.exp(value), se, *ends, n, formula, note)


def _efficiency(gain: Estimate, signal_norm: float | None) -> Estimate:
    if signal_norm is None:
        return Estimate.missing(EFFICIENCY, "no signal norm was given", gain.n)
    if not signal_norm > 0:
        raise ValueError(f"signal_norm must be > 0, got {signal_norm}")
    if gain.value is None or gain.low is None or gain.high is None:
        return Estimate.missing(EFFICIENCY, cast("str", gain.note), gain.n)
    value, low, high = (
        (x / signal_norm) ** 2 for x in (gain.value, gain.low, gain.high)
    )
    se = None if gain.se is None else 2 * gain.value * gain.se / signal_norm**2
    return Estimate(value, se, low, high, gain.n, EFFICIENCY, gain.note)


def _ratio_tests(thresholds: NoiseThresholds) -> tuple[float | None, float | None]:
    """Return p values of: ratios are the d' ratios; are the same in all noise.

    In each noise the thresholds share one unknown log sensitivity; the first test lets
    each level of d' have one shift off its d' in all noise, the second one in each.
    """
    y = np.log(thresholds.threshold / thresholds.dprime)
    weight = thresholds.threshold / thresholds.se
    noises, noise = np.unique(thresholds.noise_sd, return_inverse=True)
    levels, level = np.unique(thresholds.dprime, return_inverse=True)
    by_noise = (noise[:, None] == np.arange(len(noises))).astype(np.float64)
    by_level = (level[:, None] == np.arange(1, len(levels))).astype(np.float64)
    proportional, rank_p = _residual(by_noise, y, weight)
    constant, rank_c = _residual(np.concatenate([by_noise, by_level], 1), y, weight)
    shifts, left = rank_c - rank_p, len(y) - rank_c
    if not shifts:
        return None, None
    return (
        float(chi2.sf(max(proportional - constant, 0.0), shifts)),
        float(chi2.sf(constant, left)) if left else None,
    )


def _residual(
    design: np.ndarray, y: np.ndarray, weight: np.ndarray
) -> tuple[float, int]:
    scaled, goal = design * weight[:, None], y * weight
    solution, _, rank, _ = np.linalg.lstsq(scaled, goal, rcond=None)
    return float(((goal - scaled @ solution) ** 2).sum()), int(rank)


def _verdict(proportional: float | None, constant: float | None) -> str | None:
    sentences = []
    if proportional is not None and proportional < 0.05:
        sentences.append(
            "threshold ratios are not the d' ratios: noise that grows with the signal, "
            f"or a non-linear transducer (p = {proportional:.2g})"
        )
    if constant is not None and constant < 0.05:
        sentences.append(
            f"threshold ratios differ between external noises (p = {constant:.2g})"
        )
    return "; ".join(sentences) or None


def _crossing(
    excess: Callable[[float], float], inside: float, bound: float
) -> float | None:
    """Where excess turns positive on the way to the bound, or None."""
    if excess(bound) <= 0:
        return None
    return cast("float", brentq(excess, inside, bound, xtol=1e-6))
