"""A recording: the spikes of several cells, and the stimulus that they answered.

Time is cut into steps, and spikes are counted in them. A frame of the stimulus stays
for several steps; which frame a step saw is said for every step (the frame clock), so
that a frame that was dropped or stayed longer is no special case.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Int32, UInt8

USES = ("fit", "repeats", "test")
BACKGROUND = -1  # of the frame clock: no frame is shown


class RecordingError(ValueError):
    """A recording, or a file of one, breaks a rule; one sentence says which."""


@dataclass(frozen=True, eq=False)
class Segment:
    """One stimulus, shown once or several times, and the spikes that it led to.

    Attributes
    ----------
    use
        'fit': for fitting models. 'repeats': one stimulus many times, from which
        couplings between cells and ceilings are taken. 'test': for scores alone.
    counts
        Spikes of every cell in every step of every repeat.
    frames
        The stimulus, in the recording's own unit; None where it is not known.
    frame_of_step
        The frame that each step saw, from 0; -1 where the background was shown. None
        where the stimulus is not known.

    Examples
    --------
    >>> counts = np.zeros((5, 100, 2), np.uint8)  # five repeats, two cells
    >>> Segment("repeats", counts).n_repeats
    5
    """

    use: str
    counts: UInt8[np.ndarray, " repeat step cell"]
    frames: Float32[np.ndarray, " frame y x"] | None = None
    frame_of_step: Int32[np.ndarray, " step"] | None = None

    def __post_init__(self) -> None:
        if self.use not in USES:
            rule = f"one of {', '.join(USES)}"
            raise RecordingError(f"the use of a segment must be {rule}, got {self.use}")
        if self.counts.ndim != 3 or not self.counts.size:
            rule = "of one or more repeats, steps and cells"
            raise RecordingError(f"counts must be {rule}, got {self.counts.shape}")
        if (self.frames is None) != (self.frame_of_step is None):
            rule = "given together, or neither"
            got = "a clock alone" if self.frames is None else "frames alone"
            raise RecordingError(
                f"frames and the frame clock must be {rule}, got {got}"
            )
        if self.frames is not None and self.frame_of_step is not None:
            _check_stimulus(self.frames, self.frame_of_step, self.n_steps)

    @property
    def n_repeats(self) -> int:
        """How often it was shown."""
        return self.counts.shape[0]

    @property
    def n_steps(self) -> int:
        """Its duration."""
        return self.counts.shape[1]

    def shown(self, background: float = 0.0) -> Float32[np.ndarray, " step y x"]:
        """Give what every step saw.

        Raises
        ------
        RecordingError
            If the stimulus is not known.

        Examples
        --------
        >>> counts, frames = np.zeros((1, 4, 1), np.uint8), np.ones((2, 1, 1))
        >>> clock = np.array([-1, 0, 0, 1], np.int32)
        >>> one = Segment("fit", counts, frames.astype(np.float32), clock)
        >>> one.shown().ravel().tolist()
        [0.0, 1.0, 1.0, 1.0]
        """
        if self.frames is None or self.frame_of_step is None:
            rule = "known to compute a response"
            got = f"none in a segment for {self.use}"
            raise RecordingError(f"the stimulus must be {rule}, got {got}")
        shown = self.frames[np.maximum(self.frame_of_step, 0)]
        shown[self.frame_of_step == BACKGROUND] = background
        return shown


def _check_stimulus(frames: np.ndarray, clock: np.ndarray, n_steps: int) -> None:
    """Hold the stimulus and its clock against each other and the spikes."""
    if frames.ndim != 3 or not frames.size:
        rule = "one or more of (y, x) elements"
        raise RecordingError(f"frames must be {rule}, got {frames.shape}")
    if not np.isfinite(frames).all():
        n = int((~np.isfinite(frames)).sum())
        raise RecordingError(f"a stimulus must be finite numbers, got {n} that are not")
    if len(clock) != n_steps:
        rule = f"as long as the spikes, {n_steps} steps"
        off = " (off by one)" if abs(len(clock) - n_steps) == 1 else ""
        raise RecordingError(
            f"the frame clock must be {rule}, got {len(clock)} steps{off}"
        )
    if clock.min() < BACKGROUND or clock.max() >= len(frames):
        rule = f"of the {len(frames)} frames, counted from 0, or -1"
        got = int(clock.max() if clock.max() >= len(frames) else clock.min())
        off = " (off by one)" if got == len(frames) else ""
        raise RecordingError(f"the frame clock must be {rule}, got frame {got}{off}")
    order = np.diff(clock[clock != BACKGROUND])
    if (order < 0).any():
        at = int(np.flatnonzero(order < 0)[0])
        raise RecordingError(
            f"the frame clock must never go back, got that after step {at}"
        )


@dataclass(frozen=True, eq=False)
class Recording:
    """Spikes of cells that were recorded together, cut into segments.

    Attributes
    ----------
    name
        Of the data set.
    step_ms
        Duration of a step.
    frame_ms
        How long a frame of the stimulus stays, as it was meant.
    cells
        A name for each.
    segments
        In the order of the recording. All with a stimulus have frames of one size.
    background
        What the stimulus is where no frame is, in its own unit.
    element_um
        Width and height of a stimulus element on the retina in micrometres; None where
        it is not known.
    notes
        What was said of it when it was read, such as spikes that were not counted.

    Examples
    --------
    >>> counts = np.zeros((1, 20, 2), np.uint8)
    >>> counts[0, 7] = 1
    >>> clock = np.repeat(np.arange(2, dtype=np.int32), 10)
    >>> one = Segment("fit", counts, np.zeros((2, 1, 31), np.float32), clock)
    >>> recording = Recording("made-up", 1.667, 16.67, ("a", "b"), (one,))
    >>> recording.shape, recording.n_spikes("fit").tolist()
    ((1, 31), [1, 1])
    """

    name: str
    step_ms: float
    frame_ms: float
    cells: tuple[str, ...]
    segments: tuple[Segment, ...]
    background: float = 0.0
    element_um: float | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("step_ms", "frame_ms", "element_um"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise RecordingError(f"{name} must be more than 0, got {value}")
        if not math.isfinite(self.background):
            got = self.background
            raise RecordingError(f"background must be a finite number, got {got}")
        if not self.cells or len(set(self.cells)) < len(self.cells):
            rule = "one or more, each with a name of its own"
            raise RecordingError(f"cells must be {rule}, got {list(self.cells)}")
        if not self.segments:
            raise RecordingError("a recording must have one segment or more, got none")
        for segment in self.segments:
            n = segment.counts.shape[2]
            if n != len(self.cells):
                rule = f"of all {len(self.cells)} cells in every segment"
                raise RecordingError(f"counts must be {rule}, got {n}")
        shapes = {s.frames.shape[1:] for s in self.segments if s.frames is not None}
        if len(shapes) != 1:
            rule = "of one size, and known of one segment at least"
            raise RecordingError(f"frames must be {rule}, got {sorted(shapes)}")

    @property
    def shape(self) -> tuple[int, int]:
        """Elements of a frame, (y, x)."""
        for segment in self.segments:
            if segment.frames is not None:
                return segment.frames.shape[1], segment.frames.shape[2]
        raise AssertionError("a recording has a stimulus")

    @property
    def n_cells(self) -> int:
        """How many there are."""
        return len(self.cells)

    def of(self, use: str, *, with_stimulus: bool = True) -> tuple[Segment, ...]:
        """Give the segments of one use.

        Raises
        ------
        RecordingError
            If there is none, or none whose stimulus is known where that is needed.
        """
        found = tuple(self._of(use, with_stimulus))
        if not found:
            what = "with its stimulus " if with_stimulus else ""
            rule = f"one segment {what}for {use} or more"
            raise RecordingError(f"recording {self.name} must have {rule}, got none")
        return found

    def _of(self, use: str, with_stimulus: bool) -> Iterator[Segment]:
        for segment in self.segments:
            if segment.use == use and not (with_stimulus and segment.frames is None):
                yield segment

    def n_spikes(self, use: str | None = None) -> np.ndarray:
        """Count the spikes of every cell, in segments of one use or in all: (cell,)."""
        chosen = [s for s in self.segments if use is None or s.use == use]
        counts = [s.counts.sum(axis=(0, 1), dtype=np.int64) for s in chosen]
        return np.sum(counts, axis=0, dtype=np.int64) + np.zeros(self.n_cells, int)

    def only(self, cells: tuple[str, ...]) -> "Recording":
        """Give the recording of some of its cells, in their order.

        Raises
        ------
        RecordingError
            If there is no such cell.
        """
        for cell in cells:
            if cell not in self.cells:
                rule = f"of {', '.join(self.cells)}"
                raise RecordingError(f"a cell must be one {rule}, got {cell!r}")
        places = [self.cells.index(cell) for cell in cells]
        segments = tuple(
            replace(segment, counts=segment.counts[:, :, places])
            for segment in self.segments
        )
        return replace(self, cells=tuple(cells), segments=segments)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of all that a model can learn from it."""
        sha = hashlib.sha256(f"{self.step_ms} {self.background}".encode())
        for segment in self.segments:
            sha.update(f"{segment.use} {segment.counts.shape}".encode())
            sha.update(np.ascontiguousarray(segment.counts).tobytes())
            if segment.frames is not None and segment.frame_of_step is not None:
                sha.update(f"{segment.frames.shape}".encode())
                sha.update(np.ascontiguousarray(segment.frames).tobytes())
                sha.update(np.ascontiguousarray(segment.frame_of_step).tobytes())
        return sha.hexdigest()
