"""Kernels of both orders for many sets of responses to the same trials, at once.

A permutation test needs the same sums hundreds of times. Permuting changes which trials
are in a class; the outer product of a trial's noise stays. So a few elements have their
products made once, and a batch of replicates is one matrix product; many elements are
summed one by one. Both halves of order 1, and the sum of those of order 2, as
`kernels/classes.py` has the classes and what a trial counts in them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32

from ..kernels.classes import Classes
from ..trials.attempts import Share
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell
from ..trials.resample import NOTHING_TO_EXCHANGE, permuted_rows
from ..trials.score import ONE_KIND, STILL, varies
from ..trials.shown import OPPOSITE, require_few_coefficients

LEAST_FIELDS = 3  # of a stimulus class that folds and resampling can be made of
MANY_ELEMENTS = 128  # above, products of all pairs of elements are not kept
CHUNK_BYTES = 2**26
ROWS = 4096  # of the noise that are multiplied at once
MAX_BYTES = 2**31


@dataclass(frozen=True, eq=False)
class Replicates:
    """Kernels of several sets of responses to the same trials.

    Attributes
    ----------
    halves
        First-order kernels, target and other, each as it adds to the kernel; contrast.
    second
        Second-order kernels, the sum of their halves; contrast^2.
    """

    halves: Float32[np.ndarray, " replicate 2 element"]
    second: Float32[np.ndarray, " replicate element element"]


def well_filled(trials: TrialDesign) -> TrialDesign:
    """Return the trials without contrasts that are too rare for a second order.

    A contrast that does not enter the kernel, as one of its stimulus-response classes
    has not the two trials that a covariance needs, is left out if one of its stimulus
    classes showed fewer than three noise fields; so all parts of a second order are
    what they are without it. Contrasts that are well filled stay, whatever the
    responses.

    Raises
    ------
    CannotTell
        If no contrast is left, no class of stimuli has both responses, or the noise
        does not vary.
    """
    classes = Classes.of(trials)
    _, first = np.unique(trials.cell, return_index=True)
    of_contrast = np.searchsorted(classes.contrasts, trials.contrast[first])
    few = np.bincount(of_contrast, trials.fields_by_cell < LEAST_FIELDS) > 0
    enters = classes.complete(2)[0].any(axis=1)
    kept = trials.of_classes((enters | ~few)[of_contrast], LEAST_FIELDS)
    require_few_coefficients(kept.basis)
    if kept.is_forced_choice and np.array_equal(*kept.halves):
        raise CannotTell(OPPOSITE)
    yes = np.bincount(kept.cell, kept.response)
    if not np.any((yes > 0) & (yes < np.bincount(kept.cell))):
        raise CannotTell(ONE_KIND)
    if not varies(kept.noise, kept.cell).any():
        raise CannotTell(STILL)
    return kept


def observed(trials: TrialDesign) -> Replicates:
    """Return the kernels of the responses given, as a single replicate.

    Raises
    ------
    ValueError
        If no contrast has two trials or more in every class.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> noise = rng.normal(size=(2, 40, 3)).astype(np.float32)
    >>> target = np.arange(40) % 2
    >>> trials = TrialDesign(
    ...     response=rng.random(40) < 0.5, target=target, cell=target,
    ...     contrast=np.ones(40), cluster=np.arange(40), stratum=target,
    ...     halves=noise, shape=(1, 1, 3), is_forced_choice=True)
    >>> observed(trials).second.shape
    (1, 3, 3)
    """
    return _replicates(trials, trials.response[None], None)


def permuted(
    trials: TrialDesign, n: int, seed: int, progress: Share | None = None
) -> Replicates:
    """Return kernels of responses permuted within class and block, pairs as pairs.

    What they would be if responses did not depend on the noise [1]_.

    Raises
    ------
    ValueError
        If the kernels need more than 2 GiB, or no contrast has two trials or more in
        every class.

    References
    ----------
    .. [1] Schwartz, Pillow, Rust & Simoncelli (2006), J. Vision 6(4):13.
    """
    _check_size(trials, n)
    rng = np.random.default_rng(seed)
    response = trials.response[permuted_rows(trials.stratum, trials.cluster, n, rng)]
    if np.all(response == trials.response):
        raise CannotTell(NOTHING_TO_EXCHANGE)
    return _replicates(trials, response, progress)


def off_diagonal_se(trials: TrialDesign) -> float:
    """Return the SE of an off-diagonal element of H2 without second order, contrast^2.

    The mean noise variance, times the root of the sum over noise fields of squared
    coefficients: sigma^2 sqrt(2 / (N Pc (1 - Pc))) for one contrast in 2AFC. For white
    noise; on the diagonal it is sqrt(2) times as large.
    """
    together = trials.by_field(Classes.of(trials).coefficients(2)[0])
    n_halves = 2 if trials.is_forced_choice else 1
    return noise_sd(trials) ** 2 * float(np.sqrt(n_halves * (together**2).sum()))


def noise_sd(trials: TrialDesign) -> float:
    """Return the SD of the noise of a field, over trials and elements; contrast."""
    shown = 0.0
    for half in trials.halves:
        for start in range(0, len(half), ROWS):
            part = half[start : start + ROWS].ravel().astype(np.float64)
            shown += float(part @ part)
    n_fields = len(trials) * (2 if trials.is_forced_choice else 1)
    return float(np.sqrt(shown / (n_fields * trials.halves.shape[2])))


def _check_size(trials: TrialDesign, n: int) -> None:
    if n < 1:
        raise ValueError(f"the number of replicates must be >= 1, got {n}")
    size = 4 * n * trials.halves.shape[2] ** 2
    if size > MAX_BYTES:
        rule = f"at most {MAX_BYTES / 2**30:.0f} GiB in all"
        got = f"{size / 2**30:.1f} GiB ({n} of {trials.halves.shape[2]} elements)"
        raise CannotTell(f"second-order kernels must be {rule}, got {got}")


def _replicates(
    trials: TrialDesign,
    response: Bool[np.ndarray, " replicate trial"],
    progress: Share | None,
) -> Replicates:
    n, e = len(response), trials.halves.shape[2]
    halves = np.empty((n, 2, e), np.float32)
    second = np.empty((n, e, e), np.float32)
    products = _products(trials) if e <= MANY_ELEMENTS else _direct(trials)
    per_replicate = len(trials) * 8 * 6
    step = max(1, min(n, CHUNK_BYTES // per_replicate))
    for start in range(0, n, step):
        rows = slice(start, start + step)
        classes = Classes.of(trials, response[rows])
        halves[rows] = _first(trials, classes.coefficients(1))
        second[rows] = products(classes.coefficients(2).astype(np.float32))
        second[rows] -= _of_means(trials, classes)
        if progress is not None:
            progress(min(start + step, n), n)
    return Replicates(halves, second)


def _first(
    trials: TrialDesign, coefficient: Float[np.ndarray, " replicate trial"]
) -> Float32[np.ndarray, " replicate 2 element"]:
    """First-order halves."""
    signed = (coefficient * trials.sign).astype(np.float32)
    return np.stack([signed @ half for half in trials.halves], axis=1)


def _of_means(
    trials: TrialDesign, classes: Classes
) -> Float[np.ndarray, " replicate element element"]:
    """What the class means take away."""
    size = classes.size.reshape(len(classes.size), -1)
    inside = classes.label[:, None, :] == np.arange(size.shape[1])[:, None]
    inside = inside.astype(np.float32)  # (replicate, class, trial)
    factor = classes.factors(2) / np.maximum(size, 1)
    e = trials.halves.shape[2]
    taken = np.zeros((len(inside), e, e))
    for noise, sign in zip(trials.shown, (1, -1), strict=False):
        total = (inside @ noise).astype(np.float64)
        weighted = total * (sign * factor)[..., None]
        taken = taken + weighted.transpose(0, 2, 1) @ total
    return taken


def _products(trials: TrialDesign) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from coefficients to sums of outer products, all at once."""
    shown, e = trials.shown, trials.halves.shape[2]
    row, column = np.triu_indices(e)
    step = max(1, CHUNK_BYTES // (4 * len(row) * 2))

    def products(coefficient: np.ndarray) -> np.ndarray:
        total = np.zeros((len(coefficient), len(row)), np.float64)
        for start in range(0, len(trials), step):
            part = shown[:, start : start + step]
            outer = part[0][:, row] * part[0][:, column]
            if len(shown) == 2:
                outer -= part[1][:, row] * part[1][:, column]
            total += coefficient[:, start : start + step] @ outer
        full = np.empty((len(coefficient), e, e))
        full[:, row, column] = total
        full[:, column, row] = total
        return full

    return products


def _direct(trials: TrialDesign) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from coefficients to sums of outer products, one by one.

    Only trials whose coefficient is not the commonest of their class are summed; the
    sum in which all have the commonest is made once.
    """
    channels = trials.halves if trials.is_forced_choice else trials.noise[None]
    _, cell = np.unique(trials.cell, return_inverse=True)
    made: dict[bytes, np.ndarray] = {}

    def summed(coefficient: np.ndarray, rows: np.ndarray) -> np.ndarray:
        total = np.zeros((channels.shape[2], channels.shape[2]), np.float32)
        for sign, noise in zip((1, -1), channels, strict=False):
            for chosen in (rows[coefficient[rows] > 0], rows[coefficient[rows] < 0]):
                for block in np.array_split(chosen, 1 + len(chosen) // ROWS):
                    size = coefficient[block]
                    # BLAS does half the work where a factor is the other's transpose.
                    x = noise[block] * np.sqrt(np.abs(size))[:, None]
                    total += sign * np.sign(size[:1].sum()) * (x.T @ x)
        return total

    def products(coefficients: np.ndarray) -> np.ndarray:
        full = []
        for coefficient in coefficients:
            common = _commonest(coefficient, cell)[cell]
            key = common.tobytes()
            if key not in made:
                made.clear()
                made[key] = summed(common, np.arange(len(common)))
            apart = coefficient - common
            full.append(made[key] + summed(apart, np.arange(len(apart))))
        return np.stack(full)

    return products


def _commonest(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The value that most members of each group have."""
    different, which = np.unique(values, return_inverse=True)
    times = np.zeros((group.max() + 1, len(different)), np.int64)
    np.add.at(times, (group, which), 1)
    return different[times.argmax(1)]
