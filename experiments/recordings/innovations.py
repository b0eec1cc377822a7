"""What is new in each frame: the part that the frames before it do not foretell.

Stimuli go on: a bar that moves, a frame that changes slowly. Spikes then go along with
frames that come only later, though nothing but the earlier ones led to them. What is
new in a frame goes along with no spike before it, whatever the cell does: that alone
can tell whether spikes and frames are in order.

It is what a regression on earlier frames leaves: on the last eight, on means of those
before them, up to the 32nd, and on 128 random rectified sums of the last four, for
stimuli that go on in no linear way. The spikes are given the same treatment (a partial
regression), so that a mistake in foretelling frames matters only where one in
foretelling spikes goes along with it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from .frame_rows import PAUSE, FrameRows

SINGLE = 8  # earlier frames, one by one
GROUPS = ((8, 12), (12, 20), (20, PAUSE))  # and those before them, by their means
RECENT = 4  # frames in a rectified sum
MOST_SUMS = 128
FRAMES_A_SUM = 20  # at least
LEAST_NEW = 1e-3  # of the variance; below that the stimulus can be foretold
N_LEVELS = 20  # of a response that is foretold linearly, for its nonlinearity
_CHUNK = 8192
_RIDGE = 1e-9  # of the mean variance of what foretells


@dataclass(frozen=True)
class Innovations:
    """What is new in every frame, and in the spikes.

    Attributes
    ----------
    new
        What of a frame the earlier ones do not foretell; 0 in the first eight of a
        piece and in pauses.
    left
        What of the spikes while a frame was shown the frames up to it do not foretell;
        0 where that is not known.
    share
        Of the variance of these numbers that the regression has not taken: 1 less the
        columns for each row.
    """

    new: Float32[np.ndarray, " row element"]
    left: Float32[np.ndarray, " row cell"]
    share: float


def innovations(rows: FrameRows) -> Innovations | None:
    """Find what is new; None if that is less than a thousandth of the variance."""
    known = np.flatnonzero(rows.place >= SINGLE)
    if not len(known):
        return None
    foretell = _foretell(rows, known)
    weights, n_columns = _regression(rows, known, foretell)
    new, left = np.zeros_like(rows.frames), np.zeros_like(rows.counts)
    linear = np.zeros_like(rows.counts)
    for chunk in _chunks(known):
        told = foretell(chunk) @ weights
        new[chunk] = rows.frames[chunk] - told[:, : new.shape[1]]
        linear[chunk - 1] = told[:, new.shape[1] :]
    if np.square(new).sum() < LEAST_NEW * np.square(rows.frames).sum():
        return None
    counted = known - 1
    for cell in range(left.shape[1]):
        y = rows.counts[counted, cell]
        left[counted, cell] = y - _by_level(linear[counted, cell], y)
    return Innovations(new, left, max(1 - n_columns / len(known), 0.0))


def _chunks(
    known: Int64[np.ndarray, " known"],
) -> Iterator[Int64[np.ndarray, " chunk"]]:
    for start in range(0, len(known), _CHUNK):
        yield known[start : start + _CHUNK]


def _foretell(
    rows: FrameRows, known: Int64[np.ndarray, " known"]
) -> Callable[[np.ndarray], np.ndarray]:
    """Give the function of rows to what foretells their frames: (row, column)."""
    frames = rows.frames
    total = np.cumsum(frames, axis=0, dtype=np.float64)
    rng = np.random.default_rng(0)
    n_sums = min(MOST_SUMS, len(known) // FRAMES_A_SUM)
    weights = rng.normal(size=(RECENT * frames.shape[1], n_sums)).astype(np.float32)
    weights /= np.sqrt(len(weights))

    def recent(at: np.ndarray) -> np.ndarray:
        return np.concatenate([frames[at - lag] for lag in range(1, RECENT + 1)], 1)

    # A sum is rectified at what it was in some frame, so that it is neither 0 nor
    # linear for all of them.
    some = recent(rng.choice(known, n_sums))
    at_least = np.einsum("sc,cs->s", some, weights)

    def foretell(at: np.ndarray) -> np.ndarray:
        single = [frames[at - lag] for lag in range(1, SINGLE + 1)]
        means = [(total[at - 1 - a] - total[at - 1 - b]) / (b - a) for a, b in GROUPS]
        sums = np.maximum(recent(at) @ weights - at_least, 0)
        # In double precision: neighbouring frames and elements are nearly equal.
        return np.concatenate([np.ones((len(at), 1)), *single, *means, sums], axis=1)

    return foretell


def _regression(
    rows: FrameRows,
    known: Int64[np.ndarray, " known"],
    foretell: Callable[[np.ndarray], np.ndarray],
) -> tuple[Float64[np.ndarray, " column target"], int]:
    """Regress frames, and the spikes during those before them, on earlier frames."""
    n_columns = foretell(known[:1]).shape[1]
    n_targets = rows.frames.shape[1] + rows.counts.shape[1]
    gram = np.zeros((n_columns, n_columns))
    moments = np.zeros((n_columns, n_targets))
    for chunk in _chunks(known):
        x = foretell(chunk)
        y = np.concatenate([rows.frames[chunk], rows.counts[chunk - 1]], axis=1)
        gram += x.T @ x
        moments += x.T @ y
    gram += np.eye(n_columns) * (_RIDGE * np.trace(gram) / n_columns)
    return np.linalg.solve(gram, moments), n_columns


def _by_level(
    linear: Float32[np.ndarray, " known"], y: Float32[np.ndarray, " known"]
) -> np.ndarray:
    """Give the mean of y at every level of a linear prediction: the nonlinearity."""
    edges = np.quantile(linear, np.linspace(0, 1, N_LEVELS + 1)[1:-1])
    level = np.searchsorted(edges, linear)
    n = np.bincount(level, minlength=N_LEVELS)
    mean = np.bincount(level, weights=y, minlength=N_LEVELS) / np.maximum(n, 1)
    return mean[level]
