"""The PSTH: the mean count of every step over repeats, and how much of it is noise.

A PSTH of n repeats varies over steps by its signal and by what noise is left after n
repeats. The two are told apart by the repeats' spread about the PSTH: in

    S = Var(mean) - N / n,   N = mean over steps of the variance over repeats,

with each repeat's own mean taken off first, S is without bias the variance that the
PSTH of infinitely many repeats would have [1]_. S / Var(mean) is its reliability: the
mean over all ways to split the repeats into halves a and b of 4 cov(a, b) / Var(a + b),
Cronbach's alpha [2]_. One split, odd against even repeats say, has the same expectation
and more noise. Its root is the ceiling: what the true rate would correlate with this
PSTH [3]_.

References
----------
.. [1] Sahani & Linden (2003), NIPS 15, 125-132.
.. [2] Cronbach (1951), Psychometrika 16, 297-334; Spearman (1910) and Brown (1910),
   Br. J. Psychol. 3, for the two halves.
.. [3] Schoppe, Harper, Willmore, King & Schnupp (2016), Front. Comput. Neurosci. 10:10.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer, Real
from scipy.ndimage import convolve1d

from ..trials.estimate import CannotTell
from ..trials.result import Result
from ..trials.score import ROUNDING
from .blocks import (
    BLOCKS,
    CORRELATION,
    ROOT_OF_SHARE,
    SHARE,
    PerCell,
    Sums,
    jackknife,
)

HALVES = "psth-odd-even-correlation/1"
CORRECTED = "psth-odd-even-spearman-brown/1"
RELIABILITY = "psth-reliability-all-pairs-of-repeats/1"
CEILING = "psth-correlation-ceiling/1"
NO_SIGNAL = "the PSTH does not vary beyond what its noise alone would bring"
STILL = "the PSTH does not vary over steps"

Counts = Integer[np.ndarray, " repeat step cell"]
Steps = Float[np.ndarray, " step sum cell"]


@dataclass(frozen=True, eq=False)
class PsthReliability(Result):
    """How much of a PSTH comes back.

    Attributes
    ----------
    halves
        Correlation of the PSTHs of odd and of even repeats.
    corrected
        The same brought to all repeats, 2 r / (1 + r).
    reliability
        Share of the variance over steps that is signal, from all pairs of repeats: the
        least noisy of the three.
    ceiling
        Correlation that the true rate would have with this PSTH.
    width
        Steps of the boxcar.
    n_repeats, n_blocks
        Repeats; stretches of the stimulus that standard errors rest on.
    """

    halves: PerCell
    corrected: PerCell
    reliability: PerCell
    ceiling: PerCell
    width: int
    n_repeats: int
    n_blocks: int


def smoothed(
    values: Real[np.ndarray, " *repeat step cell"], width: int
) -> Float[np.ndarray, " *repeat step cell"]:
    """Average over a boxcar of some steps, centred on each.

    An even boxcar has one step more, and its two ends count half, so that it is centred
    as an odd one is. At the ends of the segment the mean is of the steps that there
    are.

    Raises
    ------
    ValueError
        If the width is not 1 to the number of steps.

    Examples
    --------
    >>> one = np.zeros((7, 1))
    >>> one[3] = 12
    >>> smoothed(one, 3)[:, 0].tolist()
    [0.0, 0.0, 4.0, 4.0, 4.0, 0.0, 0.0]
    >>> smoothed(one, 2)[:, 0].tolist()
    [0.0, 0.0, 3.0, 6.0, 3.0, 0.0, 0.0]
    """
    n_steps = values.shape[-2]
    if not 1 <= width <= n_steps:
        rule = f"1 to the {n_steps} steps of the segment"
        raise ValueError(f"width must be {rule}, got {width}")
    boxcar = np.ones(width + 1 - width % 2)
    if width % 2 == 0:
        boxcar[[0, -1]] = 0.5
    total = convolve1d(values.astype(np.float64), boxcar, axis=-2, mode="constant")
    inside = convolve1d(np.ones(n_steps), boxcar, mode="constant")
    return total / inside[:, None]


def psth(counts: Counts, width: int = 1) -> Float[np.ndarray, " step cell"]:
    """Return the mean count of every step over repeats, smoothed.

    Examples
    --------
    >>> counts = np.array([[[0], [1], [1]], [[0], [1], [0]]], np.uint8)
    >>> psth(counts).ravel().tolist()
    [0.0, 1.0, 0.5]
    """
    return smoothed(counts.mean(axis=0), width)


def binned(
    values: Real[np.ndarray, " *repeat step cell"], width: int
) -> Real[np.ndarray, " *repeat bin cell"]:
    """Add up steps by bins; steps after the last whole bin are left out.

    Raises
    ------
    ValueError
        If the width is not 1 to the number of steps.

    Examples
    --------
    >>> binned(np.arange(7)[:, None], 3).ravel().tolist()
    [3, 12]
    """
    *repeat, n_steps, n_cells = values.shape
    if not 1 <= width <= n_steps:
        rule = f"1 to the {n_steps} steps of the segment"
        raise ValueError(f"a bin must be {rule}, got {width}")
    wide = values.astype(np.result_type(values, np.int64))
    whole = wide[..., : n_steps // width * width, :]
    return whole.reshape(*repeat, n_steps // width, width, n_cells).sum(axis=-2)


def check_repeats(counts: Counts, least: int = 2) -> None:
    """Raise CannotTell if there are too few repeats to tell signal from noise."""
    if len(counts) < least:
        rule = f"{least} or more to tell signal from noise"
        raise CannotTell(f"repeats must be {rule}, got {len(counts)}")


def noise_of_mean(
    responses: Real[np.ndarray, " repeat step cell"], *, has_offsets: bool
) -> Float[np.ndarray, " step cell"]:
    """Return the variance that the mean over repeats has from noise, of every step.

    Parameters
    ----------
    has_offsets
        Whether what a repeat has more or less than others in all its steps is a part
        of the noise. It moves the mean, and not how that varies over steps.
    """
    n = len(responses)
    about = responses - responses.mean(axis=0)
    if not has_offsets:
        about = about - about.mean(axis=1, keepdims=True)
    return np.einsum("rtc,rtc->tc", about, about) / (n * (n - 1))


def signal_steps(counts: Counts, width: int) -> Steps:
    """Return what every step adds to the sums of `signal_variance`.

    One, the smoothed PSTH, its square, and the variance that it has from noise.
    """
    mean = psth(counts, width)
    noise = [
        noise_of_mean(smoothed(counts[..., c : c + 1], width), has_offsets=False)
        for c in range(counts.shape[2])  # not all cells' repeats at once
    ]
    return np.stack(
        [np.ones_like(mean), mean, mean**2, np.concatenate(noise, axis=1)], axis=1
    )


def signal_variance(
    sums: Sums,
) -> tuple[Float[np.ndarray, " *of"], Float[np.ndarray, " *of"]]:
    """Return the variance of the signal over steps, and that of the PSTH."""
    n, mean, square, noise = sums[:4]
    variance = square / n - (mean / n) ** 2
    return variance - noise / n, variance


def psth_reliability(
    counts: Counts, width: int = 20, n_blocks: int = BLOCKS
) -> PsthReliability:
    """Estimate how much of a smoothed PSTH comes back, and the ceiling of correlations.

    Parameters
    ----------
    counts
        Spikes of one segment.
    width
        Steps of the boxcar.
    n_blocks
        Stretches of the stimulus that standard errors rest on.

    Raises
    ------
    ValueError
        If there are fewer than two repeats, or the width or the stretches do not fit.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rate = 0.2 + 0.15 * np.sin(np.arange(2000) / 25)[:, None]
    >>> counts = rng.poisson(np.broadcast_to(rate, (40, 2000, 1)))
    >>> found = psth_reliability(counts, width=10)
    >>> round(found.reliability.cells[0].value, 2)
    0.96
    """
    check_repeats(counts)
    one, other = (psth(counts[k::2], width) for k in (0, 1))
    steps = np.concatenate(
        [
            signal_steps(counts, width),
            np.stack([one, one**2, other, other**2, one * other], axis=1),
        ],
        axis=1,
    )
    made = jackknife(steps, _numbers, n_blocks)
    return PsthReliability(
        halves=made.per_cell(0, HALVES, STILL, CORRELATION),
        corrected=made.per_cell(1, CORRECTED, STILL, SHARE),
        reliability=made.per_cell(2, RELIABILITY, STILL, SHARE),
        ceiling=made.per_cell(3, CEILING, NO_SIGNAL, ROOT_OF_SHARE),
        width=width,
        n_repeats=len(counts),
        n_blocks=n_blocks,
    )


def _numbers(sums: Sums) -> Float[np.ndarray, " number *of"]:
    signal, variance = signal_variance(sums)
    r = correlation(sums[0], *sums[4:])
    reliability = signal / variance
    return np.stack([r, 2 * r / (1 + r), reliability, np.sqrt(reliability)])


def correlation(
    n: Float[np.ndarray, " *of"],
    x: Float[np.ndarray, " *of"],
    xx: Float[np.ndarray, " *of"],
    y: Float[np.ndarray, " *of"],
    yy: Float[np.ndarray, " *of"],
    xy: Float[np.ndarray, " *of"],
) -> Float[np.ndarray, " *of"]:
    """Return Pearson's correlation from sums; NaN where one does not vary."""
    x_variance, y_variance = n * xx - x**2, n * yy - y**2
    still = (x_variance <= ROUNDING * n * xx) | (y_variance <= ROUNDING * n * yy)
    product = np.where(still, np.nan, x_variance * y_variance)
    return (n * xy - x * y) / np.sqrt(product)
