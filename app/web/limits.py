"""How much may be written, for a session and for a study: never by address.

A classroom or a company shares one address; a token is one person, a study one budget.
"""

import threading
import time
from collections.abc import Callable

Clock = Callable[[], float]


class TooMany(RuntimeError):
    """More was asked for than the limit; the same again is welcome later.

    Attributes
    ----------
    wait_s
        Seconds until there is room, a whole number.
    """

    def __init__(self, what: str, rule: str, wait_s: float) -> None:
        self.wait_s = int(wait_s) + 1
        super().__init__(f"{what} must be {rule}; please wait {self.wait_s} s")


class Budget:
    """Lets so many through at once, and then as many as time brings back.

    Parameters
    ----------
    at_once
        Largest number in a burst.
    per_s
        How many come back each second.
    clock
        Seconds, rising.
    """

    def __init__(
        self, at_once: int, per_s: float, clock: Clock = time.monotonic
    ) -> None:
        self._at_once, self._per_s, self._clock = at_once, per_s, clock
        self._left, self._seen = float(at_once), clock()
        self._lock = threading.Lock()

    def spend(self, what: str) -> None:
        """Take one.

        Raises
        ------
        TooMany
            If none is left.
        """
        with self._lock:
            now = self._clock()
            back = (now - self._seen) * self._per_s
            self._left = min(self._at_once, self._left + back)
            self._seen = now
            if self._left < 1:
                rule = f"at most {self._at_once} at once and {self._per_s:g} a second"
                raise TooMany(what, rule, (1 - self._left) / self._per_s)
            self._left -= 1
