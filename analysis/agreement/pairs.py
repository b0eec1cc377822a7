"""Which of some sessions can be compared trial by trial."""

from collections.abc import Sequence
from itertools import combinations

from ..trials.estimate import CannotTell
from ..trials.responses import SessionLike
from .shared import FEWEST_SHARED, Recognised, n_shared


def shared_pairs(
    sessions: Sequence[SessionLike],
) -> list[tuple[SessionLike, SessionLike]]:
    """Pair the sessions that share trials, whatever they are yoked to.

    Two that follow one source that is here are compared with it, not with each other.

    Returns
    -------
    list
        Pairs: the source of a yoked session first, else in the order given.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> guesser = yoked.load_observer("guesser")
    >>> one, other = (
    ...     yoked.run(protocol, guesser, seed=seed, trials=100, contrast=0.15)
    ...     for seed in (1, 2)
    ... )
    >>> shared_pairs([one, other])
    []
    """
    ids = {session.id for session in sessions}
    follows = [session.yoked_to in ids for session in sessions]
    known = [_recognised(session) for session in sessions]
    found = []
    for i, j in combinations(range(len(sessions)), 2):
        one, other = (j, i) if follows[i] else (i, j)
        is_yoked = sessions[other].yoked_to == sessions[one].id
        both = known[one], known[other]
        if (follows[i] and follows[j]) or both[0] is None or both[1] is None:
            continue
        if n_shared(both[0], both[1]) >= (1 if is_yoked else FEWEST_SHARED):
            found.append((other, (sessions[one], sessions[other])))
    return [pair for _, pair in sorted(found, key=lambda each: each[0])]


def _recognised(session: SessionLike) -> Recognised | None:
    try:
        return Recognised.of(session)
    except CannotTell:  # conditions that are to be taken one by one
        return None
