"""The plan of a session: what its seed alone decides.

Targets, conditions, catch trials and double passes are laid out before the first trial,
from stream 0 of the session's seed. What depends on the responses (contrast, repeated
trials) is `schedule.py`'s.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64

from ..protocols.parts import Block
from ..protocols.protocol import Protocol
from ..stimulus.noise import SCHEDULE_STREAM, draws_u16

# Each use of stream 0 has its own range of ids, so that no two share a draw.
_ORDER_OF_BLOCK = 0
_CATCH_OF_BLOCK = 1 << 32
_DOUBLE_PASS = 1 << 33


@dataclass(frozen=True)
class Slot:
    """A place in the plan that a trial will fill.

    Attributes
    ----------
    kind
        Block kind that is logged: 'practice', 'calibration', 'main' or 'catch'.
    target
        The correct alternative.
    value
        Which of the protocol's contrasts.
    main
        Number among the main slots of the session; None elsewhere.
    repeats
        The main slot whose stimulus is shown a second time; None on a first pass.
    """

    kind: str
    target: int
    value: int = 0
    main: int | None = None
    repeats: int | None = None


@dataclass(frozen=True)
class BlockPlan:
    """A block as planned."""

    number: int
    kind: str
    feedback: bool
    slots: tuple[Slot, ...]


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
    main = iter(_main_slots(protocol, seed))
    return tuple(
        _plan_block(protocol, seed, number, block, main)
        for number, block in enumerate(expanded)
    )


def _plan_block(
    protocol: Protocol, seed: int, number: int, block: Block, main: Iterator[Slot]
) -> BlockPlan:
    if block.kind == "main":
        slots = [next(main) for _ in range(block.n_trials)]
        slots = _with_catch_trials(protocol, seed, number, slots)
    else:
        n_targets = protocol.task.n_targets
        order = permutation(seed, _ORDER_OF_BLOCK + number, block.n_trials)
        slots = [Slot(block.kind, int(place) % n_targets) for place in order]
    return BlockPlan(number, block.kind, block.feedback, tuple(slots))


def _main_slots(protocol: Protocol, seed: int) -> list[Slot]:
    """Lay out the main trials of all blocks: cells balanced, then second passes."""
    plan = protocol.double_pass
    n = protocol.n_main_trials
    partners = double_pass_plan(seed, n, plan.n_pairs, plan.min_gap)
    n_targets, n_values = protocol.task.n_targets, len(protocol.contrast.values)
    fresh = [slot for slot in range(n) if partners[slot] is None]
    cells = _balanced(protocol, seed, fresh, n_targets * n_values)
    slots: list[Slot] = []
    for number, partner in enumerate(partners):
        if partner is None:
            value, target = divmod(cells[number], n_targets)
            slots.append(Slot("main", target, value, number))
        else:
            slots.append(replace(slots[partner], main=number, repeats=partner))
    return slots


def _balanced(
    protocol: Protocol, seed: int, fresh: list[int], n_cells: int
) -> dict[int, int]:
    """Give each fresh slot a cell, every cell equally often in each run of trials."""
    size = max(block.n_trials for block in protocol.blocks if block.kind == "main")
    cells = {}
    for run, first in enumerate(range(0, len(fresh), size)):
        part = fresh[first : first + size]
        order = permutation(seed, _ORDER_OF_BLOCK + (1 << 20) + run, len(part))
        for slot, place in zip(part, order, strict=True):
            cells[slot] = (first + int(place)) % n_cells
    return cells


def _with_catch_trials(
    protocol: Protocol, seed: int, number: int, slots: list[Slot]
) -> list[Slot]:
    n_catch = protocol.catch.n_per_block
    order = permutation(seed, _CATCH_OF_BLOCK + number, len(slots) + n_catch)
    rest, n_targets = iter(slots), protocol.task.n_targets
    is_catch = {int(place): k for k, place in enumerate(order[:n_catch])}
    return [
        Slot("catch", (number + is_catch[place]) % n_targets)
        if place in is_catch
        else next(rest)
        for place in range(len(order))
    ]


def permutation(seed: int, purpose: int, n: int) -> Int64[np.ndarray, " n"]:
    """Permute 0, ..., n - 1: the order of 64-bit draws of stream 0."""
    draws = draws_u16(seed, np.array([purpose]), SCHEDULE_STREAM, 4 * n)
    keys = draws.reshape(n, 4).astype("<u2").view("<u8").ravel()
    return np.argsort(keys, kind="stable").astype(np.int64)


def double_pass_plan(
    seed: int, n_trials: int, n_pairs: int, min_gap: int
) -> list[int | None]:
    """Choose which trials show an earlier one again, and which one each shows.

    Trials are walked in order; a second pass comes with the probability that uses up
    the pairs evenly, and takes any earlier stimulus that is old enough. With 2 n_pairs
    + min_gap <= n_trials, which a protocol must keep, one is always there when needed:
    at most min_gap first showings are too young.

    Returns
    -------
    list
        For every trial the one it repeats, or None.
    """
    chances = draws_u16(seed, np.array([_DOUBLE_PASS]), SCHEDULE_STREAM, 2 * n_trials)
    when, which = chances.reshape(n_trials, 2).astype(int).T.tolist()
    partners: list[int | None] = []
    young: deque[int] = deque()
    old: list[int] = []
    pairs_left = n_pairs
    for trial in range(n_trials):
        while young and young[0] <= trial - min_gap:
            old.append(young.popleft())
        places_left = n_trials - trial
        if old and when[trial] * places_left < pairs_left << 16:
            chosen = which[trial] * len(old) >> 16
            old[chosen], old[-1] = old[-1], old[chosen]
            partners.append(old.pop())
            pairs_left -= 1
        else:
            partners.append(None)
            young.append(trial)
    return partners
