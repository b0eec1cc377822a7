"""Two observers compared in all ways at once: responses, latent agreement, kernels.

What `yoked compare` prints and `yoked.compare` gives.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from ..trials.attempts import Attempts, Fault
from ..trials.held import Held
from ..trials.responses import SessionLike
from ..trials.result import Cells, short
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


def compare(reference: SessionLike, other: SessionLike) -> Comparison:
    """Compare two observers of the same trials, at three depths.

    Parameters
    ----------
    reference
        Whose double pass sets the ceilings. Any kind of observer.
    other
        The other one. Any kind of observer.

    Raises
    ------
    ValueError
        If the sessions did not have the same trials, or none counts in both.

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
    ours, theirs = Held.of(reference), Held.of(other)
    agreed = response_agreement(ours, theirs)
    attempt = Attempts(())
    kappa = attempt("kappa", lambda: compare_kappa(ours, theirs))
    latent = attempt("latent", lambda: latent_agreement(ours, theirs))
    profile = attempt("depth_profile", lambda: depth_profile(ours, theirs))
    return Comparison(
        **{each.name: getattr(agreed, each.name) for each in fields(agreed)},
        kappa=kappa,
        latent=latent,
        depth_profile=profile,
        faults=attempt.faults | (profile.faults if profile else {}),
    )
