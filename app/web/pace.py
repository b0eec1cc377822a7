"""How long the rest of a session takes: at its person's own pace, once it is known."""

import math
from collections import deque
from datetime import datetime
from statistics import median

from ...experiments.protocols.protocol import Protocol

_PERSONS_MS = 700.0  # a usual response time, before there are any of one's own
_ENOUGH, _MOST = 8, 60  # trials, for a pace to be one; the last so many


class Pace:
    """The time from one response to the next, within blocks.

    Parameters
    ----------
    protocol
        Says the time of a trial before enough of them were seen.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> pace = Pace(load_protocol("bar-in-noise"))
    >>> pace.minutes(n_left=600)
    19
    >>> for second in range(20):
    ...     pace.responded(0, f"2026-01-10T10:00:{second:02}+00:00")
    >>> pace.minutes(n_left=600)
    10
    """

    def __init__(self, protocol: Protocol) -> None:
        self._asked_ms = _trial_ms(protocol)
        self._intervals: deque[float] = deque(maxlen=_MOST)
        self._last: tuple[int, datetime] | None = None

    def responded(self, block: int, at: str) -> None:
        """Take in a response: its block, and when it was stored, ISO 8601."""
        now = datetime.fromisoformat(at)
        if self._last is not None and self._last[0] == block:
            ms = 1000 * (now - self._last[1]).total_seconds()
            # The clock of a server may be set back.
            self._intervals.append(max(ms, 0.0))
        self._last = (block, now)

    @property
    def trial_ms(self) -> float:
        """The median of what it took; a rest now and then does not count."""
        if len(self._intervals) < _ENOUGH:
            return self._asked_ms
        return median(self._intervals)

    def minutes(self, n_left: int) -> int:
        """Give about how long so many trials take, one minute or more."""
        return max(1, math.ceil(n_left * self.trial_ms / 60_000))


def _trial_ms(protocol: Protocol) -> float:
    """Give how long a trial takes by the protocol's durations."""
    timing, n = protocol.timing, protocol.n_onsets
    shown = n * sum(protocol.times_ms) + (n - 1) * timing.gap_ms
    jitter_ms = (timing.fixation_jitter_ms + (n - 1) * timing.gap_jitter_ms) / 2
    trial_ms = timing.fixation_ms + jitter_ms + shown
    return trial_ms + min(_PERSONS_MS, timing.longest_response_ms)
