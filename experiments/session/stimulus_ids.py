"""The stimulus id of each trial: fresh, of a first pass, or one that is shared."""

import numpy as np
from jaxtyping import Bool, Int64

from .slots import NONE, Slots


class StimulusIds:
    """Gives trials their stimulus ids as they are decided.

    A fresh trial has its own number. Slots of several conditions that share their draws
    have the number of the trial that came first; one that was spoiled gets a fresh id
    when it comes again, or it would be a hidden double pass.

    Parameters
    ----------
    slots
        The whole plan.
    n_main
        Main slots in it.
    """

    def __init__(self, slots: Slots, n_main: int) -> None:
        self._slots = slots
        self._has_shared = bool((slots.draws != NONE).any())
        self._shared = np.full(int(slots.draws.max(initial=NONE)) + 1, NONE)
        self._first = np.full(n_main + 1, NONE)  # of each main slot's last first pass
        self._spoiled: set[int] = set()

    def of(
        self,
        slots: Int64[np.ndarray, " trial"],
        trial: Int64[np.ndarray, " trial"],
        has_first: Bool[np.ndarray, " trial"],
    ) -> Int64[np.ndarray, " trial"]:
        """Give the ids of trials that fill slots; those that repeat one are marked."""
        ids = self._drawn(slots, trial) if self._has_shared else trial
        main, repeats = self._slots.main[slots], self._slots.repeats[slots]
        is_first = (main != NONE) & (repeats == NONE)
        # A model's trials are decided in long runs, second passes with the first.
        self._first[main[is_first]] = ids[is_first]
        return np.where(has_first, self._first[repeats], ids)

    def spoiled(self, slot: int) -> None:
        """Note that a slot's trial was not shown as it should be."""
        self._spoiled.add(slot)

    def forget(self, next_trial: int) -> None:
        """Forget the ids of trials from a number on, which are decided anew."""
        self._shared[self._shared >= next_trial] = NONE

    def _drawn(self, slots: np.ndarray, trial: np.ndarray) -> np.ndarray:
        ids = trial.copy()
        numbers = self._slots.draws[slots].tolist()
        for n, (slot, shared) in enumerate(zip(slots.tolist(), numbers, strict=True)):
            if shared == NONE or slot in self._spoiled:
                continue
            if self._shared[shared] == NONE:
                self._shared[shared] = trial[n]
            ids[n] = self._shared[shared]
        return ids
