"""Conditions: what each changes of a protocol, and the protocol as it resolves it.

A condition is a name and tables of overrides. `Protocol.of_condition` gives the whole
protocol with them in force, so that whoever shows, plans or analyses a trial takes the
protocol of its condition and asks no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .checks import Faults

ORDERS = ("interleaved", "blocked")
RESERVED = ("practice", "calibration", "main", "catch")  # names of the log's own
# Parts that a condition can change, and which of their keys; None stands for all.
CHANGEABLE: Mapping[str, tuple[str, ...] | None] = {
    "contrast": None,
    "noise": ("sd",),
    "signal": None,
    "places": None,
    "cue": None,
}


@dataclass(frozen=True)
class Condition:
    """One condition: its name, and what it changes in the parts of the protocol.

    Attributes
    ----------
    name
        What the log's column `condition` has.
    contrast, signal, places, cue
        Any keys of these parts.
    noise
        `sd`, which may be 0: the signal is then shown without noise.
    """

    name: str
    contrast: dict[str, Any] = field(default_factory=dict)
    noise: dict[str, Any] = field(default_factory=dict)
    signal: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Any] = field(default_factory=dict)
    cue: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = Faults()
        plain = self.name == self.name.strip() and "/" not in self.name
        fits = plain and self.name not in ("", *RESERVED)
        rule = f"a text without / that is none of {', '.join(RESERVED)}"
        faults.unless(fits, "name", rule, self.name)
        for part, keys in CHANGEABLE.items():
            other = [key for key in getattr(self, part) if keys and key not in keys]
            rule = f"changed in {', '.join(keys or ())} alone"
            faults.unless(not other, part, rule, ", ".join(other))
        faults.raise_any()

    @property
    def changed(self) -> dict[str, dict[str, Any]]:
        """The tables of overrides that are not empty, by part."""
        every = {part: getattr(self, part) for part in CHANGEABLE}
        return {part: table for part, table in every.items() if table}


@dataclass(frozen=True)
class Design:
    """How conditions follow each other: mixed in every block, or a block each."""

    order: str = "interleaved"

    def __post_init__(self) -> None:
        faults = Faults()
        rule = f"one of {', '.join(ORDERS)}"
        faults.unless(self.order in ORDERS, "order", rule, self.order)
        faults.raise_any()


def resolve(data: Mapping[str, Any], condition: Condition) -> dict[str, Any]:
    """Give a protocol's plain data with a condition's overrides in force."""
    own = {k: v for k, v in data.items() if k not in ("conditions", "design")}
    for part, table in condition.changed.items():
        own[part] = _merged(own.get(part, {}), table)
    return {**own, "condition": condition.name}


def _merged(base: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in table.items():
        is_table = isinstance(value, Mapping)
        merged[key] = _merged(merged.get(key, {}), value) if is_table else value
    return merged
