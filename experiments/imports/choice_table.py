"""A table of choices without noise: who called which picture what.

Such data have no pixels that could be made again, so they are no sessions of the trial
log: they are read into memory, and analysed there.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

MISSING = ("wrong", "left out")


@dataclass(frozen=True, eq=False)
class ChoiceTable:
    """Choices of people and models among words, a row each.

    Attributes
    ----------
    observers
        Names, in the order of the table.
    is_model
        Whether each of them is a model.
    conditions, stimuli
        Names.
    observer, condition, stimulus
        Of each row, as numbers of these.
    target, response
        Words; a response is '' where there was none.
    other_cue
        The word that another cue of the stimulus speaks for, such as the texture of a
        picture in which shape and texture are in conflict; '' where it is not known.
    missing
        What a missing response is: 'wrong', or 'left out' of every number.
    notes
        What was understood, a sentence each.
    """

    observers: tuple[str, ...]
    is_model: Bool[np.ndarray, " observer"]
    conditions: tuple[str, ...]
    stimuli: tuple[str, ...]
    observer: Int[np.ndarray, " row"]
    condition: Int[np.ndarray, " row"]
    stimulus: Int[np.ndarray, " row"]
    target: tuple[str, ...]
    response: tuple[str, ...]
    other_cue: tuple[str, ...]
    missing: str
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.missing not in MISSING:
            rule = f"one of {', '.join(MISSING)}"
            raise ValueError(f"missing must be {rule}, got {self.missing!r}")

    def __len__(self) -> int:
        return len(self.target)

    @property
    def has_response(self) -> Bool[np.ndarray, " row"]:
        """Whether there was a response."""
        return np.array([word != "" for word in self.response], bool)

    @property
    def correct(self) -> Bool[np.ndarray, " row"]:
        """Whether the response was the target."""
        pairs = zip(self.response, self.target, strict=True)
        return np.array([said == target for said, target in pairs], bool)

    @property
    def words(self) -> tuple[str, ...]:
        """The words that were targets or responses."""
        return tuple(sorted({*self.target, *self.response} - {""}))
