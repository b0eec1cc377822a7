"""Standard output and error that can write any text, whatever the code page."""

import codecs
import sys
from typing import Any

_WHAT_IT_MEANS = "yoked-what-it-means"


def any_text_everywhere() -> None:
    """Make standard output and standard error take any text."""
    for stream in (sys.stdout, sys.stderr):
        any_text(stream)


def any_text(stream: Any) -> None:
    """Make a stream take any text: UTF-8 in a pipe or file, escapes on a terminal.

    A terminal shows its own code page alone; of what that lacks it gets the number.
    Who reads a pipe or a file gets UTF-8, as in every file that we write.
    """
    if stream is None or not hasattr(stream, "reconfigure"):  # a program without them
        return
    if stream.isatty() and not _is_utf8(stream.encoding):
        stream.reconfigure(errors="backslashreplace")
    else:
        stream.reconfigure(encoding="utf-8", errors=_WHAT_IT_MEANS)


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name == "utf-8"


def _what_it_means(error: UnicodeError) -> tuple[str | bytes, int]:
    """Give the bytes of a file's name that the system's code page did not know.

    Python keeps them as single surrogates. Where they are UTF-8 they are written as
    they are, else as escapes, so that the whole stays UTF-8.
    """
    assert isinstance(error, UnicodeEncodeError)
    try:
        found = error.object[error.start : error.end].encode("utf-8", "surrogateescape")
        found.decode("utf-8")
    except UnicodeError:
        return codecs.backslashreplace_errors(error)
    return found, error.end


codecs.register_error(_WHAT_IT_MEANS, _what_it_means)
