"""The stimulus of an NWB file: frames, and when each was shown."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int32, Int64

from .recording import BACKGROUND, RecordingError
from .spike_times import clock_of_frames

PAUSE_FRAMES = 3.5  # a frame does not stay for longer: then comes a pause
WITHOUT_FRAMES = ("IndexSeries",)  # images elsewhere, in an order


@dataclass(frozen=True)
class Presentation:
    """A series of frames in `nwb.stimulus`.

    Attributes
    ----------
    name
        In the file.
    onset_s
        Of every frame, on the file's clock.
    frame_ms
        How long a frame stays, without those that stayed longer.
    """

    name: str
    onset_s: Float[np.ndarray, " frame"]
    frame_ms: float
    _series: Any

    def frames(self, first: int, last: int) -> Float32[np.ndarray, " frame y x"]:
        """Read some frames, in the series' own unit."""
        found = np.asarray(self._series.data[first:last], dtype=np.float64)
        found = found * self._series.conversion + self._series.offset
        return (found if found.ndim == 3 else found[:, None, :]).astype(np.float32)

    def clock(
        self, n_steps: int, step_ms: float, start_s: float
    ) -> Int32[np.ndarray, " step"]:
        """Give the frame of the series that each step saw, -1 in a pause."""
        time, frame = self._changes
        stop_s = start_s + n_steps * step_ms / 1000
        first = max(int(np.searchsorted(time, start_s, side="right")) - 1, 0)
        last = max(int(np.searchsorted(time, stop_s)), first + 1)
        place = clock_of_frames(time[first:last], n_steps, step_ms, start_s)
        clock = np.where(place < 0, BACKGROUND, frame[first + np.maximum(place, 0)])
        return clock.astype(np.int32)

    @cached_property
    def _changes(self) -> tuple[np.ndarray, np.ndarray]:
        """Give when what is shown changes, and to which frame, -1 for a pause."""
        frame_s = self.frame_ms / 1000
        gaps = np.diff(self.onset_s, append=np.inf)
        ends = np.flatnonzero(gaps > PAUSE_FRAMES * frame_s)
        time = np.concatenate([self.onset_s, self.onset_s[ends] + frame_s])
        every: Int64[np.ndarray, " frame"] = np.arange(len(self.onset_s))
        frame = np.concatenate([every, np.full(len(ends), BACKGROUND)])
        order = np.argsort(time, kind="stable")
        return time[order], frame[order]


def presentation(series: Any) -> Presentation:
    """Take a series of frames.

    Raises
    ------
    RecordingError
        If it has no frames of (frame, y, x) or (frame, x) in it, or no times.
    """
    name, kind = series.name, type(series).__name__
    if kind in WITHOUT_FRAMES or getattr(series, "external_file", None) is not None:
        rule = "kept with its frames in the file"
        got = kind if kind in WITHOUT_FRAMES else "an external file"
        raise RecordingError(f"stimulus {name} must be {rule}, got {got}")
    shape = np.shape(series.data)
    if len(shape) not in (2, 3) or not all(shape):
        rule = "(frame, y, x), or (frame, x)"
        raise RecordingError(f"stimulus {name} must be of {rule}, got {shape}")
    onset_s = _onsets(series, shape[0])
    if len(onset_s) != shape[0]:
        rule = f"a time for each of its {shape[0]} frames"
        raise RecordingError(f"stimulus {name} must have {rule}, got {len(onset_s)}")
    gaps = np.diff(onset_s)
    if not (np.isfinite(onset_s).all() and (gaps > 0).all() and len(gaps)):
        rule = "two or more times, which rise"
        raise RecordingError(f"stimulus {name} must have {rule}, got others")
    usual = np.median(gaps)
    frame_s = gaps[np.abs(gaps - usual) <= usual / 2].mean()
    return Presentation(name, onset_s, float(frame_s) * 1000, series)


def _onsets(series: Any, n_frames: int) -> np.ndarray:
    if series.timestamps is not None:
        return np.asarray(series.timestamps[:], dtype=np.float64)
    return float(series.starting_time) + np.arange(n_frames) / float(series.rate)
