"""Noise correlations: what two cells share that the stimulus does not bring.

Counts of bins, less their mean over repeats, are correlated over all bins and repeats.
Taking off the mean of n repeats makes every covariance smaller by (n - 1) / n, which
cancels in a correlation. Two kinds are in use:

    'noise'   cov_ij / sqrt(cov_ii cov_jj)        of the noise itself
    'total'   cov_ij / sqrt(var_i var_j)          as a share of all variance, [1]_

cov being without bias (/ (n - 1)) and var the variance over bins and repeats, so that
noise and signal correlation add up to that of the counts.

The unit of all standard errors is the repeat, each left out once: what is common to two
cells throughout a repeat, such as a slow drift, is no independent evidence in each of
its bins. A drift over repeats is a noise correlation, too.

References
----------
.. [1] Mahuas, Isacchini, Marre, Ferrari & Mora (2020), NeurIPS 33 (compute_corr.m of
   its code, which divides by n).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from ..trials.estimate import CannotTell, Estimate
from ..trials.result import Result
from .blocks import CORRELATION, LENGTH, PLAIN, jackknifed
from .psth import Counts, binned, check_repeats

FORMULA = "noise-correlations-{}/1"
MEAN = "noise-correlations-{}-mean-of-pairs/1"
RMSE = "noise-correlation-rmse/1"
DIFFERENCE = "noise-correlation-mean-difference/1"
PEARSON = "noise-correlation-pearson-over-pairs/1"
HALVES = "noise-correlation-rmse-of-halves/1"
FLOOR = "noise-correlation-rmse-floor/1"
CEILING = "noise-correlation-pearson-ceiling/1"
N_SPLITS = 100
TOO_FEW = "pairs of cells must be three or more to be correlated, got {}"
LINKS = {RMSE: LENGTH, PEARSON: CORRELATION}
STILL = "a cell has no noise without one of the repeats"
ALIKE = "all pairs of cells have the same noise correlation"
OF_SPLITS = "the limits hold 95 % of the splits"
NO_NOISE = "noise correlations do not come back from one half of the repeats to another"

Matrix = Float[np.ndarray, " cell cell"]


@dataclass(frozen=True, eq=False)
class NoiseCorrelations(Result):
    """Noise correlations of all pairs of cells.

    Attributes
    ----------
    r
        Of each pair; 1 on the diagonal of 'noise', the noise's share of the variance on
        that of 'total'.
    se
        Standard errors, from leaving out each repeat.
    mean
        Over the pairs; its interval is of other repeats of the same cells.
    kind
        'noise' or 'total'.
    width
        Steps of a bin.
    """

    r: Matrix
    se: Matrix
    mean: Estimate
    kind: str
    width: int
    n_repeats: int
    n_bins: int
    formula: str


@dataclass(frozen=True, eq=False)
class NoiseCorrelationError(Result):
    """How far simulated noise correlations are from measured ones, over the pairs.

    Attributes
    ----------
    rmse, mean_difference
        Of simulated less measured.
    r
        Pearson's correlation over pairs.
    rmse_of_halves
        Of one half of the measured repeats against the other.
    rmse_floor
        What a simulation of the truth, of as many repeats as this one, would have: the
        same brought from halves to all repeats.
    r_ceiling
        What the true noise correlations would have with the measured ones, from halves.
    n_pairs, n_repeats, n_simulated
        Pairs of cells; repeats that were measured and simulated.
    n_splits, seed
        Ways to split the repeats that halves are the mean of.
    """

    rmse: Estimate
    mean_difference: Estimate
    r: Estimate
    rmse_of_halves: Estimate
    rmse_floor: Estimate
    r_ceiling: Estimate
    kind: str
    width: int
    n_pairs: int
    n_repeats: int
    n_simulated: int
    n_splits: int
    seed: int


def noise_correlations(
    counts: Counts, width: int, kind: str = "noise"
) -> NoiseCorrelations:
    """Correlate the noise of all pairs of cells, and say how sure each number is.

    Parameters
    ----------
    counts
        Spikes of one segment; recorded or simulated.
    width
        Steps of the bins in which spikes are counted.
    kind
        'noise' for Pearson's correlation of the noise; 'total' for the covariance of
        the noise over the SDs of the counts themselves.

    Raises
    ------
    ValueError
        If there are fewer than three repeats or two cells, a cell has no noise, or the
        kind or the bins are none.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> gain = rng.gamma(10, 0.1, (50, 40, 1, 1))  # of 40 bins of 10 steps, shared
    >>> counts = rng.poisson(0.3 * np.broadcast_to(gain, (50, 40, 10, 2)))
    >>> found = noise_correlations(counts.reshape(50, 400, 2), width=10)
    >>> print(found.mean.short())  # 3 x 3 x .1 / (3 + .9) = .23
    0.224 [0.174, 0.274]
    """
    _check(counts, kind)
    y = binned(counts, width).astype(np.float64)
    r, left_out = _correlations(y, kind)
    pairs, formula = _pairs(counts), MEAN.format(kind)
    each = left_out[:, *pairs].mean(axis=1)
    se = np.sqrt((len(y) - 1) * left_out.var(axis=0))
    return NoiseCorrelations(
        r=r,
        se=se,
        mean=jackknifed(r[pairs].mean(), [each], len(pairs[0]), formula, STILL),
        kind=kind,
        width=width,
        n_repeats=len(y),
        n_bins=y.shape[1],
        formula=FORMULA.format(kind),
    )


def noise_correlation_error(
    measured: Counts,
    simulated: Integer[np.ndarray, " _ _ _"],
    width: int,
    kind: str = "noise",
    n_splits: int = N_SPLITS,
    seed: int = 0,
) -> NoiseCorrelationError:
    """Compare simulated noise correlations with measured ones, over the pairs of cells.

    Parameters
    ----------
    measured, simulated
        Spikes of one segment, and those that a model gives to it; repeats may differ in
        number.
    width
        Steps of the bins in which spikes are counted.
    kind
        As for `noise_correlations`.
    n_splits, seed
        Ways to split the measured repeats into halves, and the seed of them.

    Raises
    ------
    ValueError
        As `noise_correlations`; if there are other cells in one than in the other, or
        fewer than six measured repeats, of which halves can be made.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> gain = rng.gamma(10, 0.1, (2, 60, 40, 1, 1))
    >>> counts = rng.poisson(0.3 * np.broadcast_to(gain, (2, 60, 40, 10, 3)))
    >>> one, other = counts.reshape(2, 60, 400, 3)
    >>> found = noise_correlation_error(one, other, width=10)
    >>> round(found.rmse.value, 3), round(found.rmse_floor.value, 3)
    (0.022, 0.027)
    """
    for counts in (measured, simulated):
        _check(counts, kind)
    if measured.shape[2] != simulated.shape[2]:
        rule = f"of the {measured.shape[2]} measured cells"
        raise ValueError(f"simulated spikes must be {rule}, got {simulated.shape[2]}")
    check_repeats(measured, 6)
    if n_splits < 1:
        raise ValueError(f"n_splits must be >= 1, got {n_splits}")
    pairs = _pairs(measured)
    ours, theirs = (
        [found[..., *pairs] for found in _correlations(binned(y, width) * 1.0, kind)]
        for y in (measured, simulated)
    )
    halves = _halves(binned(measured, width) * 1.0, kind, n_splits, seed)
    n, m = len(measured), len(simulated)
    return NoiseCorrelationError(
        rmse=_both(_rmse, ours, theirs, RMSE),
        mean_difference=_both(_difference, ours, theirs, DIFFERENCE),
        r=_both(_pearson, ours, theirs, PEARSON),
        **_of_halves(halves, n, m),
        kind=kind,
        width=width,
        n_pairs=len(pairs[0]),
        n_repeats=n,
        n_simulated=m,
        n_splits=n_splits,
        seed=seed,
    )


def _check(counts: Counts, kind: str) -> None:
    check_repeats(counts, 3)
    if kind not in ("noise", "total"):
        raise ValueError(f"kind must be noise or total, got {kind!r}")
    if counts.shape[2] < 2:
        raise CannotTell(f"cells must be two or more, got {counts.shape[2]}")


def _pairs(counts: Counts) -> tuple[np.ndarray, np.ndarray]:
    """Cells of each pair."""
    return np.triu_indices(counts.shape[2], 1)


def _correlations(
    y: Float[np.ndarray, " repeat bin cell"], kind: str
) -> tuple[Matrix, Float[np.ndarray, " repeat cell cell"]]:
    """Return the correlations, and what they are without each repeat."""
    n = len(y)
    about = y - y.mean(axis=0)
    each = np.einsum("rti,rtj->rij", about, about)
    total = each.sum(axis=0)
    still = np.flatnonzero(np.diag(total) <= 0)
    if still.size:
        rule = "noise to have a noise correlation"
        raise CannotTell(f"every cell must have {rule}, got none in cell {still[0]}")
    # Without a repeat, the mean over the others moves as well.
    left_out = total - n / (n - 1) * each
    if kind == "noise":
        variance = np.diag(total), np.diagonal(left_out, axis1=1, axis2=2)
    else:
        variance = _variance(y)
        total, left_out = total / (n - 1), left_out / (n - 2)
    sd, sd_left_out = (np.sqrt(each) for each in variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (
            total / np.outer(sd, sd),
            left_out / (sd_left_out[:, :, None] * sd_left_out[:, None, :]),
        )


def _variance(
    y: Float[np.ndarray, " repeat bin cell"],
) -> tuple[Float[np.ndarray, " cell"], Float[np.ndarray, " repeat cell"]]:
    """Return the sum of squares about the mean, by repeats; and without each."""
    n, n_bins, _ = y.shape
    total, square = y.sum(axis=1), np.einsum("rtc,rtc->rc", y, y)
    all_, rest = total.sum(axis=0), total.sum(axis=0) - total
    return (
        (square.sum(axis=0) - all_**2 / (n * n_bins)) / n,
        (square.sum(axis=0) - square - rest**2 / ((n - 1) * n_bins)) / (n - 1),
    )


Pairs = Float[np.ndarray, " #sample pair"]
Difference = Callable[[Pairs, Pairs], Float[np.ndarray, " sample"]]


def _rmse(ours: Pairs, theirs: Pairs) -> Float[np.ndarray, " _"]:
    return np.sqrt(np.mean((theirs - ours) ** 2, axis=-1))


def _difference(ours: Pairs, theirs: Pairs) -> Float[np.ndarray, " _"]:
    return np.mean(theirs - ours, axis=-1)


def _pearson(ours: Pairs, theirs: Pairs) -> Float[np.ndarray, " _"]:
    x, y = (a - a.mean(axis=-1, keepdims=True) for a in (ours, theirs))
    size = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip((x * y).sum(axis=-1) / size, -1, 1)


def _both(
    statistic: Difference, ours: list[np.ndarray], theirs: list[np.ndarray], name: str
) -> Estimate:
    """Estimate a difference of two sets of repeats, each of which has its error."""
    (a, a_left_out), (b, b_left_out) = ours, theirs
    a, b, n_pairs = a[None], b[None], len(a)
    if statistic is _pearson and n_pairs < 3:
        return Estimate.missing(name, TOO_FEW.format(n_pairs), n_pairs)
    samples = [statistic(a_left_out, b), statistic(a, b_left_out)]
    value = float(statistic(a, b)[0])
    return jackknifed(value, samples, n_pairs, name, ALIKE, LINKS.get(name, PLAIN))


def _halves(
    y: Float[np.ndarray, " repeat bin cell"], kind: str, n_splits: int, seed: int
) -> tuple[Pairs, Pairs]:
    """Return the correlations of each half of the repeats, split at random."""
    rng, half = np.random.default_rng(seed), len(y) // 2
    pairs = np.triu_indices(y.shape[2], 1)
    orders = [rng.permutation(len(y)) for _ in range(n_splits)]
    one, other = (
        np.stack([_correlations(y[order[part]], kind)[0][pairs] for order in orders])
        for part in (slice(half), slice(half, None))
    )
    return one, other


def _of_halves(halves: tuple[Pairs, Pairs], n: int, m: int) -> dict[str, Estimate]:
    """Say what RMSE and r halves have, and what that makes of all repeats."""
    half, n_pairs = n // 2, halves[0].shape[1]
    each = _rmse(*halves)
    value = math.sqrt(float(np.mean(each**2)))
    scale = math.sqrt((1 / n + 1 / m) / (1 / half + 1 / (n - half)))
    low, high = np.quantile(each, (0.025, 0.975)).tolist()
    low, high = min(low, value), max(high, value)
    scaled = scale * value, None, scale * low, scale * high
    return {
        "rmse_of_halves": Estimate(value, None, low, high, n_pairs, HALVES, OF_SPLITS),
        "rmse_floor": Estimate(*scaled, n_pairs, FLOOR, OF_SPLITS),
        "r_ceiling": _ceiling(halves, n_pairs),
    }


def _ceiling(halves: tuple[Pairs, Pairs], n_pairs: int) -> Estimate:
    if n_pairs < 3:
        return Estimate.missing(CEILING, TOO_FEW.format(n_pairs), n_pairs)
    r = float(np.mean(_pearson(*halves)))
    if r <= 0:
        return Estimate.missing(CEILING, NO_NOISE, n_pairs)
    return Estimate(math.sqrt(2 * r / (1 + r)), None, None, None, n_pairs, CEILING)
