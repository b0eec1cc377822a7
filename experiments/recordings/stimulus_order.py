"""Spikes and stimulus in order: no spike tells of a frame that was not yet shown.

Of every cell the spatial profile of its response is taken, from what is new in each
frame (see `innovations`), and the frames seen through it.

Spikes that foretell frames. What is new in a frame, seen so, times the spikes some
frames earlier has the mean 0 if spikes only follow. Over all cells together that is a
Hotelling test for each lag, in which nothing is assumed of how spikes follow each
other: what is new has the mean 0 whatever was before (a martingale).

Segments that are shifted. A segment is foretold by a regression of each cell's spikes
on the frames as it sees them, made from the other segments with such a stimulus, and
tried at other lags.

What cannot be seen: a shift that is shorter than the cells' latency and common to all
segments, as spikes then still follow; cells that answer to no frame linearly, such as
those to light on and off alike; and stimuli that can be foretold, such as gratings.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from scipy import stats

from .frame_rows import PAUSE, FrameRows
from .innovations import Innovations
from .shifts import BLOCK_MS, LEAST_Z, Shift, z_by_blocks, z_of

EARLY_MS, EARLY = 200.0, (2, 12)  # spikes are sought so long before a frame,
LATE_MS, LATE = 300.0, (3, PAUSE - 2)  # responses so long after it; in frames
P_EARLY = 1e-6  # of finding early spikes where there are none, over all lags
FRAMES_A_CELL = 20  # at least
ALIKE = 0.25  # of the SD: means and SDs of stimuli that are alike
_RIDGE = 1e-4


@dataclass(frozen=True)
class EarlySpikes:
    """Spikes that tell of frames that were not yet shown.

    Attributes
    ----------
    lead_ms
        How long before its frame they come.
    z
        Of this not being chance, over all lags; 37 at most.
    """

    lead_ms: float
    z: float


def early_spikes(rows: FrameRows, found: Innovations) -> EarlySpikes | None:
    """Find the lag at which spikes most clearly foretell frames, if at any."""
    early, _ = _lags(rows)
    spread = found.left.std(axis=0)
    cells = np.argsort(-spread)[: len(found.left) // FRAMES_A_CELL]
    cells = cells[spread[cells] > 0]
    if not len(cells):
        return None
    seen = found.new @ _profiles(rows, found)[cells].T
    left = found.left[:, cells]
    tested = [
        _log_p(left[:-lead] * seen[lead:], rows.first[lead:], found.share)
        for lead in range(1, early + 1)
    ]
    lead = int(np.argmin(tested))
    log_p = tested[lead] + math.log(early)
    if log_p > math.log(P_EARLY):
        return None
    return EarlySpikes((lead + 1) * rows.frame_ms, z_of(log_p))


def _lags(rows: FrameRows) -> tuple[int, int]:
    """Give how many frames before and after one are looked at."""
    early = math.ceil(EARLY_MS / rows.frame_ms)
    late = math.ceil(LATE_MS / rows.frame_ms)
    return min(max(early, EARLY[0]), EARLY[1]), min(max(late, LATE[0]), LATE[1])


def _profiles(
    rows: FrameRows, found: Innovations
) -> Float32[np.ndarray, " cell element"]:
    """Give each cell's spatial profile: its response's first component.

    The response is the sum of what is new in frames over the spikes that follow, for
    each lag.
    """
    _, late = _lags(rows)
    n, new = len(found.new), found.new
    responses = np.array(
        [rows.counts[lag:].T @ new[: n - lag] for lag in range(late + 1)]
    )  # (lag, cell, element)
    components = np.linalg.svd(responses.transpose(1, 0, 2), full_matrices=False)[2]
    return components[:, 0]


def _log_p(
    products: Float32[np.ndarray, " row cell"], first: np.ndarray, share: float
) -> float:
    """Test whether products have the mean 0; the log of p.

    What was shown twice is one row, as its spikes were led to by the same frames.
    """
    if (first != np.arange(len(first)) + first[0]).any():
        joined = np.zeros((first.max() + 1, products.shape[1]))
        np.add.at(joined, first, products)
        products = joined
    products = products.astype(np.float64)
    n_rows = int((products != 0).any(axis=1).sum())
    total, spread = products.sum(axis=0), products.T @ products
    n_cells = int(np.linalg.matrix_rank(spread, hermitian=True))
    n_left = n_rows * share - n_cells
    if not n_cells or n_left < 1:
        return 0.0
    t2 = float(total @ np.linalg.pinv(spread, hermitian=True) @ total) * share
    return float(stats.f.logsf(t2 * n_left / (n_rows * n_cells), n_cells, n_left))


def shifted_segments(
    rows: FrameRows, found: Innovations, least_ms: float = 0.0
) -> list[Shift]:
    """Find segments whose spikes come at another lag than in the others, in frames.

    The clearest is taken away from the others before the next is sought.

    Parameters
    ----------
    least_ms
        Shorter shifts are not sought.
    """
    early, late = _lags(rows)
    lags = list(range(-early, late + 1))
    to_try = [
        lag
        for lag in range(-early, early + 1)
        if not 0 < abs(lag) * rows.frame_ms < least_ms
    ]
    places = [int(at) for at in np.unique(rows.segment) if at >= 0]
    seen = rows.frames @ _profiles(rows, found).T
    parts = {at: _Part.of(rows, seen, at, lags) for at in places}
    weight = 1 / np.maximum(np.square(rows.counts).mean(axis=0), 1e-6)
    shifts: list[Shift] = []
    while len(parts) > 1:
        tried = [_shift(rows, at, parts, weight, to_try) for at in parts]
        worst = max(tried, key=lambda shift: shift.z)
        if worst.z < LEAST_Z:
            break
        shifts.append(worst)
        del parts[worst.place]
    return shifts


@dataclass(frozen=True)
class _Part:
    """The moments of a segment, of which regressions are made."""

    shown: np.ndarray  # whether a row is no pause
    counts: np.ndarray  # (row, cell)
    earlier: np.ndarray  # frames as a cell sees them: (cell, row, lag)
    gram: np.ndarray  # (cell, lag, lag)
    moments: np.ndarray  # (cell, lag)
    mean: float
    sd: float

    @classmethod
    def of(
        cls, rows: FrameRows, seen: np.ndarray, segment: int, lags: list[int]
    ) -> "_Part":
        """Take a segment, with a pause before and after."""
        places = np.flatnonzero(rows.segment == segment)
        part = slice(int(places[0]) - PAUSE, int(places[-1]) + 1 + PAUSE)
        counts, frames = rows.counts[part], rows.frames[places]
        earlier = np.stack([_later(seen[part], lag) for lag in lags], axis=-1)
        earlier = earlier.transpose(1, 0, 2).astype(np.float64)
        gram = earlier.transpose(0, 2, 1) @ earlier
        moments = np.einsum("crl,rc->cl", earlier, counts)
        mean, sd = float(frames.mean()), float(frames.std())
        shown = rows.segment[part] == segment
        return cls(shown, counts, earlier, gram, moments, mean, sd)

    def is_like(self, other: "_Part") -> bool:
        """Whether the stimuli have about one mean and SD: latencies depend on them."""
        near = abs(self.mean - other.mean) <= ALIKE * max(self.sd, other.sd)
        return near and abs(self.sd - other.sd) <= ALIKE * max(self.sd, other.sd)


def _shift(
    rows: FrameRows,
    segment: int,
    parts: dict[int, _Part],
    weight: np.ndarray,
    lags: list[int],
) -> Shift:
    """Try one segment at every lag, foretold by the others."""
    part = parts[segment]
    others = [p for at, p in parts.items() if at != segment and part.is_like(p)]
    gram = np.sum([p.gram for p in others], axis=0)
    moments = np.sum([p.moments for p in others], axis=0)
    if not others or not gram.any():
        return Shift(segment, 0.0, 0.0)
    n = gram.shape[-1]
    size = np.trace(gram, axis1=1, axis2=2)[:, None, None] / n
    filters = np.linalg.solve(
        gram + np.eye(n) * (_RIDGE * size + 1e-12), moments[..., None]
    )
    told = (part.earlier @ filters)[..., 0].T  # (row, cell)
    # The log likelihood of a Gaussian with each cell's variance, up to a constant.
    moved = {lag: _later(told, lag)[part.shown] for lag in lags}
    counts = part.counts[part.shown]
    gain = {
        lag: float((((counts - at_lag / 2) * at_lag) @ weight).sum())
        for lag, at_lag in moved.items()
    }
    best = max(gain, key=lambda lag: gain[lag])
    noise = ((counts - moved[best]) * (moved[best] - moved[0])) @ weight
    block = math.ceil(BLOCK_MS / rows.frame_ms)
    z = z_by_blocks(gain[best] - gain[0], noise, block)
    return Shift(segment, best * rows.frame_ms, z)


def _later(values: np.ndarray, n: int) -> np.ndarray:
    """Move values n rows later; what moves in is 0."""
    moved = np.zeros_like(values)
    if n >= 0:
        moved[n:] = values[: len(values) - n]
    else:
        moved[:n] = values[-n:]
    return moved
