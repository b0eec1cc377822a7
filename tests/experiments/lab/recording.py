"""A screen that is an array with its own clock, and durations a test can wait for."""

from dataclasses import dataclass, field

import numpy as np

from yoked.experiments.lab.keys import KeyPress
from yoked.experiments.lab.refresh import Flips
from yoked.experiments.lab.request import Request
from yoked.experiments.lab.run import run_lab
from yoked.experiments.lab.screen import place
from yoked.experiments.lab.trial import plan_trial
from yoked.experiments.protocols.parts import Timing
from yoked.experiments.store.sqlite import open_store

HZ = 100.0
PERIOD = 10.0
STEADY = Flips(120, PERIOD, 0.01)
FAST = Timing(
    fixation_ms=30,
    interval_ms=20,
    gap_ms=40,
    response_ms=300,
    feedback_ms=20,
    earliest_ms=0,
)


@dataclass
class Recorder:
    """A screen that is an array, with its own clock; keys come from a script.

    `late` names flips (by number) and how many refreshes they miss.
    """

    size_px: tuple[int, int] = (200, 120)
    screen_px: tuple[int, int] | None = None  # of the whole screen; the same
    refresh: Flips | None = STEADY  # as measured
    refresh_hz: float = HZ
    background: int = 128
    late: dict[int, int] = field(default_factory=dict)
    script: list = field(default_factory=list)  # one entry for each trial
    backend: str = "script"
    time: float = 1000.0
    shown: list = field(default_factory=list)  # what was on the screen, by flip
    flips: list = field(default_factory=list)
    texts: list = field(default_factory=list)
    on_prepare: object = None
    spoil: object = None  # changes what reads back

    def __post_init__(self):
        self.screen_px = self.screen_px or self.size_px
        self._back, self._page, self._due, self._marks = None, False, [], None

    def prepare(self, pictures):
        if self.on_prepare:
            self.on_prepare()
        if self._marks is None:
            self._marks = list(pictures)
        return list(pictures)

    def release(self, handles):
        pass

    def draw(self, handle):
        self._back, self._page = handle, False

    def write(self, text):
        self._back, self._page = text, True
        self.texts.append(text)

    def flip(self):
        self.time += PERIOD * (1 + self.late.get(len(self.flips), 0))
        self.flips.append(self.time)
        self.shown.append(self._back)
        return self.time

    def read_back(self, region=None):
        full = np.full(self.size_px[::-1], self.background, np.uint8)
        top, left, height, width = place(self._back.shape, self.size_px)
        full[top : top + height, left : left + width] = self._back
        top, left, height, width = region
        found = full[top : top + height, left : left + width]
        return self.spoil(found) if self.spoil else found

    def now(self):
        return self.time

    def pause(self):
        self.time += 1.0

    def close(self):
        pass

    def clear(self):
        self._due = None

    def presses(self):
        """Give the script's keys: on pages at once, in trials `ms` from the clear."""
        if self._page:
            name = self.page_key()
            return [KeyPress(name, self.time)]
        if self._due is None:
            keys = self.script.pop(0) if self.script else [("f", 110)]
            # The trial's first flip is a moment after its keys were cleared.
            n_flips = sum(step.n_frames for step in self.plan) + 1
            start = self.flips[-n_flips]
            self._due = [KeyPress(name, start + at) for name, at in keys]
        ready = [press for press in self._due if press.time_ms <= self.time]
        self._due = [press for press in self._due if press.time_ms > self.time]
        return ready

    def page_key(self):
        return self.page_script.pop(0) if self.page_script else "space"

    page_script: list = field(default_factory=list)
    plan: tuple = ()


def run(db_path, screen=None, said=None, **asked):
    """Run a session on a recorded screen."""
    screen = screen or Recorder()
    protocol = asked.get("protocol")
    if protocol is None:
        with_store = open_store(db_path)
        earlier = with_store.session(asked.get("resume") or asked["yoke_to"])
        protocol = with_store.protocol(earlier.protocol_hash)
        with_store.close()
    screen.plan = plan_trial(protocol, screen.refresh_hz)
    say = print if said is None else said.append
    return run_lab(db_path, Request(**asked), say, lambda *_: screen, lambda *_: screen)
