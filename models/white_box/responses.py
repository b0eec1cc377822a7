"""Kernels of an observer's responses, from gradients of their probability.

What black-box kernels estimate are moments of the noise given the response. For
Gaussian noise of covariance S = sigma^2 I and an event of probability p = 1 - q,

    E[n|event] - E[n|not] = S E[grad f] / (p q) = D
    Cov(n|event) - Cov(n|not) = sym(E[n (grad f)^T]) S / (p q) - (q - p) D D^T

with f the event's probability given the noise (Price 1958; Stein 1981). The right-hand
sides are what is computed here, half by half as in `analysis/second_order/kernel.py`
and in its units.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from .decisions import Decisions, Half
from .means import BatchMeans, stein

FORMULAS = {  # of order, and of whether it is forced choice
    (1, True): "white-box-kernel-forced-choice-gradient/1",
    (1, False): "white-box-kernel-yes-no-gradient/1",
    (2, True): "white-box-kernel2-2afc-stein/1",
    (2, False): "white-box-kernel2-yes-no-stein/1",
}
GROUP = 256  # trials of a batch mean, and those that are crossed
LEAST_GROUPS = 10
RAREST = 1e-3  # below, a kernel is a quotient of two noises

FieldOrMatrix = Float64[np.ndarray, " ..."]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class ResponseKernel:
    """A kernel of the responses, in the units of `yoked.kernel`.

    Attributes
    ----------
    kernel, se
        The sum of the halves, and the standard error of each element. Order 1: a field
        (frame, row, column), in contrast; order 2: a matrix of elements by elements, in
        contrast squared.
    target_half, target_half_se
        From the noise that came with the target: that of the target alternative, or of
        signal trials.
    nontarget_half, nontarget_half_se
        From the other noise, with the sign with which it enters the sum.
    order
        1 or 2.
    formula
        Name and version.
    """

    kernel: FieldOrMatrix
    se: FieldOrMatrix
    target_half: FieldOrMatrix
    target_half_se: FieldOrMatrix
    nontarget_half: FieldOrMatrix
    nontarget_half_se: FieldOrMatrix
    order: int
    formula: str


@dataclass(frozen=True, eq=False)
class Responses:
    """Kernels of the responses of both orders, and how often each event was."""

    kernels: tuple[ResponseKernel, ...]
    probabilities: tuple[float, float]


def groups(trials: int) -> list[tuple[int, int]]:
    """Give first trial and number of trials of every batch mean.

    Examples
    --------
    >>> groups(700)[:2], len(groups(700)), len(groups(51200))
    ([(0, 70), (70, 70)], 10, 200)
    """
    n = max(LEAST_GROUPS, -(-trials // GROUP))
    edges = [trials * i // n for i in range(n + 1)]
    return [(low, high - low) for low, high in pairwise(edges)]


def response_kernels(
    decisions: Decisions,
    trials: int,
    orders: int,
    noise_sd: float,
    shape: tuple[int, int, int],
    is_forced_choice: bool,
    progress: Progress,
) -> Responses:
    """Average over batches of trials, and give the kernels of orders 1 to `orders`.

    Parameters
    ----------
    decisions
        Gives gradients.
    trials, orders
        How many trials, and down to which order.
    noise_sd, shape
        Of the noise: realised SD, and frames, rows and columns.
    progress
        Called with 'responses', trials done and trials in all.

    Raises
    ------
    ValueError
        If a response is so rare that there is nothing to tell it from.
    """
    moments = [BatchMeans() for _ in range(orders)]  # of n^(order - 1) grad f
    spread = [BatchMeans() for _ in range(orders)]  # of kernels
    chance = BatchMeans()
    for first, n in groups(trials):
        halves = decisions.halves(first, n)
        p = np.array([half.probability for half in halves])
        sums = [
            np.stack([_moment(half, order) for half in halves])
            for order in range(1, orders + 1)
        ]
        chance.add(p)
        for each, total in zip(moments, sums, strict=True):
            each.add(total)
        for each, kernels in zip(spread, _kernels(sums, p, noise_sd), strict=True):
            each.add(np.stack([*kernels, kernels.sum(0)]))
        progress("responses", first + n, trials)
    rare = float(np.minimum(chance.mean, 1 - chance.mean).min())
    if rare < RAREST:
        rule = f"at least {RAREST:g} of the trials, to have a kernel"
        raise ValueError(f"each response must be {rule}, got {rare:.2g}")
    found = _kernels([each.mean for each in moments], chance.mean, noise_sd)
    return Responses(
        kernels=tuple(
            _kernel(kernels, each.se, order, shape, is_forced_choice)
            for order, (kernels, each) in enumerate(zip(found, spread, strict=True), 1)
        ),
        probabilities=(float(chance.mean[0]), float(chance.mean[1])),
    )


def _moment(half: Half, order: int) -> np.ndarray:
    return half.gradient.mean(0) if order == 1 else stein(half.noise, half.gradient)


def _kernels(moments: list[np.ndarray], p: np.ndarray, sd: float) -> list[np.ndarray]:
    """Turn mean gradients, and Stein's moments, into halves of kernels."""
    q = 1 - p
    factor = sd**2 / np.maximum(p * q, RAREST**2)
    first = factor[:, None] * moments[0]
    if len(moments) == 1:
        return [first]
    brought = (q - p)[:, None, None] * first[:, :, None] * first[:, None, :]
    return [first, factor[:, None, None] * moments[1] - brought]


def _kernel(
    halves: np.ndarray,
    se: np.ndarray,
    order: int,
    shape: tuple[int, int, int],
    is_forced_choice: bool,
) -> ResponseKernel:
    values = np.stack([*halves, halves.sum(0)])
    if order == 1:
        values, se = (each.reshape(3, *shape) for each in (values, se))
    return ResponseKernel(
        kernel=values[2],
        se=se[2],
        target_half=values[0],
        target_half_se=se[0],
        nontarget_half=values[1],
        nontarget_half_se=se[1],
        order=order,
        formula=FORMULAS[order, is_forced_choice],
    )
