"""The depth profile: two observers compared at orders zero, one and two.

Networks may classify as we do and yet see otherwise. So agreement is given at three
depths, each as a share of the best that the data could show:

    order 0   responses: the latent (tetrachoric) correlation of the two observers on
              shared trials; its ceiling is set by internal noise, sqrt(r_a r_b)
    order 1   first-order kernels: their correlation; its ceiling is set by sampling
              noise, sqrt(rel_a rel_b)
    order 2   second-order kernels: likewise

A share of 1 says that nothing at this depth tells the two apart, once noise is allowed
for. The share is the disattenuated correlation, less the bias of a ratio and not cut at
1; where the interval of its denominator reaches 0 it is refused, and says so. Whether
the first-order kernels are the same, in size too, is tested beside it, with the
smallest difference that would be found (`kernels/equality.py`). Without shared trials,
or without a double pass, order 0 has no share either; d' of both stands beside it
always.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ...experiments.protocols.same_stimuli import same_stimuli
from ..double_pass.drift import CriterionCourse, criterion_course
from ..double_pass.given import Given
from ..kernels.equality import KernelEquality, equal_kernels
from ..sensitivity.by_task import dprime
from ..sessions.kernel import lapses_of
from ..trials.attempts import Attempts, Fault
from ..trials.coarse import coarse
from ..trials.estimate import CannotTell, Estimate
from ..trials.held import Held
from ..trials.responses import SessionLike
from ..trials.result import Cells, Result, short
from .kernels import KernelSimilarity, similarity
from .latent import LatentAgreement, latent_agreement

NAMES = ("responses", "first-order kernel", "second-order kernel")


@dataclass(frozen=True)
class Depth(Result):
    """Agreement of two observers at one order.

    Attributes
    ----------
    order
        0, 1 or 2.
    name
        What is compared.
    correlation
        As found.
    ceiling
        What it could be at most.
    share
        correlation / ceiling; without a value where the data cannot tell.
    """

    order: int
    name: str
    correlation: Estimate
    ceiling: Estimate
    share: Estimate


@dataclass(frozen=True)
class DepthProfile(Result):
    """Two observers side by side at three depths.

    Attributes
    ----------
    reference, other
        Session ids.
    reference_observer, other_observer
        Names of the observers.
    reference_dprime, other_dprime
        Sensitivity: what comparisons of accuracy stop at.
    depths
        Of orders 0, 1 and 2.
    equal_kernels
        Test of whether the first-order kernels are the same; None where `missing` says
        why.
    reference_constant, other_constant, reference_conditional, other_conditional
        d' and internal noise with a constant criterion, and conditional on its course:
        different things, and where it drifts the second are to be read. None where
        there is no course, as `missing` says.
    missing
        Sentence by name of what could not be had: "equal_kernels", "reference_course",
        "other_course", or the name of a depth.
    faults
        Depths that could not be had by a mistake of ours, with the exception.
    """

    reference: str
    other: str
    reference_observer: str
    other_observer: str
    reference_dprime: Estimate
    other_dprime: Estimate
    depths: tuple[Depth, ...]
    equal_kernels: KernelEquality | None = None
    reference_constant: Given | None = None
    other_constant: Given | None = None
    reference_conditional: Given | None = None
    other_conditional: Given | None = None
    missing: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)

    def table(self) -> list[Cells]:
        """Give a row for each depth."""
        return [
            {
                "depth": depth.name,
                "correlation": depth.correlation.short(),
                "ceiling": depth.ceiling.short(),
                "share": depth.share.short()
                if depth.share.value is not None
                else self.reason(depth),
                "differ (p)": self._differ(depth),
            }
            for depth in self.depths
        ]

    def reason(self, depth: Depth) -> str:
        """Give why a depth has no share, the observers by their names."""
        names = self.reference_observer, self.other_observer
        return by_name(depth.share.note or "", *names)

    def _differ(self, depth: Depth) -> str:
        if depth.order != 1:
            return "-"
        if self.equal_kernels is None:
            return self.missing.get("equal_kernels", "-")
        return short(self.equal_kernels.p)


def depth_profile(
    reference: SessionLike,
    other: SessionLike,
    seed: int = 0,
    latent: LatentAgreement | None = None,
) -> DepthProfile:
    """Compare two observers at orders zero, one and two.

    Parameters
    ----------
    reference, other
        Sessions of the same stimuli, any kind of observer. Order 0 needs trials
        that both were shown.
    seed
        Of the groups of stimuli that shares of kernels rest on.
    latent
        Of these two, where it is known already.

    Raises
    ------
    ValueError
        If the sessions have not the same kind of stimuli.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> one, other = (
    ...     yoked.run(protocol, observer, seed=seed, trials=600, contrast=0.15)
    ...     for seed in (1, 2)
    ... )
    >>> profile = depth_profile(one, other)
    >>> [depth.name for depth in profile.depths]
    ['responses', 'first-order kernel', 'second-order kernel']
    >>> profile.depths[0].share.note.split(",")[-1]
    ' got none in 600 and 600'
    """
    if not same_stimuli(reference.protocol, other.protocol):
        raise CannotTell(
            f"sessions must share their stimuli, got {reference.protocol.name} and "
            f"{other.protocol.name}"
        )
    reference, other = Held.all_of(reference, other)
    attempt = Attempts(NAMES)
    depths = depths_between(reference, other, attempt, seed, latent)
    equal = attempt(
        "equal_kernels",
        lambda: equal_kernels(
            reference, other, seed, [lapses_of(each) for each in (reference, other)]
        ),
    )
    ours = _course(attempt, "reference", reference)
    theirs = _course(attempt, "other", other)
    return DepthProfile(
        reference=reference.id,
        other=other.id,
        reference_observer=reference.observer,
        other_observer=other.observer,
        reference_dprime=dprime(reference),
        other_dprime=dprime(other),
        equal_kernels=equal,
        depths=depths,
        reference_constant=ours and ours.constant,
        other_constant=theirs and theirs.constant,
        reference_conditional=ours and ours.conditional,
        other_conditional=theirs and theirs.conditional,
        missing=attempt.missing,
        faults=attempt.faults,
    )


def depths_between(
    reference: Held,
    other: Held,
    attempt: Attempts,
    seed: int = 0,
    latent: LatentAgreement | None = None,
    most_dimensions: int | None = None,
) -> tuple[Depth, ...]:
    """Compare two observers at each order, or say why it cannot be had.

    Parameters
    ----------
    reference, other
        From `Held.all_of`.
    attempt
        Notes what fails, and goes on.
    seed, latent
        As in `depth_profile`.
    most_dimensions
        In which order two is compared: larger fields are averaged in blocks. By default
        elements stay as they are.
    """
    # A biased linear observer of yes/no has a second order along its template.
    is_yes_no = not reference.protocol.task.is_forced_choice

    def responses() -> LatentAgreement:
        return latent or latent_agreement(reference, other)

    def first() -> KernelSimilarity:
        return similarity(reference, other, 1, seed=seed)

    def second() -> KernelSimilarity:
        ours, theirs = reference.design, other.design
        if most_dimensions is not None:
            ours, theirs = (coarse(one, most_dimensions) for one in (ours, theirs))
        linear_part = "remove" if is_yes_no else "keep"
        return similarity(ours, theirs, 2, linear_part=linear_part, seed=seed)

    found = (responses, first, second)
    return tuple(_depth(order, attempt, found[order]) for order in (0, 1, 2))


def by_name(note: str, reference: str, other: str) -> str:
    """Name the observers in a reason that knows them as ours and theirs."""
    note = note.replace("(ours)", f"({reference})")
    return note.replace("(theirs)", f"({other})")


def _course(attempt: Attempts, which: str, held: Held) -> CriterionCourse | None:
    """Fit the course of a criterion, or say why there is none."""
    return attempt(f"{which}_course", lambda: criterion_course(held.responses))


def _depth(
    order: int,
    attempt: Attempts,
    alike: Callable[[], LatentAgreement | KernelSimilarity],
) -> Depth:
    """Estimate a depth, or say why it can't be had."""
    name = NAMES[order]
    found = attempt(name, alike)
    if found is None:
        parts = (
            f"order-{order}-{part}/1" for part in ("correlation", "ceiling", "share")
        )
        missing = (Estimate.missing(part, attempt.missing[name]) for part in parts)
        return Depth(order, name, *missing)
    return Depth(order, name, found.correlation, found.ceiling, found.disattenuated)
