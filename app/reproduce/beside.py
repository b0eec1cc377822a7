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
        Of a network that gives the same for all trials no measure has a value.
    """
    from ...analysis.trials.estimate import Estimate
    from ...experiments.session.results import load_session
    from ...models.networks.readouts import ConstantFeatures
    from ..scores.kept import KeptAnswers
    from ..scores.person import Person
    from ..sweeps.measures import QUANTITIES, measured

    ask, found = KeptAnswers(kept), {}
    for session in sessions:
        person = Person(load_session(log, session), seed=seed)
        try:
            played = person.play(observer, ask)
        except ConstantFeatures as error:  # a network whose units have all died
            lost = dict.fromkeys(
                QUANTITIES, Estimate.missing("none/1", str(error)).to_dict()
            )
            found[session] = lost, {"gamma": None, "why_not": str(error)}
            continue
        gamma = None if played.match is None else played.match.gamma
        measures = measured(played.session, person.session, True)
        found[session] = measures, {"gamma": gamma, "why_not": played.why}
    return found
