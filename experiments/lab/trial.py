"""One trial in time: durations as counted refreshes, every flip's time, the response.

Nothing here knows PsychoPy: a `Screen` and `Keys` are handed in, with their clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ..protocols.protocol import Protocol, Timing
from .flips import LATE
from .keys import PAUSE_KEY, KeyPress, Keys
from .screen import Handle, Screen

_NOT_SHOWN = ("response_ms", "feedback_ms", "fixation_jitter_ms", "gap_jitter_ms")
MAX_ROUNDING = 0.25  # how far, relatively, a counted duration may be off
FIXATION, EMPTY, FIRST_STIMULUS = 0, 1, 2  # pictures of a trial, by number


@dataclass(frozen=True)
class Step:
    """A picture, and for how many refreshes it stays.

    Attributes
    ----------
    picture
        Its number among `lab_stage.trial_pictures`.
    n_frames
        Refreshes.
    is_onset
        Whether an interval begins with it.
    is_cue
        Whether it is a frame of a cue, before an interval or after it.
    """

    picture: int
    n_frames: int
    is_onset: bool = False
    is_cue: bool = False

    @property
    def is_stimulus(self) -> bool:
        """Whether it is part of an interval."""
        return self.picture >= FIRST_STIMULUS and not self.is_cue


def frames_for(duration_ms: float, refresh_hz: float) -> int:
    """Give the refreshes nearest to a duration: one at least, none for 0 ms.

    Examples
    --------
    >>> frames_for(100, 60), frames_for(1, 60), frames_for(0, 60)
    (6, 1, 0)
    """
    if duration_ms <= 0:
        return 0
    return max(1, round(duration_ms * refresh_hz / 1000))


def plan_trial(protocol: Protocol, refresh_hz: float) -> tuple[Step, ...]:
    """Lay out what a trial shows until the last interval has gone.

    Parameters
    ----------
    protocol
        Says the durations.
    refresh_hz
        Of the screen.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> steps = plan_trial(load_protocol("bar-in-noise"), 60)
    >>> [(step.picture, step.n_frames) for step in steps]
    [(0, 30), (2, 6), (1, 30), (3, 6)]
    """
    timing, times_ms = protocol.timing, protocol.times_ms
    first, last = protocol.n_before, protocol.n_before + protocol.noise.grid[0] - 1
    steps = [Step(FIXATION, frames_for(timing.fixation_ms, refresh_hz))]
    for interval in range(_presentations(protocol)):
        if interval:
            steps.append(Step(EMPTY, frames_for(timing.gap_ms, refresh_hz)))
        for frame, duration_ms in enumerate(times_ms):
            picture = FIRST_STIMULUS + interval * len(times_ms) + frame
            lasting = frames_for(duration_ms, refresh_hz)
            is_cue = not first <= frame <= last
            steps.append(Step(picture, lasting, frame == first, is_cue))
    return tuple(step for step in steps if step.n_frames)


def _presentations(protocol: Protocol) -> int:
    """Intervals one after the other: patches side by side are one."""
    return 1 if protocol.task.kind == "mafc" else protocol.n_intervals


def timing_faults(protocol: Protocol, refresh_hz: float) -> list[str]:
    """Say which durations this screen cannot keep, one sentence each.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> timing_faults(load_protocol("movie-bar"), refresh_hz=50)
    []
    >>> timing_faults(load_protocol("movie-bar"), refresh_hz=20)[0][:42]
    'frame_ms must be within 25 % of whole refr'
    """
    is_movie = protocol.noise.grid[0] > 1
    durations = {
        "frame_ms" if is_movie else "interval_ms": protocol.timing.each_ms(
            protocol.noise.grid[0]
        )
    }
    if _presentations(protocol) > 1:
        durations["gap_ms"] = protocol.timing.gap_ms
    if protocol.cue.kind:
        durations["cue.shown_ms"] = protocol.cue.shown_ms
        durations["cue.gap_ms"] = protocol.cue.gap_ms
    found = []
    for name, wanted in durations.items():
        shown = frames_for(wanted, refresh_hz) * 1000 / refresh_hz
        if wanted and abs(shown / wanted - 1) > MAX_ROUNDING:
            rule = f"within 25 % of whole refreshes ({1000 / refresh_hz:.2f} ms at"
            found.append(
                f"{name} must be {rule} {refresh_hz:.1f} Hz), got {wanted:g} ms; "
                "use a faster screen"
            )
    return found


def shown_ms(timing: Timing, refresh_hz: float) -> dict[str, float]:
    """Give each duration as this screen shows it, in ms."""
    return {
        name: round(frames_for(duration, refresh_hz) * 1000 / refresh_hz, 3)
        for name, duration in vars(timing).items()
        if name not in _NOT_SHOWN
    }


@dataclass(frozen=True)
class Presentation:
    """What the screen did.

    Attributes
    ----------
    flips_ms
        Time of every flip, from that which showed the first picture to that which
        cleared the last, on the screen's clock.
    onsets_ms, offsets_ms
        Of each interval, on the same clock.
    frames_shown
        Refreshes with a stimulus, as counted.
    frames_dropped
        Refreshes that were missed.
    """

    flips_ms: tuple[float, ...]
    onsets_ms: tuple[float, ...]
    offsets_ms: tuple[float, ...]
    frames_shown: int
    frames_dropped: int


def present(
    screen: Screen, plan: Sequence[Step], handles: Sequence[Handle]
) -> Presentation:
    """Show a trial, flip by flip, and leave the empty stage.

    Parameters
    ----------
    screen
        Where.
    plan
        Of `plan_trial`.
    handles
        The trial's pictures, prepared.
    """
    flips, onsets, offsets = [], [], []
    is_on = False  # whether an interval is on the screen
    for step, is_first in _by_refresh(plan):
        screen.draw(handles[step.picture])
        flips.append(screen.flip())
        begins = step.is_onset and is_first
        if is_on and (begins or not step.is_stimulus):
            offsets.append(flips[-1])
        if begins:
            onsets.append(flips[-1])
        is_on = step.is_stimulus
    screen.draw(handles[EMPTY])
    flips.append(screen.flip())
    if is_on:
        offsets.append(flips[-1])
    return Presentation(
        flips_ms=tuple(flips),
        onsets_ms=tuple(onsets),
        offsets_ms=tuple(offsets),
        frames_shown=sum(step.n_frames for step in plan if step.is_stimulus),
        frames_dropped=n_dropped(flips, screen.refresh_hz),
    )


def _by_refresh(plan: Sequence[Step]) -> Iterator[tuple[Step, bool]]:
    for step in plan:
        for number in range(step.n_frames):
            yield step, number == 0


def n_dropped(flips_ms: Sequence[float], refresh_hz: float) -> int:
    """Count the refreshes that flips missed: those more than 1.5 periods late.

    Examples
    --------
    >>> n_dropped([0.0, 16.7, 33.3, 66.7, 83.3], refresh_hz=60)
    1
    """
    period = 1000 / refresh_hz
    late = (b - a for a, b in pairwise(flips_ms) if b - a > LATE * period)
    return sum(max(1, round(time / period) - 1) for time in late)


@dataclass(frozen=True)
class KeyedResponse:
    """What the observer did.

    Attributes
    ----------
    response
        From 0; None if none came in time, or the trial was paused.
    rt_ms
        From the onset of the last interval.
    confidence
        How sure the observer was, from 1; None where that was not asked.
    early
        Keys of the task that came before it.
    others
        Keys that are none of the task's.
    paused
        Whether the pause key was pressed.
    """

    response: int | None
    rt_ms: float | None
    early: tuple[KeyPress, ...] = ()
    others: tuple[KeyPress, ...] = ()
    paused: bool = False
    confidence: float | None = None


def wait_for_response(
    screen: Screen,
    keys: Keys,
    names: Sequence[str],
    onset_ms: float,
    longest_ms: float,
) -> KeyedResponse:
    """Take the first of the task's keys that is pressed after an onset.

    Parameters
    ----------
    screen
        Gives the time, and lets it pass.
    keys
        What was pressed since the trial began.
    names
        Key of each response.
    onset_ms
        Of the last interval. What was pressed before it is no response.
    longest_ms
        How long a response may take from there; infinite: it is waited for.
    """
    early: list[KeyPress] = []
    others: list[KeyPress] = []

    def keyed(response: int | None, rt_ms: float | None = None) -> KeyedResponse:
        return KeyedResponse(response, rt_ms, tuple(early), tuple(others))

    while True:
        is_last_look = screen.now() - onset_ms >= longest_ms
        for press in keys.presses():
            if press.name == PAUSE_KEY:
                return replace(keyed(None), paused=True)
            if press.name not in names:
                others.append(press)
            elif press.time_ms < onset_ms:
                early.append(press)
            elif press.time_ms - onset_ms <= longest_ms:
                rt_ms = round(press.time_ms - onset_ms, 3)
                return keyed(list(names).index(press.name), rt_ms)
        if is_last_look:
            return keyed(None)
        screen.pause()
