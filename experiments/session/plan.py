"""The plan of a session: what its seed alone decides.

Targets, conditions, catch trials and double passes are laid out before the first trial,
from stream 0 of the session's seed. What depends on the responses (contrast, repeated
trials) is `schedule.py`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ..protocols.parts import Block
from ..protocols.protocol import Protocol
from .condition_plan import main_slots_by_condition, other_conditions
from .permute import balanced, double_pass_plan, permutations
from .place_plan import put_main, put_other
from .slots import NONE, Slots

# Each use of stream 0 has its own range of ids, so that no two share a draw.
_ORDER_OF_BLOCK = 0
_CELLS_OF_RUN = 1 << 20
_CATCH_OF_BLOCK = 1 << 32


@dataclass(frozen=True)
class BlockPlan:
    """A block as planned."""

    number: int
    kind: str
    feedback: bool
    slots: Slots


def plan_blocks(protocol: Protocol, seed: int) -> tuple[BlockPlan, ...]:
    """Lay out every block of a session.

    Parameters
    ----------
    protocol
        Says the blocks.
    seed
        The session's seed.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> blocks = plan_blocks(load_protocol("bar-in-noise"), seed=1)
    >>> [len(block.slots) for block in blocks]
    [10, 60, 102, 102, 102, 102, 102, 102]
    """
    expanded = [block for block in protocol.blocks for _ in range(block.n_blocks)]
    by_condition = main_slots_by_condition if protocol.conditions else _main_slots
    main = by_condition(protocol, seed)
    put_main(protocol, seed, main)
    orders = _orders(protocol, seed, expanded)
    plans, n_main = [], 0
    for number, block in enumerate(expanded):
        if block.kind == "main":
            rows = slice(n_main, n_main + block.n_trials)
            slots = _with_catch_trials(protocol, number, main, rows, orders[number])
            n_main += block.n_trials
        else:
            slots = Slots.filled(block.n_trials, number, block.kind)
            slots.target[:] = orders[number] % protocol.task.n_targets
            slots.condition[:] = other_conditions(protocol, orders[number])
        put_other(protocol, seed, slots)
        plans.append(BlockPlan(number, block.kind, block.feedback, slots))
    return tuple(plans)


def _orders(protocol: Protocol, seed: int, blocks: Sequence[Block]) -> list[np.ndarray]:
    """Permute the places of every block, those of equal length together."""
    purposes, lengths = [], []
    for number, block in enumerate(blocks):
        is_main = block.kind == "main"
        purposes.append((_CATCH_OF_BLOCK if is_main else _ORDER_OF_BLOCK) + number)
        lengths.append(block.n_trials + is_main * protocol.catch.n_per_block)
    orders: list[np.ndarray] = [np.empty(0, np.int64)] * len(blocks)
    for n in set(lengths):
        alike = [number for number, length in enumerate(lengths) if length == n]
        found = permutations(seed, np.array(purposes)[alike], n)
        for number, order in zip(alike, found, strict=True):
            orders[number] = order
    return orders


def _main_slots(protocol: Protocol, seed: int) -> Slots:
    """Lay out the main trials of all blocks: cells balanced, then second passes."""
    plan, n = protocol.double_pass, protocol.n_main_trials
    partners = double_pass_plan(seed, n, plan.n_pairs, plan.min_gap)
    slots = Slots.filled(n, 0, "main")
    slots.main[:] = np.arange(n)
    slots.repeats[:] = [NONE if partner is None else partner for partner in partners]
    is_fresh = slots.repeats == NONE
    n_targets, n_values = protocol.task.n_targets, len(protocol.contrast.values)
    size = max(block.n_trials for block in protocol.blocks if block.kind == "main")
    n_fresh, n_cells = int(is_fresh.sum()), n_targets * n_values
    cells = balanced(seed, _CELLS_OF_RUN, n_fresh, n_cells, size)
    slots.value[is_fresh], slots.target[is_fresh] = np.divmod(cells, n_targets)
    first = slots.repeats[~is_fresh]
    slots.value[~is_fresh] = slots.value[first]
    slots.target[~is_fresh] = slots.target[first]
    return slots


def _with_catch_trials(
    protocol: Protocol, number: int, main: Slots, rows: slice, order: np.ndarray
) -> Slots:
    """Put the main slots of a block, and its catch trials, at their places."""
    catch = order[: protocol.catch.n_per_block]
    slots = Slots.filled(len(order), number, "catch")
    is_main = np.ones(len(order), bool)
    is_main[catch] = False
    for name in (field.name for field in fields(Slots) if field.name != "block"):
        getattr(slots, name)[is_main] = getattr(main, name)[rows]
    slots.target[catch] = (number + np.arange(len(catch))) % protocol.task.n_targets
    return slots
