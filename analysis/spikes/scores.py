"""How well given rates foretell a segment: the PSTH's shape, and its size as well.

Rates are expected spikes of every step given the stimulus alone, from whatever model.

The correlation of smoothed rates p and PSTH y, and what it is at most (`psth.py`):

    r = corr(p, y),    ceiling = sqrt(S / Var(y)),    share = r / ceiling.

The share is CC_norm of Schoppe et al. [1]_: the correlation with the PSTH of infinitely
many repeats. Offset and scale of the rates do not change it. The explained variance
counts both:

    1 - (MSE - N / n) / S,    MSE = mean of (p - y)^2,

which is without bias, as the noise N / n that is left in the mean of n repeats is in
both MSE and Var(y) = S + N / n. From single repeats the same number comes as
1 - (MSE - N) / (total - N), the fraction of explainable variance explained (FEVe) of
openretina and others [2]_. For rates of SD s_p, with what the mean is off by,

    explained = share^2 - (share - s_p / sqrt(S))^2 - (mean of p - y)^2 / S;

rates with the best offset and scale have the share squared, all others less.

References
----------
.. [1] Schoppe, Harper, Willmore, King & Schnupp (2016), Front. Comput. Neurosci. 10:10.
.. [2] Cadena et al. (2019), PLoS Comput. Biol. 15, e1006897 (FEVe).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..trials.result import Result
from .blocks import BLOCKS, CORRELATION, ROOT_OF_SHARE, PerCell, Sums, jackknife
from .psth import (
    CEILING,
    NO_SIGNAL,
    STILL,
    Counts,
    binned,
    check_repeats,
    correlation,
    noise_of_mean,
    signal_steps,
    signal_variance,
    smoothed,
)

PSTH = "psth-correlation/1"
SHARE = "psth-correlation-share-of-ceiling/1"
EXPLAINED = "explained-variance-of-explainable/1"
ONE_VALUE = "the rates or the PSTH do not vary over steps"

Rates = Float[np.ndarray, " _ _"]
"""(step, cell), which `check_rates` holds against the counts."""


@dataclass(frozen=True, eq=False)
class PsthCorrelation(Result):
    """How alike in shape rates and PSTH are.

    Attributes
    ----------
    r
        Pearson's correlation of the two, both smoothed.
    ceiling
        What the true rate would have with this PSTH.
    share
        r over the ceiling, from both at once; beyond 1 by chance alone.
    width
        Steps of the boxcar.
    n_repeats, n_blocks
        Repeats; stretches of the stimulus that standard errors rest on.
    """

    r: PerCell
    ceiling: PerCell
    share: PerCell
    width: int
    n_repeats: int
    n_blocks: int


@dataclass(frozen=True, eq=False)
class ExplainedVariance(Result):
    """Share of the explainable variance that rates explain.

    Attributes
    ----------
    explained
        1 for the true rate, 0 for its mean, negative for worse; beyond 1 by chance.
    width
        Steps of a bin.
    n_repeats, n_blocks
        Repeats; stretches of the stimulus that standard errors rest on.
    """

    explained: PerCell
    width: int
    n_repeats: int
    n_blocks: int


def psth_correlation(
    rates: Rates, counts: Counts, width: int = 20, n_blocks: int = BLOCKS
) -> PsthCorrelation:
    """Correlate rates with the PSTH of a segment, per cell, beside the ceiling.

    Parameters
    ----------
    rates
        Expected spikes of every step, given the stimulus. The PSTH of a simulation has
        noise of its own, and a correlation that is lower for it.
    counts
        Spikes of the same segment.
    width
        Steps of the boxcar that both are smoothed with.
    n_blocks
        Stretches of the stimulus that standard errors rest on.

    Raises
    ------
    ValueError
        If rates are not of the segment's steps and cells, negative or not finite; if
        there are fewer than two repeats; or the width or the stretches do not fit.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rate = 0.2 + 0.15 * np.sin(np.arange(2000) / 25)[:, None]
    >>> counts = rng.poisson(np.broadcast_to(rate, (40, 2000, 1)))
    >>> found = psth_correlation(rate, counts, width=10)
    >>> print(found.r.cells[0].short(), found.ceiling.cells[0].short())
    0.978 [0.974, 0.981] 0.979 [0.976, 0.981]
    """
    check_rates(rates, counts)
    check_repeats(counts)
    p, y = smoothed(rates, width), signal_steps(counts, width)
    steps = np.concatenate([y, np.stack([p, p**2, p * y[:, 1]], axis=1)], axis=1)
    made = jackknife(steps, _correlations, n_blocks)
    return PsthCorrelation(
        r=made.per_cell(0, PSTH, ONE_VALUE, CORRELATION),
        ceiling=made.per_cell(1, CEILING, NO_SIGNAL, ROOT_OF_SHARE),
        share=made.per_cell(2, SHARE, f"{NO_SIGNAL}, or {ONE_VALUE}", CORRELATION),
        width=width,
        n_repeats=len(counts),
        n_blocks=n_blocks,
    )


def _correlations(sums: Sums) -> Float[np.ndarray, " number *of"]:
    n, y, yy, _, p, pp, py = sums
    signal, variance = signal_variance(sums)
    r, ceiling = correlation(n, p, pp, y, yy, py), np.sqrt(signal / variance)
    return np.stack([r, ceiling, r / ceiling])


def explained_variance(
    rates: Rates, counts: Counts, width: int = 10, n_blocks: int = BLOCKS
) -> ExplainedVariance:
    """Estimate the share of the explainable variance that rates explain, per cell.

    Parameters
    ----------
    rates
        Expected spikes of every step, given the stimulus.
    counts
        Spikes of the same segment.
    width
        Steps of the bins in which spikes are counted.
    n_blocks
        Stretches of the stimulus that standard errors rest on.

    Raises
    ------
    ValueError
        As `psth_correlation`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rate = 0.2 + 0.15 * np.sin(np.arange(2000) / 25)[:, None]
    >>> counts = rng.poisson(np.broadcast_to(rate, (40, 2000, 1)))
    >>> print(explained_variance(rate, counts).explained.cells[0].short())
    0.999 [0.990, 1.007]
    >>> print(explained_variance(rate / 2, counts).explained.cells[0].short())
    -0.206 [-0.379, -0.033]
    """
    check_rates(rates, counts)
    check_repeats(counts)
    p, y = binned(rates, width), binned(counts, width)
    mean, steps = y.mean(axis=0), signal_steps(y, 1)
    error = (p - mean) ** 2 - noise_of_mean(y, has_offsets=True)
    steps = np.concatenate([steps, error[:, None]], axis=1)
    made = jackknife(steps, _explained, n_blocks)
    return ExplainedVariance(
        explained=made.per_cell(0, EXPLAINED, STILL),
        width=width,
        n_repeats=len(counts),
        n_blocks=n_blocks,
    )


def _explained(sums: Sums) -> Float[np.ndarray, " number *of"]:
    signal, _ = signal_variance(sums)
    signal = np.where(signal > 0, signal, np.nan)
    return (1 - sums[4] / sums[0] / signal)[None]


def check_rates(rates: Rates, counts: Counts) -> None:
    """Raise ValueError unless rates are numbers of a segment's steps and cells."""
    if rates.shape != counts.shape[1:]:
        rule = (
            f"of the {counts.shape[1]} steps and {counts.shape[2]} cells of the spikes"
        )
        raise ValueError(f"rates must be {rule}, got {rates.shape}")
    if not np.isfinite(rates).all() or rates.min() < 0:
        wrong = rates[~(np.isfinite(rates) & (rates >= 0))][0]
        raise ValueError(f"rates must be finite and 0 or more, got {wrong}")
