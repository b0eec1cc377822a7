"""Which variant of its signal a stimulus shows: the one place that draws it.

It is drawn from stream 0, a function of seed and stimulus id alone, so that the second
showing of a stimulus and a yoked session have the same.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Int64

from ..protocols.protocol import Protocol
from .by_condition import Table, part_of
from .noise import SCHEDULE_STREAM, draws_u16

_VARIANTS = 6 << 32  # ids of stream 0 that are variants' own; `permute.py` has others


def drawn_variants(seed: int, stimulus_ids: Any, n: int) -> Int64[np.ndarray, " trial"]:
    """Draw a variant for each stimulus, one of `n`, with equal chance.

    Examples
    --------
    >>> drawn_variants(1, [0, 1, 2, 3, 0], 4).tolist()
    [3, 2, 3, 1, 3]
    """
    ids = np.asarray(stimulus_ids, np.int64)
    if n == 1:
        return np.zeros(len(ids), np.int64)
    draws = draws_u16(seed, _VARIANTS + ids, SCHEDULE_STREAM, 1)[:, 0]
    return draws.astype(np.int64) * n >> 16


def by_variant(
    protocol: Protocol, seed: int, table: Table
) -> Iterator[tuple[np.ndarray, Protocol, dict[str, np.ndarray]]]:
    """Give the rows of each variant in a table: its protocol, and their table.

    Where patterns are identified, the target says which is shown.
    """
    variants = protocol.variants
    if protocol.task.identifies:
        drawn = np.asarray(table["target"], np.int64)
    else:
        drawn = drawn_variants(seed, table["stimulus_id"], len(variants))
    for number in dict.fromkeys(drawn.tolist()) or [0]:
        rows = np.flatnonzero(drawn == number)
        yield rows, variants[number], part_of(table, rows)
