"""The stimulus of each trial by its own condition: the one place that resolves it.

A trial's row says its condition. `ConditionNoise` gives each its noise, and `render`
and its kin ask it for the parts of a table that have one protocol in common.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..protocols.conditions import Design
from ..protocols.protocol import Protocol

# As in `sources`, which imports this.
NoiseSource = Any
Table = Any
# What a stimulus can depend on, of a trial's row.
COLUMNS = (
    "trial", "stimulus_id", "contrast", "target", "place", "cue", "block_kind",
    "condition",
)  # fmt: skip
_OBJECTS = ("place", "cue", "block_kind", "condition")  # which may be missing


class ConditionNoise:
    """The noise of a protocol with conditions, each trial's by its own.

    Parameters
    ----------
    protocol
        Has conditions.
    make
        Makes the noise source of a protocol without.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> from yoked.experiments.stimulus.sources import noise_source
    >>> protocol = load_protocol("equivalent-noise")
    >>> source = noise_source("yoked-1", protocol, 1)
    >>> names = [condition.name for condition in protocol.conditions]
    >>> table = {"stimulus_id": [7, 7], "condition": [names[0], names[-1]],
    ...          "block_kind": ["main", "main"]}
    >>> field = source.field(table, 0)  # the same draws, at an SD of 0 and another
    >>> field[0].any(), field[1].any()
    (np.False_, np.True_)
    """

    def __init__(
        self, protocol: Protocol, make: Callable[[Protocol], NoiseSource]
    ) -> None:
        base = without_conditions(protocol)
        self._base = base, make(base)
        every = {own.condition: own for own in protocol.resolved}
        self._own = {name: (own, make(own)) for name, own in every.items()}
        self.name = self._base[1].name

    def field(self, table: Table, interval: int) -> np.ndarray:
        """Give the noise field of one interval of every trial in `table`."""
        return in_order(
            [
                (rows, source.field(part, interval))
                for rows, _, source, part in self.parts(table)
            ]
        )

    def parts(
        self, table: Table
    ) -> Iterator[tuple[np.ndarray, Protocol, NoiseSource, Table]]:
        """Give the rows of each condition: protocol, source, and their table.

        Rows of no condition, such as catch trials, have the protocol's own values.
        """
        names = np.asarray(column(table, "condition"), object)
        distinct = dict.fromkeys(names.tolist())
        for name in distinct or [None]:
            rows = np.flatnonzero(names == name)
            protocol, source = self.of(name)
            yield rows, protocol, source, part_of(table, rows)

    def of(self, name: str | None) -> tuple[Protocol, NoiseSource]:
        """Give the protocol and the noise source of a condition's name."""
        return self._own.get(name or "", self._base)


def without_conditions(protocol: Protocol) -> Protocol:
    """Give a protocol's own values: those of trials that have no condition."""
    if not protocol.conditions:
        return protocol
    return replace(protocol, conditions=(), design=Design())


def column(table: Table, name: str) -> Any:
    """Give a column of a table of trials; None for each where it is left out."""
    try:
        return table[name]
    except KeyError:
        return [None] * len(table["stimulus_id"])


def part_of(table: Table, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Give some rows of a table of trials, in the columns that a stimulus needs."""
    part = {}
    for name in COLUMNS:
        try:
            values = table[name]
        except KeyError:
            continue
        kind = object if name in _OBJECTS else None
        part[name] = np.asarray(values, kind)[rows]
    return part


def in_order(parts: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Put arrays of some rows each together in the order of the rows."""
    if len(parts) == 1:
        return parts[0][1]
    n = sum(len(rows) for rows, _ in parts)
    whole = np.empty((n, *parts[0][1].shape[1:]), parts[0][1].dtype)
    for rows, values in parts:
        whole[rows] = values
    return whole
