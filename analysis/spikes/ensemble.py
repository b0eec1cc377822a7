"""Spikes as responses to noise: a spike is a "yes", an instant of the stimulus a "no".

What the stimulus was before an instant is its noise field, (lag, y, x), as bars in an
interval are a trial's. Every spike is a trial with the response "yes", so a step of two
spikes counts twice; every instant that has its whole past in its segment is a trial
with the response "no", with a spike or not. The kernel of a task without a correct
answer, mean noise of "yes" less that of "no", is then the spike-triggered average less
the mean stimulus, and its second order the covariance before spikes less that of the
stimulus. So what is said of a recorded cell, of a model of it and of a person comes
from the same lines of code.

Fields are made from frames and their clock when they are asked for, a chunk at a time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int, Int8, Int64, Integer

from ...experiments.protocols.parts import FULL_CONTRAST
from ...experiments.recordings.recording import BACKGROUND, Recording, Segment
from ...experiments.stimulus.sources import Table
from ..trials.estimate import CannotTell
from ..trials.responses import Responses

Counts = Integer[np.ndarray, " _ _ _"]
"""(repeat, step, cell) of one segment; others are of other lengths."""


class StimulusBefore:
    """Noise source whose field is the stimulus before an instant; lag 0 comes first.

    Parameters
    ----------
    segments
        With their stimulus; an instant is a step, counted on from one to the next.
    lags
        How many steps before the instant each row of the field is.
    background
        What the stimulus is where no frame is.

    Examples
    --------
    >>> counts, frames = np.zeros((1, 4, 1), np.uint8), np.arange(4.0)[:, None, None]
    >>> clock = np.arange(4, dtype=np.int32)
    >>> one = Segment("fit", counts, frames.astype(np.float32), clock)
    >>> source = StimulusBefore([one], np.array([0, 1]), 0.0)
    >>> source.field({"stimulus_id": [3]}, 0).ravel().tolist()
    [3.0, 2.0]
    """

    name = "recording"

    def __init__(
        self,
        segments: Sequence[Segment],
        lags: Int[np.ndarray, " lag"],
        background: float,
    ) -> None:
        clocks, n_frames = [], 0
        for segment in segments:
            assert segment.frames is not None
            assert segment.frame_of_step is not None
            clock = segment.frame_of_step.astype(np.int64)
            clocks.append(np.where(clock == BACKGROUND, -1, clock + n_frames))
            n_frames += len(segment.frames)
        shown = [segment.frames for segment in segments if segment.frames is not None]
        last = np.full((1, *shown[0].shape[1:]), background, np.float32)
        self.lags = lags
        self._frames = _as_exact_levels(np.concatenate([*shown, last]))
        self._frame_at = np.concatenate(clocks)  # the background is frame -1

    def field(
        self, table: Table, interval: int
    ) -> Int8[np.ndarray, " trial lag y x"] | Float32[np.ndarray, " trial lag y x"]:
        """Give the stimulus before every instant of a table."""
        instant = np.asarray(table["stimulus_id"], np.int64)
        frame = self._frame_at[instant[:, None] - self.lags]
        return np.take(self._frames, frame, axis=0)


def _as_exact_levels(
    frames: Float32[np.ndarray, " frame y x"],
) -> Float32[np.ndarray, " frame y x"] | Int8[np.ndarray, " frame y x"]:
    """Return frames as levels where that is exact; levels are added up much faster."""
    if np.abs(frames).max() > 1:
        return frames
    levels = np.rint(FULL_CONTRAST * frames).astype(np.int8)
    is_exact = np.array_equal((levels / FULL_CONTRAST).astype(np.float32), frames)
    return levels if is_exact else frames


def as_yes_no(
    spikes: Int64[np.ndarray, " spike"], instants: Int64[np.ndarray, " instant"]
) -> Responses:
    """Return spikes as trials with the response "yes", and instants with "no".

    Parameters
    ----------
    spikes, instants
        What the noise source knows their stimulus by; a number may come often.

    Examples
    --------
    >>> trials = as_yes_no(np.array([2, 2]), np.arange(4))
    >>> trials.response.tolist(), trials.has_target
    ([1, 1, 0, 0, 0, 0], False)
    """
    n = len(spikes) + len(instants)
    columns = {
        "trial": np.arange(n),
        "target": np.zeros(n, np.int64),
        "response": (np.arange(n) < len(spikes)).astype(np.int64),
        "contrast": np.zeros(n),
        "repeats": np.full(n, np.nan),
        "stimulus_id": np.concatenate([spikes, instants]),
    }
    return Responses.from_table(pd.DataFrame(columns), "yes_no", 2, has_target=False)


@dataclass(frozen=True, eq=False)
class SpikeEnsemble:
    """Spikes of several cells, the instants of the stimulus, and what was before each.

    Attributes
    ----------
    source
        Gives the stimulus before an instant.
    spikes
        Instant of every spike of each cell.
    instants
        Every step, or with lags in frames one for each frame, that has its whole past
        in its segment; of a segment that was shown twice as often as others, twice.
    spans
        First instant and the one after the last of each segment.
    cells
        Their names.
    lags_ms
        Of the rows of a field.
    """

    source: StimulusBefore
    spikes: tuple[Int64[np.ndarray, " _"], ...]
    instants: Int64[np.ndarray, " instant"]
    spans: tuple[tuple[int, int], ...]
    cells: tuple[str, ...]
    lags_ms: tuple[float, ...]

    @classmethod
    def of(
        cls,
        recording: Recording,
        n_lags: int,
        lag: str,
        use: str = "fit",
        counts: Sequence[Counts] | None = None,
    ) -> "SpikeEnsemble":
        """Take the spikes of a recording's segments, or other spikes in their place.

        Parameters
        ----------
        n_lags
            How far back it is looked, lag 0 being the spike's own step.
        lag
            'step', or 'frame': lags a frame apart, as long as frames were meant to be.
        use
            Of the segments.
        counts
            A model's spikes for each segment, of any number of repeats; None for those
            recorded.

        Raises
        ------
        ValueError
            If there is no lag, no segment with its stimulus, or a segment is shorter
            than the lags; or if counts are not of its steps and of the cells.
        """
        if lag not in ("step", "frame"):
            raise ValueError(f"lag must be step or frame, got {lag!r}")
        if n_lags < 1:
            raise ValueError(f"n_lags must be >= 1, got {n_lags}")
        segments = recording.of(use)
        given = [s.counts for s in segments] if counts is None else list(counts)
        _check(given, segments, recording.n_cells)
        every = recording.frame_ms / recording.step_ms if lag == "frame" else 1.0
        lags = np.rint(np.arange(n_lags) * every).astype(np.int64)
        stops = np.cumsum([segment.n_steps for segment in segments]).tolist()
        starts = [0, *stops[:-1]]
        shortest = min(segment.n_steps for segment in segments)
        if lags[-1] >= shortest:
            rule = f"shorter than every segment, {shortest} steps"
            raise CannotTell(f"the longest lag must be {rule}, got {lags[-1]} steps")
        spans = [(a + int(lags[-1]), b) for a, b in zip(starts, stops, strict=True)]
        return cls(
            source=StimulusBefore(segments, lags, recording.background),
            spikes=tuple(
                _spikes(given, starts, int(lags[-1]), k) for k in _cells(given)
            ),
            instants=_instants(
                spans, [len(each) for each in given], max(round(every), 1)
            ),
            spans=tuple(spans),
            cells=recording.cells,
            lags_ms=tuple((lags * recording.step_ms).tolist()),
        )

    def responses(self, cell: int) -> Responses:
        """Return the spikes of a cell and all instants as answers."""
        return as_yes_no(self.spikes[cell], self.instants)

    def blocks(
        self, instant: Int64[np.ndarray, " _"], n_blocks: int
    ) -> Int64[np.ndarray, " _"]:
        """Return which of some stretches of equal length each instant is in."""
        first, stop = np.array(self.spans).T
        before = np.cumsum([0, *(stop - first)])
        span = np.searchsorted(first, instant, "right") - 1
        return (before[span] + instant - first[span]) * n_blocks // before[-1]

    def shifted(self, cell: int, rng: np.random.Generator) -> Int64[np.ndarray, " _"]:
        """Return a cell's spikes at other times: each segment's turned round in itself.

        By as long as the lags or more, where the segment allows it, so that no spike
        stays at its stimulus. All that spikes have to do with each other stays.
        """
        spikes, reach = self.spikes[cell].copy(), int(self.source.lags[-1]) + 1
        for first, stop in self.spans:
            n = stop - first
            least = reach if n > 2 * reach else 1
            inside = (spikes >= first) & (spikes < stop)
            turn = int(rng.integers(least, max(n - least, least) + 1))
            spikes[inside] = first + (spikes[inside] - first + turn) % n
        return spikes


def _check(counts: Sequence[Counts], segments: Sequence[Segment], n_cells: int) -> None:
    if len(counts) != len(segments):
        rule = f"given for each of the {len(segments)} segments"
        raise ValueError(f"counts must be {rule}, got {len(counts)}")
    for number, (each, segment) in enumerate(zip(counts, segments, strict=True)):
        if each.shape[1:] != (segment.n_steps, n_cells) or not len(each):
            rule = f"of (repeat, {segment.n_steps} steps, {n_cells} cells)"
            raise ValueError(
                f"counts of segment {number} must be {rule}, got {each.shape}"
            )


def _cells(counts: Sequence[Counts]) -> range:
    return range(counts[0].shape[2])


def _spikes(
    counts: Sequence[Counts], starts: Sequence[int], reach: int, cell: int
) -> Int64[np.ndarray, " spike"]:
    """Return the instant of every spike that has its whole past in its segment."""
    found = []
    for start, each in zip(starts, counts, strict=True):
        total = each[:, reach:, cell].sum(axis=0, dtype=np.int64)
        found.append(np.repeat(start + reach + np.arange(len(total)), total))
    return np.concatenate(found)


def _instants(
    spans: Sequence[tuple[int, int]], n_repeats: Sequence[int], every: int
) -> Int64[np.ndarray, " instant"]:
    """Return the instants, each as often as its segment was shown more than others."""
    times = np.array(n_repeats) // math.gcd(*n_repeats)
    return np.concatenate(
        [
            np.repeat(np.arange(*span, every), n)
            for span, n in zip(spans, times, strict=True)
        ]
    )
