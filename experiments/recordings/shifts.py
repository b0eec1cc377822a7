"""Spikes at another time than in the other repeats of the same stimulus.

A repeat's spikes are compared with the rate of the other repeats, moved by every lag:
the log likelihood of when they came, given how many there are, summed over cells. Its
gain over lag 0 is told in standard errors, taken from blocks of time, as spikes go
along with each other for some milliseconds.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from scipy import special, stats
from scipy.ndimage import gaussian_filter1d

LEAST_Z = 5.0
LEAST_MS = 8.0  # latencies drift by some milliseconds in an hour
LONGEST_MS = 250.0
BLOCK_MS = 50.0  # spikes go along with each other for so long, not much longer
LEAST_BLOCKS = 10
LEAST_REPEATS = 2
_BINS_A_FRAME = 4
_AT_LEAST = 0.2  # of a cell's mean rate: no repeat says that a spike is impossible
_LOG_P = -700.0  # the smallest that is told


@dataclass(frozen=True)
class Shift:
    """A segment, or a repeat, whose spikes come at another time than in the others.

    Attributes
    ----------
    place
        Which it is, from 0.
    shift_ms
        By how much its spikes come later; below 0 if earlier.
    z
        Of this not being chance.
    """

    place: int
    shift_ms: float
    z: float


def shifted_repeats(
    counts: UInt8[np.ndarray, " repeat step cell"], step_ms: float, frame_ms: float
) -> list[Shift]:
    """Find repeats whose spikes come at another time than in the others.

    Shifts of half a frame or more are sought, 8 ms at least. The clearest is taken away
    from the others before the next is sought.

    Examples
    --------
    >>> rate = np.random.default_rng(1).gamma(0.2, 1.0, size=(400, 3))
    >>> counts = np.random.default_rng(2).poisson(rate, size=(6, 400, 3))
    >>> counts[4] = np.roll(counts[4], 2, axis=0)
    >>> [found] = shifted_repeats(counts.astype(np.uint8), step_ms=10, frame_ms=10)
    >>> found.place, found.shift_ms
    (4, 20.0)
    """
    steps_a_bin = max(1, int(frame_ms / step_ms / _BINS_A_FRAME))
    n_bins = counts.shape[1] // steps_a_bin
    kept = counts[:, : n_bins * steps_a_bin]
    shape = len(kept), n_bins, steps_a_bin, counts.shape[2]
    binned = kept.reshape(shape).sum(axis=2, dtype=np.float64)
    bin_ms = steps_a_bin * step_ms
    longest = min(n_bins // 4, int(LONGEST_MS / bin_ms))
    least = max(math.ceil(max(frame_ms / 2, LEAST_MS) / bin_ms - 1e-9), 1)
    if longest < least:
        return []
    lags = [lag for lag in range(-longest, longest + 1) if not 0 < abs(lag) < least]
    places, shifts = list(range(len(binned))), []
    while len(places) >= LEAST_REPEATS:
        total = binned[places].sum(axis=0)
        tried = [_shift(binned[at], total, at, lags, bin_ms) for at in places]
        worst = max(tried, key=lambda shift: shift.z)
        if worst.z < LEAST_Z:
            break
        shifts.append(worst)
        places.remove(worst.place)
    return shifts


def _shift(
    own: Float[np.ndarray, " bin cell"],
    total: Float[np.ndarray, " bin cell"],
    place: int,
    lags: list[int],
    bin_ms: float,
) -> Shift:
    """Try one repeat at every lag."""
    rate = gaussian_filter1d(total - own, 1.0, axis=0, mode="nearest")
    mean = rate.mean(axis=0)
    rate = np.where(mean > 0, (1 - _AT_LEAST) * rate + _AT_LEAST * mean, 1.0)
    log_rate, n = np.log(rate), len(own)
    before = np.concatenate([np.zeros_like(rate[:1]), np.cumsum(rate, axis=0)])

    def preferred(lag: int) -> tuple[slice, slice, np.ndarray]:
        """Give the bins known at a lag, their rates', and how a spike speaks for it."""
        first, last = max(lag, 0), n + min(lag, 0)
        bins, moved = slice(first, last), slice(first - lag, last - lag)
        expected = before[last] - before[first]
        level = np.log((before[last - lag] - before[first - lag]) / expected)
        return bins, moved, log_rate[moved] - log_rate[bins] - level

    def gain(lag: int) -> float:
        bins, _, more = preferred(lag)
        return float(np.vdot(own[bins], more))

    best = max(lags, key=gain)
    bins, moved, more = preferred(best)
    told = rate[moved] * (own[bins].sum(axis=0) / rate[moved].sum(axis=0))
    noise = ((own[bins] - told) * more).sum(axis=1)
    z = z_by_blocks(gain(best), noise, math.ceil(BLOCK_MS / bin_ms))
    return Shift(place, float(best * bin_ms), z)


def z_by_blocks(gain: float, noise: Float[np.ndarray, " time"], size: int) -> float:
    """Give a gain's z, by Student's t, where noise goes along with itself in blocks.

    Examples
    --------
    >>> round(z_by_blocks(60.0, np.tile([1.0, -1.0, 2.0, -2.0], 100), 1), 2)
    1.89
    >>> z_by_blocks(60.0, np.tile([1.0, -1.0], 200), 2)  # its blocks have none
    0.0
    """
    blocks = np.add.reduceat(noise, np.arange(0, len(noise), size))
    error = math.sqrt(float(np.square(blocks).sum()))
    if len(blocks) < LEAST_BLOCKS or not error:
        return 0.0
    return z_of(float(stats.t.logsf(gain / error, len(blocks))))


def z_of(log_p: float) -> float:
    """Give the z of a one-sided p by its logarithm; 37 at most.

    Examples
    --------
    >>> round(z_of(np.log(0.025)), 3)
    1.96
    """
    return -float(special.ndtri_exp(max(log_p, _LOG_P)))
