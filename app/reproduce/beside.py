"""An observer that sees the trials of sessions, as noisy as who did them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...experiments.session.observer import Observer


def beside_sessions(
    observer: "Observer", log: str, sessions: Iterable[str], seed: int, kept: Path
) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Let an observer see the trials of sessions, and compare it with each.

    Parameters
    ----------
    observer
        Is shown trials that several sessions have in common once.
    log
        The trial log with the sessions.
    sessions
        Their ids.
    seed
        Of internal noise, which is matched.
    kept
        Folder of what it made of the trials.

    Returns
    -------
    dict
        By id: by measure the plain form of an `Estimate`; and the noise, or why none.
    """
    from ...experiments.session.results import load_session
    from ..scores.kept import KeptAnswers
    from ..scores.person import Person
    from ..sweeps.measures import measured

    ask, found = KeptAnswers(kept), {}
    for session in sessions:
        person = Person(load_session(log, session), seed=seed)
        played = person.play(observer, ask)
        gamma = None if played.match is None else played.match.gamma
        measures = measured(played.session, person.session, True)
        found[session] = measures, {"gamma": gamma, "why_not": played.why}
    return found
