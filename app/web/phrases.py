"""What our pages and scripts say to a participant, in the participant's language.

A language is one file, `languages/en.toml` and its neighbours. Babel knows the plural
categories and numbers of all of them; scripts get the same texts with the page's data.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal
from flask import g, request
from markupsafe import Markup, escape

ENGLISH = "en"
OWN_FILES = "YOKED_LANGUAGES"  # names a folder with further languages
_PLACE = re.compile(r"{(\w+)}")

# A sentence; or one for each plural category, where it has a number n.
Text = str | Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Phrases:
    """The texts of one language.

    Attributes
    ----------
    language
        As in `<html lang>`.
    texts
        By name: the table of the file, a dot, the key.

    Examples
    --------
    >>> phrases_in("fr").say("break.minutes", n=1)
    'Il reste environ 1 minute, sans compter les pauses.'
    >>> phrases_in("de").say("feedback.late", n=0.5, keys="F")
    'Zu spät: Drücken Sie F innerhalb von 0,5 Sekunden'
    """

    language: str
    texts: Mapping[str, Text]

    def say(self, name: str, **values: Any) -> str:
        """Give a text with its values filled in, numbers as the language writes them.

        Parameters
        ----------
        name
            Of the text.
        **values
            What stands in braces. The number `n` chooses the form. Where one is Markup,
            so is the whole, and the others are escaped.
        """
        text = self.texts[name]
        if isinstance(text, Mapping):
            category = Locale.parse(self.language, sep="-").plural_form(values["n"])
            text = text.get(category, text["other"])
        written = {place: self._written(value) for place, value in values.items()}
        if any(isinstance(value, Markup) for value in written.values()):
            safe = {place: escape(value) for place, value in written.items()}
            return Markup(_PLACE.sub(lambda found: safe[found[1]], escape(text)))
        return _PLACE.sub(lambda found: written[found[1]], text)

    def _written(self, value: Any) -> str:
        if isinstance(value, int | float):
            return format_decimal(value, locale=self.language.replace("-", "_"))
        return value if isinstance(value, str) else str(value)

    def of(self, *tables: str) -> dict[str, Any]:
        """Give the language and some tables of its texts, for a page's data."""
        kept = tuple(f"{table}." for table in tables)
        texts = {n: text for n, text in self.texts.items() if n.startswith(kept)}
        return {"language": self.language, "texts": texts}


def phrases_in(language: str) -> Phrases:
    """Give the texts of a language, of the one that it is a variety of, or English.

    Examples
    --------
    >>> phrases_in("de-AT").language, phrases_in("de-AT").say("task.continue")
    ('de-AT', 'Weiter')
    >>> phrases_in("tlh").language
    'en'
    """
    return _phrases(language, os.environ.get(OWN_FILES) or None)


@lru_cache(maxsize=64)
def _phrases(language: str, folder: str | None) -> Phrases:
    known = _read(folder)
    for name in (language, language.partition("-")[0]):
        if name in known:
            return Phrases(language if _locale(language) else name, known[name])
    return Phrases(ENGLISH, known[ENGLISH])


def languages() -> Mapping[str, Mapping[str, Text]]:
    """Give the texts of every language that there is; English comes first."""
    return _read(os.environ.get(OWN_FILES) or None)


@lru_cache(maxsize=8)
def _read(folder: str | None) -> Mapping[str, Mapping[str, Text]]:
    ours = Path(str(files(__package__ or ""))) / "languages"
    every = {path.stem: path for path in sorted(ours.glob("*.toml"))}
    if folder is not None:
        every |= {path.stem: path for path in sorted(Path(folder).glob("*.toml"))}
    english = dict(_texts(tomllib.loads(every[ENGLISH].read_text(encoding="utf-8"))))
    found: dict[str, Mapping[str, Text]] = {ENGLISH: english}
    for language, path in every.items():
        if language != ENGLISH:
            found[language] = read_language(path, english)
    return found


def read_language(path: Path, english: Mapping[str, Text]) -> dict[str, Text]:
    """Read a language's file; what it lacks stays English.

    Parameters
    ----------
    path
        Named by the language, such as `pt-BR.toml`.
    english
        The texts that there are.

    Raises
    ------
    ValueError
        If Babel does not know the language; if a text is none of the English ones, or
        has other places to be filled in, or plural categories of other languages.
    """
    locale = _locale(path.stem)
    if locale is None:
        rule = "named by a language that Babel knows, such as pt-BR.toml"
        raise ValueError(f"the file must be {rule}, got {path.name}")
    texts = dict(english)
    for name, text in _texts(tomllib.loads(path.read_text(encoding="utf-8"))):
        if name not in english:
            raise ValueError(f"{path.name} must have texts of ours, got {name}")
        _require_same(path.name, name, text, english[name], locale)
        texts[name] = text
    return texts


def _require_same(
    file: str, name: str, text: Text, english: Text, locale: Locale
) -> None:
    """Raise ValueError if a text cannot stand for the English one."""
    due, got = _places(english), _places(text)
    if due != got:
        rule = f"{name} with {', '.join(sorted(due)) or 'nothing'} in braces"
        raise ValueError(
            f"{file} must have {rule}, got {', '.join(sorted(got)) or 'nothing'}"
        )
    if isinstance(text, str) and isinstance(english, str):
        return
    known = {*locale.plural_form.tags, "other"}
    forms = {""} if isinstance(text, str) else set(text)
    if not {"other"} <= forms <= known:
        rule = f"{name} as a table with other, of {', '.join(sorted(known))}"
        raise ValueError(f"{file} must have {rule}, got {sorted(forms)}")


def _places(text: Text) -> set[str]:
    forms = [text] if isinstance(text, str) else list(text.values())
    return {place for form in forms for place in _PLACE.findall(form)}


def _texts(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Text]]:
    """Walk down to the texts; a table with the form `other` is one."""
    for key, value in table.items():
        if isinstance(value, Mapping) and "other" not in value:
            yield from _texts(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return None


def name_of(language: str) -> str:
    """Give a language's own name for itself; its tag where nobody knows it.

    Examples
    --------
    >>> name_of("fr"), name_of("de"), name_of("tlh")
    ('Français', 'Deutsch', 'tlh')
    """
    locale = _locale(language)
    name = None if locale is None else locale.get_display_name()
    return language if not name else name[:1].upper() + name[1:]


def choose(known: Sequence[str]) -> str:
    """Give the language asked for in the address, or by the browser, or the first."""
    asked = request.args.get("language", "")
    if asked in known:
        return asked
    return request.accept_languages.best_match(known) or known[0]


def speak(language: str) -> None:
    """Let the reply to this request be in a language."""
    g.phrases = phrases_in(language)


def spoken() -> Phrases:
    """Give the texts of this reply's language: the browser's, where none was chosen."""
    if "phrases" not in g:
        speak(choose(list(languages())))
    return g.phrases


def say(name: str, **values: Any) -> str:
    """Give a text in the language of this reply; see `Phrases.say`."""
    return spoken().say(name, **values)
