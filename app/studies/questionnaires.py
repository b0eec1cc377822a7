"""Questionnaires of a study: which questions are asked, and when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...experiments.protocols.checks import Faults
from .plugins import PluginError, find_plugin
from .questions import (
    ID,
    Likert,
    Long,
    Number,
    PluginData,
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
        In the order in which they are asked; none where a plugin asks.
    plugin, parameters
        A plugin of jsPsych that a lab has put on its server, by its package's name, and
        what it is given.
    plugin_sha256
        Of its build, when the study was added.
    identifies
        Whether what the plugin gives may say who somebody is.

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
    questions: tuple[AnyQuestion, ...] = ()
    text: Mapping[str, str] = field(default_factory=dict)
    sittings: tuple[int, ...] = ()
    plugin: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    plugin_sha256: str = ""
    identifies: bool = True

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
        if self.plugin:
            faults.unless(n == 0, "questions", "none beside a plugin", n)
        else:
            faults.unless(1 <= n <= MOST_QUESTIONS, "questions", rule, n)
            given = dict(self.parameters)
            faults.unless(not given, "parameters", "those of a plugin", given)
        ids = [question.id for question in self.questions]
        fits = len(set(ids)) == n
        faults.unless(fits, "ids of questions", "all different", ids)
        faults.raise_any()

    def question(self, id: str) -> Question | None:
        """Give the question of an id; None if there is none."""
        return next((each for each in self.asked if each.id == id), None)

    @property
    def asked(self) -> tuple[Question, ...]:
        """Its questions; of a plugin one, whose answer is what it measured."""
        if not self.plugin:
            return self.questions
        return (
            PluginData(
                "data", PluginData.KIND, {"en": self.plugin}, identifies=self.identifies
            ),
        )

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
        yield from ((each.id, q.id) for q in each.asked if q.may_identify)


def with_plugins(every: tuple[Questionnaire, ...]) -> tuple[Questionnaire, ...]:
    """Give questionnaires with their plugins pinned as they are on this server.

    Raises
    ------
    ProtocolError
        If a plugin is not there, is none, or would break the policy of our pages.
    """
    faults, found = Faults(), []
    for each in every:
        if each.plugin:
            try:
                sha256 = find_plugin(each.plugin).sha256
            except PluginError as error:
                faults.found.append(f"questionnaire {each.id}: {error}")
                continue
            found.append(replace(each, plugin_sha256=sha256))
        else:
            found.append(each)
    faults.raise_any()
    return tuple(found)
