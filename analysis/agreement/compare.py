"""Two observers compared in all ways at once: responses, latent agreement, kernels.

What `yoked compare` prints and `yoked.compare` gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, overload

from ..trials.attempts import Attempts, Fault, Progress
from ..trials.held import Held
from ..trials.responses import SessionLike
from ..trials.result import Cells, Result, short
from .closer import Closer, closer
from .kappa import KappaComparison, compare_kappa
from .latent import LatentAgreement, latent_agreement
from .profile import DepthProfile, depth_profile
from .responses import ResponseAgreement, response_agreement

FORMAT = "yoked-compare/2"  # of the plain form, which docs/json.md describes


@dataclass(frozen=True)
class Comparison(ResponseAgreement):
    """Two observers of the same trials: how alike they respond, and see.

    Attributes
    ----------
    kappa
        Error consistency beside its own ceiling.
    latent
        Agreement of the decision variables behind the responses.
    depth_profile
        Responses, kernels and second-order kernels as shares of their ceilings.
    faults
        Of these three, what could not be had by a mistake of ours, with the exception.
    """

    kappa: KappaComparison | None
    latent: LatentAgreement | None
    depth_profile: DepthProfile | None
    faults: dict[str, Fault] = field(default_factory=dict)

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give one row: agreement of responses, shares or their reasons, kernels."""
        (row,) = super().table()
        profile = self.depth_profile
        if profile is None:
            return [row]
        for depth in profile.depths:
            is_known = depth.share.value is not None
            text = depth.share.short() if is_known else profile.reason(depth)
            row[f"{depth.name} (share)"] = text
        equal = profile.equal_kernels
        row["same kernel (p)"] = short(equal and equal.p)
        return [row]


@dataclass(frozen=True)
class Comparisons(Result):
    """Several observers compared with one, and with each other by how close they come.

    Attributes
    ----------
    comparisons
        Of the first observer with each of the others.
    closer
        Which of them comes closer, on the trials that all share; None where `missing`
        says why.
    missing, faults
        As in other results.
    """

    comparisons: tuple[Comparison, ...]
    closer: Closer | None
    missing: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)

    def table(self) -> list[Cells]:
        """Give a row for each observer; `closer` has a table of its own."""
        return [row for each in self.comparisons for row in each.table()]


@overload
def compare(reference: SessionLike, other: SessionLike, /) -> Comparison: ...


@overload
def compare(
    reference: SessionLike,
    other: SessionLike,
    third: SessionLike,
    /,
    *more: SessionLike,
) -> Comparisons: ...


def compare(
    reference: SessionLike, other: SessionLike, /, *more: SessionLike
) -> Comparison | Comparisons:
    """Compare observers of the same trials with one of them, at three depths.

    Parameters
    ----------
    reference
        Whose double pass sets the ceilings. Any kind of observer.
    other, more
        The others. Any kind of observer. With two or more of them the result also says
        which is closer.

    Raises
    ------
    ValueError
        If a session shares no trial with the first that counts in both.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> found = yoked.compare(session, session)
    >>> found.same_response.value, found.depth_profile.depths[1].name
    (1.0, 'first-order kernel')
    """
    found = compare_all(Held.all_of(reference, other, *more))
    return found if more else found.comparisons[0]


def compare_all(
    sessions: Sequence[Held],
    progress: Progress = lambda stage, done, total: None,
) -> Comparisons:
    """Compare the first of several observers with each of the others.

    Parameters
    ----------
    sessions
        From `Held.all_of`, which holds common noise once.
    progress
        Told how many of how many observers are done.
    """
    reference, *others = sessions
    found = []
    for number, each in enumerate(others):
        progress("observers", number, len(others))
        found.append(_of_two(reference, each))
    progress("observers", len(others), len(others))
    attempt = Attempts(())
    which = None
    if len(others) > 1:
        which = attempt("closer", lambda: closer(reference, others))
    return Comparisons(tuple(found), which, attempt.missing, attempt.faults)


def _of_two(ours: Held, theirs: Held) -> Comparison:
    agreed = response_agreement(ours, theirs)
    attempt = Attempts(())
    kappa = attempt("kappa", lambda: compare_kappa(ours, theirs))
    latent = attempt("latent", lambda: latent_agreement(ours, theirs))
    profile = attempt(
        "depth_profile", lambda: depth_profile(ours, theirs, latent=latent)
    )
    return Comparison(
        **{each.name: getattr(agreed, each.name) for each in fields(agreed)},
        kappa=kappa,
        latent=latent,
        depth_profile=profile,
        faults=attempt.faults | (profile.faults if profile else {}),
    )
