"""The plain format of recordings, `yoked-recording/1`: a folder that anybody can write.

`recording.toml` says what there is and names the arrays (.npy) and tables (.csv) beside
it. docs/recordings.md has every key and an example.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..protocols.checks import Faults, ProtocolError, build, read_toml
from .columns import numbers, places, read_columns, whole_numbers
from .recording import BACKGROUND, Recording, RecordingError, Segment
from .spike_times import MOST_SPIKES, clock_of_frames, counts_in_steps

FORMAT = "yoked-recording/1"
HEAD = "recording.toml"
_BORDER = 1e-9  # a frame that begins in the middle of a step is shown in it


@dataclass(frozen=True)
class _Part:
    """What the file says of a segment."""

    use: str
    frames: str | None = None
    counts: str | None = None
    spikes: str | None = None
    n_repeats: int | None = None
    n_steps: int | None = None
    duration_s: float | None = None
    start_s: float = 0.0
    frame_times: str | None = None
    frame_of_step: str | None = None

    def __post_init__(self) -> None:
        faults = Faults()
        given = [key for key in ("counts", "spikes") if getattr(self, key)]
        faults.unless(len(given) == 1, "spikes", "given, or else counts", given)
        given = [key for key in ("n_steps", "duration_s") if getattr(self, key)]
        fits = len(given) == 1 or (self.counts is not None and not given)
        faults.unless(fits, "n_steps", "given, or else duration_s", given)
        given = [key for key in ("frame_times", "frame_of_step") if getattr(self, key)]
        fits = len(given) <= (self.frames is not None)
        faults.unless(fits, "frame_times", "given with frames, and no other", given)
        for key in ("n_steps", "duration_s", "n_repeats"):
            value = getattr(self, key)
            fits = value is None or 0 < value < math.inf
            faults.unless(fits, key, "more than 0", value)
        finite = math.isfinite(self.start_s)
        faults.unless(finite, "start_s", "a finite number", self.start_s)
        faults.raise_any()


@dataclass(frozen=True)
class _Head:
    """What `recording.toml` holds."""

    format: str
    name: str
    step_ms: float
    frame_ms: float
    cells: tuple[str, ...]
    segments: tuple[_Part, ...]
    background: float = 0.0
    element_um: float | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = Faults()
        faults.unless(self.format == FORMAT, "format", repr(FORMAT), self.format)
        for key in ("step_ms", "frame_ms"):
            value = getattr(self, key)
            faults.unless(0 < value < math.inf, key, "more than 0", value)
        faults.raise_any()


def read_plain(folder: Path) -> Recording:
    """Read a recording from a folder in the plain format.

    Raises
    ------
    RecordingError
        If a file breaks a rule of the format or of recordings; one line for each fault
        of `recording.toml`, which may be several.
    """
    try:
        head = build(_Head, read_toml(folder / HEAD))
    except ProtocolError as error:
        raise RecordingError(str(error)) from error
    except FileNotFoundError:
        rule = f"a folder with {HEAD}"
        raise RecordingError(f"a recording must be {rule}, got none of it") from None
    segments, notes = [], list(head.notes)
    for at, part in enumerate(head.segments):
        try:
            segment, n_outside = _segment(folder, head, part)
        except RecordingError as error:
            raise RecordingError(f"segments[{at}]: {error}") from error
        segments.append(segment)
        if n_outside:
            n, n_steps = int(segment.counts.sum()) + n_outside, segment.n_steps
            notes.append(
                f"of the {n} spikes of segment {at}, {n_outside} are before or after "
                f"its {n_steps} steps and are not counted"
            )
    return Recording(
        head.name,
        head.step_ms,
        head.frame_ms,
        head.cells,
        tuple(segments),
        background=head.background,
        element_um=head.element_um,
        notes=tuple(notes),
    )


def _segment(folder: Path, head: _Head, part: _Part) -> tuple[Segment, int]:
    """Read a segment, and how many of its spikes are in no step."""
    n_steps, n_outside = _steps(head, part), 0
    if part.counts is not None:
        counts = _counts(folder / part.counts, n_steps)
    else:
        assert part.spikes is not None  # by the rules of _Part
        assert n_steps is not None
        counts, n_outside = _spikes(folder / part.spikes, head, part, n_steps)
    if part.frames is None:
        return Segment(part.use, counts), n_outside
    frames = _frames(folder / part.frames)
    clock = _clock(folder, head, part, len(frames), counts.shape[1])
    return Segment(part.use, counts, frames, clock), n_outside


def _steps(head: _Head, part: _Part) -> int | None:
    """Give the duration in whole steps, if the file says it."""
    if part.duration_s is None:
        return part.n_steps
    n_steps = math.floor(part.duration_s * 1000 / head.step_ms + 1e-6)
    if n_steps < 1:
        rule = f"a step of {head.step_ms:g} ms or longer"
        raise RecordingError(f"duration_s must be {rule}, got {part.duration_s:g} s")
    return n_steps


def _array(path: Path) -> np.ndarray:
    """Read an array of numbers."""
    try:
        found = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise RecordingError(f"{path.name} must be a file, got none") from None
    except (ValueError, OSError, EOFError) as error:
        rule = "an array as NumPy keeps it (.npy)"
        raise RecordingError(f"{path.name} must be {rule}, got {error}") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "biuf":
        got = getattr(found, "dtype", "several arrays")
        raise RecordingError(f"{path.name} must be an array of numbers, got {got}")
    return found


def _counts(path: Path, n_steps: int | None) -> np.ndarray:
    """Read counts of (repeat, step, cell)."""
    found = _array(path)
    if found.ndim != 3 or n_steps not in (None, found.shape[1]):
        rule = f"(repeat, {n_steps or 'step'}, cell)"
        raise RecordingError(f"{path.name} must be of {rule}, got {found.shape}")
    counts = found.astype(np.uint8) if found.dtype.kind != "f" else _whole(path, found)
    if not np.array_equal(counts, found):
        rule = f"whole numbers from 0 to {MOST_SPIKES}"
        got = f"from {found.min()} to {found.max()}"
        raise RecordingError(f"{path.name} must have {rule}, got {got}")
    return np.ascontiguousarray(counts)


def _whole(path: Path, found: np.ndarray) -> np.ndarray:
    """Give counts that were kept as floats; what is none becomes another number."""
    if not np.isfinite(found).all():
        raise RecordingError(f"{path.name} must have finite numbers, got others")
    return np.clip(found, 0, MOST_SPIKES).astype(np.uint8)


def _spikes(
    path: Path, head: _Head, part: _Part, n_steps: int
) -> tuple[np.ndarray, int]:
    """Read spike times and count them, (repeat, step, cell), and those in no step."""
    columns = read_columns(path, ("cell", "repeat", "time_s"))
    cell = places(path, "cell", columns["cell"], head.cells)
    repeat = whole_numbers(path, "repeat", columns["repeat"])
    time_s = numbers(path, "time_s", columns["time_s"])
    n_repeats = part.n_repeats or int(repeat.max(initial=0)) + 1
    if len(repeat) and repeat.max() >= n_repeats:
        rule = f"below n_repeats, {n_repeats}"
        raise RecordingError(
            f"a repeat of {path.name} must be {rule}, got {repeat.max()}"
        )
    counts = np.zeros((n_repeats, n_steps, len(head.cells)), np.uint8)
    n_outside = 0
    # One sort, then a slice for each cell of each repeat.
    key = repeat * len(head.cells) + cell
    order = np.argsort(key, kind="stable")
    edges = np.searchsorted(key[order], np.arange(n_repeats * len(head.cells) + 1))
    for k, (first, last) in enumerate(pairwise(edges)):
        times = time_s[order[first:last]]
        where = divmod(k, len(head.cells))
        counted = counts_in_steps(times, n_steps, head.step_ms, part.start_s)
        counts[where[0], :, where[1]] = counted[0]
        n_outside += counted[1]
    return counts, n_outside


def _frames(path: Path) -> np.ndarray:
    """Read frames of (frame, y, x), or of (frame, x) as rows of bars."""
    found = _array(path)
    if found.ndim == 2:
        found = found[:, None, :]
    if found.ndim != 3:
        rule = "(frame, y, x), or (frame, x)"
        raise RecordingError(f"{path.name} must be of {rule}, got {found.shape}")
    with np.errstate(over="ignore"):  # too large a number is refused as infinite
        return np.ascontiguousarray(found, dtype=np.float32)


def _clock(
    folder: Path, head: _Head, part: _Part, n_frames: int, n_steps: int
) -> np.ndarray:
    """Read which frame each step saw, or say it by the frames' duration."""
    if part.frame_of_step is not None:
        path = folder / part.frame_of_step
        found = _array(path)
        if found.ndim != 1 or found.dtype.kind not in "iu":
            got = f"{found.dtype} of {found.shape}"
            rule = "a whole number for each step"
            raise RecordingError(f"{path.name} must have {rule}, got {got}")
        return np.clip(found.astype(np.int64), -(2**31), 2**31 - 1).astype(np.int32)
    if part.frame_times is None:
        if not are_as_long(n_frames, n_steps, head.step_ms, head.frame_ms):
            lasts_ms, steps_ms = n_frames * head.frame_ms, n_steps * head.step_ms
            what = f"{n_frames} frames of {head.frame_ms:g} ms without frame_times"
            rule = f"as long as the {n_steps} steps of {head.step_ms:g} ms, to a frame"
            got = f"{lasts_ms:g} and {steps_ms:g} ms"
            raise RecordingError(f"{what} must be {rule}, got {got}")
        return one_after_the_other(n_frames, n_steps, head.step_ms, head.frame_ms)
    path = folder / part.frame_times
    onsets = _onsets(path)
    if len(onsets) not in (n_frames, n_frames + 1):
        rule = f"the onsets of {n_frames} frames, and of the end if it is known"
        off = " (off by one)" if len(onsets) == n_frames - 1 else ""
        raise RecordingError(f"{path.name} must have {rule}, got {len(onsets)}{off}")
    clock = clock_of_frames(onsets, n_steps, head.step_ms, part.start_s)
    clock[clock == n_frames] = BACKGROUND
    return clock


def _onsets(path: Path) -> np.ndarray:
    """Read times in seconds from a table or an array."""
    if path.suffix == ".csv":
        return numbers(path, "time_s", read_columns(path, ("time_s",))["time_s"])
    found = _array(path)
    if found.ndim != 1:
        raise RecordingError(f"{path.name} must have one axis, got {found.ndim}")
    return found.astype(np.float64)


def are_as_long(n_frames: int, n_steps: int, step_ms: float, frame_ms: float) -> bool:
    """Whether frames that come one after the other last as long as the steps.

    To a frame, or to a step where that is longer.

    Examples
    --------
    >>> are_as_long(2, 5, 1.0, 2.0), are_as_long(2, 9, 1.0, 2.0)
    (True, False)
    """
    return abs(n_frames * frame_ms - n_steps * step_ms) <= max(frame_ms, step_ms)


def one_after_the_other(
    n_frames: int, n_steps: int, step_ms: float, frame_ms: float
) -> np.ndarray:
    """Give the frame of each step where each stays for `frame_ms` from the first step.

    After the last one the background is shown.

    Examples
    --------
    >>> one_after_the_other(2, n_steps=5, step_ms=1.0, frame_ms=2.0).tolist()
    [0, 0, 1, 1, -1]
    """
    middle = (np.arange(n_steps) + 0.5) * step_ms
    frame = np.floor(middle / frame_ms + _BORDER)
    return np.where(frame < n_frames, frame, BACKGROUND).astype(np.int32)
