"""What one server shares: the trial log, its one writer, sessions, and its studies."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ...experiments.clock import utc_now
from ...experiments.protocols.protocol import Protocol
from ...experiments.session.screening import screened_out
from ...experiments.session.session import Session
from ...experiments.session.sittings import Due, due, planned_sitting
from ...experiments.store.connection import Connection
from ...experiments.store.sqlite import Store
from ..database import open_database, reader_of
from ..keyfile import server_key
from ..studies import participations
from ..studies.arms import Arm
from ..studies.description import Study
from ..studies.enrolments import (
    Arrival,
    end,
    enrol,
    external_id_of,
    find_enrolment,
    lets_in_once,
    require_open,
)
from ..studies.kept import KeptStudy, every_study, key_of, state_of, study_of_key
from ..studies.links import find_link
from ..studies.participations import (
    COMPLETE,
    SCREENED_OUT,
    Participation,
    token_hash_of,
)
from ..studies.tokens import hash_of_token, token_for
from ..studies.withdrawal import token_hash_of_code, withdraw
from .finder import Finder
from .health import Health
from .limits import Budget, Clock
from .live import LiveSession
from .live_sessions import LiveSessions
from .looker import Looker
from .models_at_work import ModelsAtWork
from .starting import observer_of, started
from .tidier import Tidier
from .writer import writer_of

ARRIVALS_AT_ONCE, ARRIVALS_PER_S = 500, 5.0  # sessions that may begin
CODES_AT_ONCE, CODES_PER_S = 20, 0.2  # withdrawal codes that may be tried


T = TypeVar("T")


class TooEarly(ValueError):
    """The next sitting of a participant may not begin yet."""


class Host:
    """What the pages and endpoints of one server share.

    Parameters
    ----------
    db_path
        The trial log; made if there is none.
    alone
        The one study that is served, which the database need not know; None to serve
        those that it has.
    clock
        Seconds, rising: what response times and limits are held against.

    Raises
    ------
    StoreError
        If the file is not ours, or of a later version.

    Attributes
    ----------
    reader
        The trial log once more: what reads at length there keeps no writer waiting.
    finder
        Of the participations that links lead to.
    """

    def __init__(
        self,
        db_path: str | Path,
        alone: Study | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.alone = alone
        self.db_path = db_path
        self._store = open_database(db_path)
        self.key = server_key(db_path)
        # Of researchers and of participants: what the ones look at takes its time.
        self.reader = reader_of(self._store, db_path)
        self._finder_reader = reader_of(self._store, db_path)
        self.finder = Finder(self._finder_reader)
        self._writer = writer_of(self._store)
        self._studies: dict[int, KeptStudy] = {}
        self._live = LiveSessions(self._store, self._writer, self._complete, clock)
        self.looker = Looker(self.db_path)
        self.models = ModelsAtWork(self.db_path)
        self._arrivals = Budget(ARRIVALS_AT_ONCE, ARRIVALS_PER_S, clock)
        self._codes = Budget(CODES_AT_ONCE, CODES_PER_S, clock)
        self.health = Health(self._of_new, self._store, self._writer, clock)
        self._tidier = Tidier(self._store, self._writer)

    @property
    def store(self) -> Store:
        """The trial log: to read, or to write within `write`."""
        return self._store

    def _of_new(self) -> Protocol | None:
        """Give the protocol of a session that may begin now; None if none may."""
        if self.alone is not None:
            return self.alone.protocol
        for kept in every_study(self._store):
            if kept.state == "open":
                return kept.study.protocol
        return None

    def study(self, name: str) -> KeptStudy | None:
        """Give a study of the database, in its present state; None if there is none."""
        with self._store.beside() as connection:
            key = key_of(connection, name)
        return None if key is None else self._kept(key)

    def study_of(self, token: str) -> KeptStudy | None:
        """Give the study that a link to a session is of; None where it is of none."""
        with self._store.beside() as connection:
            place = find_enrolment(connection, hash_of_token(token))
        if place is None or place.study is None:
            return None
        return self._kept(place.study)

    def _kept(self, key: int) -> KeptStudy:
        """Give a study; only its state can have changed since it was read."""
        with self._store.beside() as connection:
            state = state_of(connection, key)
            if key not in self._studies:
                self._studies[key] = study_of_key(self._store, key)
            return replace(self._studies[key], state=state)

    def study_of_link(self, link: str) -> KeptStudy | None:
        """Give the study that a personal link leads to; None if it leads to none."""
        with self._store.beside() as connection:
            found = find_link(connection, link)
        return None if found is None else self._kept(found.study)

    def require_open(self, kept: KeptStudy | None, arrival: Arrival) -> None:
        """Raise Refused where a study takes nobody; who was here before may come."""
        token = self._token(kept, arrival)
        if kept is None or self.finder.find(token) is not None:
            return
        with self._store.beside() as connection:
            require_open(connection, kept, arrival.link)

    def _token(self, kept: KeptStudy | None, arrival: Arrival) -> str:
        """Give the token of somebody's session: theirs wherever they come from."""
        if kept is None:
            return arrival.token
        if arrival.link:
            with self._store.beside() as connection:
                found = find_link(connection, arrival.link)
            if found is not None and not lets_in_once(found):
                return arrival.token
            return token_for(self.key, f"link {arrival.link}")
        if arrival.external_id:
            return token_for(self.key, f"study {kept.key} {arrival.external_id}")
        return arrival.token

    def begin(self, kept: KeptStudy | None, arrival: Arrival, text: str) -> str:
        """Start a session for somebody who agreed; a second time finds it again.

        Place, consent and session are written together, or none is.

        Parameters
        ----------
        kept
            The study; None for the one that is served alone.
        arrival
            Who came.
        text
            That they agreed to.

        Returns
        -------
        str
            The token of the session.

        Raises
        ------
        Refused
            If they may not begin.
        TooMany
            If more people arrive than a server can have.
        """
        arrival = replace(arrival, token=self._token(kept, arrival))
        if self.finder.find(arrival.token) is not None:
            return arrival.token
        self._arrivals.spend("new sessions")

        def start() -> None:
            self._store.hold("study" if kept is None else f"study {kept.key}")
            with self._store.beside() as connection:
                if participations.find(connection, arrival.token) is not None:
                    return  # the same page, sent twice
                current = None if kept is None else self._kept(kept.key)
                study = self._study(current)
                arm = study.arms[enrol(connection, self.key, current, arrival)]
                link = find_link(connection, arrival.link) if arrival.link else None
                model = None if link is None else link.model
                observer, sitting = observer_of(model), None
                if arm.plan is not None:
                    sitting = due(arm.plan, observer.name, [], utc_now())
                of_arm = (study, arm, arm.protocols[0])
                session = started(self._store, *of_arm, observer, sitting, model)
                version = arrival.consent_version
                participations.keep_consent(connection, version, text)
                participations.add(
                    connection, arrival.token, session.id, arrival.language, version
                )

        self._writer.run(start)
        return arrival.token

    def _study(self, kept: KeptStudy | None) -> Study:
        study = self.alone if kept is None else kept.study
        if study is None:
            raise LookupError("a session must be of a study that is served")
        return study

    def following(self, token: str) -> Due | None:
        """Give the sitting after the one that a link leads to, which has ended.

        None where there is no plan, the study is closed, the session was screened out,
        or no sitting is left.
        """
        with self._store.beside() as connection:
            return self._following(token, participations.every(connection, token))

    def begin_next(self, token: str) -> None:
        """Start the sitting that is due on a link; a second time finds it again.

        Raises
        ------
        TooEarly
            If it may not begin yet, or no sitting is left.
        """
        self._arrivals.spend("new sessions")

        def start() -> None:
            self._store.hold(f"link {hash_of_token(token)}")
            with self._store.beside() as connection:
                had = participations.every(connection, token)
                last = self._store.session(had[-1].session)
                if last.status == "unfinished":
                    return  # the same button, pressed twice
                sitting = self._following(token, had)
                asked = self._asked(hash_of_token(token))
                if sitting is None or asked is None or not sitting.is_ready:
                    raise TooEarly
                kept, arm = asked
                protocol = arm.protocols[sitting.number - 1]
                study = self._study(kept)
                session = started(
                    self._store, study, arm, protocol, last.observer, sitting
                )
                participations.add(
                    connection,
                    token,
                    session.id,
                    had[-1].language,
                    had[-1].consent_version,
                    sitting.number,
                )

        self._writer.run(start)
        self.finder.forget()

    def _asked(self, token_hash: str) -> tuple[KeptStudy | None, Arm] | None:
        """Give study and arm of a link; None where it is of none that is served."""
        with self._store.beside() as connection:
            place = find_enrolment(connection, token_hash)
        if place is not None and place.study is not None and place.arm is not None:
            kept = self._kept(place.study)
            return kept, kept.study.arms[place.arm]
        return None if self.alone is None else (None, self.alone.arms[0])

    def _following(self, token: str, had: Sequence[Participation]) -> Due | None:
        asked = self._asked(hash_of_token(token))
        if asked is None or had[-1].outcome == SCREENED_OUT:
            return None
        kept, arm = asked
        if arm.plan is None or (kept is not None and kept.state == "closed"):
            return None
        rows = [self._store.session(each.session) for each in had]
        of_plan = [(planned_sitting(self._store, row.id), row) for row in rows]
        sittings = [(sitting, row) for sitting, row in of_plan if sitting is not None]
        found = due(arm.plan, rows[-1].observer.name, sittings, utc_now())
        return None if found.protocol is None else found

    def _complete(self, session: Session) -> None:
        """Screen a session that has no trial left; part of its last transaction."""
        reasons = []
        if session.row.observer.kind == "person":
            reasons = screened_out(session.protocol, self._store.trials(session.id))
        outcome = SCREENED_OUT if reasons else COMPLETE
        detail = {"outcome": outcome, "reasons": reasons}
        self._store.add_event(session.id, "screening", detail)
        with self._store.beside() as connection:
            participations.set_outcome(connection, session.id, outcome)
            sitting = planned_sitting(self._store, session.id)
            is_last = sitting is None or sitting.number >= sitting.n_sittings
            whose = token_hash_of(connection, session.id)
            if whose is not None and (reasons or is_last):
                end(connection, whose, outcome)

    def way_back(self, token: str, participation: Participation) -> str:
        """Give the address that somebody is sent back to; empty where there is none."""
        kept = self.study_of(token)
        if kept is None or participation.outcome is None:
            return ""
        with self._store.beside() as connection:
            external = external_id_of(connection, hash_of_token(token))
        return kept.study.recruitment.way_back(participation.outcome, external)

    def withdraw(self, token: str) -> None:
        """Delete all that whoever has a link gave, for good."""
        self._withdraw(hash_of_token(token))

    def _withdraw(self, token_hash: str) -> None:
        run = self._writer.run
        for session in withdraw(self._store, run, token_hash, self.db_path):
            self._live.drop(session)
            self.finder.forget()
            self.looker.forget(session)

    def whose_code(self, typed: str) -> str | None:
        """Give the hash of the link that a withdrawal code belongs to; None if to none.

        Raises
        ------
        TooMany
            If codes are tried faster than anybody types them.
        """
        self._codes.spend("withdrawal codes")
        with self._store.beside() as connection:
            return token_hash_of_code(connection, self.key, typed)

    def withdraw_by_code(self, typed: str) -> bool:
        """Delete all that belongs to a withdrawal code; say whether it is anybody's."""
        whose = self.whose_code(typed)
        if whose is not None:
            self._withdraw(whose)
        return whose is not None

    def live(self, session_id: str) -> LiveSession:
        """Give a session, from memory or from the trial log.

        Raises
        ------
        ValueError
            If it was withdrawn.
        """
        return self._live.session(session_id)

    def write(self, job: Callable[[Connection], T], held: str = "studies") -> T:
        """Run a job of tables beside the trial log in the writer's transaction.

        What it raises undoes what it wrote; it is durable when it returns. Nobody else
        is at what is held meanwhile.
        """

        def run() -> T:
            self._store.hold(held)
            with self._store.beside() as connection:
                return job(connection)

        return self._writer.run(run)

    def close(self) -> None:
        """Store what is queued, then close the files."""
        self._tidier.close()
        self._writer.close()
        self.looker.close()
        self.models.close()
        readers = {self.reader, self._finder_reader} - {self._store}
        for opened in (*readers, self._store):
            opened.close()
