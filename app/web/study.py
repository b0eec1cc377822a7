"""A study being served: one protocol, one trial log, and the sessions in memory."""

import secrets
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol as Interface
from typing import TypeVar, runtime_checkable

from ...experiments.clock import utc_now
from ...experiments.protocols.keys import require_keys
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.sittings import SittingPlan
from ...experiments.session.screening import screened_out
from ...experiments.session.session import Session
from ...experiments.session.sittings import Due, due, planned_sitting
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


T = TypeVar("T")


@runtime_checkable
class Closing(Interface):
    """What has files that are closed at the end."""

    def close(self) -> None:
        """Close them."""
        ...


class TooEarly(ValueError):
    """The next sitting of a participant may not begin yet."""


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
    plan
        Of sittings; its first protocol is then the study's. A link leads to one sitting
        after the other.

    Raises
    ------
    StoreError
        If the file is not ours, or was written by a later version.
    LookupError
        If there is no look-up table of that name.
    ValueError
        If the protocol has no consent text: nobody may take part without one; if it
        names a key that a browser does not have; or if the sittings of a plan ask for
        consent to different texts.
    """

    def __init__(
        self,
        db_path: str | Path,
        protocol: Protocol,
        lut: str = "srgb",
        clock: Clock = time.monotonic,
        plan: SittingPlan | None = None,
    ) -> None:
        if plan is not None:
            _require_one_consent(plan)
        if not any(text.strip() for text in protocol.texts.consent.values()):
            rule = "one with a consent text to be served"
            raise ValueError(f"the protocol must be {rule}, got {protocol.name}")
        require_keys(protocol)
        self.protocol = protocol
        self._plan = plan
        self._display = {"lut_name": lut, "lut": look_up_table(lut)}
        self._store = open_store(db_path)
        self._participations = Participations(db_path)
        self._writer = Writer(self._store.transaction)
        self._live: OrderedDict[str, LiveSession] = OrderedDict()
        self._lock = threading.Lock()
        # Kept when a session leaves the memory: what was handed out stays handed out.
        self._handed_out: dict[str, tuple[int, float]] = {}
        self._others: list[Closing] = []
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
                sitting = None
                if self._plan is not None:
                    sitting = due(self._plan, observer.name, [], utc_now())
                session = self._started(self.protocol, observer, sitting)
                participations.add(
                    connection, token, session.id, language, consent_version
                )

        self._writer.run(start)

    def following(self, token: str) -> Due | None:
        """Give the sitting after the one that a link leads to, which has ended.

        None where there is no plan, the session was screened out, or no sitting is
        left.
        """
        if self._plan is None:
            return None
        with self._store.beside() as connection:
            return self._following(participations.every(connection, token))

    def begin_next(self, token: str) -> None:
        """Start the sitting that is due on a link; a second time finds it again.

        Raises
        ------
        TooEarly
            If it may not begin yet, or no sitting is left.
        """
        self._arrivals.spend("new sessions")

        def start() -> None:
            with self._store.beside() as connection:
                had = participations.every(connection, token)
                last = self._store.session(had[-1].session)
                if last.status == "unfinished":
                    return  # the same button, pressed twice
                sitting = self._following(had)
                if sitting is None or sitting.protocol is None or not sitting.is_ready:
                    raise TooEarly
                session = self._started(sitting.protocol, last.observer, sitting)
                participations.add(
                    connection,
                    token,
                    session.id,
                    had[-1].language,
                    had[-1].consent_version,
                    sitting.number,
                )

        self._writer.run(start)

    def _following(self, had: Sequence[Participation]) -> Due | None:
        if self._plan is None or had[-1].outcome == SCREENED_OUT:
            return None
        rows = [self._store.session(each.session) for each in had]
        of_plan = [(planned_sitting(self._store, row.id), row) for row in rows]
        sittings = [(sitting, row) for sitting, row in of_plan if sitting is not None]
        found = due(self._plan, rows[-1].observer.name, sittings, utc_now())
        return None if found.protocol is None else found

    def _started(
        self, protocol: Protocol, observer: ObserverInfo, sitting: Due | None
    ) -> Session:
        planned = None
        if self._plan is not None and sitting is not None:
            planned = sitting.planned(self._plan)
        display = dict(self._display)
        return Session.start(
            self._store, protocol, observer, "web", display=display, sitting=planned
        )

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

    def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job of tables beside the trial log in the writer's transaction.

        What it raises undoes what it wrote; it is durable when it returns.
        """

        def run() -> T:
            with self._store.beside() as connection:
                return job(connection)

        return self._writer.run(run)

    def keep_open(self, other: Closing) -> None:
        """Close something else with the files, once what is queued is stored."""
        self._others.append(other)

    def close(self) -> None:
        """Store what is queued, then close the files."""
        self._writer.close()
        for other in self._others:
            other.close()
        self._participations.close()
        self._store.close()


def _require_one_consent(plan: SittingPlan) -> None:
    """Refuse a plan whose participants would agree to one text and get another."""
    first = plan.protocols[0].texts.consent
    for number, protocol in enumerate(plan.protocols, 1):
        if protocol.texts.consent != first:
            rule = "that of sitting 1 in every sitting of a plan that is served"
            raise ValueError(
                f"the consent text must be {rule}, got another in sitting {number}, "
                f"{protocol.name}"
            )
        require_keys(protocol)
