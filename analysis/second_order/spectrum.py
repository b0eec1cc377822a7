"""How many dimensions a second-order kernel has: its eigenvalues, tested one by one.

The null hypothesis of each test is that responses do not depend on the noise that is
left, and its distribution is made by permuting responses within class and block. The
test is nested: the most extreme eigenvalue is compared with the most extreme of the
permuted kernels; if it is significant, its eigenvector is taken out of the noise, and
the rest is tested in the dimensions that remain, until one is not. So the chance that
any is found where there is none is `alpha`.

Up to 128 elements every permuted kernel is formed and has all its eigenvalues. With
more elements none is: extreme eigenvalues are neared by Lanczos (`lanczos.py`), those
of the kernel given in the same way as those of permuted ones.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from ..trials.attempts import Share
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell
from ..trials.result import Result
from ..trials.score import check_every_element_varies
from ..trials.shown import OfNoise
from .lanczos import Krylov
from .nested import FormedNull, eigenvalues, nested, sorted_eigen, without
from .operators import Operators
from .replicates import (
    MANY_ELEMENTS,
    Replicates,
    observed,
    off_diagonal_se,
    permuted,
    well_filled,
)

FORMULA = "second-order-spectrum-nested-permutation/2"
DIAGONAL_FORMULA = "variance-kernel-max-permutation/1"
FORMED = 5  # permuted kernels of many elements that are formed, for their spectrum
T95_OF_FORMED = 2.7764  # of Student's t with one degree of freedom fewer
BIASED = "biased responses of a linear observer have a second order along its kernel"


@dataclass(frozen=True, eq=False)
class Spectrum(OfNoise):
    """The eigenvalues of a second-order kernel, and which are more than chance.

    Attributes
    ----------
    values
        Eigenvalues by falling size, with their sign; noise contrast squared.
    vectors
        Eigenvectors of unit length; their own sign is arbitrary.
    n_significant
        How many eigenvalues, from the first, are significant.
    p
        Of each eigenvalue tested: one more than are significant, unless all are.
        (1 + count) / (1 + n_permutations).
    null_low, null_high
        95 % band of the eigenvalues of permuted kernels, rank by rank, in falling order
        of the *signed* value: what the sorted eigenvalues are drawn against. Above 128
        elements it is that of a normal distribution with the mean and SD of five.
    edge
        Half-width of the null spectrum by random-matrix theory: 2 sqrt(p) times the SE
        of an off-diagonal element, which the largest of p eigenvalues nears from below
        (mean: 2 sqrt(p) - 1.21 p^(-1/6) times it). For white noise.
    linear_part
        'keep', or 'remove': the first-order kernel's direction was taken out first.
    basis
        What eigenvectors in coefficients are drawn in; None in white noise.
    """

    values: Float[np.ndarray, " rank"]
    vectors: Float[np.ndarray, " element rank"]
    n_significant: int
    p: tuple[float, ...]
    null_low: Float[np.ndarray, " rank"]
    null_high: Float[np.ndarray, " rank"]
    edge: float
    alpha: float
    linear_part: str
    n_trials: int
    n_permutations: int
    seed: int
    formula: str
    note: str | None = None

    def drawn(self) -> dict[str, np.ndarray]:
        """Give the images of the significant eigenvectors in coefficients."""
        if self.basis is None:
            return {}
        chosen = self.vectors[:, : self.n_significant].T
        images = [self.basis.image(vector) for vector in chosen]
        empty = np.zeros((0, *self.basis.images.shape))
        return {"eigenvector_images": np.stack(images) if images else empty}

    @property
    def n_positive(self) -> int:
        """How many of the significant eigenvalues are positive."""
        return int(np.sum(self.values[: self.n_significant] > 0))

    @property
    def n_negative(self) -> int:
        """How many of the significant eigenvalues are negative."""
        return self.n_significant - self.n_positive


@dataclass(frozen=True, eq=False)
class DiagonalTest(Result):
    """Which elements of the variance kernel, the diagonal of H2, are more than chance.

    Attributes
    ----------
    values
        Diagonal of the second-order kernel; noise contrast squared.
    z
        Each over the SD of its permuted values.
    p
        Corrected for all elements: the share of permutations whose largest |z| is at
        least this. (1 + count) / (1 + n_permutations).
    threshold
        |z| that is significant at 5 %.
    """

    values: Float[np.ndarray, " element"]
    z: Float[np.ndarray, " element"]
    p: Float[np.ndarray, " element"]
    threshold: float
    n_permutations: int
    seed: int
    formula: str = DIAGONAL_FORMULA


def eigen_spectrum(
    trials: TrialDesign,
    n_permutations: int = 200,
    seed: int = 0,
    alpha: float = 0.05,
    linear_part: Literal["keep", "remove"] = "keep",
    progress: Share | None = None,
) -> Spectrum:
    """Return the eigenvalues of the second-order kernel and test them, nested.

    Parameters
    ----------
    trials
        Responses and noise.
    alpha
        Level of each test, and of the whole.
    linear_part
        'remove' takes the direction of the first-order kernel out of the noise. In
        yes/no, a linear observer that is biased has a second order along it; in 2AFC it
        has none whatever its interval bias, and nothing need be removed.
    progress
        Called with the permutations done and all of them.

    Raises
    ------
    ValueError
        If `alpha` or `linear_part` is none, there are too few permutations to reach
        `alpha`, or a contrast lacks a class.

    References
    ----------
    .. [1] Schwartz, Pillow, Rust & Simoncelli (2006), J. Vision 6(4):13.
    .. [2] Neri (2009), J. Vision 9(12):1: the kernel.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> noise, target = rng.normal(size=(2, 2000, 4)), np.arange(2000) % 2
    >>> energy = np.square(noise[..., 0]) + 0.5 * np.square(noise[..., 1])
    >>> correct = energy[0] + 1 > energy[1]  # the target is the first field
    >>> sign = np.where(target == 1, 1, -1)[:, None]
    >>> trials = TrialDesign(
    ...     response=correct == (target == 1), target=target, cell=target,
    ...     contrast=np.ones(2000), cluster=np.arange(2000), stratum=target,
    ...     halves=np.stack([sign * noise[0], -sign * noise[1]]).astype(np.float32),
    ...     shape=(1, 1, 4), is_forced_choice=True)
    >>> spectrum = eigen_spectrum(trials, n_permutations=50)
    >>> spectrum.n_positive, spectrum.n_negative
    (2, 0)
    """
    _check(n_permutations, alpha, linear_part)
    trials = well_filled(trials)
    given = observed(trials)
    basis = _basis(given, linear_part)
    values, inside = sorted_eigen(basis.T @ given.second[0].astype(float) @ basis)
    vectors = basis @ inside
    few = given.second.shape[1] <= MANY_ELEMENTS
    null = (_formed if few else _Unformed)(
        trials, n_permutations, seed, values, vectors, progress
    )
    low, high = null.band()
    p = nested(null, len(values), alpha)
    return Spectrum(
        values=values,
        vectors=vectors,
        n_significant=sum(each <= alpha for each in p),
        p=p,
        null_low=low,
        null_high=high,
        edge=2 * float(np.sqrt(len(values))) * off_diagonal_se(trials),
        alpha=alpha,
        linear_part=linear_part,
        n_trials=len(trials),
        n_permutations=n_permutations,
        seed=seed,
        formula=FORMULA,
        note=_note(trials, linear_part),
        basis=trials.basis,
    )


def diagonal_test(
    trials: TrialDesign,
    n_permutations: int = 1000,
    seed: int = 0,
    progress: Share | None = None,
) -> DiagonalTest:
    """Test every element of the variance kernel, corrected for their number.

    The variance kernel is the diagonal of the second-order kernel. An element is
    compared with the largest of all elements in permuted responses (max-statistic).

    Raises
    ------
    ValueError
        If `n_permutations` is not positive, or a contrast lacks a class.

    References
    ----------
    .. [1] Neri & Heeger (2002), Nature Neurosci. 5, 812-816: variance kernels.
    .. [2] Nichols & Holmes (2002), Hum. Brain Mapp. 15, 1-25: the max-statistic.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> noise, target = rng.normal(size=(800, 3)).astype(np.float32), np.arange(800) % 2
    >>> has_signal = (target == 1)[:, None]
    >>> trials = TrialDesign(
    ...     response=noise[:, 1] ** 2 > 1, target=target, cell=target,
    ...     contrast=np.ones(800), cluster=np.arange(800), stratum=target,
    ...     halves=np.stack([noise * has_signal, noise * ~has_signal]),
    ...     shape=(1, 1, 3), is_forced_choice=False)
    >>> (diagonal_test(trials, n_permutations=99).p <= 0.05).tolist()
    [False, True, False]
    """
    trials = well_filled(trials)
    check_every_element_varies(trials)
    values, of_null = np.split(
        Operators.permuted(trials, n_permutations, seed).diagonals(), [1]
    )
    values = values[0]
    if progress is not None:
        progress(1, 1)
    sd = np.sqrt(np.mean(of_null**2, axis=0))
    largest = np.sort(np.abs(of_null / sd).max(axis=1))
    z = values / sd
    as_large = n_permutations - np.searchsorted(largest, np.abs(z), side="left")
    p = (1 + as_large) / (1 + n_permutations)
    threshold = float(np.quantile(largest, 0.95))
    return DiagonalTest(values, z, p, threshold, n_permutations, seed)


def _check(n_permutations: int, alpha: float, linear_part: str) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1, got {alpha}")
    if linear_part not in {"keep", "remove"}:
        raise ValueError(f"linear_part must be keep or remove, got {linear_part!r}")
    least = int(np.ceil(1 / alpha - 1e-9)) - 1
    if n_permutations < least:
        rule = f">= {least} for a test at alpha {alpha:g}"
        raise ValueError(f"n_permutations must be {rule}, got {n_permutations}")


def _note(trials: TrialDesign, linear_part: str) -> str | None:
    if linear_part == "remove":
        return "the first-order kernel's direction was taken out of the noise first"
    if not trials.is_forced_choice:
        return f"the linear part was kept; {BIASED}"
    return None


def _basis(given: Replicates, linear_part: str) -> Float[np.ndarray, " element rank"]:
    """Orthonormal basis of what is tested."""
    e = given.second.shape[1]
    if linear_part == "keep":
        return np.eye(e)
    if e < 2:
        rule = "two or more, for something to be left without the kernel's direction"
        raise CannotTell(f"elements must be {rule}, got {e}")
    return without(given.halves[0].sum(0).astype(float))


def _formed(
    trials: TrialDesign,
    n_permutations: int,
    seed: int,
    values: np.ndarray,
    vectors: np.ndarray,
    progress: Share | None,
) -> FormedNull:
    """Form all kernels of permuted responses, in the basis of the eigenvectors."""
    null = permuted(trials, n_permutations, seed, progress).second
    vectors = vectors.astype(np.float32)
    return FormedNull(values, vectors.T @ null @ vectors)


class _Unformed:
    """Kernels of permuted responses that are too large to be formed, but a few."""

    def __init__(
        self,
        trials: TrialDesign,
        n_permutations: int,
        seed: int,
        values: np.ndarray,
        vectors: np.ndarray,
        progress: Share | None,
    ) -> None:
        self._trials, self._seed, self._vectors = trials, seed, vectors
        basis = None if len(vectors) == len(values) else vectors.astype(np.float32)
        kernels = Operators.permuted(trials, n_permutations, seed)
        self._krylov = Krylov.of(kernels, seed=seed, basis=basis, progress=progress)

    def band(self) -> np.ndarray:
        """Give the 95 % band of eigenvalues, rank by rank."""
        vectors = self._vectors.astype(np.float32)
        few = permuted(self._trials, FORMED, self._seed).second
        if vectors.shape[1] < len(vectors):
            few = vectors.T @ few @ vectors
        every = eigenvalues(few)[:, ::-1]
        reach = T95_OF_FORMED * every.std(axis=0, ddof=1)
        return every.mean(axis=0) + np.stack([-reach, reach])

    def extremes(self, rank: int) -> tuple[float, np.ndarray]:
        """Give the statistic of the kernel given, and of permuted ones."""
        found = (
            self._krylov.extremes_without(self._vectors[:, :rank].T)
            if rank
            else self._krylov.extremes()
        )
        return float(found[0]), found[1:]
