"""A trial: what is shown, what came back, and how the two are scored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from jaxtyping import Bool, Int64


@dataclass(frozen=True)
class TrialSpec:
    """All that is known of a trial before it has a response.

    Attributes
    ----------
    trial
        Its number in the session, from 0.
    block, block_kind
        Number of the block, and 'practice', 'calibration', 'main' or 'catch'.
    condition
        Name of the cell of the design.
    stimulus_id
        Counter of the noise field.
    pass_
        1, or 2 for the second showing of a double pass.
    repeats
        The trial that this one repeats: the only definition of a pair.
    contrast
        Signal contrast.
    signal
        Every other parameter of the signal.
    target
        The correct alternative from 0; in yes/no and rating the class, 1 = signal. 0,
        which says nothing, in a task without a correct answer.
    place
        Where the signal is in a scene, from 0; None without places.
    cue
        The place that a cue points at; None if none does, or at all of them.
    """

    trial: int
    block: int
    block_kind: str
    condition: str
    stimulus_id: int
    pass_: int
    repeats: int | None
    contrast: float
    target: int
    signal: Mapping[str, Any] = field(default_factory=dict)
    place: int | None = None
    cue: int | None = None


@dataclass(frozen=True)
class Response:
    """What a presenter sends back about one trial.

    Attributes
    ----------
    response
        Number of the response, from 0; None if none came in time.
    rt_ms
        Time from the onset of the last interval.
    decision_variables
        A model's decision variable for each alternative.
    digest
        SHA-256 of the pixels received; None where it was not sampled.
    onsets_ms, offsets_ms
        Onset and offset of each interval on the presenter's clock.
    n_shown
        How often the trial was shown until there was a response: more than once where
        the page was loaded again.
    valid, invalid_reason
        Whether the trial was shown as it should be, and if not why.
    """

    response: int | None
    rt_ms: float | None = None
    confidence: float | None = None
    decision_variables: tuple[float, ...] | None = None
    digest: str | None = None
    onsets_ms: tuple[float, ...] | None = None
    frames_shown: int | None = None
    frames_dropped: int | None = None
    valid: bool = True
    invalid_reason: str | None = None
    offsets_ms: tuple[float, ...] | None = None
    n_shown: int | None = None


@dataclass(frozen=True)
class TrialRecord:
    """A trial in the log: its specification, its response, its score."""

    spec: TrialSpec
    response: Response
    correct: bool | None
    received_at: str

    def same_as(self, other: "TrialRecord") -> bool:
        """Whether both hold the same, in all that the presenter sent."""
        return self.spec == other.spec and self.response == other.response


@overload
def is_correct(
    task_kind: str, n_responses: int, target: int, response: int | None
) -> bool | None: ...
@overload
def is_correct(
    task_kind: str,
    n_responses: int,
    target: Int64[np.ndarray, " trial"],
    response: Int64[np.ndarray, " trial"],
) -> Bool[np.ndarray, " trial"]: ...
def is_correct(
    task_kind: str, n_responses: int, target: Any, response: Any
) -> bool | Bool[np.ndarray, " trial"] | None:
    """Score a response, or one to each of many trials; None if there was none.

    A rating counts as "signal" in the upper half of its categories.

    Examples
    --------
    >>> is_correct("2afc", 2, target=1, response=1)
    True
    >>> is_correct("rating", 6, target=1, response=2)
    False
    """
    if response is None:
        return None
    if task_kind == "rating":
        return (response >= n_responses // 2) == (target == 1)
    return response == target
