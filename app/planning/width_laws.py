"""How often sessions have an interval so narrow: of d', and of gamma.

Derivations are in docs/methods.md, section 7. They are about the information that the
responses have, not about one way to form an interval.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from ...analysis.trials.estimate import Z95
from .situation import Situation, disagreement

Law = Callable[[float, float], float]
"""Wanted value, trials (of gamma: pairs) -> share of the sessions that reach it."""

_FAR = 2.0  # widths e times too large are never reached; the law is of near ones
# Values of r, dense towards the end of its range where information is.
_R = np.sin(np.linspace(0, math.pi / 2, 1501))[:-1]


def dprime_law(assumed: Situation, share: float) -> Law:
    """Normal logarithm of the width: rates and the pairs' likeness both vary."""
    z, rates = assumed.thresholds[assumed.middle], assumed.rates[assumed.middle]
    known = _Width.of(z, rates, share, assumed)
    n_contrasts = len(assumed.contrasts)

    def reached(wanted: float, n: float) -> float:
        trials = n / n_contrasts
        room = 2 * math.log(wanted) - known.logarithm + math.log(trials)
        room -= known.shift / trials
        if room < -_FAR:
            return 0.0
        sd = math.sqrt(known.variance / trials + known.curved / trials**2)
        return float(ndtr(room / sd))

    return reached


@dataclass(frozen=True)
class _Width:
    """Logarithm of the squared width of d' at one trial, and how it varies.

    Attributes
    ----------
    logarithm
        At the true rates.
    shift, variance, curved
        Mean beyond it, over n; variance, over n and over n squared.
    """

    logarithm: float
    shift: float
    variance: float
    curved: float

    @classmethod
    def of(
        cls, z: np.ndarray, rates: np.ndarray, share: float, assumed: Situation
    ) -> "_Width":
        kept, q = 1 - assumed.lapses, 1 - rates
        differ = disagreement(z, assumed.consistent, kept)
        seen = ndtri(rates)
        density = np.exp(-(seen**2) / 2) / math.sqrt(2 * math.pi)
        cost = rates * q / density**2
        up, down = density / rates, density / q
        slope = up - down + 2 * seen  # of log cost by z
        bend = 2 - seen * up + seen * down - up**2 - down**2
        part = cost / cost.sum()
        by_z = part * slope
        curvature = part * (bend + slope**2) - by_z**2
        both = float((rates * q).sum())
        alike = 1 - float(differ.sum()) / (2 * both)
        effect = 1 + 2 * share * alike
        pull = 2 * share / effect
        by_rate = by_z / density + pull * differ.sum() * (1 - 2 * rates) / (2 * both**2)
        by_differ = -pull / (2 * both)
        # Of one trial of each class, there being two of them.
        of_rate = 2 * rates * q * effect
        together = 2 * 2 * differ * (0.5 - rates)
        variance = by_rate**2 * of_rate + 2 * by_rate * by_differ * together
        if share > 0:
            variance = variance + by_differ**2 * 2 * differ * (1 - differ) / share
        of_z = 2 * cost * effect
        looks = 1 if assumed.is_forced_choice else 2
        full = (2 * Z95) ** 2 * looks * float(cost.sum()) * effect
        return cls(
            math.log(full),
            float(curvature @ of_z) / 2,
            float(variance.sum()),
            float((curvature * of_z) @ (curvature * of_z)) / 2,
        )


@dataclass(frozen=True, eq=False)
class GammaLaw:
    """The width falls as r rises, on a scale where r varies evenly.

    Attributes
    ----------
    here
        Place of the true r on the scale.
    distance
        Place of each of `_R`.
    """

    here: float
    distance: Float[np.ndarray, " r"]

    @classmethod
    def of(cls, assumed: Situation) -> "GammaLaw":
        """Return the law of the pairs of an observer."""
        distance = information_distance(assumed)
        return cls(float(np.interp(assumed.consistent, _R, distance)), distance)

    def __call__(self, wanted: float, n: float) -> float:
        """Return how often n pairs have so narrow an interval."""
        widths = self._widths(self.distance, n)
        if widths[-1] > wanted:
            return 0.0
        k = int(np.argmax(widths <= wanted))
        if k == 0:
            return 1.0
        wide, narrow = widths[k - 1], widths[k]
        far = (wide - wanted) / (wide - narrow) if math.isfinite(wide) else 1.0
        least = self.distance[k - 1] + far * (self.distance[k] - self.distance[k - 1])
        return float(ndtr((self.here - least) * math.sqrt(n)))

    def width(self, n: float, assurance: float) -> float:
        """Return the width that a share of sessions has, or less."""
        place = self.here - float(ndtri(assurance)) / math.sqrt(n)
        return float(self._widths(np.array([place]), n)[0])

    def _widths(
        self, place: Float[np.ndarray, " place"], n: float
    ) -> Float[np.ndarray, " place"]:
        """Width of gamma between +-1.96 SE; without an end where r may be 0."""
        half = Z95 / math.sqrt(n)
        r = np.interp([place - half, place + half], self.distance, _R)
        with np.errstate(divide="ignore"):
            low, high = np.sqrt(1 / r - 1)
        return np.where(place > half, low, np.inf) - high


def information_distance(assumed: Situation) -> Float[np.ndarray, " r"]:
    """Return the integral of the root of the information of one pair, from r = 0.

    On this scale the maximum of the likelihood has an SD of 1 / root of n wherever r
    is, and the likelihood's interval is +-1.96 of it.
    """
    kept = 1 - assumed.lapses
    cells = [
        pair_information(float(z), _R, kept) for row in assumed.thresholds for z in row
    ]
    root = np.sqrt(np.mean(cells, axis=0))
    steps = (root[1:] + root[:-1]) / 2 * np.diff(_R)
    return np.concatenate([[0.0], np.cumsum(steps)])


def pair_information(
    z: float, r: Float[np.ndarray, " r"], kept: float = 1.0
) -> Float[np.ndarray, " r"]:
    """Return what the two responses to one stimulus tell about r, z being unknown too.

    Parameters
    ----------
    z
        Phi^-1 of the rate when attentive.
    kept
        Share of the showings without a lapse.

    Examples
    --------
    >>> round(float(pair_information(0.0, np.array([0.0]))[0]), 4)  # (2 / pi)^2
    0.4053
    """
    slope = np.sqrt((1 - r) / (1 + r))
    differ = disagreement(z, r, kept)
    rate = kept * ndtr(z) + (1 - kept) / 2
    twice, never = rate - differ / 2, 1 - rate - differ / 2
    density = kept**2 * np.exp(-(z**2) / (1 + r)) / (2 * math.pi * np.sqrt(1 - r**2))
    moved = kept * math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    tail = 2 * kept * moved
    by_twice = tail * ndtr(z * slope) + moved * (1 - kept)
    by_never = -tail * ndtr(-z * slope) - moved * (1 - kept)
    by_differ = -by_twice - by_never
    own = density**2 * (1 / twice + 1 / never + 4 / differ)
    mixed = density * (by_twice / twice + by_never / never - 2 * by_differ / differ)
    other = by_twice**2 / twice + by_never**2 / never + by_differ**2 / differ
    return own - mixed**2 / other
