"""A correlation over cases that come in groups, such as seeds of one kind of network.

Cases of a group are alike, so its interval is a bootstrap over groups: each draw has
whole groups.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float

from .estimate import Estimate

CORRELATION = "correlation-over-groups/1"
LEAST = 6  # groups that an interval rests on
_DRAWS = 2000


def grouped_correlation(
    x: Sequence[float] | Float[np.ndarray, " case"],
    y: Sequence[float] | Float[np.ndarray, " case"],
    groups: Sequence[Hashable],
    seed: int = 0,
) -> Estimate:
    """Estimate Pearson's correlation of two quantities over cases in groups.

    Parameters
    ----------
    x, y
        Of each case.
    groups
        Which group it is of.
    seed
        Of the bootstrap.

    Returns
    -------
    Estimate
        Its interval is a bootstrap over groups (percentiles of 2,000 draws), with six
        groups or more; n is the number of cases.

    Raises
    ------
    ValueError
        If the three are not of the same cases.

    Examples
    --------
    >>> x = np.repeat(np.arange(8.0), 3)
    >>> found = grouped_correlation(x, x + np.tile([0, 1, -1], 8), x.tolist())
    >>> round(found.value, 3), found.n
    (0.942, 24)
    """
    one, other = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if not len(one) == len(other) == len(groups):
        got = f"{len(one)}, {len(other)} and {len(groups)}"
        raise ValueError(f"x, y and groups must be of the same cases, got {got}")
    value = _correlation(one, other)
    if np.isnan(value):
        reason = "fewer than three cases, or one quantity is the same in all"
        return Estimate.missing(CORRELATION, reason, len(one))
    one, other = (v - v.mean() for v in (one, other))  # so that sums keep digits
    names = list(dict.fromkeys(groups))
    members = [np.flatnonzero([g == name for g in groups]) for name in names]
    if len(names) < LEAST:
        note = f"no interval: fewer than {LEAST} groups"
        return Estimate(value, None, None, None, len(one), CORRELATION, note)
    rng = np.random.default_rng(seed)
    share = np.full(len(names), 1 / len(names))
    counts = rng.multinomial(len(names), share, _DRAWS)  # of each group in each draw
    sums = np.array([_moments(one[m], other[m]) for m in members])
    drawn = _of_moments(counts @ sums)
    told = drawn[np.isfinite(drawn)]
    low, high = (float(end) for end in np.quantile(told, [0.025, 0.975]))
    se = float(told.std(ddof=1))
    ends = min(low, value), max(high, value)
    return Estimate(value, se, *ends, len(one), CORRELATION)


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return Pearson's r; NaN of fewer than three cases, or of constants."""
    if len(x) < 3 or not np.ptp(x) or not np.ptp(y):
        return float("nan")
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1))


def _moments(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Return sums over a group's cases, from which a draw's correlation is told."""
    return [float(np.sum(v)) for v in (np.ones(len(x)), x, y, x * x, y * y, x * y)]


def _of_moments(sums: Float[np.ndarray, " draw six"]) -> Float[np.ndarray, " draw"]:
    """Return each draw's correlation; NaN where a quantity is the same in all."""
    n, x, y, xx, yy, xy = sums.T
    spread = (n * xx - x * x) * (n * yy - y * y)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (n * xy - x * y) / np.sqrt(np.where(spread > 0, spread, np.nan))
    return np.clip(r, -1, 1)
