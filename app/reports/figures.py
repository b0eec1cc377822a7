"""Figures of sessions by name: what `yoked plot` draws."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...analysis.agreement.profile import depth_profile
from ...analysis.agreement.responses import response_agreement
from ...analysis.plot import figure as plot
from ...analysis.psychometric.fit import session_psychometric
from ...analysis.second_order.kernel import session_second_order
from ...analysis.second_order.spectrum import eigen_spectrum
from ...analysis.sensitivity.roc import session_roc
from ...analysis.sessions.summary import summarise
from ...analysis.trials.design import TrialDesign
from ...analysis.trials.responses import responses
from ...experiments.session.results import SessionData

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(what: str, sessions: Sequence[SessionData], method: Any) -> "Figure":
    """Draw a figure of sessions.

    Parameters
    ----------
    what
        A name of `commands.plotting.PLOTS`.
    sessions
        One or more, with the same stimuli where they share a scale.
    method
        Estimator of first-order kernels.

    Raises
    ------
    ValueError
        If no session has what is to be drawn, or stimuli differ.
    """
    if what == "kernels":
        return plot.kernels(sessions, method=method)
    return _DRAWN[what](sessions)


def yoked_pairs(
    sessions: Sequence[SessionData],
) -> list[tuple[SessionData, SessionData]]:
    """Pair every session with the one that it is yoked to, where both are here."""
    by_id = {session.id: session for session in sessions}
    return [
        (by_id[session.yoked_to], session)
        for session in sessions
        if session.yoked_to in by_id
    ]


def _measures(sessions: Sequence[SessionData]) -> "Figure":
    return plot.measures([summarise(session) for session in sessions])


def _roc(sessions: Sequence[SessionData]) -> "Figure":
    return plot.roc([(each.observer, session_roc(each)) for each in sessions])


def _psychometric(sessions: Sequence[SessionData]) -> "Figure":
    fits = [(each.observer, session_psychometric(each)) for each in sessions]
    return plot.psychometric(fits)


def _second_order(sessions: Sequence[SessionData]) -> "Figure":
    return plot.kernels(sessions, order=2)


def _spectra(sessions: Sequence[SessionData]) -> "Figure":
    found = []
    for each in sessions:
        trials = TrialDesign.of(responses(each), each.noise)
        linear_part = "keep" if trials.is_forced_choice else "remove"
        found.append((each.observer, eigen_spectrum(trials, linear_part=linear_part)))
    return plot.spectra(found, session_second_order(sessions[0]).noise_sd)


def _agreement(sessions: Sequence[SessionData]) -> "Figure":
    return plot.agreements([response_agreement(*pair) for pair in _pairs(sessions)])


def _depth(sessions: Sequence[SessionData]) -> "Figure":
    return plot.depth_profiles([depth_profile(*pair) for pair in _pairs(sessions)])


def _pairs(
    sessions: Sequence[SessionData],
) -> list[tuple[SessionData, SessionData]]:
    pairs = yoked_pairs(sessions)
    if not pairs:
        raise ValueError("sessions must have one that is yoked to another, got none")
    return pairs


_DRAWN: dict[str, Callable[[Sequence[SessionData]], "Figure"]] = {
    "measures": _measures,
    "roc": _roc,
    "psychometric": _psychometric,
    "second-order": _second_order,
    "spectra": _spectra,
    "agreement": _agreement,
    "depth": _depth,
}
