"""Intervals of d', criterion and ln beta that hold at the ceiling, from those of rates.

Each rate has its mid-P limits, which are exact but for half of the chance of the very
count that was seen [1]_: l and u with

    P_l(X > x) + P_l(X = x) / 2 = .025,    P_u(X < x) + P_u(X = x) / 2 = .025

and l = 0 at x = 0, u = 1 at x = n. z = Phi^-1 carries them over; around the log-linear
corrected z~ the parts of a sum are put together by square-and-add [2]_:

    low  = sum w z~ - sqrt(sum (how far w z~ lies above its own lower limit)^2)
    high = sum w z~ + sqrt(sum (how far it lies below its upper limit)^2)

So a class without errors has no end on its side, and neither has the sum: 200 hits of
200 say that d' is large, and not how large.

Trials shown twice. Where a share s of a class's trials are in pairs whose responses
correlate by rho, its count varies as that of n / (1 + s rho) trials. rho is that of two
normal decision variables at the class's threshold, (Phi2(z, z; r) - p^2) / (p q), with
r from all pairs: near the ceiling the pairs of one class have no disagreement to count.

References
----------
.. [1] Lancaster (1961), J. Am. Stat. Assoc. 56, 223-234; Berry & Armitage (1995), The
   Statistician 44, 417-423.
.. [2] Zou & Donner (2008), Stat. Med. 27, 1693-1702.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from scipy.special import betainc, betaincinv, ndtri

from ..double_pass.bivariate_probit import normal_both
from ..trials.counts import loglinear_rate

TAIL = 0.025
_HALVINGS = 32  # of the bracket between the two Clopper-Pearson limits
Numbers = Real[np.ndarray, " *shape"]


@dataclass(frozen=True, eq=False)
class Part:
    """A quantity from each of some counts, with its limits.

    Attributes
    ----------
    value, low, high
        Of the same shape; limits may be infinite.
    """

    value: Float[np.ndarray, " *shape"]
    low: Float[np.ndarray, " *shape"]
    high: Float[np.ndarray, " *shape"]

    def half_squared(self) -> "Part":
        """Give half of the square: as far as the limits let it be, and 0 if across."""
        ends = self.low**2 / 2, self.high**2 / 2
        across = (self.low < 0) & (self.high > 0)
        low = np.where(across, 0.0, np.minimum(*ends))
        squares = self.value**2 / 2, low, np.maximum(*ends)
        return Part(*(np.asarray(one) for one in squares))


def mid_p_lower(
    count: Numbers, n: Real[np.ndarray, " *of"]
) -> Float[np.ndarray, " *shape"]:
    """Return the lower mid-P 97.5 % limit of a rate [1]_; `n` - count gives the upper.

    Counts may be fractions, of an effective number of trials.

    Examples
    --------
    >>> count, n = np.array([0, 5, 10]), np.array(10)
    >>> mid_p_lower(count, n).round(4)
    array([0.    , 0.212 , 0.7411])
    >>> (1 - mid_p_lower(n - count, n)).round(4)
    array([0.2589, 0.788 , 1.    ])
    """
    k, n = np.broadcast_arrays(np.asarray(count, float), np.asarray(n, float))
    k = np.clip(k, 0, n)
    inside = k > 0
    x, rest = np.where(inside, k, 1.0), np.where(inside, n - k, 1.0)
    low = betaincinv(x, rest + 1, TAIL)
    # No failure: P(X > n) is 0, and half of p^n must be .025.
    is_all = rest <= 0
    high = np.where(is_all, 1.0, betaincinv(x + 1, np.where(is_all, 1.0, rest), TAIL))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        beyond = np.where(
            is_all, 0.0, betainc(x + 1, np.where(is_all, 1.0, rest), middle)
        )
        above = betainc(x, rest + 1, middle) + beyond > 2 * TAIL
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray(np.where(inside, (low + high) / 2, 0.0))


def z_part(count: Numbers, n: Real[np.ndarray, " *of"]) -> Part:
    """Return z of a rate: log-linear corrected, with its mid-P limits.

    Examples
    --------
    >>> part = z_part(np.array([200]), np.array(200))
    >>> part.value.round(2), part.low.round(2), part.high
    (array([2.81]), array([2.17]), array([inf]))
    """
    rate = loglinear_rate(np.asarray(count, float), np.asarray(n, float))
    either = np.stack(np.broadcast_arrays(count, n - count))
    of_yes, of_no = ndtri(mid_p_lower(either, n))
    return Part(*(np.asarray(one) for one in (ndtri(rate), of_yes, -of_no)))


def square_and_add(
    parts: list[Part], weights: tuple[float, ...]
) -> tuple[Float[np.ndarray, " *shape"], Float[np.ndarray, " *shape"]]:
    """Return the limits of a weighted sum of independent parts [2]_.

    Examples
    --------
    >>> hits, false_alarms = (z_part(np.array(k), np.array(50)) for k in (40, 10))
    >>> low, high = square_and_add([hits, false_alarms], (1, -1))
    >>> print(f"{low:.3f} {high:.3f}")
    1.112 2.243
    """
    value = below = above = np.zeros(())
    for part, weight in zip(parts, weights, strict=True):
        if not weight:
            continue
        ends = weight * part.low, weight * part.high
        centre = weight * part.value
        value = value + centre
        below = below + (centre - np.minimum(*ends)) ** 2
        above = above + (np.maximum(*ends) - centre) ** 2
    return np.asarray(value - np.sqrt(below)), np.asarray(value + np.sqrt(above))


def shared_variance(rate: float, share_in_pairs: float, r: float) -> float:
    """Return by how much pairs raise the variance of a class's count.

    Parameters
    ----------
    rate
        Of one response in the class, between 0 and 1.
    share_in_pairs
        Share of its trials that are one of two showings.
    r
        Correlation of the two decision variables.

    Examples
    --------
    >>> round(shared_variance(0.5, 1.0, 0.5), 4), shared_variance(0.5, 0.5, 1.0)
    (1.3333, 1.5)
    """
    z = float(ndtri(rate))
    both = float(normal_both(z, z, r))
    rho = (both - rate**2) / (rate * (1 - rate))
    return max(1 + share_in_pairs * rho, 1.0)
