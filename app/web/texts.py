"""What participants read: Markdown as HTML."""

from markdown_it import MarkdownIt

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
