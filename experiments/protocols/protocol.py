"""The protocol: a task described so fully that any presenter can run it.

Its checks run when it is made: a bad protocol cannot exist. `parts.py` has the parts,
`rules.py` the rules between them; `files.py` reads TOML.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

from .checks import ProtocolError, build, suggestion
from .condition_rules import check_conditions
from .conditions import Condition, Design, resolve
from .parts import Contrast, Parts, Signal, Timing
from .rules import check_together, check_variants, main_blocks, pairs_for
from .scene import frame_shape_of
from .scene_rules import check_scene

STIMULUS_PARTS = ("task", "display", "noise", "signal", "places", "cue")


@dataclass(frozen=True)
class Protocol(Parts):
    """A whole task: what is shown, asked, when, how often, and what is said.

    Raises
    ------
    ProtocolError
        If a part breaks a rule, or the parts do not fit together; one sentence each.
    """

    def __post_init__(self) -> None:
        check_together(self)
        check_scene(self)
        check_conditions(self, self.of_condition)
        check_variants(self, self._of_signal)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Protocol":
        """Build a protocol from plain data; every fault is found at once."""
        return build(cls, dict(data))

    def to_dict(self) -> dict[str, Any]:
        """Give the protocol as plain data, fields at their default left out."""
        return without_defaults(self)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the whole protocol: what a session is pinned to."""
        return _hash(self._canonical)

    @cached_property
    def stimulus_hash(self) -> str:
        """SHA-256 of task, display, noise and signal: what may be pooled or yoked.

        Of places and cue too, and of each condition, where there are any.
        """
        parts = self._stimulus
        if self.conditions:
            own = {each.condition: each._stimulus for each in self.resolved}
            parts = {**parts, "conditions": own}
        return _hash(parts)

    @property
    def _stimulus(self) -> dict[str, Any]:
        every = self._canonical
        parts = {part: every[part] for part in STIMULUS_PARTS if part in every}
        # What a finger presses changes no stimulus.
        task = {name: v for name, v in parts["task"].items() if name != "touch"}
        return {**parts, "task": task}

    @cached_property
    def _canonical(self) -> dict[str, Any]:
        """Plain data in which 400 ms and 400.0 ms are the same."""
        return build(Protocol, self.to_dict()).to_dict()

    @cached_property
    def resolved(self) -> tuple["Protocol", ...]:
        """The protocol of each condition; without conditions the protocol alone."""
        if not self.conditions:
            return (self,)
        return tuple(self._resolved(each) for each in self.conditions)

    @cached_property
    def variants(self) -> tuple["Protocol", ...]:
        """The protocol with each signal that it shows, without conditions.

        That is each variant, or each pattern that is to be identified; itself alone
        where its signal is one.
        """
        every = self.signal.drawn_from
        if len(every) == 1:
            return (self,)
        return tuple(self._of_signal(signal) for signal in every)

    def _of_signal(self, signal: Signal) -> "Protocol":
        return replace(self, signal=signal, conditions=(), design=Design())

    def of_condition(self, name: str) -> "Protocol":
        """Give the protocol as one of its conditions resolves it.

        Raises
        ------
        LookupError
            If there is no condition of that name.
        """
        names = [each.name for each in self.conditions]
        if name not in names:
            known = f"; there are {', '.join(names) or 'none'}"
            near = suggestion(name, names) or known
            raise LookupError(f"no condition {name!r} in {self.name}{near}")
        return self._resolved(self.conditions[names.index(name)])

    def alone(self, name: str) -> "Protocol":
        """Give a condition as a protocol by itself, with its share of the trials.

        Raises
        ------
        LookupError
            If there is no condition of that name.
        """
        own = self.of_condition(name)
        share = self.n_main_trials // len(self.conditions)
        return own.with_options(trials=share)

    def _resolved(self, condition: Condition) -> "Protocol":
        return build(Protocol, resolve(self.to_dict(), condition))

    @property
    def n_responses(self) -> int:
        """Responses an observer can choose from."""
        return len(self.task.keys)

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """Frames of an interval, and their height and width in px.

        In a scene those of the whole of it, with the frames of a cue.
        """
        return frame_shape_of(self)

    def with_options(
        self,
        trials: int | None = None,
        contrast: float | None = None,
        timing: Timing | None = None,
    ) -> "Protocol":
        """Give a variant with the same stimuli: its stimulus hash is the same.

        Parameters
        ----------
        trials
            Main trials in all; double-pass pairs keep their share.
        contrast
            One contrast for every main trial; practice, calibration and the steps
            between blocks fall away.
        timing
            Other durations.
        """
        variant = self
        if contrast is not None:
            if not 0 <= contrast <= 1:
                raise ProtocolError([f"contrast must be from 0 to 1, got {contrast}"])
            fixed = Contrast(values=(contrast,), keep_correct=(0.0, 1.0))
            main = tuple(block for block in self.blocks if block.kind == "main")
            plain = tuple(replace(each, contrast={}) for each in self.conditions)
            variant = replace(variant, contrast=fixed, blocks=main, conditions=plain)
        if trials is not None:
            pairs = pairs_for(variant, trials)
            blocks = main_blocks(variant, trials)
            variant = replace(variant, blocks=blocks, double_pass=pairs)
        return variant if timing is None else replace(variant, timing=timing)


def without_defaults(thing: Any) -> Any:
    """Give a dataclass as plain data; what stands at its default is left out.

    A later version's new field then changes no hash of a protocol that lacks it.
    """
    if not is_dataclass(thing):
        return (
            [without_defaults(part) for part in thing]
            if isinstance(thing, tuple)
            else thing
        )
    own = {f.name: getattr(thing, f.name) for f in fields(thing)}
    kept = {
        f.name: own[f.name] for f in fields(thing) if not _is_default(f, own[f.name])
    }
    return {name: without_defaults(value) for name, value in kept.items()}


def _is_default(part: Any, value: object) -> bool:
    factory = part.default_factory
    default = factory() if callable(factory) else part.default
    return value == default


def _hash(data: object) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
