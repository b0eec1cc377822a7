"""Bits per spike: what rates tell of single spikes, over a constant rate.

The log likelihood of the counts of every step and repeat, less that of the cell's mean
rate in the same segment, in bits, over the number of spikes [1]_: independent counts
given the stimulus, of Poisson's distribution or, where a step has one spike at most, of
Bernoulli's. The mean rate is taken from the very spikes that are scored, which favours
it a little.

What could be reached is not known; but the PSTH of the other repeats is a rate, too. It
is smoothed, with one repeat at the cell's mean rate added so that no step has a rate of
nought, and scored on the repeat that was left out. Which of some boxcars is best is
decided without that repeat: on each of the others, by the PSTH without both. A better
rate than that may exist, so this is a lower bound of the ceiling, and named so.

References
----------
.. [1] Paninski (2004), Network 15, 243-262; Pillow et al. (2008), Nature 454, 995-999.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float, Int
from scipy.special import gammaln, xlog1py, xlogy

from ..trials.estimate import CannotTell
from ..trials.result import Result
from .blocks import BLOCKS, PerCell, Sums, jackknife, over_cells
from .psth import Counts, smoothed
from .scores import Rates, check_rates

FORMULA = "bits-per-spike-{}/1"
CEILING = "bits-per-spike-{}-ceiling-lower-bound/1"
SHARE = "bits-per-spike-{}-over-lower-bound/1"
GIVEN_SPIKES = "bits-per-spike-given-earlier-spikes/1"
WIDTHS = (1, 3, 5, 9, 15, 25, 41)  # boxcars, in steps
SILENT = "the cell has no spike"
IMPOSSIBLE = "a spike came where the rate allows none, or none where it is certain"


@dataclass(frozen=True, eq=False)
class BitsPerSpike(Result):
    """What rates tell of single spikes.

    Attributes
    ----------
    bits
        Per spike, over the constant rate; minus infinity where a spike came at a rate
        of nought.
    ceiling_lower_bound
        What the smoothed PSTH of the other repeats tells: at least so much can be
        reached. None below three repeats.
    share
        Bits over that bound, from both at once, which vary together with the stimulus;
        beyond 1 for rates that are better than that PSTH.
    law
        'poisson' or 'bernoulli'.
    widths
        The boxcar of that PSTH that was chosen most often, of each cell.
    n_repeats, n_blocks
        Repeats; stretches of the stimulus that standard errors rest on.
    """

    bits: PerCell
    ceiling_lower_bound: PerCell | None
    share: PerCell | None
    law: str
    widths: tuple[int, ...]
    n_repeats: int
    n_blocks: int


def bits_per_spike(
    rates: Rates, counts: Counts, law: str = "poisson", n_blocks: int = BLOCKS
) -> BitsPerSpike:
    """Score rates by the likelihood of single spikes, per cell.

    Parameters
    ----------
    rates
        Expected spikes of every step, given the stimulus.
    counts
        Spikes of the same segment; of one repeat or more.
    law
        Of the count of a step, given its rate.
    n_blocks
        Stretches of the stimulus that standard errors rest on.

    Raises
    ------
    ValueError
        If the law is neither; if it is Bernoulli's and a step has two spikes, or a rate
        of more than 1; or if rates do not fit, as for `psth_correlation`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rate = 0.2 + 0.15 * np.sin(np.arange(2000) / 25)[:, None]
    >>> counts = rng.poisson(np.broadcast_to(rate, (40, 2000, 1)))
    >>> found = bits_per_spike(rate, counts)
    >>> print(found.bits.cells[0].short(), found.ceiling_lower_bound.cells[0].short())
    0.211 [0.180, 0.242] 0.207 [0.176, 0.237]
    """
    if law not in ("poisson", "bernoulli"):
        raise ValueError(f"law must be poisson or bernoulli, got {law!r}")
    check_rates(rates, counts)
    if law == "bernoulli":
        _check_one(rates, counts)
    best = best_widths(counts) if len(counts) > 2 else None
    steps = [np.full(counts.shape[1:], float(len(counts))), counts.sum(axis=0)]
    steps += [_gained(np.broadcast_to(rates, counts.shape), counts, law)]
    if best is not None:
        steps += [_gained(rates_of_others(counts, best), counts, law)]
    made = jackknife(np.stack(steps, axis=1), partial(_bits, law=law), n_blocks)
    bits = made.per_cell(0, FORMULA.format(law), SILENT)
    numbers = ((1, CEILING), (2, SHARE)) if best is not None else ()
    bound = [made.per_cell(k, name.format(law), SILENT) for k, name in numbers]
    return BitsPerSpike(
        bits=_impossible(bits),
        ceiling_lower_bound=bound[0] if bound else None,
        share=_impossible(bound[1]) if bound else None,
        law=law,
        widths=() if best is None else _commonest(best),
        n_repeats=len(counts),
        n_blocks=n_blocks,
    )


def bits_given_spikes(
    log_likelihood: Float[np.ndarray, " _ _"],
    counts: Counts,
    law: str = "poisson",
    n_blocks: int = BLOCKS,
) -> PerCell:
    """Score a likelihood of which each step knows the spikes before it, per cell.

    Parameters
    ----------
    log_likelihood
        In nats, of the counts of every step (step, cell), of Poisson's law log n!
        included, added up over repeats.
    counts
        Spikes of the same segment.
    law
        'poisson' or 'bernoulli': that of the mean rate which it is held against.
    n_blocks
        Stretches of the stimulus that standard errors rest on.

    Raises
    ------
    ValueError
        If the likelihood is not of the segment's steps and cells.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> counts = rng.poisson(0.2, (40, 2000, 1))
    >>> known = counts * np.log(0.2) - 0.2 - gammaln(counts + 1)
    >>> abs(bits_given_spikes(known.sum(axis=0), counts).cells[0].value) < 0.001
    True
    """
    if log_likelihood.shape != counts.shape[1:]:
        rule = f"of the segment's steps and cells, {counts.shape[1:]}"
        got = log_likelihood.shape
        raise ValueError(f"a log likelihood must be {rule}, got {got}")
    gained = log_likelihood
    if law == "poisson":
        gained = gained + gammaln(counts + 1.0).sum(axis=0)
    n = np.full(counts.shape[1:], float(len(counts)))
    steps = np.stack([n, counts.sum(axis=0), gained], axis=1)
    made = jackknife(steps, partial(_bits, law=law), n_blocks)
    return made.per_cell(0, GIVEN_SPIKES, SILENT)


def _commonest(best: Int[np.ndarray, " repeat cell"]) -> tuple[int, ...]:
    return tuple(WIDTHS[np.bincount(column).argmax()] for column in best.T)


def _impossible(found: PerCell) -> PerCell:
    """Say why a number is minus infinity."""
    cells = tuple(
        replace(one, note=IMPOSSIBLE) if one.value == -math.inf else one
        for one in found.cells
    )
    return PerCell(cells, over_cells(cells))


def _check_one(rates: Rates, counts: Counts) -> None:
    if counts.max() > 1:
        rule = "one at most in a step for Bernoulli's law"
        raise CannotTell(f"spikes must be {rule}, got {counts.max()}")
    if rates.max() > 1:
        rule = "at most 1 for Bernoulli's law"
        raise ValueError(f"rates must be {rule}, got {rates.max()}")


def _gained(
    rates: Float[np.ndarray, " repeat step cell"], counts: Counts, law: str
) -> Float[np.ndarray, " step cell"]:
    """Return the log likelihood of every step, but for what no rate changes."""
    if law == "poisson":
        return (xlogy(counts, rates) - rates).sum(axis=0)
    rest = xlog1py(1 - counts.astype(np.int64), -rates)
    return (xlogy(counts, rates) + rest).sum(axis=0)


def _bits(sums: Sums, law: str) -> Float[np.ndarray, " number *of"]:
    """Return bits per spike; of the others' PSTH, and the share, if it is there."""
    n, spikes, *gained = sums
    by_mean = xlogy(spikes, spikes / n) - spikes
    if law == "bernoulli":
        by_mean = xlogy(spikes, spikes / n) + xlog1py(n - spikes, -spikes / n)
    scale = np.where(spikes > 0, spikes, np.nan) * np.log(2)
    found = [(each - by_mean) / scale for each in gained]
    return np.stack([*found, found[0] / found[1]] if len(found) > 1 else found)


def best_widths(counts: Counts) -> Int[np.ndarray, " repeat cell"]:
    """Choose the boxcar for each repeat that is left out, without looking at it.

    By the Poisson likelihood of each of the others under the PSTH without both.

    Returns
    -------
    ndarray
        Places in `WIDTHS`; of those that fit the segment.
    """
    fit = [width for width in WIDTHS if width <= counts.shape[1]]
    found = np.zeros(counts.shape[::2], np.int64)
    for cell in range(counts.shape[2]):
        spikes = counts[:, :, cell : cell + 1]
        found[:, cell] = np.argmax([_of_others(spikes, w) for w in fit], axis=0)
    return found


def _of_others(spikes: Counts, width: int) -> Float[np.ndarray, " repeat"]:
    """Score all repeats but one, each by the PSTH without itself and that one."""
    n, n_steps, _ = spikes.shape
    each, y = smoothed(spikes, width)[..., 0], spikes[..., 0]
    total, n_spikes = each.sum(axis=0), y.sum(axis=1, dtype=np.float64)
    score = np.zeros((n, n))  # of the row's repeat, without the column's as well
    for row in range(n):
        mean = (n_spikes.sum() - n_spikes[row] - n_spikes) / ((n - 2) * n_steps)
        at = np.flatnonzero(y[row])
        rate = (total - each[row] - each)[:, at] + mean[:, None]  # (column, spike)
        expected = (total - each[row] - each).sum(axis=1) + n_steps * mean
        with np.errstate(divide="ignore"):
            told = np.log(np.maximum(rate, 0) / (n - 1)) @ y[row, at]
        score[row] = told - expected / (n - 1)
    np.fill_diagonal(score, 0)
    return score.sum(axis=0)


def rates_of_others(
    counts: Counts, best: Int[np.ndarray, " repeat cell"]
) -> Float[np.ndarray, " repeat step cell"]:
    """Return the smoothed PSTH of the other repeats, with one at the mean rate."""
    n, n_steps, n_cells = counts.shape
    rates = np.empty(counts.shape)
    for cell in range(n_cells):
        spikes = counts[:, :, cell : cell + 1]
        n_spikes = spikes.sum(axis=(1, 2), dtype=np.float64)
        mean = (n_spikes.sum() - n_spikes) / ((n - 1) * n_steps)
        for number in np.unique(best[:, cell]):
            rows = best[:, cell] == number
            each = smoothed(spikes, WIDTHS[number])[..., 0]
            others = each.sum(axis=0) - each[rows] + mean[rows, None]
            rates[rows, :, cell] = np.maximum(others, 0) / n
    return rates
