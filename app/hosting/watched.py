"""What the server's loop waits for: which connections can be read or written."""

import selectors
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from waitress import wasyncore


class Watched:
    """What the loop waits for, which waitress finds out anew for all before each wait.

    With 500 connections that took more of the one interpreter than all requests did.
    Here only what may have changed is asked, and everything twice a second, since
    nobody tells who was idle for too long.
    """

    _ALL_EVERY_S = 0.5

    def __init__(self, places: dict[int, Any]) -> None:
        self._places = places
        self._selector = selectors.DefaultSelector()
        self._events: dict[int, int] = {}
        self._changed: deque[int] = deque()
        self._all_at = 0.0

    def look_at(self, fd: int) -> None:
        """Say that what is waited for may have changed; any thread may."""
        self._changed.append(fd)

    def forget(self, fd: int) -> None:
        """Wait no more for a connection that is about to be closed."""
        if self._events.pop(fd, 0):
            self._selector.unregister(fd)

    def hears(self, fd: int) -> bool:
        """Whether the loop waits for something of a connection; any thread may ask."""
        return fd in self._events

    def turn(self, timeout_s: float, always: Iterable[int]) -> None:
        """Wait for what can be read or written, and do that.

        Parameters
        ----------
        timeout_s
            The longest wait; 0 looks at everything, as what is less than a second does.
        always
            File descriptors to look at each time.
        """
        now = time.monotonic()
        if timeout_s < 1 or now >= self._all_at:
            self._all_at = now + self._ALL_EVERY_S
            self._changed.extend(self._places)
        for fd in always:  # at which others may be told to go
            self._ask(fd)
        for fd in {*self._taken()}:
            self._ask(fd)
        for key, events in self._selector.select(min(timeout_s, self._ALL_EVERY_S)):
            for event, act in _ACTS:
                found = self._places.get(key.fd)  # what is read may be closed by that
                if events & event and found is not None:
                    act(found)
            self._changed.append(key.fd)

    def close(self) -> None:
        """Let go of what the system was asked to watch."""
        self._selector.close()

    def _taken(self) -> list[int]:
        return [self._changed.popleft() for _ in range(len(self._changed))]

    def _ask(self, fd: int) -> None:
        found = self._places.get(fd)
        events = 0
        if found is not None:
            if found.readable():
                events |= selectors.EVENT_READ
            if found.writable() and not found.accepting:
                events |= selectors.EVENT_WRITE
        known = self._events.get(fd, 0)
        if events == known:
            return
        if not events:
            self.forget(fd)
            return
        change = self._selector.modify if known else self._selector.register
        change(fd, events)
        self._events[fd] = events


_ACTS = (
    (selectors.EVENT_READ, wasyncore.read),
    (selectors.EVENT_WRITE, wasyncore.write),
)
