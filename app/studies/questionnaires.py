"""Questionnaires of a study: which questions are asked, and when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...experiments.protocols.checks import Faults
from .questions import (
    ID,
    Likert,
    Long,
    Number,
    Question,
    Several,
    Short,
    Single,
    has_words,
)

BEFORE, AFTER = "before", "after"
MOST_QUESTIONS, MOST_QUESTIONNAIRES = 100, 30

AnyQuestion = Single | Several | Number | Likert | Short | Long


@dataclass(frozen=True)
class Questionnaire:
    """A page of questions before or after the task.

    Attributes
    ----------
    id
        In the export: lower-case letters, digits and underscores.
    when
        'before' or 'after' the task of each sitting.
    title, text
        Its heading, and Markdown below it, by language.
    sittings
        Of a plan: at which it is asked, from 1; empty for all.
    questions
        In the order in which they are asked.

    Raises
    ------
    ProtocolError
        If a rule is broken; one sentence each.

    Examples
    --------
    >>> from yoked.experiments.protocols.checks import build
    >>> asked = {"id": "age", "kind": "number", "text": {"en": "How old are you?"}}
    >>> about = {"id": "you", "when": "before", "title": {"en": "About you"}}
    >>> made = build(Questionnaire, {**about, "questions": [asked]})
    >>> made.question("age").taken("31")
    31
    """

    id: str
    when: str
    title: Mapping[str, str]
    questions: tuple[AnyQuestion, ...]
    text: Mapping[str, str] = field(default_factory=dict)
    sittings: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        faults = Faults()
        rule = "lower-case letters, digits and _, a letter first, 40 at most"
        faults.unless(bool(ID.fullmatch(self.id)), "id", rule, self.id)
        known = self.when in (BEFORE, AFTER)
        faults.unless(known, "when", f"{BEFORE} or {AFTER}", self.when)
        faults.unless(has_words(self.title), "title", "given by language", self.title)
        fits = all(number >= 1 for number in self.sittings)
        faults.unless(fits, "sittings", "numbers from 1", list(self.sittings))
        n, rule = len(self.questions), f"from 1 to {MOST_QUESTIONS} in all"
        faults.unless(1 <= n <= MOST_QUESTIONS, "questions", rule, n)
        ids = [question.id for question in self.questions]
        fits = len(set(ids)) == n
        faults.unless(fits, "ids of questions", "all different", ids)
        faults.raise_any()

    def question(self, id: str) -> Question | None:
        """Give the question of an id; None if there is none."""
        return next((each for each in self.questions if each.id == id), None)

    def is_asked(self, when: str, sitting: int) -> bool:
        """Whether it is asked then."""
        return self.when == when and (not self.sittings or sitting in self.sittings)


def check_questionnaires(every: tuple[Questionnaire, ...], faults: Faults) -> None:
    """Note what breaks a rule of all of a study's questionnaires together."""
    n, rule = len(every), f"at most {MOST_QUESTIONNAIRES}"
    faults.unless(n <= MOST_QUESTIONNAIRES, "questionnaires", rule, n)
    ids = [each.id for each in every]
    fits = len(set(ids)) == n
    faults.unless(fits, "ids of questionnaires", "all different", ids)


def identifying(every: tuple[Questionnaire, ...]) -> Iterator[tuple[str, str]]:
    """List questionnaire and question of all answers that may say who gave them."""
    for each in every:
        yield from ((each.id, q.id) for q in each.questions if q.may_identify)
