"""The sessions that a server has in memory: the last ones that were asked for."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from ...experiments.session.session import Session
from ...experiments.store.sqlite import Store
from .handed_out import handed_out
from .limits import Clock
from .live import LiveSession
from .writer import Writes

MOST_IN_MEMORY = 1000


class LiveSessions:
    """Sessions in memory; there is one object for each.

    Parameters
    ----------
    store, writer, on_complete, clock
        As for `LiveSession`.
    """

    def __init__(
        self,
        store: Store,
        writer: Writes,
        on_complete: Callable[[Session], None],
        clock: Clock,
    ) -> None:
        self._store, self._writer = store, writer
        self._on_complete, self._clock = on_complete, clock
        self._found: OrderedDict[str, LiveSession] = OrderedDict()
        self._lock = threading.Lock()
        # Kept when a session leaves the memory: what was handed out stays handed out.
        self._handed_out = handed_out(store, clock)

    def session(self, session_id: str) -> LiveSession:
        """Give a session, from memory or from the trial log.

        Raises
        ------
        ValueError
            If it was withdrawn.
        """
        live = self._in_memory(session_id)
        if live is not None and live.is_usable():
            return live
        self._forget(session_id, live)
        session = Session.resume(self._store, session_id)
        mine = LiveSession(
            session,
            self._store,
            self._writer,
            self._on_complete,
            self._clock,
            self._handed_out,
        )
        # Another request may have been faster.
        return self._in_memory(session_id, mine) or mine

    def drop(self, session_id: str) -> None:
        """Forget a session, which was withdrawn."""
        with self._lock:
            self._found.pop(session_id, None)
        self._handed_out.forget(session_id)

    def _forget(self, session_id: str, live: LiveSession | None) -> None:
        with self._lock:
            if live is not None and self._found.get(session_id) is live:
                del self._found[session_id]

    def _in_memory(
        self, session_id: str, otherwise: LiveSession | None = None
    ) -> LiveSession | None:
        """Give the usable object of a session; put in another where there is none."""
        with self._lock:
            live = self._found.get(session_id)
            if (live is None or live.is_stale) and otherwise is not None:
                live = self._found[session_id] = otherwise
            if live is None or live.is_stale:
                return None
            self._found.move_to_end(session_id)
            while len(self._found) > MOST_IN_MEMORY:
                self._found.popitem(last=False)
            return live
