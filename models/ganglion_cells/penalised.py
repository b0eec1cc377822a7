"""Fits of exp-linear rates with L1 and quadratic penalties: proximal Newton.

What is minimised over the weights w of one cell, X the design of all steps:

    -sum_t log p(n_t | X_t w + offset_t)  +  sum_j l1_j |w_j|  +  w' Q w

Each round takes the likelihood's quadratic form with the expected curvature, minimises
it with the penalties by coordinate descent, and goes as far along as the whole
falls [1]_. The curvature is most of the work, and is used for several rounds; the last
round always has its own. All of it is concave in w, so there is one optimum.

References
----------
.. [1] Lee, Sun & Saunders (2014), Proximal Newton-type methods for minimizing composite
   functions. SIAM J. Optim. 24, 1420-1443.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from .likelihood import Slopes, log_likelihood, require_likelihood, slopes
from .penalised_numba import minimise_quadratic

ROUNDS = 50
TOLERANCE = 1e-3  # of the objective, in nats: far below what one spike tells
ROUGHLY = 0.1  # enough to compare penalties by
AGE = 5  # rounds that a curvature is used for
_SMALLEST_STEP = 2.0**-20


@dataclass(frozen=True, eq=False)
class Chunk:
    """A part of the steps that a cell is fitted on.

    Attributes
    ----------
    design
        A row for each step; what is constant has a column of ones.
    counts
        Spikes of each step.
    offset
        What is added to the logarithm of the rate; None is 0.
    counted
        1 for the steps that count, 0 for those in which a cell cannot fire; None where
        all count.
    """

    design: Float32[Tensor, " step weight"]
    counts: Float32[Tensor, " step"]
    offset: Float32[Tensor, " step"] | None = None
    counted: Float32[Tensor, " step"] | None = None


@dataclass(frozen=True, eq=False)
class Penalty:
    """What weights cost.

    Attributes
    ----------
    l1
        Factor on the size of each weight; 0 leaves it free.
    quadratic
        The matrix Q, symmetric and without negative eigenvalues.
    """

    l1: Float64[np.ndarray, " weight"]
    quadratic: Float64[np.ndarray, " weight weight"]


class NotFinite(ValueError):
    """Something that a fit needs is no finite number."""


def fit_weights(
    chunks: Sequence[Chunk],
    penalty: Penalty,
    likelihood: str = "poisson",
    start: Float64[np.ndarray, " weight"] | None = None,
    tolerance: float = TOLERANCE,
) -> Float64[np.ndarray, " weight"]:
    """Find the weights of one cell.

    Parameters
    ----------
    chunks
        The steps, in parts that fit into memory; on one device.
    start
        Where to begin: near the optimum it takes fewer rounds.
    tolerance
        Of the objective in nats: a round that gains less is the last.

    Raises
    ------
    NotFinite
        If a design, or the likelihood at the start, is not finite.

    Examples
    --------
    >>> ones = torch.ones(4, 1)
    >>> one = Chunk(ones, torch.tensor([0.0, 1.0, 0.0, 1.0]))
    >>> free = Penalty(np.zeros(1), np.zeros((1, 1)))
    >>> fit_weights([one], free).round(3).tolist()  # log of the mean
    [-0.693]
    """
    require_likelihood(likelihood)
    for chunk in chunks:
        for values in (chunk.design, chunk.counts):
            if not torch.isfinite(values).all():
                what = "stimulus and spikes in a fit"
                raise NotFinite(f"{what} must be finite numbers, got NaN or infinity")
    w = np.zeros(len(penalty.l1)) if start is None else start.copy()
    value, slope = _likelihood(chunks, w, likelihood)
    cost = -value + _penalty(penalty, w)
    if not np.isfinite(cost):
        raise NotFinite(f"the likelihood at the start must be finite, got {value}")
    curvature, age = _curvature(chunks, w, likelihood), 0
    for _ in range(ROUNDS):
        gradient = -slope + 2 * penalty.quadratic @ w
        hessian = curvature + 2 * penalty.quadratic
        target = minimise_quadratic(hessian, gradient, penalty.l1, w)
        w, (value, slope), new = _along(chunks, penalty, likelihood, w, target, cost)
        fell, cost, age = cost - new, new, age + 1
        if fell < tolerance and age == 1:
            break
        if fell < tolerance or age == AGE:  # is it the optimum, or is this too old?
            curvature, age = _curvature(chunks, w, likelihood), 0
    return w


_Found = tuple[float, np.ndarray]


def _along(
    chunks: Sequence[Chunk],
    penalty: Penalty,
    likelihood: str,
    w: np.ndarray,
    target: np.ndarray,
    cost: float,
) -> tuple[np.ndarray, _Found, float]:
    """Go toward a target, half as far each time that the cost does not fall."""
    share = 1.0
    while share > _SMALLEST_STEP:
        new = w + share * (target - w)
        found = _likelihood(chunks, new, likelihood)
        new_cost = -found[0] + _penalty(penalty, new)
        if new_cost <= cost:
            return new, found, new_cost
        share /= 2
    return w, _likelihood(chunks, w, likelihood), cost


def _penalty(penalty: Penalty, w: np.ndarray) -> float:
    return float(penalty.l1 @ np.abs(w) + w @ penalty.quadratic @ w)


def _likelihood(
    chunks: Sequence[Chunk], w: Float64[np.ndarray, " weight"], likelihood: str
) -> _Found:
    """Add up the log-likelihood and its slope."""
    value, slope = 0.0, np.zeros(len(w))
    for chunk in chunks:
        parts = _slopes(chunk, w, likelihood)
        value += float(parts.value.double().sum())
        slope += (chunk.design.T @ parts.slope).double().cpu().numpy()
    return value, slope


def _curvature(
    chunks: Sequence[Chunk], w: Float64[np.ndarray, " weight"], likelihood: str
) -> Float64[np.ndarray, " weight weight"]:
    """Add up the expected curvature: most of the work of a fit."""
    found = np.zeros((len(w), len(w)))
    for chunk in chunks:
        parts = _slopes(chunk, w, likelihood)
        weighted = chunk.design * parts.curvature[:, None]
        found += (weighted.T @ chunk.design).double().cpu().numpy()
    return (found + found.T) / 2


def _slopes(chunk: Chunk, w: Float64[np.ndarray, " weight"], likelihood: str) -> Slopes:
    parts = slopes(chunk.counts, _eta(chunk, w), likelihood)
    if chunk.counted is None:
        return parts
    return parts._make(part * chunk.counted for part in parts)


def _eta(chunk: Chunk, w: Float64[np.ndarray, " weight"]) -> Float32[Tensor, " step"]:
    """Give the logarithm of each step's rate."""
    at = torch.as_tensor(w, dtype=torch.float32, device=chunk.design.device)
    eta = chunk.design @ at
    return eta if chunk.offset is None else eta + chunk.offset


def total_log_likelihood(
    chunks: Sequence[Chunk], w: Float64[np.ndarray, " weight"], likelihood: str
) -> float:
    """Add up the log-likelihood of all steps that count, in nats."""
    value = 0.0
    for chunk in chunks:
        found = log_likelihood(chunk.counts, _eta(chunk, w), likelihood)
        found = found if chunk.counted is None else found * chunk.counted
        value += float(found.double().sum())
    return value
