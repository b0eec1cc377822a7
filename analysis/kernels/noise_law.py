"""The law of the noise, and what a probit response averages to under it.

The noise was drawn by a program, so that the mean of a fitted response and of its
product with the noise can be computed, not estimated. For normal noise x of unit
variance both are closed forms, s = sqrt(1 + |b|^2):

    E Phi(a + b.x) = Phi(a / s),     E x Phi(a + b.x) = phi(a / s) b / s.

Otherwise a + b.x > Z with Z normal is a sum of independent parts, whose characteristic
functions multiply; both means are one integral over frequency w (Gil-Pelaez [1]_),

    E x_j Phi(a + b.x) = E x_j / 2
        - 1/pi int Im[exp(-iwa - w^2/2) E x_j exp(-iw b.x)] / w dw,

exact but for the law of one element, which all elements of all fields show. Correlated
noise is turned to white noise first.

References
----------
.. [1] Gil-Pelaez (1951), Biometrika 38, 481-482.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Complex, Float, Int
from scipy.interpolate import CubicSpline
from scipy.special import ndtr

from ..trials.design import ROWS, TrialDesign
from ..trials.estimate import CannotTell
from ..trials.score import STILL, varies, why_not_white

NORMAL = 0.1  # of an element's excess kurtosis: below it the noise passes for normal
CORRELATED_NORMAL = 0.5  # where elements correlate, only normal noise has a known law
FIELDS_PER_ELEMENT = 10  # for a covariance that is estimated
HIGHEST = 7.0  # frequency: exp(-HIGHEST^2 / 2) is nothing
NODES, WEIGHTS = np.polynomial.legendre.leggauss(160)
FREQUENCY, STEP = HIGHEST / 2 * (NODES + 1), HIGHEST / 2 * WEIGHTS
MOST_LEVELS = 128  # of the law of an element
ENOUGH = 2_000_000  # numbers, to tell white noise from other
ROOT_2_PI = float(np.sqrt(2 * np.pi))

Matrix = Float[np.ndarray, " element element"]


@dataclass(frozen=True, eq=False)
class NoiseLaw:
    """What is known of the noise that speaks for "yes".

    Attributes
    ----------
    scale
        SD of the noise, contrast: kernels are per this SD.
    offset
        Mean of an element, contrast; 0 unless it clearly is not.
    root
        Symmetric square root of the covariance in units of `scale` squared; None for
        white noise.
    levels, share
        Law of an element: its values in units of `scale`, and how often each comes;
        None where it passes for normal.
    kurtosis
        Excess kurtosis of an element.
    """

    scale: float
    offset: float
    root: Matrix | None
    levels: Float[np.ndarray, " level"] | None
    share: Float[np.ndarray, " level"] | None
    kurtosis: float

    @classmethod
    def of(cls, trials: TrialDesign, covariance: Matrix | None = None) -> "NoiseLaw":
        """Find the law of a session's noise.

        Parameters
        ----------
        covariance
            Of one noise field, as it was designed; by default white noise, or, where
            neighbours correlate, the covariance of all fields that were shown.

        Raises
        ------
        CannotTell
            If the noise never varies, is correlated with too few fields to know how, or
            is correlated and not normal.
        """
        noise, some = trials.noise, trials.where(some_fields(trials))
        if not (
            varies(some.noise, some.cell).any() or varies(noise, trials.cell).any()
        ):
            raise CannotTell(STILL)
        mean = float(noise.mean(dtype=np.float64))
        spread = float(np.sqrt(max(_mean_power(noise, 2) - mean**2, 0.0)))
        is_off = abs(mean) > 5 * spread / np.sqrt(noise.size) + 0.01 * spread
        offset, x = mean * is_off, noise  # in its place: it may be large
        if is_off:
            x -= np.float32(offset)
        scale = float(np.sqrt(_mean_power(x, 2)))
        x /= np.float32(scale)
        kurtosis = _mean_power(x, 4) - 3
        root = None
        reason = why_not_white(some)
        if covariance is not None or reason:
            if abs(kurtosis) > CORRELATED_NORMAL:
                rule = "normal or white, to have a known law"
                why = f" ({reason})" if reason else ", and a covariance"
                raise CannotTell(
                    f"noise must be {rule}, got an excess kurtosis of {kurtosis:.2f}"
                    f"{why}"
                )
            root = _root(trials, covariance, scale, offset)
        close = max(NORMAL, 5 * np.sqrt(24 / noise.size))
        if root is not None or abs(kurtosis) < close:
            return cls(scale, offset, root, None, None, kurtosis)
        return cls(scale, offset, None, *_levels(x), kurtosis)

    def white(
        self, noise: Float[np.ndarray, " trial element"]
    ) -> Float[np.ndarray, " trial element"]:
        """Return noise in SDs, its correlation undone."""
        x = noise - np.float32(self.offset)
        x /= np.float32(self.scale)
        return x if self.root is None else x @ self._inverse

    def back(
        self, values: Float[np.ndarray, "*rows element"]
    ) -> Float[np.ndarray, "*rows element"]:
        """Turn gradients by white noise to gradients by the noise that was shown."""
        return values if self.root is None else values @ self._inverse

    @cached_property
    def _inverse(self) -> Matrix:
        assert self.root is not None
        return np.linalg.inv(self.root).astype(np.float32)

    def means(
        self,
        intercept: Float[np.ndarray, " cell"],
        slope: Float[np.ndarray, " element"],
    ) -> tuple[Float[np.ndarray, " cell"], Float[np.ndarray, " cell element"]]:
        """Return the means of Phi(a + b.x) and of x Phi(a + b.x), x white."""
        if self.levels is None:
            s = np.sqrt(1 + slope @ slope)
            m = intercept / s
            density = np.exp(-(m**2) / 2) / ROOT_2_PI
            return ndtr(m), np.outer(density, slope / s)
        one, with_x = self._characteristic(slope)
        turn = np.exp(-1j * np.outer(intercept, FREQUENCY) - FREQUENCY**2 / 2)
        turn *= STEP / FREQUENCY / np.pi
        mean = 0.5 - np.imag(turn @ np.prod(one, 0))
        # The product over all elements but one, from both ends: a factor may be 0.
        before, after = np.ones_like(one), np.ones_like(one)
        np.cumprod(one[:-1], axis=0, out=before[1:])
        after[:-1] = np.cumprod(one[:0:-1], axis=0)[::-1]
        first = float(self.levels @ self.share) / 2  # type: ignore[operator]
        return mean, first - np.imag(turn @ (with_x * before * after).T)

    def _characteristic(
        self, slope: np.ndarray
    ) -> tuple[
        Complex[np.ndarray, " element node"], Complex[np.ndarray, " element node"]
    ]:
        """Means of exp(-iw b x) and x exp(-iw b x) of each element, by frequency."""
        levels, share = self.levels, self.share
        assert levels is not None
        assert share is not None
        top = HIGHEST * float(np.abs(slope).max(initial=1e-6))
        at = np.linspace(-top, top, 2 * int(64 + 16 * top) + 1)
        waves = np.exp(-1j * np.outer(at, levels))
        one, with_x = (CubicSpline(at, waves @ w) for w in (share, share * levels))
        u = np.outer(slope, FREQUENCY)
        return one(u), with_x(u)


def some_fields(trials: TrialDesign) -> Int[np.ndarray, " row"]:
    """Rows of enough noise fields to see whether the noise is white."""
    _, first = np.unique(trials.cluster, return_index=True)
    return first[: max(ENOUGH // trials.halves.shape[2], 200)]


def _root(
    trials: TrialDesign, covariance: Matrix | None, scale: float, offset: float
) -> Matrix:
    if covariance is None:
        shown = trials.shown
        _, first = np.unique(trials.cluster, return_index=True)
        fields = shown[:, first].reshape(-1, shown.shape[2]) - offset
        n, p = fields.shape
        if n < FIELDS_PER_ELEMENT * p:
            rule = f"{FIELDS_PER_ELEMENT} or more an element of correlated noise"
            raise CannotTell(f"noise fields must be {rule}, got {n} of {p} elements")
        covariance = np.asarray(fields.T @ fields, np.float64) / n
    assert covariance is not None
    p = trials.halves.shape[2]
    if covariance.shape != (p, p):
        rule = f"{p} by {p} elements, as the noise is"
        raise ValueError(f"covariance must be {rule}, got {covariance.shape}")
    values, vectors = np.linalg.eigh(covariance / np.mean(np.diag(covariance)))
    if values[0] < 1e-6 * values[-1]:
        got = f"variances from {values[0]:.2g} to {values[-1]:.2g}"
        raise CannotTell(f"covariance of the noise must be invertible, got {got}")
    return (vectors * np.sqrt(values)) @ vectors.T


def _levels(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of an element and their shares; of very many, the means of bins."""
    from .noise_law_numba import ends_and_cubes, into_bins

    values = x.ravel()
    low, high, cubes = ends_and_cubes(values)
    # By chance alone as it is; a mean of one element in a thousand SDs would add up
    # over the elements.
    is_even = abs(cubes / len(values)) < 5 * np.sqrt(15 / len(values))
    if is_even:
        high = max(-low, high)
        low = -high
    n, total = into_bins(values, float(low), float(high), MOST_LEVELS, is_even)
    there = n > 0
    levels, share = total[there] / n[there], n[there] / n.sum()
    levels -= share @ levels
    return levels / np.sqrt(share @ levels**2), share


def _mean_power(x: Float[np.ndarray, " trial element"], power: int) -> float:
    """Return the mean of an even power of all numbers, a few trials at a time."""
    total = 0.0
    for start in range(0, len(x), ROWS):
        part = np.square(x[start : start + ROWS])
        for _ in range(power // 2 - 1):
            part = np.square(part)
        total += float(part.sum(dtype=np.float64))
    return total / x.size
