"""What a server writes down of itself: never who asked, or by which link.

Our own lines name endpoints and faults only. Other packages' lines, and the texts of
exceptions, pass through the same formatter, which takes out what could name a person.
"""

import ipaddress
import logging
import re
import threading
import time

HIDDEN = "(hidden)"
# Of addresses of the web: what follows a question mark, and the link of a session.
_QUERY = re.compile(r"(?<=[\w/])\?[^\s\"'<>)\]]+")
_LINK = re.compile(r"(/session/)[^\s/\"'?]+")
# A token is 32 characters or more, of letters of both cases, digits, - and _.
_TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*[A-Z0-9])[\w-]{32,}")
_NUMBERS = re.compile(r"(?<![\w.:])\[?[0-9A-Fa-f:.]*[:.][0-9A-Fa-f:.]+(?:\]:\d+)?")


def log_to_stderr(level: str) -> None:
    """Log to standard error, in UTC, what matters as much as `level` or more.

    Also Python's warnings, and exceptions that end a thread.

    Parameters
    ----------
    level
        A name of the module `logging`, in any case.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    # A queue is what a burst of responses makes; it needs nobody's attention.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    threading.excepthook = _thread_ended


def without_people(text: str) -> str:
    """Take out of a text what could name a person: addresses, queries and tokens.

    Examples
    --------
    >>> without_people("192.0.2.7 asked for /session/AbC/next?PID=5f at 12:30:05")
    '(hidden) asked for /session/(hidden)/next?(hidden) at 12:30:05'
    """
    text = _QUERY.sub(f"?{HIDDEN}", text)
    text = _LINK.sub(rf"\1{HIDDEN}", text)
    text = _TOKEN.sub(HIDDEN, text)
    return _NUMBERS.sub(_hidden_address, text)


def _hidden_address(found: re.Match[str]) -> str:
    """Hide an address of a machine, with its port; leave times and versions."""
    text = found[0].rstrip(".:")
    inside = text.partition("]")[0].lstrip("[")
    for address in (inside, inside.rpartition(":")[0]):
        try:
            ipaddress.ip_address(address)
        except ValueError:
            continue
        return HIDDEN + found[0][len(text) :]
    return found[0]


class _Formatter(logging.Formatter):
    """Lines with the time in UTC, and without people."""

    converter = time.gmtime
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, with a traceback where there is one."""
        return without_people(super().format(record))


def _thread_ended(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_type is SystemExit:
        return
    given = (arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
    logging.getLogger(__name__).error("a thread has ended", exc_info=given)  # pyright: ignore[reportArgumentType]
