"""Kernels of the two halves of a session, and whether they are one.

Each half has its score kernel (`score.py`), in decision SDs per noise SD. Their
difference is tested in two parts that are independent of each other: along the kernel
of both together, weighted by precision, which is independent of the difference, so that
its having been found in the same data does not matter; and in all other directions. The
first says whether it grew, the second whether it changed shape [1]_. A stimulus shown
in both halves counts once, its two coefficients with opposite signs.

References
----------
.. [1] Gold, Sekuler & Bennett (2004), Cogn. Sci. 28, 167-207 (templates by session).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import chi2, norm

from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.result import Result
from ..trials.score import Score, score, why_not_white

FORMULA = "kernel-by-half-score/1"


@dataclass(frozen=True, eq=False)
class KernelHalves(Result):
    """Two kernels, and tests of their difference.

    Attributes
    ----------
    first, second
        Kernels, decision SDs per noise SD; `se` the standard error of their difference
        at every element.
    amplitude_first, amplitude_second
        Along the kernel of both.
    amplitude
        Second less first, along that.
    p_amplitude
        Two-sided.
    shape
        Squared difference in all other directions over its variance.
    df, p_shape
        By chi-squared.
    """

    first: Float[np.ndarray, " *shape"]
    second: Float[np.ndarray, " *shape"]
    se: float
    amplitude_first: float
    amplitude_second: float
    amplitude: Estimate
    p_amplitude: float
    shape: float
    df: int
    p_shape: float


def kernel_halves(
    trials: TrialDesign, late: Bool[np.ndarray, " trial"]
) -> KernelHalves:
    """Compare the kernels of early and late trials.

    Parameters
    ----------
    trials
        In white noise.
    late
        Which trials are of the second half.

    Raises
    ------
    CannotTell
        If the noise is not white, or a half has no class with both responses.
    """
    if reason := why_not_white(trials):
        raise CannotTell(reason)
    _, stimulus = np.unique(trials.cluster, return_inverse=True)
    parts = [trials.where(rows) for rows in (~late, late)]
    found = [_half(part) for part in parts]
    first, second = (half.kernel for half in found)
    difference = second - first
    both = first / found[0].se ** 2 + second / found[1].se ** 2
    direction = both / max(float(np.linalg.norm(both)), math.ulp(1.0))
    each, adds = np.zeros(len(trials)), np.zeros(len(trials))
    for rows, part, half in zip((~late, late), parts, found, strict=True):
        each[rows] = half.coefficient / half.information
        adds[rows] = _along(part, half, direction)
    sign = np.where(late, 1.0, -1.0)
    together = np.bincount(stimulus, sign * each)
    variance = float(together @ together)
    se = float(np.linalg.norm(np.bincount(stimulus, sign * adds)))
    value = float(difference @ direction)
    rest = float(difference @ difference - value**2) / variance
    df = len(direction) - 1
    name, n = f"amplitude-difference-{FORMULA}", sum(half.n for half in found)
    return KernelHalves(
        first=first.reshape(trials.shape),
        second=second.reshape(trials.shape),
        se=math.sqrt(variance),
        amplitude_first=float(first @ direction),
        amplitude_second=float(second @ direction),
        amplitude=Estimate.normal(value, se, n, name),
        p_amplitude=float(2 * norm.sf(abs(value) / se)) if se > 0 else 1.0,
        shape=rest,
        df=df,
        p_shape=float(chi2.sf(rest, df)) if df else 1.0,
    )


def _half(part: TrialDesign) -> Score:
    cell = np.unique(part.cell, return_inverse=True)[1]
    return score(replace(part, cell=cell))


def _along(
    part: TrialDesign, half: Score, direction: Float[np.ndarray, " element"]
) -> Float[np.ndarray, " trial"]:
    """Return what each trial adds to a half's kernel along a direction, about its mean.

    Through its noise, and through the rates and the SD that were estimated with it; so
    the sum's variance is a little less than that of a direction without a kernel.
    """
    along = part.noise @ direction.astype(np.float32)
    own = half.coefficient * along / (half.sd * half.information)
    by_rate = half.rate_influence(along)
    length = np.einsum("te,te->t", part.noise, part.noise, dtype=np.float64)
    relative = length / (len(direction) * half.sd**2) - 1
    by_sd = float(own.sum()) * relative / (2 * len(own))
    times = np.bincount(half.cluster)
    found = own + (by_rate / times)[half.cluster] - by_sd
    return found - found.mean()
