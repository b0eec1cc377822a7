"""Ids of sessions: short enough to read out, long enough for machines that never met.

A day has 31^8 = 8.5e11 ids. Of n sessions of a day, on however many machines, two have
the same one with probability n (n - 1) / 2 / 31^8: 2e-9 at 60 a day, 4e-5 in fifty
years of such days, 6e-7 on a day of a thousand.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
N_LETTERS = 8
_N_MORE = 5  # after an id that another session has


def new_id() -> str:
    """Make an id such as 2026-01-10-kq7m4x2p, which hardly anybody else has."""
    day = datetime.now(UTC).date().isoformat()
    return f"{day}-" + "".join(secrets.choice(LETTERS) for _ in range(N_LETTERS))


def free_id(find: Callable[[str], object]) -> str:
    """Make an id for which `find` raises LookupError: nobody here has it."""
    while True:
        session_id = new_id()
        try:
            find(session_id)
        except LookupError:
            return session_id


def other_id(session_id: str, started_at: str) -> str:
    """Give the id of a session whose own is taken by another: always the same.

    Examples
    --------
    >>> other_id("2026-01-10-kq7", "2026-01-10T09:30:00.000+00:00")
    '2026-01-10-kq7-7daab'
    """
    digest = hashlib.sha256(f"{session_id} {started_at}".encode()).digest()
    more = "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:_N_MORE])
    return f"{session_id}-{more}"
