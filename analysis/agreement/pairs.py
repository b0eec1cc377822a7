"""Which of some sessions are yoked to each other."""

from collections.abc import Sequence

from ..trials.responses import SessionLike


def yoked_pairs(
    sessions: Sequence[SessionLike],
) -> list[tuple[SessionLike, SessionLike]]:
    """Pair every session with the one that it is yoked to, where both are here.

    Returns
    -------
    list
        Pairs of the source and the session that was shown its trials, in the order of
        the latter.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> guesser = yoked.load_observer("guesser")
    >>> alone = yoked.run(protocol, guesser, seed=1, trials=100, contrast=0.15)
    >>> yoked_pairs([alone])
    []
    """
    by_id = {session.id: session for session in sessions}
    return [
        (by_id[session.yoked_to], session)
        for session in sessions
        if session.yoked_to in by_id
    ]
