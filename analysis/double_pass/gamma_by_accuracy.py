"""Does internal noise change with accuracy? Its slope over contrasts, in two ways.

A probability-matching observer without internal noise looks as if it had gamma 1.9 at
58 % correct and .9 at 75 %; noise that is added gives one gamma at all accuracies. So
gamma by accuracy tells kinds of observers apart [1]_.

The recipe of Murray, Patel & Yee [1]_, figure 3: gamma of each contrast that has more
than 100 pairs and an upper limit below twice gamma, and a straight line through these
over the proportion correct of the pairs. It leaves out the contrasts that are hardest
to measure, and weighs the others alike.

One likelihood: log gamma = a + b z with z the unbiased accuracy of the contrast in SDs
(half of z(H) - z(F), of all its trials), for the pairs of every contrast, each with a
mean of its own for every cell:

    L(a, b) = sum over contrasts of max over means of log P(pairs; r)
    r = 1 / (1 + gamma^2), log gamma = a + b z

References
----------
.. [1] Murray, Patel & Yee (2015), PLOS Comput. Biol. 11, e1004342, figure 3.
.. [2] Venzon & Moolgavkar (1988), Appl. Stat. 37, 87-94 (profile likelihood).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.interpolate import CubicSpline
from scipy.special import ndtr, ndtri, owens_t
from scipy.stats import chi2
from scipy.stats import t as student

from ..trials.counts import loglinear_rate
from ..trials.estimate import CannotTell, Estimate
from ..trials.responses import Responses
from ..trials.result import Result
from .internal_noise import internal_noise_likelihood, pair_counts, pair_responses
from .likelihood import PairCounts, cell_z

RECIPE = "gamma-on-accuracy-murray2015/1"
SLOPE = "log-gamma-on-z-likelihood/1"
RECIPE_PAIRS = 100  # a contrast of the recipe has more
LEAST_PAIRS = 20  # of a contrast that enters the likelihood: each cell has a mean
_GRID = np.linspace(-3.0, 3.0, 81)  # of log gamma: .05 to 20
_STEEPEST = 6.0  # of the slope; limits beyond it are infinite


@dataclass(frozen=True, eq=False)
class GammaByAccuracy(Result):
    """How gamma changes with accuracy, over contrasts.

    Attributes
    ----------
    recipe
        Slope of gamma on proportion correct, by the recipe of Murray et al. (2015).
    recipe_contrasts
        The contrasts that it rests on.
    slope
        Of log gamma on z, by one likelihood: gamma is multiplied by e^slope where the
        unbiased accuracy rises by one SD.
    contrasts
        The contrasts that it rests on.
    p
        Chance of a likelihood ratio as large where gamma is the same at all contrasts;
        None without a slope.
    """

    recipe: Estimate
    recipe_contrasts: Float[np.ndarray, " chosen"]
    slope: Estimate
    contrasts: Float[np.ndarray, " contrast"]
    p: float | None


def gamma_by_accuracy(responses: Responses) -> GammaByAccuracy:
    """Estimate the slope of gamma over accuracy from a double pass at some contrasts.

    Raises
    ------
    CannotTell
        If the task has more than two alternatives, or fewer than two contrasts have 20
        pairs in which responses varied.

    Examples
    --------
    >>> import yoked
    >>> from dataclasses import replace
    >>> from yoked.analysis.trials.responses import responses
    >>> from yoked.experiments.protocols.parts import Contrast
    >>> protocol = yoked.load_protocol("bar-in-noise").with_options(1800, contrast=0.1)
    >>> protocol = replace(protocol, contrast=Contrast((0.06, 0.12, 0.18)))
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, internal_noise=1.0)
    >>> found = gamma_by_accuracy(responses(session)).slope
    >>> found.low < 0 < found.high
    True
    """
    cell, first, second = pair_responses(responses, by_contrast=True)
    of_pair = np.searchsorted(
        responses.contrasts, responses.contrast[responses.second_rows]
    )
    chosen, n_pairs = [], np.bincount(of_pair, minlength=len(responses.contrasts))
    for k in np.flatnonzero(n_pairs >= LEAST_PAIRS):
        counts = _counts(cell, first, second, of_pair == k)
        varied = (counts[:, 0] + counts[:, 1] > 0) & (counts[:, 1] + counts[:, 2] > 0)
        if varied.any():
            chosen.append((int(k), counts[varied]))
    if len(chosen) < 2:
        rule = f"two or more with {LEAST_PAIRS} pairs and both responses"
        raise CannotTell(f"contrasts must be {rule}, got {len(chosen)}")
    kept = [k for k, _ in chosen]
    slope, p = _likelihood_slope(responses, kept, [counts for _, counts in chosen])
    recipe, recipe_contrasts = _recipe(responses, n_pairs)
    return GammaByAccuracy(
        recipe, recipe_contrasts, slope, responses.contrasts[kept], p
    )


def _counts(
    cell: Int[np.ndarray, " pair"],
    first: Bool[np.ndarray, " pair"],
    second: Bool[np.ndarray, " pair"],
    rows: Bool[np.ndarray, " pair"],
) -> PairCounts:
    _, own = np.unique(cell[rows], return_inverse=True)
    counts = np.zeros((int(own.max()) + 1, 3), np.int64)
    np.add.at(counts, (own, 2 - first[rows].astype(np.int64) - second[rows]), 1)
    return counts


def _recipe(
    responses: Responses, n_pairs: Int[np.ndarray, " contrast"]
) -> tuple[Estimate, Float[np.ndarray, " chosen"]]:
    """The straight line of figure 3, and the contrasts that it goes through."""
    points = []
    for contrast in responses.contrasts[n_pairs > RECIPE_PAIRS]:
        part = responses.where(responses.contrast == contrast)
        gamma = internal_noise_likelihood(pair_counts(part)).gamma
        if gamma.value is None or gamma.high is None or not gamma.value > 0:
            continue
        if gamma.high < 2 * gamma.value:
            second = part.second_rows
            both = part.correct[np.concatenate([second, part.first[second]])]
            points.append((float(contrast), float(both.mean()), gamma.value))
    contrast, correct, gamma = np.array(points).reshape(-1, 3).T
    n = int(n_pairs[np.isin(responses.contrasts, contrast)].sum())
    if len(points) < 3 or not np.ptp(correct) > 0:
        rule = f"more than {RECIPE_PAIRS} pairs and an upper limit below twice gamma"
        reason = f"{len(points)} contrasts have {rule}: a line needs three"
        return Estimate.missing(RECIPE, reason, n), contrast
    about = correct - correct.mean()
    slope = float(about @ gamma) / float(about @ about)
    residual = gamma - gamma.mean() - slope * about
    df = len(points) - 2
    se = math.sqrt(float(residual @ residual) / df / float(about @ about))
    reach = float(student.ppf(0.975, df)) * se
    note = f"an unweighted line through {len(points)} contrasts"
    return Estimate(slope, se, slope - reach, slope + reach, n, RECIPE, note), contrast


def _likelihood_slope(
    responses: Responses, kept: list[int], counts: list[PairCounts]
) -> tuple[Estimate, float | None]:
    """Slope of log gamma on z with its profile interval, and p of no slope."""
    n = int(sum(each.sum() for each in counts))
    z = np.array([_accuracy(responses, float(responses.contrasts[k])) for k in kept])
    if not np.ptp(z) > 1e-9:
        reason = "accuracy is the same at every contrast"
        return Estimate.missing(SLOPE, reason, n), None
    curves = [CubicSpline(_GRID, _by_gamma(each)) for each in counts]
    centre = float(np.average(z, weights=[each.sum() for each in counts]))

    def profile(slopes: np.ndarray) -> Float[np.ndarray, " slope"]:
        return _best_level(curves, z - centre, slopes)

    slopes = np.linspace(-_STEEPEST, _STEEPEST, 121)
    values = profile(slopes)
    near = slopes[int(values.argmax())]
    fine = np.linspace(near - 0.1, near + 0.1, 41)
    values_near = profile(fine)
    best, top = float(fine[values_near.argmax()]), float(values_near.max())
    least = top - float(chi2.ppf(0.95, 1)) / 2
    low = -_end(lambda x: profile(-x), -best, -slopes[::-1], least)
    high = _end(profile, best, slopes, least)
    p = float(chi2.sf(2 * max(top - float(profile(np.zeros(1))[0]), 0.0), 1))
    curvature = 2 * top - float(profile(np.array([best - 0.05, best + 0.05])).sum())
    se = 0.05 / math.sqrt(curvature) if curvature > 0 else None
    return Estimate(best, se, min(low, best), max(high, best), n, SLOPE), p


def _end(
    profile: Callable[[np.ndarray], np.ndarray],
    best: float,
    grid: np.ndarray,
    least: float,
) -> float:
    """Where the profile falls below a value to the right of its maximum."""
    grid = np.concatenate([[best], grid[grid > best]])
    for _ in range(2):
        below = np.flatnonzero(profile(grid) < least)
        if not len(below):
            return math.inf
        k = max(int(below[0]), 1)
        grid = np.linspace(grid[k - 1], grid[k], 21)
    values = profile(grid)
    k = max(int(np.argmax(values < least)), 1)
    share = (values[k - 1] - least) / (values[k - 1] - values[k])
    return float(grid[k - 1] + share * (grid[k] - grid[k - 1]))


def _accuracy(responses: Responses, contrast: float) -> float:
    """Half of z(H) - z(F) of the trials at a contrast: z of unbiased accuracy."""
    rows = responses.contrast == contrast
    z = []
    for target in (0, 1):
        own = rows & (responses.target == target)
        if own.any():
            correct = int(responses.correct[own].sum())
            z.append(float(ndtri(loglinear_rate(correct, int(own.sum())))))
    return float(np.mean(z))


def _best_level(
    curves: list[CubicSpline], z: Float[np.ndarray, " contrast"], slopes: np.ndarray
) -> Float[np.ndarray, " slope"]:
    """Log likelihood at each slope, highest over the level a."""
    levels = np.broadcast_to(_GRID, (len(slopes), len(_GRID)))
    total = _total(curves, z, slopes, levels)
    for step in (0.075, 0.0075):
        best = np.take_along_axis(levels, total.argmax(1)[:, None], 1)
        levels = best + np.linspace(-step, step, 21)
        total = _total(curves, z, slopes, levels)
    return total.max(1)


def _total(
    curves: list[CubicSpline],
    z: Float[np.ndarray, " contrast"],
    slopes: np.ndarray,
    levels: np.ndarray,
) -> Float[np.ndarray, " slope level"]:
    total = np.zeros(levels.shape)
    for curve, at in zip(curves, z, strict=True):
        logs = levels + (slopes * at)[:, None]
        total += curve(np.clip(logs, _GRID[0], _GRID[-1]))
    return total


def _by_gamma(counts: PairCounts) -> Float[np.ndarray, " grid"]:
    """Log likelihood of the pairs of a contrast at each log gamma of the grid.

    Maximal over the mean of every cell, in each of which it is concave.
    """
    r = 1 / (1 + np.exp(2 * _GRID))
    shape = np.sqrt((1 - r) / (1 + r))[:, None]
    middle, golden = np.tile(cell_z(counts), (len(r), 1)), (math.sqrt(5) - 1) / 2
    low, high = middle - 2, middle + 2
    for _ in range(24):
        left, right = high - golden * (high - low), low + golden * (high - low)
        at_left, at_right = (_log_likelihood(z, shape, counts) for z in (left, right))
        rises = at_left < at_right
        low, high = np.where(rises, left, low), np.where(rises, high, right)
    return _log_likelihood((low + high) / 2, shape, counts).sum(1)


def _log_likelihood(
    z: Float[np.ndarray, " grid cell"],
    shape: Float[np.ndarray, " grid 1"],
    counts: PairCounts,
) -> Float[np.ndarray, " grid cell"]:
    once = 2 * owens_t(z, shape)  # either order has this chance
    chances = np.stack([ndtr(z) - once, once, ndtr(-z) - once], axis=-1)
    return (counts * np.log(np.maximum(chances, 1e-300))).sum(-1)
