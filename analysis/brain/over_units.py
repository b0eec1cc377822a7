"""Correlations of every unit, and their median with its interval over units.

A unit whose responses, or predictions, are the same for all stimuli has no correlation:
it does not count, and `n` says how many do.

Splits of one set of stimuli share most of them, so the spread over splits is no error
of the score; Brain-Score prints it as one. The standard error and the interval here are
a bootstrap over units (percentiles of 1,000 draws): what other units, chosen as these
were, would give with the same stimuli. What other stimuli would give is not in them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Real

from ..trials.estimate import Estimate

DRAWS = 1000  # of the bootstrap
FEWEST = 3  # units that an interval rests on
CONSTANT = 1e-10  # of the largest value: an SD below it is rounding
NO_UNIT = "no unit's responses and predictions both vary over the stimuli"
FEW = "fewer than three units: no interval over units"

BySplit = Float[np.ndarray, " split unit"]
Numbers = np.ndarray | float  # one, or one of each draw


def correlations(
    x: Real[np.ndarray, " stimulus unit"], y: Real[np.ndarray, " stimulus unit"]
) -> Float[np.ndarray, " unit"]:
    """Return Pearson's correlation of each column; NaN where one of them is constant.

    Where a value is NaN, the stimulus does not count for that unit.

    Examples
    --------
    >>> x = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    >>> correlations(x, x).round(3).tolist()
    [1.0, nan]
    """
    known = np.isfinite(x) & np.isfinite(y)
    n = np.maximum(known.sum(axis=0), 1)
    about = []
    for values in (np.where(known, x, 0.0), np.where(known, y, 0.0)):
        largest = np.abs(values).max(axis=0, initial=0.0)
        deviation = np.where(known, values - values.sum(axis=0) / n, 0.0)
        norm = np.sqrt(np.einsum("su,su->u", deviation, deviation))
        is_constant = norm <= CONSTANT * largest * np.sqrt(n)
        about.append(deviation / np.where(is_constant, np.nan, norm))
    r = np.einsum("su,su->u", *about)
    return np.where(known.sum(axis=0) > 1, np.clip(r, -1.0, 1.0), np.nan)


def drawn_units(n_units: int, seed: int = 0) -> Int[np.ndarray, " draw unit"]:
    """Return which units each draw of the bootstrap has: the same for every score."""
    return np.random.default_rng(seed).integers(n_units, size=(DRAWS, n_units))


def mean_of_medians(r: BySplit) -> float:
    """Return the median over the units that count, averaged over splits.

    Examples
    --------
    >>> mean_of_medians(np.array([[0.1, 0.2, 0.9], [0.3, 0.4, np.nan]])).__round__(3)
    0.275
    """
    return float(np.mean([_median(each) for each in r]))


def drawn_medians(r: BySplit, draws: Int[np.ndarray, " draw unit"]) -> np.ndarray:
    """Return `mean_of_medians` of every draw of units: (draw,)."""
    return np.mean([_median(each[draws]) for each in r], axis=0)


def _median(r: np.ndarray) -> Any:
    """Median over the last axis of what is no NaN; NaN where nothing is."""
    ordered = np.sort(r, axis=-1)  # NaN comes last
    n = np.sum(~np.isnan(r), axis=-1, keepdims=True)
    low, high = np.maximum(n - 1, 0) // 2, np.minimum(n // 2, r.shape[-1] - 1)
    ends = [np.take_along_axis(ordered, place, axis=-1) for place in (low, high)]
    return (ends[0] + ends[1])[..., 0] / 2


def over_units(r: BySplit, formula: str, why: str = NO_UNIT) -> Estimate:
    """Return the mean over splits of the median over units, bootstrapped over units.

    Parameters
    ----------
    r
        NaN where a unit does not count.
    why
        What is said where no unit counts in some split.

    Examples
    --------
    >>> r = np.random.default_rng(1).normal(0.5, 0.1, (10, 50))
    >>> print(over_units(r, "r/1").n, over_units(r[:, :2], "r/1").note)
    50 fewer than three units: no interval over units
    """
    return bootstrapped(r.shape[1], [r], lambda parts: parts[0], formula, why)


def bootstrapped(
    n_units: int,
    parts: list[BySplit],
    statistic: Callable[[list[Numbers]], Numbers],
    formula: str,
    why: str = NO_UNIT,
) -> Estimate:
    """Return a function of several scores of the same units, which are drawn together.

    Parameters
    ----------
    parts
        Of each score, every unit in each split.
    statistic
        From the scores' means of medians, single ones or of all draws.

    Examples
    --------
    >>> r = np.random.default_rng(1).normal(0.5, 0.1, (10, 50))
    >>> made = bootstrapped(50, [r, r], lambda both: both[0] - both[1], "change/1")
    >>> made.value, made.se
    (0.0, 0.0)
    """
    counts = np.all([np.isfinite(r).any(axis=0) for r in parts], axis=0)
    n = int(counts.sum())
    medians: list[Numbers] = [mean_of_medians(r) for r in parts]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(statistic(medians))
    if not n or np.isnan(value):
        return Estimate.missing(formula, why, n)
    left_out = n_units - n
    note = f"{left_out} of {n_units} units do not count" if left_out else None
    if n < FEWEST:
        return Estimate(value, None, None, None, n, formula, note).with_note(FEW)
    kept = [r[:, counts] for r in parts]
    draws = drawn_units(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.asarray(statistic([drawn_medians(r, draws) for r in kept]))
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < DRAWS // 2:
        return Estimate(value, None, None, None, n, formula, note)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(
        value,
        float(drawn.std(ddof=1)),
        min(float(low), value),
        max(float(high), value),
        n,
        formula,
        note,
    )


def split_error(r: BySplit) -> float | None:
    """Return the SD over splits of the median over units, over √splits.

    It is what Brain-Score prints as the error of a score. Splits share stimuli, so it
    is no error that other stimuli would show: .008 where that was .011, with 200
    stimuli and 40 units.
    """
    if len(r) < 2:
        return None
    medians = np.array([_median(each) for each in r])
    return float(medians.std() / np.sqrt(len(r)))


def mean_per_unit(r: BySplit) -> Float[np.ndarray, " unit"]:
    """Return the mean over the splits in which a unit counts; NaN if in none."""
    known = np.isfinite(r)
    total = np.where(known, r, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
