"""A template at the screen: it reads PsychoPy's back buffer, and responses by its keys.

Flips are real; their times are counted, since a virtual screen has no refresh.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from yoked.experiments.lab.keys import KeyPress
from yoked.experiments.lab.request import Request
from yoked.experiments.lab.screen import place
from yoked.experiments.lab.stage import Stage
from yoked.experiments.protocols.parts import Timing
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import Store, open_store
from yoked.experiments.store.trial import Response
from yoked.models.observers.template import Template

PERIOD_MS = 1000 / 60
RT_MS = 3 * PERIOD_MS
# Every duration is a single refresh at 60 Hz.
FAST = Timing(
    fixation_ms=17.0,
    interval_ms=17.0,
    gap_ms=17.0,
    response_ms=2000.0,
    feedback_ms=17.0,
    earliest_ms=0.0,
)


def fast(protocol: Protocol) -> Protocol:
    """Return a protocol with all durations at one refresh."""
    frame_ms = 17.0 if protocol.timing.frame_ms else 0.0
    return protocol.with_options(timing=replace(FAST, frame_ms=frame_ms))


def ideal_observer(protocol: Protocol) -> Template:
    """Return the template that the models' presenter would run."""
    template = Template()
    template.prepare(Viewing.of(protocol))
    template.learn(Practice(protocol))
    return template


def response_to(template: Template, frames: np.ndarray) -> int:
    """Return the template's response to one trial, (interval, frame, y, x)."""
    noise = ObserverNoise(0, np.zeros(1, np.int64))  # this template uses none
    variables = template.decide(frames[None], noise)[0]
    return int(variables.argmax() if len(variables) > 1 else variables[0] > 0)


@dataclass
class Watcher:
    """A `Screen` and `Keys` in one, around a real window."""

    window: object
    protocol: Protocol
    stage: Stage
    backend: str = "template"
    refresh_hz: float = 1000 / PERIOD_MS
    trials: list[np.ndarray] = field(default_factory=list)  # as read, screen levels
    texts: list[str] = field(default_factory=list)
    _marks: list = field(default_factory=list)
    _stimuli: list = field(default_factory=list)
    _pictures: dict[int, np.ndarray] = field(default_factory=dict)
    _drawn: object = None
    _is_page: bool = False
    _time: float = 0.0
    _onset: float = 0.0

    def __post_init__(self):
        self.size_px = self.window.size_px
        self.screen_px = self.window.screen_px
        self.refresh = self.window.refresh
        self.background = self.window.background
        self._template = ideal_observer(self.protocol)

    def prepare(self, pictures):
        handles = list(self.window.prepare(pictures))
        if not self._marks:
            self._marks = handles
        else:
            self._stimuli, self._pictures = handles, {}
        self._shape = pictures[0].shape
        return handles

    def release(self, handles):
        self.window.release(handles)

    def draw(self, handle):
        self.window.draw(handle)
        self._drawn, self._is_page = handle, False

    def write(self, text):
        self.window.write(text)
        self.texts.append(text)
        self._drawn, self._is_page = None, True

    def flip(self):
        number = next(
            (i for i, h in enumerate(self._stimuli) if h is self._drawn), None
        )
        if number is not None and number not in self._pictures:
            region = place(self._shape, self.size_px)
            self._pictures[number] = self.window.read_back(region)
            self._onset = self._time + PERIOD_MS
        self.window.flip()
        self._time += PERIOD_MS
        return self._time

    def read_back(self, region=None):
        return self.window.read_back(region)

    def now(self):
        return self._time

    def pause(self):
        self._time += PERIOD_MS

    def close(self):
        pass

    def presses(self):
        if self._is_page:
            return [KeyPress("space", self._time)]
        if not self._stimuli or len(self._pictures) < len(self._stimuli):
            return []
        frames = self._frames()
        self.trials.append(frames)
        self._stimuli = []
        key = self.protocol.task.keys[response_to(self._template, self.levels(frames))]
        return [KeyPress(key, self._onset + RT_MS)]

    def clear(self):
        pass

    def levels(self, frames):
        """Return contrast levels of screen levels; here there is no table."""
        return frames

    def _frames(self):
        """Return what was read of a trial as (interval, frame, y, x)."""
        order = range(len(self._stimuli))
        patches = np.array([self.stage.patches_of(self._pictures[i]) for i in order])
        if self.stage.n_patches > 1:
            return patches.swapaxes(0, 1)
        n_frames, height, width = self.protocol.frame_shape
        return patches.reshape(-1, n_frames, height, width)


def run_in_process(protocol: Protocol, seed: int, store: Store | None = None):
    """Return the trials of the same template, given the arrays themselves."""
    store = store or open_store(":memory:")
    template = ideal_observer(protocol)
    person = ObserverInfo("person", "template")
    session = Session.start(store, protocol, person, "lab", seed=seed)
    while specs := session.next_batch(1):
        response = response_to(template, session.frames(specs)[0])
        session.record(specs, [Response(response)])
    session.finish()
    return store.trials(session.id)


def request(protocol: Protocol, **options) -> Request:
    """Return a request with all that these tests have in common."""
    common = {"participant": "template", "read_back": "every", "full_screen": False}
    return Request(protocol, **{**common, **options})
