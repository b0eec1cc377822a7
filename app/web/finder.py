"""Which session a participant's link leads to: asked for with every single trial."""

import threading
from collections import OrderedDict

from ...experiments.store.trial_log import Store
from ..studies import participations
from ..studies.participations import Participation

_MOST = 4096


class Finder:
    """Finds participations by the token of their link.

    Parameters
    ----------
    reader
        The trial log, to read in.
    """

    def __init__(self, reader: Store) -> None:
        self._reader = reader
        self._known: OrderedDict[str, Participation] = OrderedDict()
        self._n_forgotten = 0
        self._lock = threading.Lock()

    def find(self, token: str) -> Participation | None:
        """Give the participation that a link leads to; None if there is none."""
        with self._reader.beside() as connection:
            return participations.find(connection, token)

    def find_again(self, token: str) -> Participation | None:
        """Give the same, from memory where this process alone serves the database.

        The outcome may have been found meanwhile; session and language hold. Another
        process that deletes somebody's data meanwhile is heard of at the next
        response, which the log refuses.
        """
        if not self._reader.has_one_writer:
            return self.find(token)
        with self._lock:
            known, n_forgotten = self._known.get(token), self._n_forgotten
        if known is None:
            known = self.find(token)
            with self._lock:
                # What was read before a write is not what holds after it.
                if known is not None and n_forgotten == self._n_forgotten:
                    self._known[token] = known
                    if len(self._known) > _MOST:
                        self._known.popitem(last=False)
        return known

    def forget(self) -> None:
        """Forget all: after each write that changes where links lead."""
        with self._lock:
            self._known.clear()
            self._n_forgotten += 1
