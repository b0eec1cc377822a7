"""The durations of one trial: what a protocol lets vary is drawn from the seed."""

from dataclasses import replace

import numpy as np

from ..protocols.parts import Timing
from ..protocols.protocol import Protocol
from ..stimulus.noise import SCHEDULE_STREAM, draws_u16
from .session import Session

_DURATIONS_OF_TRIAL = 3 << 32  # a range of ids of stream 0 that nothing else has


def drawn_timing(timing: Timing, seed: int, trial: int) -> Timing:
    """Draw the durations of a trial, in whole ms, evenly over the jitter.

    A function of seed and trial, so that no log need keep them.

    Parameters
    ----------
    timing
        With its jitter; what comes back has none.
    seed
        Of the session.
    trial
        Its number.

    Examples
    --------
    >>> timing = Timing(fixation_ms=500, fixation_jitter_ms=250)
    >>> [drawn_timing(timing, 1, trial).fixation_ms for trial in range(4)]
    [508, 639, 742, 651]
    """
    if not timing.is_jittered:
        return timing
    ids = np.array([_DURATIONS_OF_TRIAL + trial])
    fixation, gap = (draws_u16(seed, ids, SCHEDULE_STREAM, 2)[0] + 0.5) / 65536
    return replace(
        timing,
        fixation_ms=timing.fixation_ms + round(fixation * timing.fixation_jitter_ms),
        gap_ms=timing.gap_ms + round(gap * timing.gap_jitter_ms),
        fixation_jitter_ms=0.0,
        gap_jitter_ms=0.0,
    )


def as_drawn(session: Session, trial: int) -> Protocol:
    """Give the protocol with the durations of one trial of a session."""
    protocol = session.protocol
    if not protocol.timing.is_jittered:
        return protocol
    timing = drawn_timing(protocol.timing, session.row.seed, trial)
    return protocol.with_options(timing=timing)
