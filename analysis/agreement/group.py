"""Groups: several sessions of an observer, several observers, their mean and ceiling.

Sessions of one observer are one kernel: their optimally weighted sums are added, which
weights each session by its precision. Kernels are in decision SDs per noise SD
(`score.py`), so that observers compare whatever their criterion and contrast. Observers
differ, so the mean over them is one of random effects (`random_effects.py`).

Every result is put under its observer's name, and sorting names or rows changes no
number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float

from ...experiments.protocols.same_stimuli import by_stimuli
from ..sensitivity.by_task import dprime
from ..trials.attempts import Attempts, Fault
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.responses import Responses, SessionLike, responses
from ..trials.result import Cells, Result, quantity_row
from ..trials.score import Score, score
from .between_people import consistency_between
from .noise_ceiling import no_ceilings, noise_ceiling
from .random_effects import random_effects, random_effects_mean
from .shared import stimuli_in_common

KERNEL = "kernel-random-effects-optimal-sum/1"
OWN_DPRIME = "dprime-over-sessions-inverse-variance/2"
SHARED = "observers saw the same stimuli: their kernels share sampling noise"
Field = Float[np.ndarray, " *shape"]


@dataclass(frozen=True, eq=False)
class ObserverKernel:
    """One observer's first-order kernel, over all of its sessions.

    Attributes
    ----------
    observer
        Name.
    sessions
        Ids, sorted.
    kernel
        Decision SDs per noise SD.
    se
        Standard error of every element.
    n_trials
        Trials that entered.
    """

    observer: str
    sessions: tuple[str, ...]
    kernel: Field
    se: float
    n_trials: int


@dataclass(frozen=True, eq=False)
class GroupKernel:
    """The first-order kernel of a group.

    Attributes
    ----------
    kernel, se
        Mean over observers and its standard error, decision SDs per noise SD.
    between_sd
        SD over observers of their own kernels, without their sampling noise.
    observers
        Kernels of the observers, sorted by name.
    lower_ceiling, upper_ceiling
        Mean correlation of an observer's kernel with the mean of the others, and of
        all.
    order
        1.
    """

    kernel: Field
    se: Field
    between_sd: Field
    observers: tuple[ObserverKernel, ...]
    lower_ceiling: Estimate
    upper_ceiling: Estimate
    order: int
    formula: str
    note: str | None

    def of(self, observer: str) -> ObserverKernel:
        """Give one observer's kernel.

        Raises
        ------
        LookupError
            If no observer has that name.
        """
        for one in self.observers:
            if one.observer == observer:
                return one
        names = ", ".join(one.observer for one in self.observers)
        raise LookupError(f"observer must be one of {names}, got {observer!r}")


@dataclass(frozen=True, eq=False)
class GroupSummary(Result):
    """A group in numbers.

    Attributes
    ----------
    observers
        Names, sorted.
    n_sessions, n_trials
        Of each observer.
    dprime
        Random-effects mean over observers.
    dprime_by_observer
        Each observer's, over its sessions.
    error_consistency
        Mean kappa of every two observers who saw the same trials, over people and
        stimuli.
    kernel
        The group's; None if fewer than two observers' kernels can be told.
    missing
        Sentence by observer whose kernel cannot be told, so that it is left out of the
        group's; and under 'kernel', why there is none.
    faults
        What could not be had by a mistake of ours, with the exception.
    """

    observers: tuple[str, ...]
    n_sessions: tuple[int, ...]
    n_trials: tuple[int, ...]
    dprime: Estimate
    dprime_by_observer: tuple[Estimate, ...]
    error_consistency: Estimate
    kernel: GroupKernel | None
    missing: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)

    def parts(self) -> dict[str, Any]:
        """Give the fields, and of the kernel what is the group's, not an observer's."""
        kernel = self.kernel
        lower, upper = (
            (kernel.lower_ceiling, kernel.upper_ceiling)
            if kernel
            else no_ceilings(self.missing["kernel"])
        )
        return {
            **self._fields_but("kernel", "missing", "faults"),
            "lower_ceiling": lower,
            "upper_ceiling": upper,
            "note": kernel and kernel.note,
            "kernel": kernel and kernel.kernel,
            "kernel_se": kernel and kernel.se,
            "between_sd": kernel and kernel.between_sd,
            "formula": KERNEL,
            "missing": dict(self.missing),
            "faults": dict(self.faults),
        }

    def table(self) -> list[Cells]:
        """Give one row: how many took part, d' and the ceilings of the kernel."""
        parts = self.parts()
        return [
            {
                "observers": len(self.observers),
                "sessions": sum(self.n_sessions),
                "trials": sum(self.n_trials),
                "dprime": self.dprime.short(),
                "kappa": self.error_consistency.short(),
                "lower ceiling": parts["lower_ceiling"].short(),
                "upper ceiling": parts["upper_ceiling"].short(),
            }
        ]

    def _rows(self) -> list[dict[str, Any]]:
        """The group's numbers, without a name in `observer`; then each observer's."""
        parts = self.parts()
        of_group = ("dprime", "error_consistency", "lower_ceiling", "upper_ceiling")
        rows = [(None, name, parts[name]) for name in of_group]
        for number, observer in enumerate(self.observers):
            rows += [
                (observer, "dprime", self.dprime_by_observer[number]),
                (observer, "n_sessions", float(self.n_sessions[number])),
                (observer, "n_trials", float(self.n_trials[number])),
            ]
        return [
            {"observer": who, **quantity_row(name, None, found)}
            for who, name, found in rows
        ]


def group(sessions: Sequence[SessionLike]) -> GroupSummary:
    """Return the numbers and the mean kernel of several observers' sessions.

    Parameters
    ----------
    sessions
        In any order; those with one observer's name are that observer's.

    Raises
    ------
    ValueError
        If there are fewer than two observers, a session comes twice, or sessions differ
        in their stimulus.

    Examples
    --------
    >>> import yoked
    >>> from dataclasses import replace
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> sessions = []
    >>> for name, efficiency in (("ann", 1.0), ("bob", 0.7)):
    ...     observer = yoked.load_observer("template", efficiency=efficiency)
    ...     observer.name = name
    ...     made = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    ...     sessions.append(made)
    >>> found = group(sessions)
    >>> found.observers, int(found.kernel.of("ann").kernel.argmax())
    (('ann', 'bob'), 6)
    """
    by_name = _by_observer(sessions)
    counted = {name: [responses(one) for one in own] for name, own in by_name.items()}
    own_dprime = [_own_dprime(parts) for parts in counted.values()]
    attempt = Attempts(())
    own_kernels = [
        attempt(name, partial(observer_kernel, name, own, counted[name]))
        for name, own in by_name.items()
    ]
    told = [one for one in own_kernels if one is not None]
    notes = [part for part in [_shared_note(by_name)] if part]
    if attempt.missing:
        notes.append(f"without {', '.join(attempt.missing)}: their kernel is not told")
    kernel = attempt("kernel", lambda: group_kernel(told, "; ".join(notes) or None))
    contrasts = {tuple(part.contrasts) for parts in counted.values() for part in parts}
    note = "d' is at different contrasts" if len(contrasts) > 1 else None
    return GroupSummary(
        observers=tuple(by_name),
        n_sessions=tuple(len(own) for own in by_name.values()),
        n_trials=tuple(sum(map(len, parts)) for parts in counted.values()),
        dprime=random_effects_mean(own_dprime).with_note(note),
        dprime_by_observer=tuple(own_dprime),
        error_consistency=consistency_between(by_name),
        kernel=kernel,
        missing=attempt.missing,
        faults=attempt.faults,
    )


def group_kernel(
    observers: Sequence[ObserverKernel], note: str | None = None
) -> GroupKernel:
    """Return the mean kernel of several observers, and the group's noise ceiling.

    Raises
    ------
    ValueError
        If there are fewer than two observers, or their fields differ in shape.
    """
    ordered = sorted(observers, key=lambda one: one.observer)
    if len(ordered) < 2:
        rule = "two or more with a kernel"
        raise CannotTell(f"observers must be {rule}, got {len(ordered)}")
    shapes = {one.kernel.shape for one in ordered}
    if len(shapes) > 1:
        raise CannotTell(f"kernels must have one shape, got {sorted(shapes)}")
    kernels = np.stack([one.kernel for one in ordered])
    ses = np.array([one.se for one in ordered]).reshape(-1, *[1] * (kernels.ndim - 1))
    mean = random_effects(kernels, np.broadcast_to(ses, kernels.shape))
    try:
        lower, upper = noise_ceiling(kernels.reshape(len(kernels), -1))
    except CannotTell as reason:
        lower, upper = no_ceilings(str(reason), len(kernels))
    return GroupKernel(
        kernel=mean.mean,
        se=mean.se,
        between_sd=mean.between_sd,
        observers=tuple(ordered),
        lower_ceiling=lower.with_note(note),
        upper_ceiling=upper.with_note(note),
        order=1,
        formula=KERNEL,
        note=note,
    )


def observer_kernel(
    observer: str, sessions: Sequence[SessionLike], counted: Sequence[Responses]
) -> ObserverKernel:
    """Return one observer's kernel over its sessions, each weighted by its precision.

    Raises
    ------
    ValueError
        If a session has no class with both responses.
    """
    order = sorted(range(len(sessions)), key=lambda i: sessions[i].id)
    shown = [TrialDesign.of(counted[i], sessions[i].noise) for i in order]
    designs = [one.comparable() for one in shown]
    found: list[Score] = [score(one) for one in designs]
    weight = np.array([1 / one.se**2 for one in found])
    weight = weight / weight.sum()
    kernel = np.sum(
        [w * one.kernel for w, one in zip(weight, found, strict=True)], axis=0
    )
    se = float(
        np.linalg.norm([w * one.se for w, one in zip(weight, found, strict=True)])
    )
    return ObserverKernel(
        observer=observer,
        sessions=tuple(sessions[i].id for i in order),
        kernel=kernel.reshape(designs[0].shape),
        se=se,
        n_trials=sum(one.n for one in found),
    )


def _by_observer(sessions: Sequence[SessionLike]) -> dict[str, list[SessionLike]]:
    """Sessions by observer, names sorted; checked."""
    ids = [one.id for one in sessions]
    twice = [name for name in ids if ids.count(name) > 1]
    if twice:
        raise ValueError(f"sessions must be different ones, got {twice[0]} twice")
    stimuli = by_stimuli(sessions, lambda one: one.protocol)
    if len(stimuli) > 1:
        raise CannotTell(f"sessions must have one stimulus, got {len(stimuli)} of them")
    names = sorted({one.observer for one in sessions})
    if len(names) < 2:
        raise CannotTell(f"observers must be two or more, got {len(names)}")
    return {name: [s for s in sessions if s.observer == name] for name in names}


def _own_dprime(parts: Sequence[Responses]) -> Estimate:
    """Give one observer's d', the mean over sessions by inverse variance."""
    found = [dprime(part) for part in parts]
    known = [one for one in found if one.value is not None and one.se]
    n = sum(one.n for one in known)
    if not known:
        return Estimate.missing(OWN_DPRIME, found[0].note or "no trial counts", n)
    values, ses = np.array([(one.value, one.se) for one in known], np.float64).T
    weight = 1 / ses**2
    value = float(weight @ values / weight.sum())
    return Estimate.normal(value, float(weight.sum() ** -0.5), n, OWN_DPRIME)


def _shared_note(by_name: dict[str, list[SessionLike]]) -> str | None:
    """Say so if two observers saw some of the same stimuli."""
    return SHARED if stimuli_in_common(list(by_name.values())) else None
