"""The plan of a session: what its seed alone decides.

Targets, conditions, catch trials and double passes are laid out before the first trial,
from stream 0 of the session's seed. What depends on the responses (contrast, repeated
trials) is `schedule.py`'s.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Int64, Shaped

from ..protocols.parts import Block
from ..protocols.protocol import Protocol
from ..stimulus.noise import SCHEDULE_STREAM, draws_u16

# Each use of stream 0 has its own range of ids, so that no two share a draw.
_ORDER_OF_BLOCK = 0
_CATCH_OF_BLOCK = 1 << 32
_DOUBLE_PASS = 1 << 33


NONE = -1  # where a slot has no main number, or repeats none


@dataclass(frozen=True, eq=False)
class Slots:
    """Places in the plan that trials will fill, as columns.

    Attributes
    ----------
    block
        Number of the block.
    kind
        Block kind that is logged: 'practice', 'calibration', 'main' or 'catch'.
    target
        The correct alternative.
    condition
        Number of the condition; 0 where there is one alone.
    value
        Which of the condition's contrasts.
    main
        Number among the main slots of the session; NONE elsewhere.
    repeats
        The main slot whose stimulus is shown a second time; NONE on a first pass.
    """

    block: Int64[np.ndarray, " slot"]
    kind: Shaped[np.ndarray, " slot"]
    target: Int64[np.ndarray, " slot"]
    condition: Int64[np.ndarray, " slot"]
    value: Int64[np.ndarray, " slot"]
    main: Int64[np.ndarray, " slot"]
    repeats: Int64[np.ndarray, " slot"]

    def __len__(self) -> int:
        """Give how many slots there are."""
        return len(self.target)

    @classmethod
    def filled(cls, n: int, block: int, kind: str) -> "Slots":
        """Give slots of one block and kind, with all else to be set."""
        zero, none = np.zeros(n, np.int64), np.full(n, NONE)
        kinds = np.full(n, kind, object)
        target, condition, value = (zero.copy() for _ in range(3))
        number, no_main = zero + block, none.copy()
        return cls(number, kinds, target, condition, value, none, no_main)

    @classmethod
    def joined(cls, parts: Sequence["Slots"]) -> "Slots":
        """Give the slots of all parts, one after the other."""
        names = [field.name for field in fields(cls)]
        columns = ([getattr(part, name) for part in parts] for name in names)
        return cls(*(np.concatenate(column) for column in columns))


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
    main = _main_slots(protocol, seed)
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
    cells = _balanced(protocol, seed, int(is_fresh.sum()), n_targets * n_values)
    slots.value[is_fresh], slots.target[is_fresh] = np.divmod(cells, n_targets)
    first = slots.repeats[~is_fresh]
    slots.value[~is_fresh] = slots.value[first]
    slots.target[~is_fresh] = slots.target[first]
    return slots


def _balanced(
    protocol: Protocol, seed: int, n: int, n_cells: int
) -> Int64[np.ndarray, " n"]:
    """Give each fresh slot a cell, every cell equally often in each run of trials."""
    size = max(block.n_trials for block in protocol.blocks if block.kind == "main")
    first, rest = _ORDER_OF_BLOCK + (1 << 20), n % size
    whole = permutations(seed, first + np.arange(n // size), size)
    whole = whole + size * np.arange(n // size)[:, None]
    last = n - rest + permutation(seed, first + n // size, rest)
    return np.concatenate([whole.ravel(), last]) % n_cells


def _with_catch_trials(
    protocol: Protocol, number: int, main: Slots, rows: slice, order: np.ndarray
) -> Slots:
    """Put the main slots of a block, and its catch trials, at their places."""
    catch = order[: protocol.catch.n_per_block]
    slots = Slots.filled(len(order), number, "catch")
    is_main = np.ones(len(order), bool)
    is_main[catch] = False
    for name in ("kind", "target", "condition", "value", "main", "repeats"):
        getattr(slots, name)[is_main] = getattr(main, name)[rows]
    slots.target[catch] = (number + np.arange(len(catch))) % protocol.task.n_targets
    return slots


def permutation(seed: int, purpose: int, n: int) -> Int64[np.ndarray, " n"]:
    """Permute 0, ..., n - 1: the order of 64-bit draws of stream 0."""
    return permutations(seed, np.array([purpose]), n)[0]


def permutations(
    seed: int, purposes: Int64[np.ndarray, " purpose"], n: int
) -> Int64[np.ndarray, " purpose n"]:
    """Permute 0, ..., n - 1 once for each purpose; see `permutation`."""
    if n == 0 or len(purposes) == 0:
        return np.empty((len(purposes), n), np.int64)
    draws = draws_u16(seed, purposes, SCHEDULE_STREAM, 4 * n)
    keys = draws.reshape(len(purposes), n, 4).astype("<u2").view("<u8")[..., 0]
    return np.argsort(keys, axis=1, kind="stable").astype(np.int64)


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
