"""Do the kernels of the two orders agree with each other? A test without parameters.

What the target adds to a stimulus drags the gradient of the response through its
Hessian: for any smooth observer and a weak signal s,

    (target's half - other's half) of the first-order kernel  is proportional to  H2 s.

The two sides are estimated from different moments of the noise, so without a second
order they are two independent errors, and their correlation is around nought.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Real
from scipy.special import ndtri

from ..kernels.classes import Classes
from ..trials.attempts import Share
from ..trials.chance import counted_p
from ..trials.counts import loglinear_rate
from ..trials.design import TrialDesign
from ..trials.estimate import Z95, CannotTell, Estimate
from ..trials.responses import NO_TARGET
from ..trials.result import Result
from .operators import Operators
from .replicates import well_filled

FORMULA = "gradient-through-hessian-correlation/1"
ALMOST_ONE = 1 - 1e-12


@dataclass(frozen=True)
class Consistency(Result):
    """How far the second-order kernel explains the halves of the first.

    Attributes
    ----------
    correlation
        Of the halves' difference with H2 s, over elements. Noise in both kernels draws
        it towards nought; 1 with many trials, for any weak signal.
    p
        Two-sided, of permuted responses: (1 + count) / (1 + n_permutations).
    null_high
        The |correlation| that 5 % of permuted responses exceed.
    """

    correlation: Estimate
    p: float
    null_high: float
    n_permutations: int
    seed: int


def consistency(
    trials: TrialDesign,
    signal: Real[np.ndarray, " element"],
    n_permutations: int = 1000,
    seed: int = 0,
    n_bootstrap: int = 200,
    progress: Share | None = None,
) -> Consistency:
    """Return the correlation that a second order, if real, forces on the kernels.

    Parameters
    ----------
    signal
        What the stimulus of a target has more than that of the other, on the grid of
        the noise; any scale. Where both have a signal (gains -1 and 1), the difference.
    n_permutations
        Responses are permuted within class and block, pairs as pairs: the hypothesis
        that they do not depend on the noise. A linear observer's do, in their first
        order only; its halves are equal and its second order is nought, so the
        correlation is distributed alike.
    n_bootstrap
        Samples of noise fields, within class. They give the SE of Fisher's z, and the
        interval around the correlation found; their own percentiles would lie too low,
        as each sample adds its noise to that of the trials.

    Raises
    ------
    ValueError
        If `signal` has another size than the noise, or nothing in it; if there are
        fewer than four elements; or if a contrast lacks a class.

    Notes
    -----
    For white noise. In yes/no a biased linear observer's halves differ in size, because
    a class that is answered alike throughout tells less. Each half is divided by what a
    linear observer's would be, phi(z) / (p (1 - p)), before the difference is taken; in
    2AFC the halves of a linear observer are equal, whatever its interval bias.

    References
    ----------
    .. [1] Neri (2004), J. Vision 4(2):2: the second order in the first.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> noise, target = rng.normal(size=(2, 3000, 5)), np.arange(3000) % 2
    >>> signal = np.array([0, 1, 2, 0, 0])
    >>> shown = noise[0] + 0.5 * signal  # the target's
    >>> correct = np.square(shown).sum(1) > np.square(noise[1]).sum(1)
    >>> sign = np.where(target == 1, 1, -1)[:, None]
    >>> trials = TrialDesign(
    ...     response=correct == (target == 1), target=target, cell=target,
    ...     contrast=np.ones(3000), cluster=np.arange(3000), stratum=target,
    ...     halves=np.stack([sign * noise[0], -sign * noise[1]]).astype(np.float32),
    ...     shape=(1, 1, 5), is_forced_choice=True)
    >>> consistency(trials, signal, n_permutations=99).correlation.value > 0.9
    True
    """
    if not trials.has_halves:
        raise CannotTell(NO_TARGET)
    pattern = _pattern(trials, signal)
    trials = well_filled(trials)
    scale = half_scale(trials)
    tell = progress or (lambda done, total: None)
    given = Operators.permuted(trials, n_permutations, seed)
    found, *by_chance = _correlations(given, pattern, scale).tolist()
    tell(1, 2)
    by_chance = np.abs(by_chance)
    as_large = int(np.sum(by_chance >= abs(found)))
    drawn = Operators.bootstrapped(trials, n_bootstrap, seed + 1)
    se_z = float(np.std(_fisher(_correlations(drawn, pattern, scale)), ddof=1))
    z = _fisher(found)
    low, high = np.tanh([z - Z95 * se_z, z + Z95 * se_z])
    return Consistency(
        correlation=Estimate(
            value=found,
            se=(1 - found**2) * se_z,
            low=float(low),
            high=float(high),
            n=len(trials),
            formula=FORMULA,
            note="noise in both kernels draws it towards 0",
        ),
        p=counted_p(as_large, n_permutations),
        null_high=float(np.quantile(by_chance, 0.95)),
        n_permutations=n_permutations,
        seed=seed,
    )


def _fisher(correlation: Any) -> Any:
    """Fisher's z, finite at -1 and 1."""
    return np.arctanh(np.clip(correlation, -ALMOST_ONE, ALMOST_ONE))


def half_scale(trials: TrialDesign) -> Float[np.ndarray, " 2"]:
    """Return the factors that make a linear observer's halves equal: mean 1.

    (1, 1) in 2AFC. In yes/no, by class: 1 over phi(z) / (p (1 - p)), contrasts averaged
    as in the kernel.
    """
    if trials.is_forced_choice:
        return np.ones(2)
    classes = Classes.of(trials)
    n = classes.size[0].reshape(-1, 2, 2)  # contrast, target, response
    p = loglinear_rate(n[..., 1], n.sum(2))
    density = np.exp(-np.square(ndtri(p)) / 2)
    size = classes.weight[0, :, 0] @ (density / (p * (1 - p)))
    return size.mean() / size[::-1]  # target's half first


def _pattern(trials: TrialDesign, signal: np.ndarray) -> Float[np.ndarray, " element"]:
    e = trials.halves.shape[2]
    pattern = np.asarray(signal, np.float64).ravel()
    if len(pattern) != e:
        rule = f"one value for each of the {e} elements of the noise"
        raise ValueError(f"signal must be {rule}, got {len(pattern)}")
    if not np.isfinite(pattern).all():
        raise ValueError("signal must be finite, got a value that is not")
    if not pattern.any():
        raise CannotTell("signal must be known, and not nought everywhere, got none")
    if e < 4:
        raise CannotTell(f"elements must be four or more to correlate over, got {e}")
    return pattern


def _correlations(
    kernels: Operators, pattern: np.ndarray, scale: np.ndarray
) -> Float[np.ndarray, " replicate"]:
    halves = kernels.halves()
    apart = scale[0] * halves[:, 0] - scale[1] * halves[:, 1]
    dragged = kernels.times(pattern[None]).astype(np.float64)
    apart = apart - apart.mean(1, keepdims=True)
    dragged = dragged - dragged.mean(1, keepdims=True)
    size = np.sqrt((apart**2).sum(1) * (dragged**2).sum(1))
    return np.einsum("re,re->r", apart, dragged) / np.maximum(size, 1e-300)
