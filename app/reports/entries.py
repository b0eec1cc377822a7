"""What a report says of a session, and of a pair of them: found once, and kept."""

from dataclasses import dataclass
from typing import Any

from ...analysis.agreement.latent import LatentAgreement, latent_agreement
from ...analysis.agreement.profile import DepthProfile, depth_profile
from ...analysis.agreement.responses import ResponseAgreement, response_agreement
from ...analysis.kernels.weighted_sum import template_match
from ...analysis.plot.kernels import Panel, panel_of
from ...analysis.sessions.depths import Depths, depths
from ...analysis.sessions.summary import SessionSummary
from ...analysis.trials.attempts import Attempts, Fault
from ...analysis.trials.estimate import CannotTell
from ...analysis.trials.held import Held
from ...analysis.trials.responses import SessionLike
from ...experiments.session.results import SessionData

Kept = dict[tuple[str, ...], Any]  # entries by session id, pairs by both ids


@dataclass(frozen=True, eq=False)
class Entry:
    """One session with all that the page says of it.

    Attributes
    ----------
    match
        Cosine of the fitted kernel with the signal; None where either is not there.
    """

    session: SessionData
    depths: Depths
    panel: Panel | None
    match: float | None

    @property
    def summary(self) -> SessionSummary:
        """The numbers of order zero."""
        return self.depths.summary

    @property
    def faults(self) -> dict[str, Fault]:
        """Parts of the analysis that broke."""
        return self.depths.faults


@dataclass(frozen=True, eq=False)
class Pair:
    """Two observers of the same trials, compared."""

    comparison: ResponseAgreement
    latent: LatentAgreement | None
    profile: DepthProfile | None
    faults: dict[str, Fault]


def entry_of(session: SessionData, orders: int) -> Entry:
    """Analyse a session down to an order."""
    found = depths(session, orders, viewing=session.viewing)
    kernel = None
    if found.one is not None:
        # The weighted sum stands in where the task is not one of two alternatives.
        kernel = found.one.fitted or found.one.weighted_sum
    if kernel is None:
        return Entry(session, found, None, None)
    drawn = panel_of(session, kernel)
    if drawn.template is None:
        return Entry(session, found, drawn, None)
    try:
        match = template_match(kernel.kernel, drawn.template).cosine
    except CannotTell:  # a template or kernel that is flat has no shape to match
        match = None
    return Entry(session, found, drawn, match)


def pair_of(reference: SessionLike, other: SessionLike, with_profile: bool) -> Pair:
    """Compare two sessions; a comparison that breaks leaves the others as they are."""
    ours, theirs = Held.all_of(reference, other)
    attempt = Attempts(())
    latent = attempt("latent agreement", lambda: latent_agreement(ours, theirs))
    profile = None
    if with_profile:
        profile = attempt(
            "depth profile", lambda: depth_profile(ours, theirs, latent=latent)
        )
    faults = attempt.faults | (profile.faults if profile else {})
    return Pair(response_agreement(ours, theirs), latent, profile, faults)
