"""Standard errors of scores: each stretch of the stimulus is left out once.

A score is a function of sums over steps. The stimulus is cut into stretches of equal
length, and the score is computed without each [1]_. What one stretch of stimulus, and
the noise of the cells in it, brings to the score is so counted together. The interval
is that of Student's t with one degree of freedom fewer than there are stretches. It is
deterministic; a bootstrap of the same stretches has the same mean, and more noise.

Stretches must be long beside what a cell remembers, some tenths of a second, or they
are not independent; with few of them t is wide.

References
----------
.. [1] Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 11 (the
   jackknife); Kunsch (1989), Ann. Stat. 17, 1217-1241 (of stretches of a series).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from ..trials.estimate import Estimate
from ..trials.result import Result

BLOCKS = 10
FEWEST = 3  # cells that an interval over them rests on
FEW = "cells were recorded together and are few: {} are {}"
Sums = Float[np.ndarray, " sum *of"]
Link = tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]
"""A function onto a scale without edges, and the one back."""

PLAIN: Link = (np.asarray, np.asarray)
LENGTH: Link = (np.log, np.exp)
CORRELATION: Link = (np.arctanh, np.tanh)  # Fisher's z
# Of a share of the variance, what is left of it, by factors; and of the share's root.
SHARE: Link = (lambda x: np.log1p(-x), lambda y: -np.expm1(y))
ROOT_OF_SHARE: Link = (
    lambda x: np.log1p(-(x**2)),
    lambda y: np.sqrt(np.maximum(-np.expm1(y), 0)),
)


@dataclass(frozen=True, eq=False)
class PerCell(Result):
    """One quantity of every cell.

    Attributes
    ----------
    cells
        In the order of the recording.
    mean
        Over the cells that have a value, with the t interval over cells: of other cells
        that would be chosen as these were, not of these.
    """

    cells: tuple[Estimate, ...]
    mean: Estimate


@dataclass(frozen=True, eq=False)
class Jackknife:
    """Numbers of every cell, and what they are without each stretch of stimulus.

    Attributes
    ----------
    value
        From all steps.
    left_out
        Without each stretch.
    n_steps
        Steps, or bins, that they rest on.
    """

    value: Float[np.ndarray, " number cell"]
    left_out: Float[np.ndarray, " number block cell"]
    n_steps: int

    def per_cell(
        self, number: int, formula: str, why: str, link: Link = PLAIN
    ) -> PerCell:
        """Give one of the numbers with its standard errors.

        Parameters
        ----------
        why
            What is said where a number is not defined.
        link
            A scale on which the interval is symmetric, if the number is on it.
        """
        found = tuple(
            jackknifed(value, [left_out], self.n_steps, formula, why, link)
            for value, left_out in zip(
                self.value[number], self.left_out[number].T, strict=True
            )
        )
        return PerCell(found, over_cells(found))


def jackknife(
    values: Float[np.ndarray, " step sum cell"],
    statistic: Callable[[Sums], Float[np.ndarray, " number *of"]],
    n_blocks: int,
) -> Jackknife:
    """Compute a function of sums over steps, and again without each stretch of them.

    Parameters
    ----------
    values
        What every step adds to each sum.
    statistic
        From sums to numbers, whatever axes follow.
    n_blocks
        Stretches of the stimulus.

    Raises
    ------
    ValueError
        If there are fewer than two stretches, or more than steps.

    Examples
    --------
    >>> ones = np.ones((6, 1, 1))
    >>> made = np.concatenate([ones, np.arange(6.0)[:, None, None]], axis=1)
    >>> found = jackknife(made, lambda sums: sums[1:] / sums[0], n_blocks=6)
    >>> print(found.per_cell(0, "mean/1", "there are no steps").cells[0])
    2.500 SE 0.764 [0.537, 4.463] n=6 (mean/1)
    """
    if not 2 <= n_blocks <= len(values):
        rule = f"2 to {len(values)}, the number of steps"
        raise ValueError(f"n_blocks must be {rule}, got {n_blocks}")
    starts = np.arange(n_blocks) * len(values) // n_blocks
    blocks = np.add.reduceat(values, starts, axis=0).transpose(1, 0, 2)
    total = blocks.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # no value, and said so
        value = statistic(total)
        left_out = statistic(total[:, None] - blocks)
    return Jackknife(value, left_out, len(values))


def jackknifed(
    value: float,
    left_out: Sequence[Float[np.ndarray, " _"]],
    n: int,
    formula: str,
    why: str,
    link: Link = PLAIN,
) -> Estimate:
    """Return an estimate from what it is without each block.

    Parameters
    ----------
    left_out
        Without each block of one sample, or of each of several that are independent.
    why
        What is said where the value, or one of those left out, is not defined.
    link
        As for `Jackknife.per_cell`.

    Examples
    --------
    >>> left_out = np.array([1.0, 1.2, 0.8, 1.0])
    >>> jackknifed(1.0, [left_out], 400, "score/1", "there is none").short()
    '1.000 [0.220, 1.780]'
    """
    value = float(value)
    if math.isnan(value):
        return Estimate.missing(formula, why, n)
    if not np.isfinite([value, *np.concatenate(left_out)]).all():
        return Estimate(value, None, None, None, n, formula, why)
    ends = _ends(value, left_out, link)
    if not np.isfinite(ends).all():  # beyond the edge of the link's scale
        ends = _ends(value, left_out, PLAIN)
    low, high = sorted(ends.tolist())
    se = _spread(left_out)
    return Estimate(value, se, min(low, value), max(high, value), n, formula)


def _ends(value: float, left_out: Sequence[np.ndarray], link: Link) -> np.ndarray:
    """Return the ends of the interval of Student's t on a scale."""
    to, back = link
    df = min(map(len, left_out)) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        arm = float(student.ppf(0.975, df)) * _spread([to(each) for each in left_out])
        return back(to(np.array([value])) + arm * np.array([-1.0, 1.0]))


def _spread(left_out: Sequence[np.ndarray]) -> float:
    """Return the standard error of what was computed without each block."""
    variances = [(len(each) - 1) * np.var(each) for each in left_out]
    return math.sqrt(float(np.sum(variances)))


def over_cells(found: tuple[Estimate, ...]) -> Estimate:
    """Return the mean over cells, with the t interval over them.

    Cells without a value are left out, and counted in the note.

    Examples
    --------
    >>> cells = tuple(Estimate.missing("r/1", "silent") for _ in range(2))
    >>> over_cells(cells).note
    'no cell has a value: silent'
    """
    formula = found[0].formula
    known = [one.value for one in found if one.value is not None]
    values = np.array([value for value in known if math.isfinite(value)])
    n = len(values)
    if not n:
        reason = next((one.note for one in found if one.note), "no finite value")
        return Estimate.missing(formula, f"no cell has a value: {reason}")
    left_out = len(found) - n
    notes = [FEW.format(n, n)]
    if left_out:
        notes += [f"{left_out} of {len(found)} left out, without a finite value"]
    mean = float(values.mean())
    if n < FEWEST:  # an interval would be of two numbers, and say nothing
        return Estimate(mean, None, None, None, n, formula).with_note(*notes)
    se = float(values.std(ddof=1)) / math.sqrt(n)
    arm = float(student.ppf(0.975, n - 1)) * se
    made = Estimate(mean, se, mean - arm, mean + arm, n, formula)
    return made.with_note(*notes)
