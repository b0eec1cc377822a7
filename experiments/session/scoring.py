"""Whether responses are correct; what is none of the task's is refused."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int64

from ..clock import utc_now
from ..protocols.protocol import Protocol
from ..store.trial import Response, TrialRecord, TrialSpec, is_correct
from .shown import is_anticipation


def scored(protocol: Protocol, spec: TrialSpec, response: Response) -> TrialRecord:
    """Score one response, which came now; nothing is stored.

    Raises
    ------
    ValueError
        If the response is none of the task's.
    """
    correct, given = None, response.response
    if given is not None:
        _require_responses(protocol, given, given)
        task = protocol.task
        if task.has_target:
            correct = is_correct(task.kind, protocol.n_responses, spec.target, given)
    return TrialRecord(spec, response, correct, utc_now())


def are_correct(
    protocol: Protocol,
    target: Int64[np.ndarray, " trial"],
    given: Int64[np.ndarray, " trial"],
) -> Bool[np.ndarray, " trial"]:
    """Say which of many responses are correct.

    Raises
    ------
    ValueError
        If one of them is none of the task's.
    """
    least, most = given.min(initial=0), given.max(initial=0)
    _require_responses(protocol, int(least), int(most))
    return is_correct(protocol.task.kind, protocol.n_responses, target, given)


def anticipations(protocol: Protocol, records: Sequence[TrialRecord]) -> list[int]:
    """Give the numbers of the trials that were responded to too soon to have seen."""
    early = (r for r in records if is_anticipation(protocol, r.response))
    return [record.spec.trial for record in early]


def _require_responses(protocol: Protocol, least: int, most: int) -> None:
    n = protocol.n_responses
    for given in (least, most):
        if not 0 <= given < n:
            raise ValueError(f"response must be from 0 to {n - 1}, got {given}")
