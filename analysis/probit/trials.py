"""The probit model's design: standard noise, fits that exist, and what moves them."""

import math

import numpy as np
from jaxtyping import Float, Int

from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell
from ..trials.score import STILL, varies
from .newton import (
    BinaryResponses,
    Coordinates,
    Solution,
    centred,
    fit,
    log_likelihoods,
    slopes,
)

SEPARABLE = (
    "responses must not be separable by the noise without a penalty (an observer "
    "without internal noise has no finite fit)"
)


def standardised(
    noise: Float[np.ndarray, " trial element"], cell: Int[np.ndarray, " trial"]
) -> tuple[Float[np.ndarray, " trial element"], float]:
    """Return noise about the mean of its cell, divided by its SD, and that SD.

    Raises
    ------
    ValueError
        If the noise never varies within a cell.
    """
    x = centred(noise, cell)
    squares = np.einsum("ij,ij->j", x, x, dtype=np.float64)
    scale = math.sqrt(float(squares.sum()) / max(x.size, 1))
    if not (scale > 0 and varies(noise, cell).any()):
        raise CannotTell(STILL)
    x /= scale
    return x, scale


def influence(
    axes: Coordinates,
    responses: BinaryResponses,
    solution: Solution,
    penalty: float,
    cluster: Int[np.ndarray, " trial"],
) -> Float[np.ndarray, " field coefficient"]:
    """Return what each noise field added to the fit: T with T'T its covariance.

    The sandwich estimate: H^-1 times the score of each trial, showings of one noise
    field added. A trial pulls the fit towards itself, which makes its score too small;
    it is divided by one less its leverage, as in the jackknife.
    """
    slope, curvature = slopes(solution.predictor, responses.response)
    slope, curvature = responses.weight * slope, responses.weight * curvature
    of_cell = np.maximum(responses.by_cell(curvature), 1e-12)
    kind = axes.x.dtype
    x, root = axes.x.copy(), np.sqrt(curvature).astype(kind)[:, None]
    for c in np.unique(responses.cell):
        rows = responses.cell == c
        x[rows] -= (curvature[rows].astype(kind) @ x[rows]) / kind.type(of_cell[c])
    weighted = root * x
    hessian = (weighted.T @ weighted).astype(np.float64) + penalty * np.eye(x.shape[1])
    pulled = x @ np.linalg.inv(hessian).astype(kind)
    leverage = curvature * (
        np.einsum("ij,ij->i", pulled, x) + 1 / of_cell[responses.cell]
    )
    pulled *= (slope / np.clip(1 - leverage, 0.1, 1)).astype(kind)[:, None]
    order = np.argsort(cluster, kind="stable")
    _, start = np.unique(cluster[order], return_index=True)
    return np.add.reduceat(pulled[order], start, axis=0)


def solve(
    axes: Coordinates, trials: TrialDesign, penalty: float
) -> tuple[BinaryResponses, Solution]:
    """Fit standardised noise closely; refuse what has no finite fit.

    Raises
    ------
    ValueError
        As for `fit_probit`.
    """
    n, p = axes.x.shape
    check_penalty(penalty, n, axes.back.shape[0])
    responses = BinaryResponses(trials.response, trials.cell, np.ones(len(trials)))
    if penalty == 0:
        responses = _with_both_responses(responses)
    solution = fit(axes, responses, penalty, tolerance=1e-9)
    here = responses.weight > 0
    right = (solution.predictor > 0) == trials.response
    if penalty == 0 and (not solution.is_found or (p and np.all(right[here]))):
        raise CannotTell(f"{SEPARABLE}, got {n} trials of {p} elements")
    return responses, solution


def _with_both_responses(responses: BinaryResponses) -> BinaryResponses:
    """Leave out cells with one response only: their best intercept is infinite."""
    n, yes = (
        responses.by_cell(responses.weight),
        responses.by_cell(1.0 * responses.response),
    )
    both = (yes > 0) & (yes < n)
    return BinaryResponses(
        responses.response, responses.cell, responses.weight * both[responses.cell]
    )


def log_likelihood(responses: BinaryResponses, solution: Solution) -> float:
    """Return the log likelihood of the responses that count, in nats."""
    return float(
        responses.weight @ log_likelihoods(solution.predictor, responses.response)
    )


def check_penalty(penalty: float, n: int, p: int) -> None:
    """Raise ValueError unless p slopes can be fitted to n trials under this penalty."""
    if not penalty >= 0:
        raise ValueError(f"penalty must be >= 0, got {penalty}")
    if penalty == 0 and p >= n:
        rule = "> 0 where the noise has as many elements as there are trials"
        raise CannotTell(f"penalty must be {rule}, got {p} elements, {n} trials")
