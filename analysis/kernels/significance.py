"""Which elements of a kernel are more than chance, by permutation of the responses.

Responses are exchanged within a stimulus class of a block, so that sensitivity, bias
and drift stay as they are; the two responses to a noise field that was shown twice move
together [1]_. Against the permuted kernels are held

- the largest |z| of all elements: an element is significant where its own |z| is among
  the largest of those, which allows for the number of elements,
- the mass of the heaviest cluster: neighbours along frames, rows or columns with one
  sign and |z| beyond a threshold, their |z| added up [2]_,
- the sum of z^2, the score test of "no kernel at all".

Each is exact if responses do not depend on the noise. z is the weighted sum of the
noise, the score of the probit model at zero kernel, over its standard error without a
kernel.

References
----------
.. [1] Nichols & Holmes (2002), Hum. Brain Mapp. 15, 1-25.
.. [2] Maris & Oostenveld (2007), J. Neurosci. Methods 164, 177-190; the threshold of
   2.5 as in Chauvin, Worsley, Schyns, Arguin & Gosselin (2005), J. Vis. 5(9):1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import label
from scipy.stats import chi2

from ..probit.newton import centred
from ..trials.chance import counted_p
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell
from ..trials.held import as_design
from ..trials.resample import NOTHING_TO_EXCHANGE, permuted_rows
from ..trials.responses import SessionLike
from ..trials.result import Result
from ..trials.score import ROUNDING, check_every_element_varies, score
from ..trials.shown import Shape
from .priors import has_neighbours

FORMULA = "kernel-permutation-max-and-cluster/1"
ROWS_AT_ONCE = 250

Field = Float[np.ndarray, " *shape"]


@dataclass(frozen=True, eq=False)
class Cluster:
    """Neighbouring elements beyond the threshold, all of one sign.

    Attributes
    ----------
    members
        (frame, row, column) of each element.
    mass
        Sum of z over the elements; negative for a negative cluster.
    p
        Chance of a cluster as heavy anywhere, if there is no kernel.
    """

    members: Int[np.ndarray, " element 3"]
    mass: float
    p: float


@dataclass(frozen=True, eq=False)
class KernelTest(Result):
    """A kernel held against those of permuted responses.

    Attributes
    ----------
    z
        Weighted sum over its standard error, for each element.
    p
        Of each element: chance of a |z| as large in any element. Never below
        1 / (n_permutations + 1).
    clusters
        The heaviest first; none in noise on a basis, whose coefficients have no
        neighbours.
    threshold
        |z| from which on an element belongs to a cluster.
    statistic, df
        Sum of z^2, and the number of elements.
    p_any
        Chance of such a sum if there is no kernel, by permutation.
    p_chi2
        The same from the chi-squared distribution: for white noise, many trials.
    n_permutations, seed
        How many permutations, and the seed of their order.
    formula
        Name and version.
    """

    z: Field
    p: Field
    clusters: tuple[Cluster, ...]
    threshold: float
    statistic: float
    df: int
    p_any: float
    p_chi2: float
    n_permutations: int
    seed: int
    formula: str = FORMULA


def kernel_test(
    source: SessionLike | TrialDesign,
    n_permutations: int = 1000,
    seed: int = 0,
    threshold: float = 2.5,
) -> KernelTest:
    """Test elements, clusters and the whole of a kernel by permuted responses.

    Parameters
    ----------
    source
        A session, or trials with their noise.
    n_permutations
        No p is below 1 / (n_permutations + 1).
    seed
        Of the permutations.
    threshold
        |z| from which on an element belongs to a cluster.

    Raises
    ------
    ValueError
        If there is no permutation, the threshold is not positive, an element's noise
        never varies, or no stimulus class has both responses.
    """
    if n_permutations < 1:
        raise ValueError(f"n_permutations must be >= 1, got {n_permutations}")
    if not threshold > 0:
        raise ValueError(f"threshold must be > 0, got {threshold}")
    trials = as_design(source)
    coefficient, noise = _standard_noise(trials)
    z = (coefficient @ noise).astype(np.float64)
    largest, heaviest, sums = [], [], []
    for permuted in _permuted(trials, coefficient, noise, n_permutations, seed):
        largest.append(np.abs(permuted).max(1))
        sums.append((permuted.astype(np.float64) ** 2).sum(1))
        heaviest.append(_heaviest(permuted, trials.shape, threshold))
    statistic = float(z @ z)
    p = [_p(float(value), np.concatenate(largest)) for value in np.abs(z)]
    return KernelTest(
        z=z.reshape(trials.shape),
        p=np.reshape(p, trials.shape),
        clusters=_clusters(
            z.reshape(trials.shape), threshold, np.concatenate(heaviest)
        ),
        threshold=threshold,
        statistic=statistic,
        df=len(z),
        p_any=_p(statistic, np.concatenate(sums)),
        p_chi2=float(chi2.sf(statistic, len(z))),
        n_permutations=n_permutations,
        seed=seed,
    )


def _standard_noise(
    trials: TrialDesign,
) -> tuple[Float[np.ndarray, " trial"], Float[np.ndarray, " trial element"]]:
    """Coefficients and noise whose product is z.

    The coefficients add up to zero in every stratum, which takes out drift; no
    permutation changes the scale of either.
    """
    check_every_element_varies(trials)
    found = score(trials)
    coefficient = found.coefficient
    size = np.maximum(np.bincount(trials.stratum), 1)
    mean = np.bincount(trials.stratum, coefficient) / size
    coefficient = coefficient - mean[trials.stratum]
    squares = (trials.by_field(coefficient) ** 2).sum()
    if squares <= ROUNDING * found.spread:
        raise CannotTell(NOTHING_TO_EXCHANGE)
    coefficient /= np.sqrt(squares)
    noise = centred(trials.noise, trials.cell)
    variance = np.einsum("ij,ij->j", noise, noise, dtype=np.float64) / len(noise)
    noise /= np.sqrt(variance).astype(noise.dtype)
    return coefficient.astype(noise.dtype), noise


def _permuted(
    trials: TrialDesign,
    coefficient: np.ndarray,
    noise: np.ndarray,
    n_permutations: int,
    seed: int,
) -> Iterator[Float[np.ndarray, " permutation element"]]:
    """Yield the z of permuted responses, many at a time."""
    rng = np.random.default_rng(seed)
    for start in range(0, n_permutations, ROWS_AT_ONCE):
        n = min(ROWS_AT_ONCE, n_permutations - start)
        orders = permuted_rows(trials.stratum, trials.cluster, n, rng)
        yield coefficient[orders] @ noise


def _labelled(
    z: Float[np.ndarray, " permutation frame row column"], threshold: float
) -> tuple[Int[np.ndarray, " permutation frame row column"], int]:
    """Number the clusters of every kernel, positive and negative ones apart."""
    joins = np.zeros((3, 3, 3, 3), int)  # neighbours share a face, within one kernel
    joins[1, 1, 1, :] = joins[1, 1, :, 1] = joins[1, :, 1, 1] = 1
    numbers, n = np.zeros(z.shape, np.int64), 0
    for sign in (1, -1):
        labels, found = label(sign * z >= threshold, joins)  # type: ignore[misc]
        numbers += np.where(labels > 0, labels + n, 0)
        n += found
    return numbers, n


def _heaviest(
    z: Float[np.ndarray, " permutation element"],
    shape: Shape,
    threshold: float,
) -> Float[np.ndarray, " permutation"]:
    """Mass of the heaviest cluster of each kernel; 0 where there is none."""
    if not has_neighbours(shape):
        return np.zeros(len(z))
    fields = z.reshape(len(z), *shape)
    numbers, n = _labelled(fields, threshold)
    heaviest = np.zeros(len(z))
    if n:
        mass = np.bincount(numbers.ravel(), np.abs(z).ravel(), minlength=n + 1)[1:]
        kernel, *_ = np.nonzero(numbers)
        owner = np.zeros(n, np.int64)
        owner[numbers[numbers > 0] - 1] = kernel
        np.maximum.at(heaviest, owner, mass)
    return heaviest


def _clusters(
    z: Field, threshold: float, heaviest: Float[np.ndarray, " permutation"]
) -> tuple[Cluster, ...]:
    if not has_neighbours(z.shape):
        return ()
    numbers, n = _labelled(z[None], threshold)
    members = [np.argwhere(numbers[0] == number) for number in range(1, n + 1)]
    masses = [float(z[tuple(places.T)].sum()) for places in members]
    found = [
        Cluster(places, mass, _p(abs(mass), heaviest))
        for places, mass in zip(members, masses, strict=True)
    ]
    return tuple(sorted(found, key=lambda cluster: -abs(cluster.mass)))


def _p(value: float, permuted: Float[np.ndarray, " permutation"]) -> float:
    """Share of permutations as large, the observed order being one of them."""
    # Rounding of sums must not part the observed from an equal permuted value.
    as_large = np.sum(permuted >= value * (1 - 1e-6))
    return counted_p(int(as_large), len(permuted))
