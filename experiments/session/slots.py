"""Places in a plan that trials will fill, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Int64, Shaped

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
    draws
        Number of the draws that slots of several conditions share; NONE elsewhere.
    place
        Where the signal is in a scene; NONE without places.
    cue
        The place that is cued; NONE where none is, or all are.
    """

    block: Int64[np.ndarray, " slot"]
    kind: Shaped[np.ndarray, " slot"]
    target: Int64[np.ndarray, " slot"]
    condition: Int64[np.ndarray, " slot"]
    value: Int64[np.ndarray, " slot"]
    main: Int64[np.ndarray, " slot"]
    repeats: Int64[np.ndarray, " slot"]
    draws: Int64[np.ndarray, " slot"]
    place: Int64[np.ndarray, " slot"]
    cue: Int64[np.ndarray, " slot"]

    def __len__(self) -> int:
        """Give how many slots there are."""
        return len(self.target)

    @classmethod
    def filled(cls, n: int, block: int, kind: str) -> "Slots":
        """Give slots of one block and kind, with all else to be set."""
        zero, none = np.zeros(n, np.int64), np.full(n, NONE)
        kinds = np.full(n, kind, object)
        target, condition, value = (zero.copy() for _ in range(3))
        rest = [none.copy() for _ in fields(cls)[5:]]
        return cls(zero + block, kinds, target, condition, value, *rest)

    @classmethod
    def joined(cls, parts: Sequence["Slots"]) -> "Slots":
        """Give the slots of all parts, one after the other."""
        names = [field.name for field in fields(cls)]
        columns = ([getattr(part, name) for part in parts] for name in names)
        return cls(*(np.concatenate(column) for column in columns))
