"""How often a password may be tried: by account, and never by address alone.

A laboratory shares one address. Guesses are slowed for each account; a browser in which
somebody signed in before has a budget of its own, so that whoever guesses at an account
does not keep its owner out.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from ..limits import Budget, Clock, TooMany

TRIES_AT_ONCE, TRIES_PER_S = 6, 1 / 30  # of a password or a code, for one account
# All together, in browsers that are new: hashing may not take a core from participants.
HASHES_AT_ONCE, HASHES_PER_S = 30, 2.0
REQUESTS_AT_ONCE, REQUESTS_PER_S = 120, 10.0  # of a program, for one token
_MOST_KNOWN = 10_000
_MOST_WAITING = 3


class Budgets:
    """A budget for each of many.

    Parameters
    ----------
    at_once, per_s, clock
        As for `Budget`.
    """

    def __init__(self, at_once: int, per_s: float, clock: Clock) -> None:
        self._new = lambda: Budget(at_once, per_s, clock)
        self._of: OrderedDict[str, Budget] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, whose: str, what: str) -> None:
        """Take one of somebody's; TooMany if none is left."""
        with self._lock:
            budget = self._of.setdefault(whose, self._new())
            self._of.move_to_end(whose)
            while len(self._of) > _MOST_KNOWN:
                self._of.popitem(last=False)
        budget.spend(what)


class Attempts:
    """The limits of one server.

    Parameters
    ----------
    clock
        Seconds, rising.
    """

    def __init__(self, clock: Clock) -> None:
        self.tries = Budgets(TRIES_AT_ONCE, TRIES_PER_S, clock)
        self.requests = Budgets(REQUESTS_AT_ONCE, REQUESTS_PER_S, clock)
        self._strangers = Budget(HASHES_AT_ONCE, HASHES_PER_S, clock)
        self._turns = {True: _Turns(), False: _Turns()}

    @contextmanager
    def of_a_password(self, name: str, browser: str | None) -> Iterator[None]:
        """Let one password be hashed: one at a time, and not too often.

        Parameters
        ----------
        name
            Of the account, whether or not there is one.
        browser
            A browser in which that account signed in before; None for another one.

        Raises
        ------
        TooMany
            If the account, or the server, has had enough of them.
        """
        whose = f"name {name.casefold()}" if browser is None else f"browser {browser}"
        self.tries.spend(whose, "attempts to sign in")
        if browser is None:
            self._strangers.spend("attempts to sign in")
        with self._turns[browser is None].turn():
            yield


class _Turns:
    """Lets one through at a time; more than a few do not wait, and hold no thread."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(1 + _MOST_WAITING)
        self._turn = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise TooMany("attempts to sign in", "at most a few at the same time", 1)
        try:
            with self._turn:
                yield
        finally:
            self._places.release()
