"""The local average: what a cell answers to around one image, and with which sign.

A fixed image is shown many times, each time with another weak perturbation added, and
the spikes of each presentation are counted [1]_. The mean perturbation before spikes
less the mean perturbation is the same kernel as in `triggered.py`: a spike is a "yes",
a presentation a "no". In weak white perturbations of variance v it nears

    v x (gradient of the expected count at the image) / (expected count),

by Stein's lemma the mean gradient over the perturbations; so it depends on the image,
and a cell that answers to light around one image may answer to dark around another.

Counts of one presentation share its perturbation, so a presentation is the unit of all
errors. Polarity is the sign of the average within the cell's centre: its weighted sum,
held against that of counts exchanged between presentations, which is exact if counts do
not depend on the perturbations. A cell changes its polarity if it is positive around
one image and negative around another, each corrected for the number of images [2]_.

References
----------
.. [1] Goldin, Lefebvre, Virgili, Pham Van Cang, Ecker, Mora, Ferrari & Marre (2022),
   Nat. Commun. 13, 5556.
.. [2] Berger & Hsu (1996), Stat. Sci. 11, 283-319: both must be so (intersection-union,
   no further correction), with Bonferroni's among the images of each sign.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from ...experiments.stimulus.sources import StoredNoise
from ..kernels.weighted_sum import first_order_kernel
from ..trials.chance import counted_p
from ..trials.estimate import CannotTell, Estimate
from ..trials.result import Result
from .ensemble import as_yes_no

FORMULA = "local-spike-triggered-average/1"
POLARITY = "local-polarity-weighted-sum/1"
CHANGE = "local-polarity-change-intersection-union/1"
ROWS = 1024  # presentations that are worked on at once
FEWEST = 2  # spikes of a cell that has an average

Fields = Float[np.ndarray, " presentation y x"]
CellCounts = Integer[np.ndarray, " _ _"]
"""(presentation, cell)."""
Weights = Float[np.ndarray, " _ y x"]
"""(cell, y, x)."""


@dataclass(frozen=True, eq=False)
class LocalAverage(Result):
    """Averages of all cells around one image.

    Attributes
    ----------
    kernel, se
        Mean perturbation before spikes less the mean perturbation, in the unit of the
        perturbations, and its standard error from presentations; NaN of a cell with
        fewer than two spikes.
    polarity
        Weighted sum of the average within the centre of each cell; above 0 answers to
        light. Weights add up to 1.
    p
        Chance of a sum as far from 0, if counts do not depend on the perturbations;
        1 of a cell without a spike. Never below 1 / (n_permutations + 1).
    p_positive, p_negative
        Chance of a sum as large, and as small.
    n_spikes
        Of each cell.
    n_presentations
        What the mean perturbation is of.
    """

    kernel: Float[np.ndarray, " cell y x"]
    se: Float[np.ndarray, " cell y x"]
    polarity: tuple[Estimate, ...]
    p: tuple[float, ...]
    p_positive: tuple[float, ...]
    p_negative: tuple[float, ...]
    n_spikes: tuple[int, ...]
    n_presentations: int
    n_permutations: int
    seed: int
    formula: str = FORMULA


@dataclass(frozen=True, eq=False)
class PolarityChanges(Result):
    """Which cells answer to light around one image and to dark around another.

    Attributes
    ----------
    changes
        Whether each cell does, at level alpha.
    p
        Of each cell: the larger of the smallest p of a positive and of a negative
        polarity, each times the number of images.
    most_positive, most_negative
        The images with the smallest p of either, from 0.
    n_images, alpha
        Images; level of each cell's test.
    """

    changes: tuple[bool, ...]
    p: tuple[float, ...]
    most_positive: tuple[int, ...]
    most_negative: tuple[int, ...]
    n_images: int
    alpha: float
    formula: str = CHANGE


def local_average(
    perturbations: Fields,
    counts: CellCounts,
    centre: Weights,
    n_permutations: int = 1999,
    seed: int = 0,
) -> LocalAverage:
    """Estimate what each cell answers to around an image, and its polarity.

    Parameters
    ----------
    perturbations
        What was added to the image in each presentation.
    counts
        Spikes of each cell in each, recorded or simulated.
    centre
        Weights of each cell's centre, 0 or more; they are brought to add up to 1.
    n_permutations, seed
        Of the counts between presentations, and the seed of their order.

    Raises
    ------
    ValueError
        If counts, perturbations and weights do not fit, a count or a weight is
        negative, a centre is empty, the perturbations never vary, or there are fewer
        than three presentations.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> shown = rng.normal(0, 0.1, (3000, 2, 2))
    >>> rate = np.exp(0.5 + np.stack([3 * shown[:, 0, 1], -3 * shown[:, 0, 1]], axis=1))
    >>> centre = np.zeros((2, 2, 2))
    >>> centre[:, 0, 1] = 1
    >>> found = local_average(shown, rng.poisson(rate), centre)
    >>> [one.short() for one in found.polarity]  # 3 x .1^2
    ['0.028 [0.025, 0.031]', '-0.030 [-0.033, -0.027]']
    """
    _check(perturbations, counts, centre, n_permutations)
    weights = centre / centre.sum(axis=(1, 2), keepdims=True)
    n, n_cells = counts.shape
    shape = n_cells, *perturbations.shape[1:]
    kernel, se = np.full(shape, np.nan), np.full(shape, np.nan)
    for cell in np.flatnonzero(counts.sum(axis=0) >= FEWEST):
        kernel[cell] = _kernel(perturbations, counts[:, cell])
        se[cell] = np.sqrt(_variance(perturbations, counts[:, cell]))
    along = np.einsum("pyx,cyx->cp", perturbations, weights)
    sums = np.einsum("cyx,cyx->c", kernel, weights).tolist()
    ps = _permuted_p(along, counts, n_permutations, seed)
    return LocalAverage(
        kernel=kernel,
        se=se,
        polarity=tuple(map(_polarity, sums, along, counts.T)),
        p=ps[0],
        p_positive=ps[1],
        p_negative=ps[2],
        n_spikes=tuple(counts.sum(axis=0).tolist()),
        n_presentations=n,
        n_permutations=n_permutations,
        seed=seed,
    )


def polarity_changes(
    averages: Sequence[LocalAverage], alpha: float = 0.05
) -> PolarityChanges:
    """Say which cells have another polarity around one image than around another.

    Parameters
    ----------
    averages
        Of the same cells around two images or more.

    Raises
    ------
    ValueError
        If there are fewer than two images, cells differ in number, or too few
        permutations to reach `alpha` among so many images.

    Examples
    --------
    A cell that squares what it sees is of light around one image, of dark around the
    other:

    >>> rng = np.random.default_rng(1)
    >>> added = rng.normal(0, 0.2, (2000, 1, 1)).astype(np.float32)
    >>> of = lambda image: rng.poisson((image + added[:, 0]) ** 2)
    >>> centre = np.ones((1, 1, 1))
    >>> averages = [local_average(added, of(image), centre) for image in (1.0, -1.0)]
    >>> polarity_changes(averages).changes
    (True,)
    """
    n, n_cells = len(averages), {len(one.p) for one in averages}
    if n < 2:
        raise CannotTell(f"images must be two or more, got {n}")
    if len(n_cells) > 1:
        raise ValueError(f"cells must be the same, got {sorted(n_cells)}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1, got {alpha}")
    fewest = min(one.n_permutations for one in averages)
    if n > alpha * (fewest + 1):
        rule = f">= {int(np.ceil(n / alpha - 1e-9)) - 1} for {n} images at {alpha:g}"
        raise ValueError(f"n_permutations must be {rule}, got {fewest}")
    positive, negative = (
        np.array([getattr(one, name) for one in averages], np.float64)
        for name in ("p_positive", "p_negative")
    )
    p = np.minimum(n * np.maximum(positive.min(axis=0), negative.min(axis=0)), 1.0)
    return PolarityChanges(
        changes=tuple((p <= alpha).tolist()),
        p=tuple(p.tolist()),
        most_positive=tuple(positive.argmin(axis=0).tolist()),
        most_negative=tuple(negative.argmin(axis=0).tolist()),
        n_images=n,
        alpha=alpha,
    )


def _check(
    perturbations: Fields, counts: CellCounts, centre: Weights, n_permutations: int
) -> None:
    n, n_cells = counts.shape
    if len(perturbations) != n:
        rule = f"given for each of the {n} presentations"
        raise ValueError(f"perturbations must be {rule}, got {len(perturbations)}")
    if n < 3:
        raise CannotTell(f"presentations must be three or more, got {n}")
    if counts.min() < 0:
        raise ValueError(f"counts must be 0 or more, got {counts.min()}")
    if centre.shape != (n_cells, *perturbations.shape[1:]):
        rule = f"of {n_cells} cells and {perturbations.shape[1:]} elements"
        raise ValueError(f"centre must be {rule}, got {centre.shape}")
    if not np.isfinite(centre).all() or centre.min() < 0:
        raise ValueError(f"weights of a centre must be 0 or more, got {centre.min()}")
    empty = np.flatnonzero(centre.sum(axis=(1, 2)) == 0)
    if empty.size:
        rule = "a weight above 0 for every cell"
        raise ValueError(f"centre must have {rule}, got none for cell {empty[0]}")
    if n_permutations < 1:
        raise ValueError(f"n_permutations must be >= 1, got {n_permutations}")


def _kernel(
    perturbations: Fields, counts: Integer[np.ndarray, " presentation"]
) -> Float[np.ndarray, " y x"]:
    """Return the kernel of spikes as "yes" and presentations as "no"."""
    presentation = np.arange(len(counts))
    trials = as_yes_no(np.repeat(presentation, counts), presentation)
    fields: Any = perturbations[:, None, None]  # one interval, one frame
    return first_order_kernel(trials, StoredNoise(fields)).kernel[0]


def _variance(
    perturbations: Float[np.ndarray, " presentation *shape"],
    counts: Integer[np.ndarray, " presentation"],
) -> Float[np.ndarray, " *shape"]:
    """Return the variance of an average, from what each presentation adds to it."""
    n, share = len(counts), counts / counts.sum()
    fields = perturbations.reshape(n, -1)
    before, mean = share @ fields, fields.mean(axis=0)
    squares = np.zeros(fields.shape[1])
    for start in range(0, n, ROWS):
        rows = slice(start, start + ROWS)
        each = share[rows, None] * (fields[rows] - before) - (fields[rows] - mean) / n
        squares += (each**2).sum(axis=0)
    return (squares * n / (n - 1)).reshape(perturbations.shape[1:])


def _polarity(
    value: float,
    along: Float[np.ndarray, " presentation"],
    counts: Integer[np.ndarray, " presentation"],
) -> Estimate:
    """Give the weighted sum of an average the error of the perturbations' own."""
    n = len(counts)
    if counts.sum() < FEWEST:
        reason = f"spikes must be {FEWEST} or more, got {counts.sum()}"
        return Estimate.missing(POLARITY, reason, n)
    (variance,) = _variance(along[:, None], counts)
    return Estimate.normal(value, float(np.sqrt(variance)), n, POLARITY)


def _permuted_p(
    along: Float[np.ndarray, " cell presentation"],
    counts: CellCounts,
    n_permutations: int,
    seed: int,
) -> tuple[tuple[float, ...], ...]:
    """Return p of either sign, of a positive and of a negative polarity.

    All cells are exchanged alike, so that what they share stays together.
    """
    rng = np.random.default_rng(seed)
    about = along - along.mean(axis=1, keepdims=True)
    observed = np.einsum("cp,pc->c", about, counts)
    n_large, n_small, n_far = (np.zeros(len(along), np.int64) for _ in range(3))
    for _ in range(n_permutations):
        found = np.einsum("cp,pc->c", about, counts[rng.permutation(len(counts))])
        room = 1e-9 * np.abs(observed)
        n_large += found >= observed - room
        n_small += found <= observed + room
        n_far += np.abs(found) >= np.abs(observed) - room
    return tuple(
        tuple(counted_p(int(k), n_permutations) for k in each)
        for each in (n_far, n_large, n_small)
    )
