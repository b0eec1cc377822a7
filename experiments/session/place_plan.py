"""Which place each trial of a plan has its signal at, and where its cue points.

Places are balanced within each block and class of stimulus; so is how often a cue is
valid, points elsewhere or is neutral. Conditions are balanced each by itself.
"""

import numpy as np
from jaxtyping import Float, Int64

from ..protocols.places import Cue
from ..protocols.protocol import Protocol
from ..stimulus.noise import DRAWS_PER_BLOCK, N_DRAWS, SCHEDULE_STREAM, draws_u16
from .permute import permutation
from .slots import NONE, Slots

PLACES, CUES = 7 << 32, 8 << 32  # ids of stream 0 that nothing else has
_OTHER = 1 << 31  # of them, those of trials that are no main ones
# Runs of one class and condition, and classes of a condition, leave each other room.
_CONDITION, _TARGET, _BLOCK = 1 << 24, 1 << 16, 1 << 8


def put_main(protocol: Protocol, seed: int, slots: Slots) -> None:
    """Set places and cues of all main slots; a second pass has those of its first."""
    longest = max(block.n_trials for block in protocol.blocks if block.kind == "main")
    n_cells = protocol.task.n_targets * len(protocol.resolved)
    is_fresh = slots.repeats == NONE
    for number, own in enumerate(protocol.resolved):
        for target in range(protocol.task.n_targets):
            cell = (slots.condition == number) & (slots.target == target)
            first = number * _CONDITION + target * _TARGET
            _put(own, seed, first, slots, is_fresh & cell, longest // n_cells)
    for column in (slots.place, slots.cue):
        column[~is_fresh] = column[slots.repeats[~is_fresh]]


def put_other(protocol: Protocol, seed: int, slots: Slots) -> None:
    """Set places and cues of the slots of one block that are not main ones."""
    is_other = slots.main == NONE
    for number, own in enumerate(protocol.resolved):
        rows = is_other & (slots.condition == number)
        block = int(slots.block[0]) if len(slots) else 0
        first = _OTHER + block * _BLOCK + number
        _put(own, seed, first, slots, rows, size=len(slots))


def _put(
    own: Protocol, seed: int, first: int, slots: Slots, rows: np.ndarray, size: int
) -> None:
    """Set places and cues of some slots, balanced in runs of about a size."""
    n, n_places = int(rows.sum()), own.places.count
    if not n_places:
        return
    size = n_places * max(1, size // n_places)
    place = (n_places * _spread(seed, PLACES + first, n, size)).astype(np.int64)
    slots.place[rows] = place
    if own.cue.kind:
        where = _spread(seed, CUES + first, n, size)
        slots.cue[rows] = pointed_at(own.cue, n_places, place, where)


def _spread(seed: int, first: int, n: int, size: int) -> Float[np.ndarray, " trial"]:
    """Spread numbers evenly over (0, 1) in every run of `size`, in a random order.

    Each run has an offset of its own, so that no share is rounded alike in all.
    """
    starts = range(0, n, size)
    runs = [
        _run(seed, first + number, min(size, n - start))
        for number, start in enumerate(starts)
    ]
    return np.concatenate([np.empty(0), *runs])


def _run(seed: int, purpose: int, n: int) -> Float[np.ndarray, " trial"]:
    """Spread `n` numbers; the offset is the draw after those of their order."""
    after = -(-4 * n // DRAWS_PER_BLOCK) * DRAWS_PER_BLOCK
    ids = np.array([purpose])
    offset = (draws_u16(seed, ids, SCHEDULE_STREAM, 1, after)[0] + 0.5) / N_DRAWS
    return (permutation(seed, purpose, n) + offset) / n


def pointed_at(
    cue: Cue,
    n_places: int,
    place: Int64[np.ndarray, " trial"],
    where: Float[np.ndarray, " trial"],
) -> Int64[np.ndarray, " trial"]:
    """Give the place that each trial's cue points at; -1 where it is neutral.

    Parameters
    ----------
    cue
        Says how often it is valid and neutral.
    n_places
        Of the scene.
    place
        The signal's.
    where
        Numbers spread evenly over (0, 1).

    Examples
    --------
    >>> cue, where = Cue(kind="arrow", validity=0.5), np.array([0.1, 0.6, 0.8])
    >>> pointed_at(cue, 3, np.array([2, 2, 2]), where).tolist()
    [2, 0, 1]
    """
    among = (where - cue.neutral) / max(1 - cue.neutral, 1e-9)
    invalid = (among - cue.validity) / max(1 - cue.validity, 1e-9)
    step = np.minimum((invalid * (n_places - 1)).astype(np.int64), n_places - 2)
    elsewhere = (place + 1 + step) % n_places
    pointed = np.where(among < cue.validity, place, elsewhere)
    return np.where(where < cue.neutral, NONE, pointed)
