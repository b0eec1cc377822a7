"""Which condition each trial of a plan has, and which draws conditions share.

Conditions that differ in SD or contrast only share stimulus ids: the same draws, at
another SD or with another contrast. Which trial of one shares with which of another is
permuted, so that no two neighbours need look alike. It is no double pass: `repeats`
stays empty, and targets are drawn for each condition by itself.
"""

import numpy as np
from jaxtyping import Int64

from ..protocols.condition_kinds import sharing
from ..protocols.protocol import Protocol
from .permute import balanced, double_pass_plan, permutation
from .slots import NONE, Slots

_CONDITIONS = 5 << 32  # ids of stream 0 that are conditions' own
_ORDER, _CELLS, _PAIRS, _SHARED = (_CONDITIONS + (k << 24) for k in range(4))
_RUNS = 1 << 16  # ids of one condition's cells


def main_slots_by_condition(protocol: Protocol, seed: int) -> Slots:
    """Lay out the main trials: each condition balanced, then its second passes."""
    n = protocol.n_main_trials
    slots = Slots.filled(n, 0, "main")
    slots.main[:] = np.arange(n)
    slots.condition[:] = _assigned(protocol, seed)
    for number in range(len(protocol.conditions)):
        _fill(protocol, seed, number, slots)
    _share(protocol, seed, slots)
    return slots


def other_conditions(
    protocol: Protocol, order: Int64[np.ndarray, " slot"]
) -> Int64[np.ndarray, " slot"]:
    """Give the conditions of a practice or calibration block, in turn with targets."""
    return order // protocol.task.n_targets % len(protocol.resolved)


def _assigned(protocol: Protocol, seed: int) -> Int64[np.ndarray, " slot"]:
    """Give every main slot its condition: as often each, in a random order."""
    n_conditions = len(protocol.conditions)
    main = [block for block in protocol.blocks if block.kind == "main"]
    lengths = [block.n_trials for block in main for _ in range(block.n_blocks)]
    if protocol.design.order == "blocked":
        runs = range(len(lengths) // n_conditions)
        parts = [permutation(seed, _ORDER + run, n_conditions) for run in runs]
        return np.repeat(np.concatenate(parts), lengths)
    size = n_conditions * max(1, max(lengths) // n_conditions)
    return balanced(seed, _ORDER, sum(lengths), n_conditions, size)


def _fill(protocol: Protocol, seed: int, number: int, slots: Slots) -> None:
    """Set second passes, contrasts and targets of one condition's main slots."""
    plan, own = protocol.double_pass, protocol.resolved[number]
    rows = np.flatnonzero(slots.condition == number)
    share, rest = divmod(plan.n_pairs, len(protocol.conditions))
    pairs = share + (number < rest)
    # Trials of one condition that far apart are farther apart in the session.
    partners = double_pass_plan(seed, len(rows), pairs, plan.min_gap, _PAIRS + number)
    is_fresh = np.array([partner is None for partner in partners])
    first = rows[[partner for partner in partners if partner is not None]]
    slots.repeats[rows[~is_fresh]] = first
    n_targets = protocol.task.n_targets
    n_cells, n = n_targets * len(own.contrast.values), int(is_fresh.sum())
    size = n_cells * max(1, len(rows) // (4 * n_cells))
    cells = balanced(seed, _CELLS + number * _RUNS, n, n_cells, size)
    slots.value[rows[is_fresh]], slots.target[rows[is_fresh]] = np.divmod(
        cells, n_targets
    )
    for column in (slots.value, slots.target):
        column[rows[~is_fresh]] = column[first]


def _share(protocol: Protocol, seed: int, slots: Slots) -> None:
    """Number the draws: fresh slots with one number have the same, one a condition."""
    first = 0
    for group in sharing(protocol):
        most = 0
        for number in group:
            mine = (slots.condition == number) & (slots.repeats == NONE)
            n = int(mine.sum())
            slots.draws[mine] = first + permutation(seed, _SHARED + number, n)
            most = max(most, n)
        first += most
