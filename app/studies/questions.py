"""Kinds of question: what each asks, and which answers it takes."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...experiments.protocols.checks import Faults

ID = re.compile("[a-z][a-z0-9_]{0,39}")
VALUE = re.compile(r"[\w.+-]{1,60}")
MOST_OPTIONS, MOST_POINTS, MOST_CHARACTERS = 50, 11, 4000

Answer = str | int | float | tuple[str, ...] | dict[str, Any]


class AnswerError(ValueError):
    """An answer is none that its question takes.

    Attributes
    ----------
    reason, values
        Name of the sentence that tells whoever gave it, and what is filled in there.
    """

    def __init__(self, reason: str, **values: float) -> None:
        self.reason, self.values = reason, values
        super().__init__(f"an answer must fit its question: {reason}")


@dataclass(frozen=True)
class Question:
    """What every question has.

    Attributes
    ----------
    id
        In the export: lower-case letters, digits and underscores.
    kind
        'single', 'several', 'number', 'likert', 'short' or 'long'.
    text
        What is asked, by language.
    hint
        What stands below it, by language.
    required
        Whether nobody goes on without an answer.
    """

    KIND: ClassVar[str] = ""

    id: str
    kind: str
    text: Mapping[str, str]
    hint: Mapping[str, str] = field(default_factory=dict)
    required: bool = False

    def __post_init__(self) -> None:
        faults = Faults()
        rule = "lower-case letters, digits and _, a letter first, 40 at most"
        faults.unless(bool(ID.fullmatch(self.id)), "id", rule, self.id)
        faults.unless(has_words(self.text), "text", "given by language", self.text)
        self._check(faults)
        faults.raise_any()

    def _check(self, faults: Faults) -> None:
        """Note what breaks a rule of this kind."""

    @property
    def may_identify(self) -> bool:
        """Whether an answer may say who gave it."""
        return False

    def taken(self, given: object) -> Answer | None:
        """Give an answer as it is kept; None for no answer.

        Raises
        ------
        AnswerError
            If it is none of this question's.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Single(Question):
    """One of several options.

    Attributes
    ----------
    options
        What is kept of each.
    labels
        What is read, by language: a list as long as the options. Left out, the options
        themselves.
    """

    KIND: ClassVar[str] = "single"

    options: tuple[str, ...] = ()
    labels: Mapping[str, Any] = field(default_factory=dict)

    def _check(self, faults: Faults) -> None:
        n, all_ = len(self.options), self.options
        rule = f"from 2 to {MOST_OPTIONS} in all"
        faults.unless(2 <= n <= MOST_OPTIONS, "options", rule, n)
        faults.unless(len(set(all_)) == n, "options", "all different", list(all_))
        rule = "letters, digits, _, . , + and -, 60 at most; labels have the words"
        fits = all(VALUE.fullmatch(each) for each in all_)
        faults.unless(fits, "options", rule, list(all_))
        check_labels(faults, self.labels, n)

    def taken(self, given: object) -> Answer | None:
        """Give the option; see `Question.taken`."""
        if given is None or given == "":
            return None
        if given not in self.options:
            raise AnswerError("questions.not_offered")
        return str(given)

    def read(self, language: str) -> list[tuple[str, str]]:
        """Give options with what is read of each, in a language of the labels."""
        words = self.labels.get(language) or self.options
        return list(zip(self.options, words, strict=True))


@dataclass(frozen=True)
class Several(Single):
    """Any number of several options."""

    KIND: ClassVar[str] = "several"

    def taken(self, given: object) -> Answer | None:
        """Give the options in their order; see `Question.taken`."""
        if given is None or given == []:
            return None
        if not isinstance(given, list) or not all(
            each in self.options for each in given
        ):
            raise AnswerError("questions.not_offered")
        return tuple(each for each in self.options if each in given)


@dataclass(frozen=True)
class Number(Question):
    """A number within a range, ends included.

    Attributes
    ----------
    minimum, maximum
        The range.
    whole
        Whether it is a whole number.
    """

    KIND: ClassVar[str] = "number"

    minimum: float = 0.0
    maximum: float = 1_000_000.0
    whole: bool = False

    def _check(self, faults: Faults) -> None:
        fits = -1e12 <= self.minimum < self.maximum <= 1e12
        got = [self.minimum, self.maximum]
        faults.unless(fits, "minimum and maximum", "rising, within 1e12", got)

    def taken(self, given: object) -> Answer | None:
        """Give the number, however its decimal mark was typed; see `Question.taken`."""
        typed = (
            "" if given is None else str(given).strip().replace("\N{MINUS SIGN}", "-")
        )
        if not typed:
            return None
        if not re.fullmatch(r"[+-]?[0-9]{1,13}(?:[.,][0-9]{1,13})?", typed):
            raise AnswerError("questions.no_number")
        number = float(typed.replace(",", "."))
        if self.whole and number != math.floor(number):
            raise AnswerError("questions.no_whole_number")
        if not self.minimum <= number <= self.maximum:
            low, high = (int(v) if v == int(v) else v for v in self.range)
            raise AnswerError("questions.range", low=low, high=high)
        return int(number) if number == math.floor(number) else number

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest number."""
        return self.minimum, self.maximum


@dataclass(frozen=True)
class Likert(Question):
    """A step of a scale, from 1.

    Attributes
    ----------
    points
        Steps.
    labels
        By language: two for the ends, or one for each step.
    """

    KIND: ClassVar[str] = "likert"

    points: int = 5
    labels: Mapping[str, Any] = field(default_factory=dict)

    def _check(self, faults: Faults) -> None:
        rule = f"from 2 to {MOST_POINTS}"
        faults.unless(2 <= self.points <= MOST_POINTS, "points", rule, self.points)
        faults.unless(bool(self.labels), "labels", "given by language", {})
        check_labels(faults, self.labels, self.points, 2)

    def taken(self, given: object) -> Answer | None:
        """Give the step; see `Question.taken`."""
        if given is None or given == "":
            return None
        steps = {str(step): step for step in range(1, self.points + 1)}
        if isinstance(given, bool) or str(given) not in steps:
            raise AnswerError("questions.not_offered")
        return steps[str(given)]

    def read(self, language: str) -> list[tuple[str, str]]:
        """Give steps with what is read of each; those between the ends have no word."""
        words = list(self.labels.get(language, ()))
        if len(words) != self.points:
            words = [words[0], *[""] * (self.points - 2), words[-1]]
        return [(str(step), word) for step, word in enumerate(words, 1)]

    @property
    def has_ends_only(self) -> bool:
        """Whether only its ends have words."""
        return all(len(words) < self.points for words in self.labels.values())


@dataclass(frozen=True)
class Short(Question):
    """A line of text.

    Attributes
    ----------
    longest
        Characters.
    identifies
        Whether what people write may say who they are; then it is erased with their
        names.
    """

    KIND: ClassVar[str] = "short"

    longest: int = 200
    identifies: bool = True

    def _check(self, faults: Faults) -> None:
        rule = f"from 1 to {MOST_CHARACTERS}"
        fits = 1 <= self.longest <= MOST_CHARACTERS
        faults.unless(fits, "longest", rule, self.longest)

    @property
    def may_identify(self) -> bool:
        """Whether an answer may say who gave it."""
        return self.identifies

    def taken(self, given: object) -> Answer | None:
        """Give the text without space around it; see `Question.taken`."""
        if given is None:
            return None
        if not isinstance(given, str):
            raise AnswerError("questions.not_offered")
        text = given.replace("\r\n", "\n").replace("\x00", "").strip()
        if len(text) > self.longest:
            raise AnswerError("questions.too_long", n=self.longest)
        return text or None


@dataclass(frozen=True)
class Long(Short):
    """Lines of text."""

    KIND: ClassVar[str] = "long"

    longest: int = 2000


@dataclass(frozen=True)
class PluginData(Question):
    """What a plugin of jsPsych measured: an object of JSON.

    Attributes
    ----------
    identifies
        As of `Short`.
    """

    KIND: ClassVar[str] = "plugin"

    identifies: bool = True
    required: bool = True

    @property
    def may_identify(self) -> bool:
        """Whether an answer may say who gave it."""
        return self.identifies

    def taken(self, given: object) -> Answer | None:
        """Give the object; see `Question.taken`."""
        if not isinstance(given, dict):
            raise AnswerError("questions.not_offered")
        return given


def has_words(texts: Mapping[str, str]) -> bool:
    """Whether a text is there, and in none of its languages empty."""
    return bool(texts) and all(text.strip() for text in texts.values())


def check_labels(faults: Faults, labels: Mapping[str, Any], *sizes: int) -> None:
    """Note labels that are no list of texts as long as one of `sizes`."""
    for language, words in labels.items():
        fits = isinstance(words, list | tuple) and len(words) in sizes
        fits = fits and all(isinstance(word, str) and word.strip() for word in words)
        many = " or ".join(map(str, sizes))
        faults.unless(fits, f"labels.{language}", f"a list of {many} texts", words)
