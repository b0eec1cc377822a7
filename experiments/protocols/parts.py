"""The parts of a protocol: frozen objects that check their own rules when made."""

import math
from dataclasses import dataclass, field, fields
from typing import Any

from .answers import Confidence, Feedback
from .breaks import Breaks
from .checks import Faults
from .conditions import Condition, Design
from .contrast import Contrast
from .levels import BACKGROUND, FULL_CONTRAST
from .noise_and_signal import Noise, Signal
from .places import Cue, Places
from .screening import Screening
from .viewing import ViewingAsked

# parts from files of their own
__all__ = ["BACKGROUND", "FULL_CONTRAST", "Contrast", "Noise", "Signal"]
TASKS = ("2afc", "mafc", "yes_no", "rating", "identify")
BLOCK_KINDS = ("practice", "calibration", "main")


@dataclass(frozen=True)
class Task:
    """What is asked: the kind of task, and the key of each response in order.

    Without a target no response is correct: which of two faces looks more X is for the
    observer to say. With touch a person may respond on the screen instead of the keys,
    where it takes that: browsers show a button for each.
    """

    kind: str
    keys: tuple[str, ...]
    has_target: bool = True
    touch: bool = False

    def __post_init__(self) -> None:
        faults = Faults()
        faults.unless(
            self.kind in TASKS, "kind", f"one of {', '.join(TASKS)}", self.kind
        )
        n = len(self.keys)
        if self.kind in ("2afc", "yes_no"):
            faults.unless(n == 2, "keys", "a list of two", list(self.keys))
        elif self.kind == "mafc":
            faults.unless(n >= 2, "keys", "a list of two or more", list(self.keys))
        elif self.kind == "rating":
            rule = "a list of an even number of keys, four or more"
            faults.unless(n >= 4 and n % 2 == 0, "keys", rule, list(self.keys))
        elif self.kind == "identify":
            rule = "a list of three or more, one for each pattern"
            faults.unless(n >= 3, "keys", rule, list(self.keys))
        faults.unless(
            len(set(self.keys)) == n, "keys", "all different", list(self.keys)
        )
        faults.raise_any()

    @property
    def is_forced_choice(self) -> bool:
        """Whether one of several alternatives holds the target."""
        return self.kind in ("2afc", "mafc")

    @property
    def identifies(self) -> bool:
        """Whether one interval shows one of several patterns, each with a response."""
        return self.kind == "identify"

    @property
    def n_variables(self) -> int:
        """Decision variables of a trial: an interval's, or a pattern's."""
        return len(self.keys) if self.identifies else self.n_intervals

    @property
    def takes_largest(self) -> bool:
        """Whether the response is that of the largest of several variables."""
        return self.is_forced_choice or self.identifies

    @property
    def n_intervals(self) -> int:
        """Noise fields of a trial: temporal intervals, or patches side by side."""
        return len(self.keys) if self.is_forced_choice else 1

    @property
    def n_targets(self) -> int:
        """Values that `target` can take."""
        return len(self.keys) if self.takes_largest else 2


@dataclass(frozen=True)
class Display:
    """How large a grid element is: degrees across, and pixels (rows, columns)."""

    deg_per_element: float
    element_px: tuple[int, int] = (1, 1)
    background: int = 128

    def __post_init__(self) -> None:
        faults = Faults()
        faults.unless(
            0 < self.deg_per_element < 90,
            "deg_per_element",
            "in (0, 90)",
            self.deg_per_element,
        )
        rule = "two whole numbers from 1 to 512"
        fits = all(1 <= px <= 512 for px in self.element_px)
        faults.unless(fits, "element_px", rule, list(self.element_px))
        # Zero contrast is level 128: another gray would be a step of contrast.
        faults.unless(self.background == 128, "background", "128", self.background)
        faults.raise_any()


@dataclass(frozen=True)
class Timing:
    """Durations in ms, turned into frames at the screen's measured refresh rate.

    `frame_ms` is the duration of one frame of a movie; a still field lasts
    `interval_ms`. A trial in which fixation, an interval or a gap lasted otherwise by
    more than `tolerance_ms` is invalid. A response sooner than `earliest_ms` after the
    onset of the last interval is an anticipation, which enters no statistic; one may
    take up to `response_ms` from there, and as long as it likes where that is 0.
    Fixation and gap are longer by up to their jitter, drawn for each trial.
    """

    fixation_ms: float = 500.0
    interval_ms: float = 100.0
    gap_ms: float = 500.0
    response_ms: float = 3000.0
    feedback_ms: float = 300.0
    frame_ms: float = 0.0
    tolerance_ms: float = 20.0  # at 60 Hz one refresh that is missed, not two
    earliest_ms: float = 100.0  # no person sees, decides and presses faster
    fixation_jitter_ms: float = 0.0
    gap_jitter_ms: float = 0.0

    def __post_init__(self) -> None:
        faults = Faults()
        for part in fields(self):
            value = getattr(self, part.name)
            faults.unless(0 <= value <= 60_000, part.name, "in [0, 60000] ms", value)
        shown = self.interval_ms > 0
        faults.unless(shown, "interval_ms", "more than 0", self.interval_ms)
        faults.raise_any()

    @property
    def is_jittered(self) -> bool:
        """Whether durations differ from trial to trial."""
        return self.fixation_jitter_ms > 0 or self.gap_jitter_ms > 0

    @property
    def longest_response_ms(self) -> float:
        """How long a response may take; infinite where it has no limit."""
        return self.response_ms or math.inf

    def each_ms(self, frames: int) -> float:
        """Give how long each frame of an interval of so many stays."""
        return self.frame_ms if frames > 1 else self.interval_ms

    def shown_ms(self, frames: int) -> float:
        """Give how long an interval of so many frames lasts."""
        return frames * self.each_ms(frames)


@dataclass(frozen=True)
class Block:
    """A run of trials of one kind, repeated `n_blocks` times, with breaks between."""

    kind: str
    n_trials: int
    n_blocks: int = 1
    feedback: bool = False

    def __post_init__(self) -> None:
        faults = Faults()
        rule = f"one of {', '.join(BLOCK_KINDS)}"
        faults.unless(self.kind in BLOCK_KINDS, "kind", rule, self.kind)
        # Half the trials of a block carry each target; odd counts differ by one.
        faults.unless(self.n_trials >= 1, "n_trials", "1 or more", self.n_trials)
        faults.unless(self.n_blocks >= 1, "n_blocks", "1 or more", self.n_blocks)
        faults.raise_any()


@dataclass(frozen=True)
class DoublePass:
    """Pairs of trials with the same stimulus, at least `min_gap` trials apart."""

    n_pairs: int = 0
    min_gap: int = 50

    def __post_init__(self) -> None:
        faults = Faults()
        faults.unless(self.n_pairs >= 0, "n_pairs", "0 or more", self.n_pairs)
        faults.unless(self.min_gap >= 1, "min_gap", "1 or more", self.min_gap)
        faults.raise_any()


@dataclass(frozen=True)
class Catch:
    """Easy trials hidden in each main block; they enter no statistic."""

    n_per_block: int = 0
    sd: float = 0.02
    contrast: float = 0.5

    def __post_init__(self) -> None:
        faults = Faults()
        faults.unless(
            self.n_per_block >= 0, "n_per_block", "0 or more", self.n_per_block
        )
        faults.unless(0 < self.sd <= 1, "sd", "in (0, 1]", self.sd)
        faults.unless(0 < self.contrast <= 1, "contrast", "in (0, 1]", self.contrast)
        faults.raise_any()


@dataclass(frozen=True)
class Texts:
    """What a participant reads, as Markdown by language."""

    consent: dict[str, str] = field(default_factory=dict)
    instructions: dict[str, str] = field(default_factory=dict)
    debrief: dict[str, str] = field(default_factory=dict)
    responses: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """What a protocol is made of; `Protocol` is this, with its rules kept."""

    name: str
    title: str
    task: Task
    display: Display
    noise: Noise
    signal: Signal
    contrast: Contrast
    blocks: tuple[Block, ...]
    timing: Timing = field(default_factory=Timing)
    double_pass: DoublePass = field(default_factory=DoublePass)
    catch: Catch = field(default_factory=Catch)
    screening: Screening = field(default_factory=Screening)
    confidence: Confidence = field(default_factory=Confidence)
    feedback: Feedback = field(default_factory=Feedback)
    viewing: ViewingAsked = field(default_factory=ViewingAsked)
    breaks: Breaks = field(default_factory=Breaks)
    texts: Texts = field(default_factory=Texts)
    places: Places = field(default_factory=Places)
    cue: Cue = field(default_factory=Cue)
    conditions: tuple[Condition, ...] = ()
    design: Design = field(default_factory=Design)
    condition: str = ""  # of which condition this is the resolved protocol

    @property
    def n_intervals(self) -> int:
        """Alternatives that are shown: in time, or as patches side by side."""
        return self.task.n_intervals

    @property
    def n_fields(self) -> int:
        """Noise fields of a trial: one an interval, or one a place of each interval."""
        return self.n_intervals * max(1, self.places.count)

    @property
    def n_before(self) -> int:
        """Frames of an interval that come before its stimulus: a cue's."""
        return len(self.cue.frames_ms) if self.cue.when == "before" else 0

    @property
    def times_ms(self) -> tuple[float, ...]:
        """Duration of every frame of an interval: the stimulus's, and a cue's."""
        frames, cue = self.noise.grid[0], self.cue.frames_ms
        shown = (self.timing.each_ms(frames),) * frames
        return (*cue, *shown) if self.n_before else (*shown, *cue)

    @property
    def n_onsets(self) -> int:
        """Onsets of a trial: patches side by side have one in common."""
        return 1 if self.task.kind == "mafc" else self.n_intervals

    @property
    def n_main_trials(self) -> int:
        """Trials of the main blocks, second passes included, catch trials not."""
        return sum(b.n_trials * b.n_blocks for b in self.blocks if b.kind == "main")
