"""What is measured of a cell's session: each an estimate, or why there is none."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...analysis.sensitivity.by_task import dprime, proportion_correct
from ...analysis.trials.attempts import Attempts
from ...analysis.trials.estimate import Estimate
from ...analysis.trials.held import Held, as_responses
from ...experiments.session.results import SessionData, without_trials

ALONE = ("dprime", "proportion_correct")
BESIDE_A_PERSON = ("kappa", "share_0", "share_1", "share_2")
QUANTITIES = (*ALONE, *BESIDE_A_PERSON)


def measured(
    session: SessionData,
    person: SessionData | None,
    depths: bool,
    learnt: Sequence[int] = (),
) -> dict[str, Any]:
    """Measure a session, and beside the person that it is yoked to how they agree.

    Parameters
    ----------
    person
        Whose trials they were; None where they are the session's own.
    depths
        Whether shares of orders 0, 1 and 2 are wanted.
    learnt
        The person's trials that a network has learnt: agreement leaves them out.

    Returns
    -------
    dict
        By quantity the plain form of an `Estimate`.
    """
    attempt = Attempts(())
    held = Held.of(session)
    found: dict[str, Estimate] = {}

    def estimate(name: str, work: Callable[[], Estimate]) -> None:
        made = attempt(name, work)
        reason = attempt.missing.get(name, "")
        found[name] = made if made is not None else Estimate.missing("none/1", reason)

    estimate("dprime", lambda: dprime(held))
    estimate("proportion_correct", lambda: proportion_correct(as_responses(held)))
    if person is not None:
        from ...analysis.agreement.kappa import compare_kappa
        from ...analysis.agreement.profile import depth_profile

        if len(learnt):
            left_out = np.asarray(learnt, np.int64)
            person, session = (without_trials(e, left_out) for e in (person, session))
            held = Held.of(session)
        reference = Held.of(person)
        estimate("kappa", lambda: compare_kappa(reference, held).kappa)
        profile = None
        if depths:
            profile = attempt("shares", lambda: depth_profile(reference, held))
        for order in (0, 1, 2) if depths else ():
            name = f"share_{order}"
            if profile is not None:
                found[name] = profile.depths[order].share
            else:
                found[name] = Estimate.missing("none/1", attempt.missing["shares"])
    return {name: each.to_dict() for name, each in found.items()}
