"""Which trials two sessions share: found in what was shown, not declared.

Trials are the same when noise, target, signal and contrast are (`trials/stimuli.py`),
in whatever order, also in part: sessions may be yoked to each other, come from one
table, or have been run with one seed. A stimulus that was shown several times goes by
its showings: the nth to one observer with the nth to the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int64

from ..trials.estimate import CannotTell
from ..trials.held import Held
from ..trials.responses import Responses, SessionLike

FEWEST_SHARED = 20  # trials that are worth a comparison that nobody asked for


@dataclass(frozen=True, eq=False)
class SharedTrials:
    """The counted trials of two sessions, and which of them are the same.

    Attributes
    ----------
    ours, theirs
        All counted trials of either.
    rows, other_rows
        Rows of the shared showings, in our order.
    stimuli
        Number of the stimulus of every trial of either, common to both.
    """

    ours: Responses
    theirs: Responses
    rows: Int[np.ndarray, " shared"]
    other_rows: Int[np.ndarray, " shared"]
    stimuli: tuple[Int[np.ndarray, " trial"], Int[np.ndarray, " other"]]

    @classmethod
    def of(cls, reference: SessionLike, other: SessionLike) -> "SharedTrials":
        """Find the trials that two sessions share.

        Raises
        ------
        CannotTell
            If their tasks differ, or they have no trial in common.

        Examples
        --------
        >>> import yoked
        >>> protocol = yoked.load_protocol("bar-in-noise")
        >>> observers = map(yoked.load_observer, ("template", "guesser"))
        >>> sessions = [
        ...     yoked.run(protocol, observer, seed=1, trials=100, contrast=0.15)
        ...     for observer in observers
        ... ]
        >>> len(SharedTrials.of(*sessions))
        100
        """
        both = Recognised.of(reference), Recognised.of(other)
        ours, theirs = (each.responses for each in both)
        require_one_task((ours, theirs))
        stimuli = numbered(both)
        rows, other_rows = matched((ours, theirs), stimuli)
        if not len(rows):
            rule = "share a trial that counts in both (noise, target, signal, contrast)"
            got = f"none in {len(ours):,} and {len(theirs):,}"
            raise CannotTell(
                f"sessions {reference.id} and {other.id} must {rule}, got {got}"
            )
        return cls(ours, theirs, rows, other_rows, (stimuli[0], stimuli[1]))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def stimulus(self) -> Int[np.ndarray, " shared"]:
        """Number of the stimulus of each shared showing, from 0."""
        _, number = np.unique(self.stimuli[0][self.rows], return_inverse=True)
        return number


def require_one_task(several: Sequence[Responses]) -> None:
    """Raise CannotTell if sessions are not all of one task."""
    tasks = list(dict.fromkeys(each.task for each in several))
    if len(tasks) > 1:
        got = " and ".join(tasks)
        raise CannotTell(f"sessions must be of one task, got {got}")


@dataclass(frozen=True, eq=False)
class Recognised:
    """A session's counted trials, and what their stimuli are recognised by."""

    responses: Responses
    keys: Int64[np.ndarray, " trial"]

    @classmethod
    def of(cls, session: SessionLike) -> "Recognised":
        """Recognise the stimuli of a session; its noise is kept only if it is held."""
        held = Held.of(session)
        return cls(held.responses, held.stimuli)


def numbered(sessions: Sequence[Recognised]) -> list[Int[np.ndarray, " _"]]:
    """Number the stimuli of several sessions in common, for every counted trial."""
    keys = [each.keys for each in sessions]
    _, number = np.unique(np.concatenate(keys), return_inverse=True)
    return np.split(number, np.cumsum([len(each) for each in keys])[:-1])


def n_shared(one: Recognised, other: Recognised) -> int:
    """Count the trials that two sessions share."""
    if one.responses.task != other.responses.task:
        return 0
    both = one.responses, other.responses
    return len(matched(both, numbered([one, other]))[0])


def stimuli_in_common(observers: Sequence[Sequence[SessionLike]]) -> bool:
    """Say whether any two observers, each with some sessions, saw a same stimulus."""
    seen = [
        np.unique(np.concatenate([Held.of(one).stimuli for one in own]))
        for own in observers
    ]
    return sum(map(len, seen)) > len(np.unique(np.concatenate(seen)))


def matched(
    both: tuple[Responses, Responses], stimuli: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Match the nth showing of each stimulus with the nth."""
    showing = [_showing(*each) for each in zip(both, stimuli, strict=True)]
    most = max((int(each.max(initial=0)) for each in showing), default=0) + 1
    ours, theirs = (
        number * most + nth for number, nth in zip(stimuli, showing, strict=True)
    )
    _, rows, other = np.intersect1d(
        ours, theirs, assume_unique=True, return_indices=True
    )
    order = np.argsort(rows)
    return rows[order], other[order]


def _showing(
    responses: Responses, stimulus: Int[np.ndarray, " trial"]
) -> Int[np.ndarray, " trial"]:
    """Say which showing of its stimulus each trial is, from 0.

    A trial that repeats one that does not count is the second all the same.
    """
    order = np.argsort(stimulus, kind="stable")
    _, start, number = np.unique(
        stimulus[order], return_index=True, return_inverse=True
    )
    repeats = responses.table["repeats"].notna().to_numpy(bool)[order]
    lacks_first = repeats & (responses.first[order] < 0)
    nth = np.empty(len(order), np.int64)
    nth[order] = np.arange(len(order)) - start[number] + lacks_first[start][number]
    return nth
