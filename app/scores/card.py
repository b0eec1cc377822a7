"""What a score is made of: of each person, over people, and of each observer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...analysis.agreement.closer import ModelDifference
from ...analysis.agreement.profile import NAMES, Depth, by_name
from ...analysis.agreement.random_effects import random_effects_mean
from ...analysis.agreement.verdict import judged
from ...analysis.trials.attempts import Fault
from ...analysis.trials.estimate import Estimate
from ...analysis.trials.result import Cells, Result, short
from ..matched_noise import MatchedNoise
from .readout import FittedReadout

FORMAT = "yoked-score/1"  # of the plain form, which docs/json.md describes
WITHIN = "mean-over-sessions-inverse-variance/1"
BESIDE = ("kappa", "less ideal", "less circuit", "read-out less pixels")


@dataclass(frozen=True, eq=False)
class PersonScore(Result):
    """How close an observer comes to one person.

    Attributes
    ----------
    person, protocol, session
        Who, what she did, and on which trials.
    n_trials, n_left_out
        Trials that were compared, and those that the observer had learnt.
    match
        Its noise; None where `missing` says why ("match").
    depths
        Of orders 0, 1 and 2: correlation, ceiling, share.
    kappa
        Error consistency with the person, of responses with the noise.
    to_ideal, to_circuit
        How much closer it comes than the ideal template, and than the best circuit, by
        measure; the second on trials that the circuit was not chosen by.
    ideal, circuit
        Their names.
    readout
        A read-out of its features that was fitted to the person, against one of pixels.
    missing
        Sentence by name of what could not be had.
    faults
        What broke, by a mistake of ours.
    """

    person: str
    protocol: str
    session: str
    n_trials: int
    n_left_out: int
    match: MatchedNoise | None
    depths: tuple[Depth, ...]
    kappa: Estimate
    ideal: str
    circuit: str | None
    to_ideal: tuple[ModelDifference, ...]
    to_circuit: tuple[ModelDifference, ...]
    readout: FittedReadout | None
    missing: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)

    @property
    def shares(self) -> tuple[Estimate, ...]:
        """The shares of the ceiling, by order."""
        return tuple(each.share for each in self.depths)

    def difference(self, than: str, measure: str) -> ModelDifference | None:
        """Give the difference to 'ideal' or 'circuit' by a measure, if there is one."""
        found = self.to_ideal if than == "ideal" else self.to_circuit
        return next((each for each in found if each.measure == measure), None)


@dataclass(frozen=True, eq=False)
class TaskScore(Result):
    """How close an observer comes to the people of one task.

    Attributes
    ----------
    protocol
        Its name.
    people
        One for each session.
    means
        Mean share over people, by order; without a value where fewer than two have one.
    """

    protocol: str
    people: tuple[PersonScore, ...]
    means: tuple[Estimate, ...]

    @property
    def n_people(self) -> int:
        """Different people."""
        return len({each.person for each in self.people})

    def headline(self, order: int) -> Estimate:
        """Give the mean over people, or what there is of a single one."""
        if self.means[order].value is not None:
            return self.means[order]
        shares = [each.shares[order] for each in self.people]
        known = [each for each in shares if each.value is not None]
        return known[0] if len(known) == 1 else shares[0]

    @property
    def clause(self) -> str:
        """Say how close, and whether closer than the references."""
        whom = (
            self.people[0].person if self.n_people == 1 else f"{self.n_people} people"
        )
        told = [_told(order, self.headline(order)) for order in range(len(NAMES))]
        said = f"{whom} ({self.protocol}): {', '.join(told)}"
        beside = [self._beside(than) for than in ("ideal", "circuit")]
        return "; ".join([said, *(text for text in beside if text)])

    def _beside(self, than: str) -> str | None:
        """Say for how many people responses are closer than those of a reference."""
        all_ = [each.difference(than, "share") for each in self.people]
        found = [each for each in all_ if each is not None]
        if not found:
            return None
        name = "the ideal template"
        if than == "circuit":
            circuits = sorted({each.circuit for each in self.people if each.circuit})
            name = f"the best shallow circuit ({', '.join(circuits)})"
        signs = [_sign(each) for each in found]
        if len(found) == 1:
            word = {
                1: "closer than",
                -1: "further than",
                0: "neither closer nor further than",
            }
            apart = found[0].difference.short()
            return f"its responses are {word[signs[0]]} those of {name} ({apart})"
        return (
            f"its responses are closer than those of {name} for {signs.count(1)} of "
            f"{len(found)}, further for {signs.count(-1)}"
        )


@dataclass(frozen=True, eq=False)
class Card(Result):
    """How close an observer comes to people, at three depths.

    Attributes
    ----------
    observer
        Its name.
    weights_hash
        SHA-256 of a network's weights.
    tasks
        One for each protocol that people did.
    """

    observer: str
    weights_hash: str | None
    tasks: tuple[TaskScore, ...]

    @classmethod
    def of(
        cls, observer: str, weights_hash: str | None, people: Sequence[PersonScore]
    ) -> "Card":
        """Average over the people of each task."""
        by_task: dict[str, list[PersonScore]] = {}
        for each in people:
            by_task.setdefault(each.protocol, []).append(each)
        tasks = tuple(
            TaskScore(name, tuple(own), tuple(_mean(own, k) for k in range(len(NAMES))))
            for name, own in by_task.items()
        )
        return cls(observer, weights_hash, tasks)

    @property
    def people(self) -> tuple[PersonScore, ...]:
        """Everybody, of all tasks."""
        return tuple(each for task in self.tasks for each in task.people)

    def headline(self, order: int) -> Estimate:
        """Give the share of the first task: the mean over people, or the single one."""
        return self.tasks[0].headline(order)

    @property
    def sentence(self) -> str:
        """Say it in one sentence for each task."""
        clauses = [f"{self.observer} and {each.clause}." for each in self.tasks]
        return " ".join(clauses)


@dataclass(frozen=True, eq=False)
class Pair(Result):
    """Two people on the same trials: what a model can be expected to reach.

    Attributes
    ----------
    protocol
        What they did.
    one, other
        Who.
    depths
        As in `PersonScore`.
    """

    protocol: str
    one: str
    other: str
    depths: tuple[Depth, ...]

    @property
    def shares(self) -> tuple[Estimate, ...]:
        """The shares of the ceiling, by order."""
        return tuple(each.share for each in self.depths)


@dataclass(frozen=True, eq=False)
class Score(Result):
    """Observers, ranked by how close they come to people.

    Attributes
    ----------
    cards
        Of the observers asked for, and of the references, the closest in responses
        first.
    references
        Names of those that were not asked for: ideal template and circuits.
    people
        Pairs of people on the same trials.
    missing
        Why an observer has no score with some people, by its name.
    """

    cards: tuple[Card, ...]
    references: tuple[str, ...]
    people: tuple[Pair, ...]
    missing: dict[str, str] = field(default_factory=dict)

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give a row for each observer and person, and one for their mean."""
        rows: list[Cells] = []
        for card in self.cards:
            for task in card.tasks:
                rows += [_row(card.observer, person) for person in task.people]
                if task.n_people > 1:
                    whom = f"mean of {task.n_people}"
                    rows.append(_shares(card.observer, whom, task.means))
        rows += [_shares(pair.other, pair.one, pair.shares) for pair in self.people]
        return rows


def told(share: Estimate, reference: str, observer: str) -> Estimate:
    """Take a share for none where its interval tells nothing, with the reason.

    An interval that has both 0 and 1 in it says no more than that there are data.
    """
    if share.value is None or share.low is None or share.high is None:
        if share.value is not None:
            return Estimate.missing(share.formula, share.note or "no interval", share.n)
        return share.with_note(by_name(share.note or "", reference, observer))
    if share.low <= 0 and share.high >= 1:
        got = f"{share.value:.2f} [{share.low:.2f}, {share.high:.2f}]"
        reason = f"the interval of the share must leave out 0 or 1, got {got}"
        return Estimate.missing(share.formula, reason, share.n)
    return share


def _sign(found: ModelDifference) -> int:
    """Give 1 where the first is closer, -1 where the second is, 0 where none is."""
    if found.closer is None:
        return 0
    return 1 if found.closer == found.one else -1


def _told(order: int, share: Estimate) -> str:
    if share.value is None:
        return f"{NAMES[order]} cannot be told"
    kind = judged(share)
    word = {"differs": "below it", "alike": "at it", "cannot be told": "perhaps at it"}
    return f"{NAMES[order]} {share.short()} of the ceiling ({word[kind]})"


def _mean(people: Sequence[PersonScore], order: int) -> Estimate:
    """Average an order over people, each person's sessions first."""
    by_person: dict[str, list[Estimate]] = {}
    for each in people:
        if (share := each.shares[order]).value is not None and share.se:
            by_person.setdefault(each.person, []).append(share)
    mean = random_effects_mean([_of_one(each) for each in by_person.values()])
    return told(mean, "", "")


def _of_one(shares: list[Estimate]) -> Estimate:
    """Average a person's sessions, each by its precision."""
    if len(shares) == 1:
        return shares[0]
    weights = [1 / (each.se or 1.0) ** 2 for each in shares]
    value = sum(w * (e.value or 0.0) for w, e in zip(weights, shares, strict=True))
    total, n = sum(weights), sum(each.n for each in shares)
    return Estimate.normal(value / total, total**-0.5, n, WITHIN)


def _row(observer: str, person: PersonScore) -> Cells:
    def beside(than: str) -> str:
        found = person.difference(than, "share")
        return "-" if found is None else found.difference.short()

    readout = person.readout
    values = (
        person.kappa.short(),
        beside("ideal"),
        beside("circuit"),
        "-" if readout is None else readout.difference.short(),
    )
    return {
        "observer": observer,
        "person": person.person,
        "trials": person.n_trials,
        "gamma": "-" if person.match is None else short(person.match.gamma),
        **_shares_of(person.shares),
        **dict(zip(BESIDE, values, strict=True)),
    }


def _shares_of(shares: tuple[Estimate, ...]) -> Cells:
    named = zip(NAMES, shares, strict=True)
    return {f"{name} (share)": each.short() for name, each in named}


def _shares(observer: str, whom: str, shares: tuple[Estimate, ...]) -> Cells:
    """Give a row without what a mean or a pair of people has not."""
    nothing = dict.fromkeys(("trials", "gamma"), "-")
    beside = dict.fromkeys(BESIDE, "-")
    return {
        "observer": observer,
        "person": whom,
        **nothing,
        **_shares_of(shares),
        **beside,
    }
