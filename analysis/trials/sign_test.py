"""The sign test: how often one of a pair is the larger, and the median difference.

Nothing is asked of how differences are distributed. Pairs count as independent: where
several share what made them, such as networks of one seed, p is too small.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .estimate import Estimate
from .result import Cells, Result, short

SIGN_TEST = "sign-test/1"
MEDIAN = "median-by-signs/1"
_NO_PAIR = "no pair whose members differ"
_FEW = "no interval: fewer than six pairs"
_TAIL = 0.025


@dataclass(frozen=True, eq=False)
class SignTest(Result):
    """What signs of differences say.

    Attributes
    ----------
    share
        Of positive differences among those that are not 0, with Clopper and Pearson's
        interval; the n is that of pairs that are not tied.
    n_positive, n_negative, n_tied
        Pairs.
    chance
        The share that is tested against.
    p
        Exact and two-sided, of the binomial distribution; NaN without a pair.
    median
        Of all differences, ties too. Its interval is from one ordered difference to
        another, of 95 % or more; six pairs have one.
    """

    share: Estimate
    n_positive: int
    n_negative: int
    n_tied: int
    chance: float
    p: float
    median: Estimate

    def table(self) -> list[Cells]:
        """Give one row."""
        return [
            {
                "positive": f"{self.n_positive} of {self.share.n}",
                "chance": short(self.chance),
                "p": short(self.p),
                "median difference": self.median.short(),
            }
        ]


def sign_test(
    differences: Sequence[float] | Float[np.ndarray, " pair"], chance: float = 0.5
) -> SignTest:
    """Count signs of paired differences, and test them against chance.

    Parameters
    ----------
    differences
        One a pair. Those that are 0 are ties, which the test leaves out.
    chance
        Probability of a positive one if nothing differs: 1/2 of two, and 1/k where a
        difference is from the best of k - 1 others.

    Raises
    ------
    ValueError
        If a difference is not finite, or chance is not between 0 and 1.

    References
    ----------
    Conover (1999), Practical nonparametric statistics, 3rd ed., sections 3.1 to 3.4.

    Examples
    --------
    >>> found = sign_test([0.2, 0.1, 0.4, 0.3, 0.2, 0.5, -0.1, 0.0])
    >>> found.n_positive, found.n_tied, found.p, found.median.value
    (6, 1, 0.125, 0.2)
    """
    from scipy.stats import binomtest

    values = np.asarray(differences, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("differences must be finite numbers, got one that is not")
    if not 0 < chance < 1:
        raise ValueError(f"chance must be between 0 and 1, got {chance}")
    n_positive, n_negative = int((values > 0).sum()), int((values < 0).sum())
    n = n_positive + n_negative
    share, p = Estimate.missing(SIGN_TEST, _NO_PAIR), float("nan")
    if n:
        found = binomtest(n_positive, n, chance)
        ends, p = found.proportion_ci(0.95, "exact"), float(found.pvalue)
        low, high = float(ends.low), float(ends.high)
        share = Estimate(n_positive / n, None, low, high, n, SIGN_TEST)
    counts = n_positive, n_negative, len(values) - n
    return SignTest(share, *counts, chance, p, _median(np.sort(values)))


def _median(ordered: Float[np.ndarray, " pair"]) -> Estimate:
    """Give the median, and the ordered differences that enclose it by their signs."""
    from scipy.stats import binom

    n = len(ordered)
    if not n:
        return Estimate.missing(MEDIAN, "no pair")
    value = float(np.median(ordered))
    outside = int(np.searchsorted(binom.cdf(np.arange(n), n, 0.5), _TAIL, "right"))
    if not outside:
        return Estimate(value, None, None, None, n, MEDIAN, _FEW)
    low, high = float(ordered[outside - 1]), float(ordered[n - outside])
    return Estimate(value, None, low, high, n, MEDIAN)
