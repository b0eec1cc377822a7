"""Which of two models comes closer to people: observers as the random factor.

People differ. That a model is closer to those who took part does not say that it is
closer to people, and trials of one person cannot tell. So each observer's difference
(`closer.py`) is one value with its error; their mean is that of random effects
(`random_effects.py`), with t on n - 1 degrees of freedom. Observers who saw the same
stimuli have that part of their errors in common, which the spread among them does not
show: what their influences add up to beyond being independent is added to the
variance [1]_.

References
----------
.. [1] Cameron, Gelbach & Miller (2011), J. Bus. Econ. Stat. 29, 238-249 (errors that
   are shared in two ways).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float, Int64
from scipy.stats import t as student

from ..trials.estimate import CannotTell, Estimate
from ..trials.held import Held
from ..trials.responses import SessionLike
from ..trials.result import Cells, Result, short
from .closeness import MEASURES, QUESTIONS
from .closer import LEVEL, Closer, ModelDifference, closer, holm_adjusted
from .random_effects import random_effects, t_estimate
from .shared import FEWEST_SHARED, Recognised, n_shared

FORMAT = "yoked-closer-people/1"  # of the plain form, which docs/json.md describes
FORMULA = "difference-over-observers"


@dataclass(frozen=True)
class PeopleDifference(Result):
    """How much closer to people one model comes than another, by one measure.

    Attributes
    ----------
    measure, question
        As in `ModelDifference`.
    one, other
        Names of the models.
    n_observers
        Who have a difference.
    difference
        Mean over observers of the one's closeness less the other's.
    between_sd
        SD of observers' own differences.
    p
        Of no difference in the mean.
    p_holm
        Over all pairs of models in this measure.
    """

    measure: str
    question: str
    one: str
    other: str
    n_observers: int
    difference: Estimate
    between_sd: float
    p: float
    p_holm: float

    @property
    def closer(self) -> str | None:
        """Name of the closer model; None where the data cannot tell."""
        value = self.difference.value
        if value is None or not self.p_holm < LEVEL:
            return None
        return self.one if value > 0 else self.other

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the closer model."""
        return {**super().parts(), "closer": self.closer}


@dataclass(frozen=True)
class CloserToPeople(Result):
    """Several models of several observers.

    Attributes
    ----------
    observers, models
        Names, as they came.
    differences
        Of each pair of models, by measure, over observers.
    by_session
        Each observer's own, one for each session.
    missing
        Why a difference has no mean over observers, by "measure: one, other"; and of a
        session why it is left out, by its id.
    """

    observers: tuple[str, ...]
    models: tuple[str, ...]
    differences: tuple[PeopleDifference, ...]
    by_session: tuple[Closer, ...]
    missing: dict[str, str]

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give a row for each difference over observers."""
        return [
            {
                "observers": each.n_observers,
                "measure": each.measure,
                "answers": each.question,
                "model": each.one,
                "less": each.other,
                "difference": each.difference.short(),
                "between SD": short(each.between_sd),
                "p": short(each.p),
                "p (Holm)": short(each.p_holm),
                "closer": each.closer or "cannot be told",
            }
            for each in self.differences
        ]


def closer_to_people(
    people: Sequence[SessionLike], models: Sequence[SessionLike], seed: int = 0
) -> CloserToPeople:
    """Compare how close models come to several observers.

    Parameters
    ----------
    people
        Sessions of two observers or more; those of one name are that observer's.
    models
        Sessions that share trials with theirs: each is compared with whom it shares
        them. Those of one name are one model; several for one person are its
        replicates, such as networks trained from several seeds.
    seed
        Of the groups of stimuli that kernels rest on.

    Raises
    ------
    CannotTell
        If fewer than two observers have two models on their trials.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> people, models = [], []
    >>> for seed, name in enumerate(("ann", "bob"), 1):
    ...     person = yoked.load_observer("template", efficiency=0.8)
    ...     person.name = name
    ...     everyone = person, *map(yoked.load_observer, ("template", "guesser"))
    ...     sessions = [
    ...         yoked.run(protocol, one, seed=seed, trials=300, contrast=0.2)
    ...         for one in everyone
    ...     ]
    ...     people.append(sessions[0])
    ...     models += sessions[1:]
    >>> found = closer_to_people(people, models)
    >>> found.observers, found.models, found.differences[0].difference.value > 0
    (('ann', 'bob'), ('template', 'guesser'), True)
    """
    theirs = [Recognised.of(each) for each in models]
    found: list[Closer] = []
    missing: dict[str, str] = {}
    for person in people:
        held = Held.of(person)
        own = Recognised.of(held)
        here = [
            model
            for model, known in zip(models, theirs, strict=True)
            if n_shared(own, known) >= FEWEST_SHARED
        ]
        if len({each.observer for each in here}) < 2:
            rule = "two or more on the same trials"
            missing[person.id] = f"models must be {rule}, got {len(here)}"
            continue
        found.append(closer(held, here, replicates=True, seed=seed))
    observers = tuple(dict.fromkeys(each.reference_observer for each in found))
    if len(observers) < 2:
        rule = "two or more with two models on their trials"
        raise CannotTell(f"observers must be {rule}, got {len(observers)}")
    names = tuple(dict.fromkeys(name for each in found for name in each.models))
    differences: list[PeopleDifference] = []
    for measure in MEASURES:
        of_measure = []
        for one, other in combinations(names, 2):
            try:
                of_measure.append(_over_observers(found, measure, one, other))
            except CannotTell as reason:
                missing[f"{measure}: {one}, {other}"] = str(reason)
        holm = holm_adjusted(np.array([each.p for each in of_measure]))
        differences += [
            replace(each, p_holm=float(p))
            for each, p in zip(of_measure, holm, strict=True)
        ]
    return CloserToPeople(observers, names, tuple(differences), tuple(found), missing)


@dataclass(frozen=True, eq=False)
class _Own:
    """One observer's difference, over its sessions."""

    value: float
    se: float
    influence: Float[np.ndarray, " unit"]
    units: Int64[np.ndarray, " unit"]
    n: int


def _over_observers(
    found: Sequence[Closer], measure: str, one: str, other: str
) -> PeopleDifference:
    """Average a difference over observers."""
    by_observer: dict[str, list[ModelDifference]] = {}
    for each in found:
        for made in each.differences:
            is_it = (made.measure, {made.one, made.other}) == (measure, {one, other})
            if is_it and made.difference.value is not None and made.difference.se:
                turned = made if made.one == one else _turned(made)
                by_observer.setdefault(each.reference_observer, []).append(turned)
    if len(by_observer) < 2:
        rule = "two or more with a value"
        raise CannotTell(f"observers must be {rule}, got {len(by_observer)}")
    owns = [_own(parts) for parts in by_observer.values()]
    values, ses = np.array([(each.value, each.se) for each in owns]).T
    mean = random_effects(values, ses)
    weight = 1 / (ses**2 + mean.between_sd**2)
    weight = weight / weight.sum()
    se = float(np.sqrt(mean.se**2 + _in_common(owns, weight)))
    formula = f"{measure}-{FORMULA}/1"
    made = t_estimate(float(mean.mean), se, len(owns), formula)
    return PeopleDifference(
        measure=measure,
        question=QUESTIONS[measure],
        one=one,
        other=other,
        n_observers=len(owns),
        difference=made,
        between_sd=float(mean.between_sd),
        p=float(2 * student.sf(abs(float(mean.mean)) / se, len(owns) - 1)),
        p_holm=1.0,
    )


def _turned(made: ModelDifference) -> ModelDifference:
    """Give other less one."""
    was = made.difference
    assert was.value is not None
    assert was.low is not None
    assert was.high is not None
    turned = replace(was, value=-was.value, low=-was.high, high=-was.low)
    return replace(made, difference=turned, influence=-made.influence)


def _own(parts: Sequence[ModelDifference]) -> _Own:
    """Average an observer's sessions, each weighted by its precision."""
    told = [each.difference for each in parts]
    values, ses = np.array([(each.value, each.se) for each in told], np.float64).T
    weight = ses**-2.0
    weight = weight / weight.sum()
    influence = [w * each.influence for w, each in zip(weight, parts, strict=True)]
    return _Own(
        value=float(weight @ values),
        se=float(np.linalg.norm(weight * ses)),
        influence=np.concatenate(influence),
        units=np.concatenate([each.units for each in parts]),
        n=sum(each.n for each in told),
    )


def _in_common(owns: Sequence[_Own], weight: Float[np.ndarray, " observer"]) -> float:
    """Return the variance of a mean that is from stimuli several observers saw."""
    parts = [w * each.influence for w, each in zip(weight, owns, strict=True)]
    units = np.concatenate([each.units for each in owns])
    total = _by_unit(units, np.concatenate(parts))
    apart = 0.0
    for each, part in zip(owns, parts, strict=True):
        alone = _by_unit(each.units, part)
        apart += float(alone @ alone)
    return max(float(total @ total) - apart, 0.0)


def _by_unit(units: np.ndarray, influence: np.ndarray) -> np.ndarray:
    _, unit = np.unique(units, return_inverse=True)
    return np.bincount(unit, influence)
