"""What is wrong with a recording: one sentence for each thing that cannot be right."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from .frame_durations import stay
from .frame_rows import frame_rows
from .innovations import innovations
from .intervals import surely_short
from .recording import BACKGROUND, Recording, RecordingError, Segment
from .shifts import LEAST_MS, Shift, shifted_repeats
from .stimulus_order import early_spikes, shifted_segments

REFRACTORY_MS = 1.5
MOST_VIOLATIONS = 0.01  # of a cell's intervals
LEAST_INTERVALS = 100  # to tell such a share
SAME_DURATION = 0.01  # of a frame
MOST_NAMED = 3  # segments in a sentence


def check(recording: Recording) -> None:
    """Refuse a recording that has problems.

    Raises
    ------
    RecordingError
        With a line for each of them.
    """
    found = problems(recording)
    if found:
        raise RecordingError("\n".join(found))


def problems(recording: Recording, refractory_ms: float = REFRACTORY_MS) -> list[str]:
    """Say what cannot be right in a recording, one sentence each.

    - A cell has no spikes in the segments for fit, or in those for test.
    - More than 1 % of a cell's intervals are surely shorter than its refractory period:
      it is several cells. A step longer than that can hold two spikes; see
      `surely_short`.
    - A stimulus never varies.
    - Frames stay for another time than `frame_ms`, or drift by a frame or more against
      it. Single frames that were dropped or stayed longer are no fault.
    - A repeat's spikes come at another time than in the other repeats.
    - A segment's spikes come at another time after their frames than in others.
    - Spikes foretell frames that were not yet shown.

    The last three are tests, each with less than one false alarm in a thousand
    recordings; `shifts` and `stimulus_order` say how, and what they cannot see. Above
    all, spikes that come early in all segments by less than the cells' latency still
    follow their frames.

    Parameters
    ----------
    refractory_ms
        No cell has shorter intervals between its spikes.

    Examples
    --------
    >>> counts, frames = np.ones((1, 8, 1), np.uint8), np.zeros((2, 1, 3), np.float32)
    >>> one = Segment("fit", counts, frames, np.arange(8, dtype=np.int32) // 4)
    >>> problems(Recording("made-up", 2.0, 8.0, ("a",), (one,)))
    ['a stimulus must vary, got the same all the time in segment 0 (fit)']
    """
    return [
        *_silent_cells(recording),
        *_short_intervals(recording, refractory_ms),
        *_constant(recording),
        *_clocks(recording),
        *_shifted_repeats(recording),
        *_disorder(recording),
    ]


def _silent_cells(recording: Recording) -> Iterator[str]:
    for use in ("fit", "test"):
        if any(segment.use == use for segment in recording.segments):
            silent = np.flatnonzero(recording.n_spikes(use) == 0)
            names = ", ".join(recording.cells[cell] for cell in silent)
            if names:
                rule = f"spikes in the segments for {use}"
                yield f"a cell must have {rule}, got none of {names}"


def _short_intervals(recording: Recording, refractory_ms: float) -> Iterator[str]:
    counted = [
        surely_short(segment.counts, recording.step_ms, refractory_ms)
        for segment in recording.segments
    ]
    short = np.sum([n for n, _ in counted], axis=0)
    every = np.sum([n for _, n in counted], axis=0)
    for cell, n, of in zip(recording.cells, short, every, strict=True):
        if of >= LEAST_INTERVALS and n > MOST_VIOLATIONS * of:
            rule = f"shorter than {refractory_ms:g} ms in {MOST_VIOLATIONS:.0%} at most"
            yield f"intervals of {cell} must be {rule}, got {n / of:.1%} ({n} of {of})"


def _constant(recording: Recording) -> Iterator[str]:
    constant = [
        at
        for at, segment in enumerate(recording.segments)
        if segment.frames is not None and not _varies(segment, recording.background)
    ]
    if constant:
        where = _named(recording, constant)
        yield f"a stimulus must vary, got the same all the time in {where}"


def _varies(segment: Segment, background: float) -> bool:
    """Whether a step saw something else than another."""
    assert segment.frames is not None
    assert segment.frame_of_step is not None
    places = np.unique(segment.frame_of_step)
    shown = segment.frames[places[places != BACKGROUND]]
    if BACKGROUND in places:
        return bool((shown != background).any())
    return bool((shown != shown[0]).any())


def _clocks(recording: Recording) -> Iterator[str]:
    frame_ms = recording.frame_ms
    other: dict[str, list[int]] = defaultdict(list)
    for at, segment in enumerate(recording.segments):
        if segment.frame_of_step is None:
            continue
        found = stay(segment.frame_of_step, recording.step_ms, frame_ms)
        if found is None:
            continue
        if abs(found.ms - frame_ms) - found.error_ms > SAME_DURATION * frame_ms:
            other[f"{found.ms:.4g} ms"].append(at)
        elif found.drift(frame_ms) >= 1:
            drift = f"a drift of {found.drift(frame_ms):.1f} frames"
            other[f"{drift} ({found.ms:.6g} ms each)"].append(at)
    for got, places in other.items():
        where = _named(recording, places)
        yield f"a frame must stay for frame_ms, {frame_ms:.6g} ms, got {got} in {where}"


def _shifted_repeats(recording: Recording) -> Iterator[str]:
    for at, segment in enumerate(recording.segments):
        step_ms, frame_ms = recording.step_ms, recording.frame_ms
        found = shifted_repeats(segment.counts, step_ms, frame_ms)
        got = ", ".join(f"repeat {s.place} {_by(s)}" for s in found)
        if got:
            where = _named(recording, [at])
            yield f"repeats must come at the same time in {where}, got {got}"


def _disorder(recording: Recording) -> Iterator[str]:
    """Say where spikes and frames are not in order."""
    rows = frame_rows(recording)
    found = None if rows is None else innovations(rows)
    if rows is None or found is None:
        return
    shifted = shifted_segments(rows, found, LEAST_MS)
    got = ", ".join(f"{_named(recording, [s.place])} {_by(s)}" for s in shifted)
    if got:
        yield f"spikes must follow their frames alike in all segments, got {got}"
    early = early_spikes(rows, found)
    if early is not None:
        got = f"some that foretell frames {early.lead_ms:.3g} ms later"
        yield f"spikes must follow their frames, got {got} (z = {early.z:.1f})"


def _by(shift: Shift) -> str:
    way = "later" if shift.shift_ms > 0 else "earlier"
    return f"{abs(shift.shift_ms):.3g} ms {way} than others (z = {shift.z:.1f})"


def _named(recording: Recording, places: Sequence[int]) -> str:
    """Name segments, at most three of them."""
    named = [f"{at} ({recording.segments[at].use})" for at in places[:MOST_NAMED]]
    more = len(places) - len(named)
    end = f" and {more} more" if more else ""
    return f"segment{'s' if len(places) > 1 else ''} {', '.join(named)}{end}"
