"""A protocol's texts: which language a participant reads, and in which version."""

import hashlib
from collections.abc import Mapping

_DEFAULT_LANGUAGE = "en"


def in_language(texts: Mapping[str, str], language: str) -> str:
    """Give a text in a language, or else in the one it has.

    Examples
    --------
    >>> in_language({"en": "Hello", "de": "Guten Tag"}, "de")
    'Guten Tag'
    >>> in_language({"en": "Hello"}, "fr")
    'Hello'
    >>> in_language({}, "fr")
    ''
    """
    return texts.get(language_of(texts, language), "")


def language_of(texts: Mapping[str, str], language: str) -> str:
    """Give the language that `in_language` gives a text in.

    Examples
    --------
    >>> language_of({"en": "Hello", "de": "Guten Tag"}, "fr")
    'en'
    """
    for known in (language, _DEFAULT_LANGUAGE):
        if known in texts:
            return known
    return next(iter(texts), language)


def text_version(text: str) -> str:
    """Give the SHA-256 of a text: which version somebody agreed to.

    Examples
    --------
    >>> text_version("I agree")[:8]
    '99955b75'
    """
    return hashlib.sha256(text.encode()).hexdigest()
