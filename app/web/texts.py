"""What participants read: Markdown by language, as HTML."""

import hashlib
from collections.abc import Mapping

from markdown_it import MarkdownIt

_DEFAULT_LANGUAGE = "en"
# Raw HTML stays text: a protocol may come from somebody else.
_markdown = MarkdownIt("commonmark", {"html": False})


def render_markdown(text: str) -> str:
    r"""Give Markdown as HTML that is safe to put in a page.

    Examples
    --------
    >>> render_markdown("**Press** <b>F</b>")
    '<p><strong>Press</strong> &lt;b&gt;F&lt;/b&gt;</p>\n'
    """
    return _markdown.render(text)


def pages(text: str) -> list[str]:
    r"""Give Markdown as pages of HTML, cut where it has a line of dashes.

    Examples
    --------
    >>> pages("First.\n\n---\n\nSecond.")
    ['<p>First.</p>\n', '<p>Second.</p>\n']
    """
    return [page for page in render_markdown(text).split("<hr />\n") if page.strip()]


def version(text: str) -> str:
    """Give the SHA-256 of a text: which version somebody agreed to.

    Examples
    --------
    >>> version("I agree")[:8]
    '99955b75'
    """
    return hashlib.sha256(text.encode()).hexdigest()


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
    fallback = next(iter(texts.values()), "")
    return texts.get(language, texts.get(_DEFAULT_LANGUAGE, fallback))
