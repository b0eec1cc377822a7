"""A study being served: one protocol, one trial log, and the sessions in memory."""

import secrets
import threading
import time
from collections import OrderedDict
from pathlib import Path

from ...experiments.protocols.keys import require_keys
from ...experiments.protocols.protocol import Protocol
from ...experiments.session.screening import screened_out
from ...experiments.session.session import Session
from ...experiments.store.rows import ObserverInfo
from ...experiments.store.sqlite import open_store
from . import participations
from .health import Health
from .limits import Budget, Clock
from .live import LiveSession
from .lut import look_up_table
from .participations import COMPLETE, SCREENED_OUT, Participation, Participations
from .writer import Writer

MOST_IN_MEMORY = 1000
ARRIVALS_AT_ONCE, ARRIVALS_PER_S = 500, 5.0  # sessions that may begin


class Study:
    """What the pages and endpoints of one server share.

    Parameters
    ----------
    db_path
        The trial log; made if there is none.
    protocol
        What new sessions run. Sessions that exist go on with their own.
    lut
        Name of the look-up table of new sessions.
    clock
        Seconds, rising: what response times and limits are held against.

    Raises
    ------
    StoreError
        If the file is not ours, or was written by a later version.
    LookupError
        If there is no look-up table of that name.
    ValueError
        If the protocol has no consent text: nobody may take part without one; or if it
        names a key that a browser does not have.
    """

    def __init__(
        self,
        db_path: str | Path,
        protocol: Protocol,
        lut: str = "srgb",
        clock: Clock = time.monotonic,
    ) -> None:
        if not any(text.strip() for text in protocol.texts.consent.values()):
            rule = "one with a consent text to be served"
            raise ValueError(f"the protocol must be {rule}, got {protocol.name}")
        require_keys(protocol)
        self.protocol = protocol
        self._display = {"lut_name": lut, "lut": look_up_table(lut)}
        self._store = open_store(db_path)
        self._participations = Participations(db_path)
        self._writer = Writer(self._store.transaction)
        self._live: OrderedDict[str, LiveSession] = OrderedDict()
        self._lock = threading.Lock()
        # Kept when a session leaves the memory: what was handed out stays handed out.
        self._handed_out: dict[str, tuple[int, float]] = {}
        self._clock = clock
        self._arrivals = Budget(ARRIVALS_AT_ONCE, ARRIVALS_PER_S, clock)
        self.health = Health(protocol, self._store, self._writer, clock)

    def begin(self, token: str, language: str, consent_version: str) -> None:
        """Start a session for somebody who agreed; a second time finds it again.

        Consent and session are written together, or neither is.

        Parameters
        ----------
        token
            Of the link to the session: that of the page where they agreed.
        language, consent_version
            Of the text that they agreed to.

        Raises
        ------
        TooMany
            If more people arrive than a study can have.
        """
        if self._participations.find(token) is not None:
            return
        self._arrivals.spend("new sessions")
        observer = ObserverInfo("person", f"participant-{secrets.token_hex(4)}")

        def start() -> None:
            with self._store.beside() as connection:
                if participations.find(connection, token) is not None:
                    return  # the same page, sent twice
                session = Session.start(
                    self._store,
                    self.protocol,
                    observer,
                    "web",
                    display=dict(self._display),
                )
                participations.add(
                    connection, token, session.id, language, consent_version
                )

        self._writer.run(start)

    def _complete(self, session: Session) -> None:
        """Screen a session that has no trial left; part of its last transaction."""
        reasons = screened_out(session.protocol, self._store.trials(session.id))
        outcome = SCREENED_OUT if reasons else COMPLETE
        detail = {"outcome": outcome, "reasons": reasons}
        self._store.add_event(session.id, "screening", detail)
        with self._store.beside() as connection:
            participations.set_outcome(connection, session.id, outcome)

    def participation(self, token: str) -> Participation | None:
        """Give the participation that a link leads to; None if there is none."""
        return self._participations.find(token)

    def live(self, session_id: str) -> LiveSession:
        """Give a session, from memory or from the trial log.

        Raises
        ------
        ValueError
            If it was withdrawn.
        """
        live = self._in_memory(session_id)
        if live is not None:
            return live
        session = Session.resume(self._store, session_id)
        mine = LiveSession(
            session,
            self._store,
            self._writer,
            self._complete,
            self._clock,
            self._handed_out,
        )
        # Another request may have been faster: there is one object for each session.
        return self._in_memory(session_id, mine) or mine

    def _in_memory(
        self, session_id: str, otherwise: LiveSession | None = None
    ) -> LiveSession | None:
        """Give the usable object of a session; put in another where there is none."""
        with self._lock:
            live = self._live.get(session_id)
            if (live is None or live.is_stale) and otherwise is not None:
                live = self._live[session_id] = otherwise
            if live is None or live.is_stale:
                return None
            self._live.move_to_end(session_id)
            while len(self._live) > MOST_IN_MEMORY:
                self._live.popitem(last=False)
            return live

    def close(self) -> None:
        """Store what is queued, then close the files."""
        self._writer.close()
        self._participations.close()
        self._store.close()
