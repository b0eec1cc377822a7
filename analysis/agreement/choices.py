"""Choices without noise: accuracy by condition, who errs on what, shape or texture.

Nothing of the trial log is needed: who called which stimulus what is all there is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from ...experiments.imports.choice_table import ChoiceTable
from ..trials.estimate import CannotTell, Estimate
from ..trials.proportion import proportion
from ..trials.result import Cells, Result
from .as_brain_score import AsBrainScore, as_brain_score, ceiling_as_brain_score
from .choice_kappa import Scored, best_kappa, kappa_between, kappa_with
from .crossed import crossed_share

CORRECT = "proportion-correct-people-and-stimuli/1"
ONE_CORRECT = "proportion-correct-wilson/2"
SHAPE = "shape-bias-people-and-stimuli/1"
ONE_SHAPE = "shape-bias-wilson/1"
APART = "accuracy-difference-mean-square/1"
NO_PEOPLE = "there are no people among the observers"


@dataclass(frozen=True, eq=False)
class PeopleChoices(Result):
    """People together, at one condition or at all.

    Attributes
    ----------
    condition
        None for all of them.
    n_stimuli
        Different ones.
    proportion_correct
        Of all responses.
    kappa
        Error consistency: mean over pairs of people, within conditions. The lower
        ceiling of a model's.
    best_kappa
        The upper ceiling: no model has a larger kappa with these people.
    """

    condition: str | None
    n_stimuli: int
    proportion_correct: Estimate
    kappa: Estimate
    best_kappa: Estimate


@dataclass(frozen=True, eq=False)
class Conflicts(Result):
    """Stimuli with two cues: what the target is, and what another cue speaks for.

    Attributes
    ----------
    n_conflicts, n_agreeing
        Stimuli whose cues speak for two words, and for one and the same.
    shape_bias
        Of people: target over target and other cue, among responses that are either.
    kappa
        Error consistency between people without the stimuli that are no conflict.
    best_kappa
        Its upper ceiling.
    """

    n_conflicts: int
    n_agreeing: int
    shape_bias: Estimate
    kappa: Estimate
    best_kappa: Estimate


@dataclass(frozen=True, eq=False)
class ObserverChoices(Result):
    """One observer, a person or a model.

    Attributes
    ----------
    n_trials, n_missing
        Choices, and how many of them had no response.
    proportion_correct
        With Wilson's interval.
    kappa
        Error consistency with people, of a person with the others.
    kappa_of_conflicts
        The same without the stimuli that are no conflict; None without two cues.
    shape_bias
        Likewise None without two cues.
    accuracy_difference
        Mean over conditions of the squared difference of proportions correct, from
        those of people (of a person: of the others).
    by_condition
        Proportion correct at each condition, by its name.
    brain_score
        Kappa and accuracy distance by Brain-Score's formulas.
    """

    observer: str
    is_model: bool
    n_trials: int
    n_missing: int
    proportion_correct: Estimate
    kappa: Estimate
    kappa_of_conflicts: Estimate | None
    shape_bias: Estimate | None
    accuracy_difference: Estimate
    by_condition: dict[str, Estimate]
    brain_score: AsBrainScore


@dataclass(frozen=True, eq=False)
class Choices(Result):
    """Choices of people and models about the same stimuli.

    Attributes
    ----------
    n_trials, n_missing
        Choices, and how many of them had no response.
    missing
        What these were: 'wrong', or 'left out'.
    n_alternatives
        Words among which observers chose.
    people
        People together.
    conditions
        The same by condition.
    conflicts
        None where no stimulus has two cues.
    brain_score_ceiling
        Pairs of people by Brain-Score's formulas.
    observers
        People and models one by one.
    notes
        What was understood of the tables.
    """

    n_trials: int
    n_missing: int
    missing: str
    n_alternatives: int
    people: PeopleChoices
    conditions: tuple[PeopleChoices, ...]
    conflicts: Conflicts | None
    brain_score_ceiling: AsBrainScore
    observers: tuple[ObserverChoices, ...]
    notes: tuple[str, ...]

    def table(self) -> list[Cells]:
        """Give a row for people, for each condition, and for each observer."""
        n_people = sum(not each.is_model for each in self.observers)
        rows = [_people_row(f"all {n_people} people", self.people)]
        if self.conflicts is not None:
            rows[0]["shape bias"] = self.conflicts.shape_bias.short()
            rows.append(_conflict_row(self.conflicts))
        if len(self.conditions) > 1:
            rows += [_people_row(f"people, {c.condition}", c) for c in self.conditions]
        return rows + [_observer_row(each) for each in self.observers]


def choices(table: ChoiceTable) -> Choices:
    """Analyse choices without noise: accuracy, error consistency, shape bias.

    Parameters
    ----------
    table
        From `read_choices`.

    Raises
    ------
    CannotTell
        If no response counts.

    Examples
    --------
    >>> import pandas as pd
    >>> import yoked
    >>> rng = np.random.default_rng(1)
    >>> hard = rng.random(200)  # the same pictures are hard for everybody
    >>> rows = {"image": [f"{i}.png" for i in range(200)], "category": "cat"}
    >>> tables = [
    ...     pd.DataFrame(
    ...         {**rows, "observer": name, "choice": np.where(right, "cat", "dog")}
    ...     )
    ...     for name in ("ann", "bob", "net")
    ...     for right in [hard < rng.random(200)]
    ... ]
    >>> found = yoked.choices(yoked.read_choices(*tables, models=["net"]))
    >>> print(found.people.kappa.short(), found.observers[2].kappa.short())
    0.300 [0.168, 0.432] 0.259 [0.153, 0.365]
    """
    found = _Found(table)
    if not found.asked.any():
        raise CannotTell("choices must have a response that counts, got none")
    return Choices(
        n_trials=len(table),
        n_missing=int((~table.has_response).sum()),
        missing=table.missing,
        n_alternatives=len(table.words),
        people=found.people(None),
        conditions=tuple(map(found.people, range(len(table.conditions)))),
        conflicts=found.conflicts(),
        brain_score_ceiling=ceiling_as_brain_score(found.scored, found.by_name()),
        observers=tuple(map(found.one, range(len(table.observers)))),
        notes=table.notes,
    )


class _Found:
    """A table as observers by stimuli."""

    def __init__(self, table: ChoiceTable) -> None:
        self.table = table
        pairs = np.stack([table.condition, table.stimulus], axis=1)
        kinds, number = np.unique(pairs, axis=0, return_inverse=True)
        self.place = table.observer, number.ravel()
        self.condition: Int[np.ndarray, " stimulus"] = kinds[:, 0]
        counts = table.has_response | (table.missing == "wrong")
        self.asked, self.right = self._laid(counts), self._laid(table.correct)
        self.scored = Scored(self.right, self.asked, self.condition)
        self.persons = np.flatnonzero(~table.is_model)
        self._two_cues()

    def _laid(self, values: Bool[np.ndarray, " row"]) -> np.ndarray:
        laid = np.zeros((len(self.table.observers), len(self.condition)), bool)
        laid[self.place] = values
        return laid

    def _two_cues(self) -> None:
        """Find which stimuli have two cues, and which response went with which."""
        table = self.table
        cued = np.array([cue != "" for cue in table.other_cue], bool)
        both = zip(table.other_cue, table.target, strict=True)
        clash = cued & np.array([cue != target for cue, target in both], bool)
        said = zip(table.response, table.other_cue, strict=True)
        other = np.array([word == cue for word, cue in said], bool)
        self.clash = np.asarray(self._laid(clash).any(axis=0))
        self.agreeing = self._laid(cued & ~clash).any(axis=0)
        self.shape = self._laid(clash & table.correct)
        self.decided = self.shape | self._laid(clash & other)

    def people(self, condition: int | None) -> PeopleChoices:
        """Summarise people at one condition, or at all."""
        name = None if condition is None else self.table.conditions[condition]
        here = np.ones(len(self.condition), bool)
        if condition is not None:
            here = self.condition == condition
        kappa, best = self._kappas(here)
        asked = self.asked[self.persons][:, here]
        right = self.right[self.persons][:, here] & asked
        return PeopleChoices(
            condition=name,
            n_stimuli=int(self.asked[:, here].any(axis=0).sum()),
            proportion_correct=self._share(right, asked, CORRECT),
            kappa=kappa,
            best_kappa=best,
        )

    def conflicts(self) -> Conflicts | None:
        """Summarise stimuli with two cues, if there are any."""
        if not self.clash.any():
            return None
        kappa, best = self._kappas(self.clash)
        decided, shape = self.decided[self.persons], self.shape[self.persons]
        return Conflicts(
            n_conflicts=int(self.clash.sum()),
            n_agreeing=int(self.agreeing.sum()),
            shape_bias=self._share(shape, decided, SHAPE),
            kappa=kappa,
            best_kappa=best,
        )

    def one(self, observer: int) -> ObserverChoices:
        """Summarise one observer."""
        table, has_cues = self.table, bool(self.clash.any())
        mine = table.observer == observer
        clashing = self.scored.of(self.clash)
        return ObserverChoices(
            observer=table.observers[observer],
            is_model=bool(table.is_model[observer]),
            n_trials=int(mine.sum()),
            n_missing=int((mine & ~table.has_response).sum()),
            proportion_correct=self._own(observer, slice(None)),
            kappa=kappa_with(self.scored, observer, self.persons),
            kappa_of_conflicts=kappa_with(clashing, observer, self.persons)
            if has_cues
            else None,
            shape_bias=self._own_bias(observer) if has_cues else None,
            accuracy_difference=self._apart(observer),
            by_condition={
                name: self._own(observer, self.condition == number)
                for number, name in enumerate(table.conditions)
            },
            brain_score=as_brain_score(self.scored, observer, self.persons),
        )

    def by_name(self) -> Int[np.ndarray, " person"]:
        """Give people in the order of their names."""
        names = [self.table.observers[person] for person in self.persons]
        return self.persons[sorted(range(len(names)), key=names.__getitem__)]

    def _kappas(self, here: Bool[np.ndarray, " stimulus"]) -> tuple[Estimate, Estimate]:
        scored = self.scored.of(here)
        return kappa_between(scored, self.persons), best_kappa(scored, self.persons)

    def _share(self, yes: np.ndarray, asked: np.ndarray, formula: str) -> Estimate:
        if not len(self.persons):
            return Estimate.missing(formula, NO_PEOPLE)
        return crossed_share(yes.astype(float), asked.astype(float), formula)

    def _own(self, observer: int, here: np.ndarray | slice) -> Estimate:
        asked = self.asked[observer, here]
        if not asked.any():
            return Estimate.missing(ONE_CORRECT, "no response counts")
        right = int((self.right[observer, here] & asked).sum())
        return proportion(right, int(asked.sum()), ONE_CORRECT)

    def _own_bias(self, observer: int) -> Estimate:
        n = int(self.decided[observer].sum())
        if not n:
            return Estimate.missing(ONE_SHAPE, "no response was either cue's")
        return proportion(int(self.shape[observer].sum()), n, ONE_SHAPE)

    def _apart(self, observer: int) -> Estimate:
        """Return the mean squared difference of accuracy from the (other) people."""
        others = self.persons[self.persons != observer]
        squares = [
            (own - theirs) ** 2
            for own, theirs in self._accuracies(observer, others)
            if own is not None and theirs is not None
        ]
        if not squares:
            reason = "no condition was shown both to it and to other people"
            return Estimate.missing(APART, reason)
        value = float(np.mean(squares))
        return Estimate(value, None, None, None, len(squares), APART)

    def _accuracies(
        self, observer: int, others: np.ndarray
    ) -> Iterator[tuple[float | None, float | None]]:
        for number in range(len(self.table.conditions)):
            here = self.condition == number
            yield tuple(  # pyright: ignore[reportReturnType]
                _mean(self.right[who][:, here], self.asked[who][:, here])
                for who in (np.array([observer]), others)
            )


def _mean(right: np.ndarray, asked: np.ndarray) -> float | None:
    """Return the share that is right of what was asked."""
    n = int(asked.sum())
    return int((right & asked).sum()) / n if n else None


def _people_row(name: str, found: PeopleChoices) -> Cells:
    return {
        "observer": name,
        "trials": found.proportion_correct.n,
        "proportion correct": found.proportion_correct.short(),
        "kappa with people": found.kappa.short(),
        "ceiling": found.best_kappa.short(),
    }


def _conflict_row(found: Conflicts) -> Cells:
    return {
        "observer": "conflicts alone",
        "kappa with people": found.kappa.short(),
        "ceiling": found.best_kappa.short(),
    }


def _observer_row(found: ObserverChoices) -> Cells:
    row: Cells = {
        "observer": f"{found.observer} (model)" if found.is_model else found.observer,
        "trials": found.proportion_correct.n,
        "proportion correct": found.proportion_correct.short(),
        "kappa with people": found.kappa.short(),
    }
    if found.shape_bias is not None:
        row["shape bias"] = found.shape_bias.short()
    return row
