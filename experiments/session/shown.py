"""What a trial showed, from its time stamps, against what the protocol asked for."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ..protocols.protocol import Protocol
from ..store.trial import Response

NOTHING_SHOWN = "nothing was shown"


def timing_fault(protocol: Protocol, response: Response) -> str | None:
    """Say what was shown otherwise than asked; None if all was within tolerance.

    A presenter counts refreshes by the rate that it measured: where that was wrong, or
    changed, or where the machine stalled, the time stamps still tell.

    Parameters
    ----------
    protocol
        Asks for durations, and says how far from them a trial may be.
    response
        With the onset and the offset of each interval, from the first refresh of the
        trial.

    Returns
    -------
    str or None
        What, then after a colon the numbers. None also where there are no stamps.
    """
    onsets, offsets = response.onsets_ms, response.offsets_ms
    if response.frames_shown == 0:
        return NOTHING_SHOWN
    if onsets is None or offsets is None:
        return None
    n = protocol.n_onsets
    if len(onsets) != n or len(offsets) != n:
        return f"the intervals were not those of the task: {len(onsets)} of {n}"
    for what, lasted, asked in _durations(protocol, onsets, offsets):
        if abs(lasted - asked) > protocol.timing.tolerance_ms:
            return f"{what} lasted too {'long' if lasted > asked else 'short'}: " + (
                f"{lasted:.0f} ms where {asked:.0f} were asked for"
            )
    return None


def _durations(
    protocol: Protocol, onsets: Sequence[float], offsets: Sequence[float]
) -> Iterator[tuple[str, float, float]]:
    """Give each part of a trial: its name, how long it lasted, and should have."""
    timing, cue_ms = protocol.timing, sum(protocol.cue.frames_ms)
    before_ms = cue_ms if protocol.n_before else 0.0
    what = "the fixation and a cue" if before_ms else "the fixation"
    yield what, onsets[0], timing.fixation_ms + before_ms
    asked = timing.shown_ms(protocol.noise.grid[0])
    for onset, offset in zip(onsets, offsets, strict=True):
        yield "an interval", offset - onset, asked
    edges = [edge for pair in zip(onsets, offsets, strict=True) for edge in pair]
    for offset, onset in list(pairwise(edges))[1::2]:
        what = "a gap and a cue" if cue_ms else "a gap"
        yield what, onset - offset, timing.gap_ms + cue_ms


def is_anticipation(protocol: Protocol, response: Response) -> bool:
    """Say whether a response came too soon to have been given to the stimulus."""
    return response.rt_ms is not None and response.rt_ms < protocol.timing.earliest_ms
