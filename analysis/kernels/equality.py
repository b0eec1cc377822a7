"""Are two kernels the same: halves of one observer, or those of two observers.

Both are sums of what noise fields add to them (`influence.py`), and so is their
difference d; a field that both saw adds a difference. Three questions, each with what
the data could have shown:

- any difference: Q = sum of (d_j / SE_j)^2, and the largest |d_j| / SE_j;
- of amplitude: (|k_1|^2 - |k_2|^2) / 2 over the squared length of their mean, each
  without what sampling noise adds to a square. Two observers of one template but
  different internal noise differ in this alone;
- of shape: Q of k_1 / sqrt(rho) - sqrt(rho) k_2, rho the ratio of their lengths.

Under equality d is a sum of centred influences; their sums with random normal
multipliers [1]_ give the law of the largest, and of Q the mean and variance, by which
it is compared with a scaled chi-squared [2]_. Sums over elements take the influences as
they are, whose squares have the right mean; a single number (the largest, the
amplitude) has a standard error that allows for its own scatter (HC2). Assumed are many
fields to the elements that matter; with five fields an element the tests hold their
level.

References
----------
.. [1] Chernozhukov, Chetverikov & Kato (2013), Ann. Stat. 41, 2786-2819.
.. [2] Satterthwaite (1946), Biometrics Bull. 2, 110-114.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.stats import chi2, ncx2

from ..trials.chance import counted_p
from ..trials.design import ROWS, TrialDesign
from ..trials.estimate import Estimate
from ..trials.held import as_design
from ..trials.responses import SessionLike
from ..trials.result import Result
from ..trials.shown import require_same_noise
from .influence import Influence, Scores, along, known_rate, squared_length

FORMULA = "kernel-equality-multiplier/1"
AMPLITUDE = "kernel-amplitude-difference/1"
DETECTABLE_COSINE = "kernel-cosine-found-in-80-percent/1"
N_DRAWS = 499
LEVEL, POWER = 0.05, 0.8
IN_SE = 2.8016  # difference over its SE that a test at 5 % finds in 80 %
FAINT = 2.0  # SEs: a squared length of less has no shape to compare

Element = Float[np.ndarray, " element"]
Fields = Float[np.ndarray, " field element"]


@dataclass(frozen=True)
class KernelEquality(Result):
    """A test of two kernels, and the smallest difference that it would find.

    Attributes
    ----------
    p
        Of any difference: the chance of a larger sum of squares if there is none.
    p_largest
        Of the largest difference of an element.
    p_shape
        Of a difference in more than amplitude; None where a kernel is too faint, or
        has a single element.
    amplitude
        (first - second) / their mean: 0 if equally long.
    found_amplitude
        The smallest such difference that 80 % of sessions like this would show at 5 %.
    found_cosine
        The largest cosine between kernels of this length that 80 % of them would tell
        from 1 by `p`: what is nearer to 1 is not ruled out.
    n_shared
        Noise fields that both kernels rest on.
    n_draws
        Of multipliers.
    """

    p: float
    p_largest: float
    p_shape: float | None
    amplitude: Estimate
    found_amplitude: float | None
    found_cosine: Estimate
    n_shared: int
    n_draws: int = N_DRAWS
    formula: str = FORMULA


def equal_kernels(
    ours: SessionLike | TrialDesign,
    theirs: SessionLike | TrialDesign,
    seed: int = 0,
    lapse_rates: Sequence[float | Estimate] = (0.0, 0.0),
    draws: Sequence[np.ndarray] | None = None,
) -> KernelEquality:
    """Test whether two observers have the same kernel, in decision SDs per noise SD.

    Noise fields that both were shown are differenced field by field; others are
    independent.

    Parameters
    ----------
    seed
        Of the folds and the multipliers.
    lapse_rates
        Of either, taken as known.
    draws
        Of either, by cluster, what its noise was drawn from: trials of one number have
        the same draws, whatever their SD and target. By default those whose noise is
        equal.

    Raises
    ------
    CannotTell
        If fields differ in shape, or a kernel cannot be had.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> one, other = (
    ...     yoked.run(
    ...         protocol, observer, seed=s, trials=400, contrast=0.1, internal_noise=1.0
    ...     )
    ...     for s in (1, 2)
    ... )
    >>> equal_kernels(one, other).p > 0.05
    True
    """
    designs = [as_design(one) for one in (ours, theirs)]
    require_same_noise(*designs)
    found, keys = [], []
    every = zip(designs, lapse_rates, draws or (None, None), strict=True)
    for one, rate, drawn in every:
        # Nothing of the size of the noise is kept of either but its influences.
        found.append(Scores.of(one, known_rate(rate), seed=seed).possible_influence())
        cluster, first = np.unique(one.cluster, return_index=True)
        same = one.noise_keys[first] if drawn is None else drawn[cluster]
        keys.append(same)
    kernels = found[0].value, found[1].value
    each, room, n_shared = _by_field(found, keys)
    return _equality(kernels, each, room, n_shared, seed)


def equality(first: Influence, second: Influence, seed: int = 0) -> KernelEquality:
    """Test two kernels of one session, which rest on the same fields."""
    n_shared = int(np.sum(first.fields.any(axis=1) & second.fields.any(axis=1)))
    return _equality(
        (first.value, second.value),
        (first.fields, second.fields),
        np.minimum(first.room, second.room),
        n_shared,
        seed,
    )


def _equality(
    kernels: tuple[Element, Element],
    each: tuple[Fields, Fields],
    room: Float[np.ndarray, " field"],
    n_shared: int,
    seed: int,
) -> KernelEquality:
    """Test two kernels by what every field adds to them."""
    first, second = kernels
    difference, apart = first - second, each[0] - each[1]
    p_largest, freedom = _by_multipliers(difference, apart, room, seed)
    squares = _squares(apart)
    del apart  # as large as the noise
    p = _by_squares(difference, squares, freedom)
    lengths = [squared_length(k, one) for k, one in zip(kernels, each, strict=True)]
    p_shape = None
    if len(difference) > 1 and all(size > FAINT * error for size, error in lengths):
        p_shape = _shape(kernels, each, (lengths[0][0], lengths[1][0]), freedom)
    mean = (first + second) / 2
    of_mean = [along(one, mean) for one in each]
    length, error = _length_of_mean(mean, each, of_mean)
    n = len(room)
    if length < FAINT * error:
        what = "the kernel" if p_shape is None else "the mean of two unlike kernels"
        why = f"{what} is not {FAINT:.0f} standard errors long"
        amplitude = Estimate.missing(AMPLITUDE, why, n)
        cosine = Estimate.missing(DETECTABLE_COSINE, why, n)
        return KernelEquality(p, p_largest, p_shape, amplitude, None, cosine, n_shared)
    value = (lengths[0][0] - lengths[1][0]) / 2 / length
    moved = along(each[0], first) - along(each[1], second)
    moved -= value * (of_mean[0] + of_mean[1])
    moved /= length * np.sqrt(room)
    se = float(np.sqrt(moved @ moved))
    amplitude = Estimate.normal(value, se, n, AMPLITUDE)
    variance = float(np.mean(squares))
    cosine = _found_cosine(length, variance, len(difference), freedom, n)
    return KernelEquality(
        p, p_largest, p_shape, amplitude, IN_SE * se, cosine, n_shared
    )


def _length_of_mean(
    mean: Element, each: tuple[Fields, Fields], of_mean: list[np.ndarray]
) -> tuple[float, float]:
    """Squared length of the mean, and its SE: `squared_length` without its fields."""
    products = [
        np.einsum("ij,ij->i", each[a], each[b]).sum(dtype=np.float64)
        for a, b in ((0, 0), (1, 1), (0, 1), (0, 1))
    ]
    moved = of_mean[0] + of_mean[1]
    return float(mean @ mean) - float(sum(products)) / 4, float(np.sqrt(moved @ moved))


def _by_field(
    found: list[Influence], keys: list[np.ndarray]
) -> tuple[tuple[Fields, Fields], np.ndarray, int]:
    """Influences of every field of either, zero where one did not see it.

    With the smaller room of the two, and how many fields both saw. Takes the influences
    out of `found`, which are as large as the noise.
    """
    every = np.unique(np.concatenate(keys))
    room, each = np.ones(len(every)), []
    for key in keys:
        one, at = found.pop(0), np.searchsorted(every, key)
        np.minimum.at(room, at, one.room)
        filled = np.zeros((len(every), len(one.value)), one.fields.dtype)
        if len(np.unique(at)) == len(at):
            filled[at] = one.fields
        else:
            np.add.at(filled, at, one.fields)
        each.append(filled)
    n_shared = len(np.unique(keys[0])) + len(np.unique(keys[1])) - len(every)
    return (each[0], each[1]), room, n_shared


def _by_multipliers(
    difference: Element, each: Fields, room: Float[np.ndarray, " field"], seed: int
) -> tuple[float, float]:
    """P of the largest difference, and degrees of freedom of the sum of squares."""
    weight = (1 / room).astype(each.dtype)
    se = np.sqrt(np.einsum("i,ij,ij->j", weight, each, each).astype(np.float64))
    if not se.any():  # the same responses to the same fields
        return 1.0, float(len(se))
    rng = np.random.default_rng(seed)
    draws = rng.standard_normal((N_DRAWS, len(each)), dtype=np.float32)
    draws = draws.astype(each.dtype, copy=False)
    draws *= np.sqrt(weight)
    drawn = (draws @ each / se.astype(each.dtype)) ** 2
    largest = float(np.max((difference / se) ** 2))
    freedom = 2 * len(se) ** 2 / float(np.var(drawn.sum(1), dtype=np.float64))
    return counted_p(int(np.sum(drawn.max(1) >= largest)), N_DRAWS, "draws"), freedom


def _by_squares(difference: Element, squares: Element, freedom: float) -> float:
    """P of the sum of squares over its mean, by a scaled chi-squared."""
    if not squares.any():
        return 1.0
    return float(chi2.sf((difference**2 / squares).mean() * freedom, freedom))


def _squares(each: Fields) -> Element:
    """Add up the squares of every element over the fields."""
    return np.einsum("ij,ij->j", each, each).astype(np.float64)


def _shape(
    kernels: tuple[Element, Element],
    each: tuple[Fields, Fields],
    lengths: tuple[float, float],
    freedom: float,
) -> float:
    first, second = kernels
    root = (lengths[0] / lengths[1]) ** 0.25  # of the ratio of lengths
    difference = first / root - second * root
    # d log root, by both lengths; it moves the kernels apart.
    by_length = along(each[0], first) / lengths[0]
    by_length -= along(each[1], second) / lengths[1]
    both = (first / root + second * root) / 2
    kind, squares = each[0].dtype.type, np.zeros(len(both))
    for start in range(0, len(by_length), ROWS):
        rows = slice(start, start + ROWS)
        moved = each[0][rows] / kind(root)
        moved -= each[1][rows] * kind(root)
        moved -= np.outer(by_length[rows].astype(kind), both.astype(kind))
        squares += _squares(moved)
    return _by_squares(difference, squares, max(freedom - 1, 1.0))


def _found_cosine(
    length: float, variance: float, n_elements: int, freedom: float, n: int
) -> Estimate:
    """The cosine at which the sum of squares is found in 80 %."""
    critical = chi2.ppf(1 - LEVEL, freedom)

    def lacking(moved: float) -> float:
        return float(ncx2.sf(critical, freedom, moved)) - POWER

    found = float(brentq(lacking, 1e-6, 100 + 10 * critical))  # type: ignore[arg-type]
    moved = found * n_elements / freedom
    cosine = 1 - moved * variance / (2 * length)
    if cosine < -1:
        reason = "no two kernels of this length differ enough to be found"
        return Estimate.missing(DETECTABLE_COSINE, reason, n)
    return Estimate(cosine, None, None, None, n, DETECTABLE_COSINE)
