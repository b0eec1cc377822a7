"""The sessions of a plot: one or several, of the same stimuli, or in pairs."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from ...experiments.protocols.same_stimuli import by_stimuli
from ..agreement.pairs import shared_pairs
from ..trials.estimate import CannotTell
from ..trials.responses import SessionLike

Sessions = SessionLike | Sequence[SessionLike]
_Result = TypeVar("_Result")


def named(
    sessions: Sequence[SessionLike], of_one: Callable[[SessionLike], _Result]
) -> list[tuple[str, _Result]]:
    """Return what is drawn of each session with its observer; or say who cannot be."""
    found = []
    for each in sessions:
        try:
            found.append((each.observer, of_one(each)))
        except CannotTell as reason:
            raise CannotTell(f"{each.observer} ({each.id}): {reason}") from reason
    return found


def listed_sessions(sessions: Sessions) -> list[SessionLike]:
    """Return one session or several as a list that is not empty."""
    listed = [sessions] if isinstance(sessions, SessionLike) else list(sessions)
    if not listed:
        raise ValueError("sessions must be one or more, got none")
    return listed


def of_same_stimuli(sessions: Sessions) -> list[SessionLike]:
    """Return the sessions if all had the same stimuli."""
    listed = listed_sessions(sessions)
    kinds = by_stimuli(listed, lambda session: session.protocol)
    if len(kinds) != 1:
        raise CannotTell(f"sessions must share their stimuli, got {len(kinds)} kinds")
    return listed


def paired(sessions: Sessions) -> list[tuple[SessionLike, SessionLike]]:
    """Return the sessions that share trials, two by two, the source first."""
    pairs = shared_pairs(listed_sessions(sessions))
    if not pairs:
        raise CannotTell("sessions must have two that share trials, got none")
    return pairs
