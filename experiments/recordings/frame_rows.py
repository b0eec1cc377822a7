"""A recording frame by frame: what was shown, and the spikes while it was."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from .recording import BACKGROUND, Recording, Segment

PAUSE = 32  # empty rows between frames that did not follow each other
MOST_ELEMENTS = 64  # more are taken together in blocks
FRAMES_AN_ELEMENT = 220  # at least
_HELD = 0.95  # of the runs of equal frames, to say that each frame is held so long
_LEAST_RUNS = 20  # to say that


@dataclass(frozen=True)
class FrameRows:
    """All frames that were shown, one a row, with empty rows where there is a pause.

    Attributes
    ----------
    frames
        Elements of every frame, or blocks of them, less their mean; 0 in a pause.
    counts
        Spikes while it was shown, as the mean of all repeats, less their mean in that
        piece of the segment; 0 in a pause.
    segment
        Its place in the recording; -1 in a pause.
    place
        Of the frame in its piece, from 0; -1 in a pause.
    first
        The row where the same piece was shown first; itself, if it was not before.
    frame_ms
        How long a frame stays, as it was meant.
    """

    frames: Float32[np.ndarray, " row element"]
    counts: Float32[np.ndarray, " row cell"]
    segment: Int64[np.ndarray, " row"]
    place: Int64[np.ndarray, " row"]
    first: Int64[np.ndarray, " row"]
    frame_ms: float


def frame_rows(recording: Recording) -> FrameRows | None:
    """Give all frames of segments with a stimulus; None if they are few, or all alike.

    Where a stimulus changes only every n frames, n are one frame here. There are 220
    frames or more for each element, and at most 64 elements.
    """
    pieces = [
        (at, *piece)
        for at, segment in enumerate(recording.segments)
        if segment.frames is not None
        for piece in _pieces(segment)
    ]
    n_held = held([frames for _, frames, _ in pieces])
    starts = [_starts(frames, n_held) for _, frames, _ in pieces]
    most = min(MOST_ELEMENTS, sum(map(len, starts)) // FRAMES_AN_ELEMENT)
    if not most:
        return None
    rows = [
        (at, blocks(frames[s], most), np.add.reduceat(counts, s, axis=0))
        for (at, frames, counts), s in zip(pieces, starts, strict=True)
    ]
    # Of frames that are shorter than a step, one is seen in each.
    frame_ms = max(recording.frame_ms, recording.step_ms) * n_held
    found = _joined(rows, frame_ms)
    return found if found.frames.any() else None


def _pieces(segment: Segment) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give frames (frame, y, x) and spikes (frame, cell) between backgrounds."""
    assert segment.frames is not None
    assert segment.frame_of_step is not None
    clock = segment.frame_of_step
    starts = np.flatnonzero(np.diff(clock, prepend=BACKGROUND - 1))
    spikes = segment.counts.mean(axis=0, dtype=np.float32)
    counts, frame = np.add.reduceat(spikes, starts, axis=0), clock[starts]
    for part in np.split(np.arange(len(frame)), np.flatnonzero(frame == BACKGROUND)):
        shown = part[frame[part] != BACKGROUND]
        if len(shown):
            yield segment.frames[frame[shown]], counts[shown]


def held(pieces: Sequence[np.ndarray]) -> int:
    """Give for how many frames a stimulus stays as it is; 1 if any frame may differ.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(100, 2, 2))
    >>> held([np.repeat(noise, 3, axis=0)]), held([noise])
    (3, 1)
    """
    # A piece's first frames may be cut, as its last ones, which have no end here.
    found = [np.diff(_changes(frames))[1:] for frames in pieces]
    lengths = np.concatenate(found) if found else np.empty(0, int)
    if len(lengths) < _LEAST_RUNS:
        return 1
    for n in range(int(np.median(lengths)), 1, -1):
        if (lengths % n == 0).mean() >= _HELD:
            return n
    return 1


def _changes(frames: np.ndarray) -> np.ndarray:
    """Give where frames begin that are not as the one before."""
    other = (frames[1:] != frames[:-1]).any(axis=(1, 2))
    return np.concatenate([[0], np.flatnonzero(other) + 1])


def _starts(frames: np.ndarray, n_held: int) -> np.ndarray:
    """Give where each frame begins, if one is held for `n_held`."""
    if n_held == 1:
        return np.arange(len(frames))
    first = _changes(frames)
    lengths = np.diff(first, append=len(frames))
    n_each = np.maximum(np.rint(lengths / n_held).astype(int), 1)
    within = np.concatenate([np.arange(n) for n in n_each])
    return np.repeat(first, n_each) + within * n_held


def blocks(frames: np.ndarray, most: int) -> np.ndarray:
    """Give (frame, element) with the means of blocks, `most` or fewer in all.

    Examples
    --------
    >>> blocks(np.arange(8.0).reshape(1, 2, 4), 4).tolist()
    [[2.0, 3.0, 4.0, 5.0]]
    >>> blocks(np.arange(8.0).reshape(1, 2, 4), 8).shape
    (1, 8)
    """
    _, n_y, n_x = frames.shape
    rows = max(1, int(n_y * min(1.0, (most / (n_y * n_x)) ** 0.5)))
    columns = min(n_x, most // rows)
    for axis, (n, kept) in enumerate([(n_y, rows), (n_x, columns)], start=1):
        edges = np.arange(kept) * n // kept
        sizes = np.diff(edges, append=n).astype(frames.dtype)
        summed = np.add.reduceat(frames, edges, axis=axis)
        frames = summed / np.expand_dims(sizes, tuple({0, 1, 2} - {axis}))
    return frames.reshape(len(frames), -1)


def _joined(
    pieces: list[tuple[int, np.ndarray, np.ndarray]], frame_ms: float
) -> FrameRows:
    """Put pieces one after the other, with a pause before each and at the end."""
    lengths = np.array([len(frames) for _, frames, _ in pieces])
    begins = np.cumsum(lengths + PAUSE) - lengths
    n = int(lengths.sum()) + PAUSE * (len(pieces) + 1)
    segment, place, first = (np.full(n, -1), np.full(n, -1), np.arange(n))
    shown = np.zeros((n, pieces[0][1].shape[1]), np.float32)
    counts = np.zeros((n, pieces[0][2].shape[1]), np.float32)
    mean = np.concatenate([frames for _, frames, _ in pieces]).mean(axis=0)
    known: dict[bytes, int] = {}
    for (at, frames, spikes), begin in zip(pieces, begins, strict=True):
        rows = slice(begin, begin + len(frames))
        shown[rows], counts[rows] = frames - mean, spikes - spikes.mean(axis=0)
        segment[rows], place[rows] = at, np.arange(len(frames))
        first[rows] = place[rows] + known.setdefault(frames.tobytes(), int(begin))
    return FrameRows(shown, counts, segment, place, first, frame_ms)
