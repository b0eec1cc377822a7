"""One session that is being run: what comes next, and what a response does to it."""

import base64
import threading
from collections.abc import Callable
from typing import Any

from ...experiments.session.durations import as_drawn
from ...experiments.session.session import Session
from ...experiments.session.shown import is_anticipation
from ...experiments.stimulus.render import digest
from ...experiments.store.sqlite import Store
from ...experiments.store.trial import Response, TrialRecord, TrialSpec
from .handed_out import HandedOut
from .limits import Budget, Clock
from .pace import Pace
from .responses import SentResponse
from .viewing import merged_display
from .writer import Writes

SCREENS_AT_ONCE, SCREENS_PER_S = 20, 0.1  # changes of the screen that are stored
ANSWERS_AT_ONCE, ANSWERS_PER_S = 300, 3.0  # to questions, each of them a write
MOST_BYTES_ALONG = 16 * 1024  # of pixels; more would keep feedback waiting
DRAWN = ("fixation_ms", "gap_ms")  # durations that a protocol may let vary


class OutOfTurn(ValueError):
    """A response to a trial that is not the next, or that has another response."""


class StaleSession(RuntimeError):
    """A write failed, and memory may be ahead of the log; ask for the session anew."""


class Behind(StaleSession):
    """Another process has gone on with the session; nothing was done here."""


class LiveSession:
    """A session in memory; requests for it take turns.

    Parameters
    ----------
    session
        Just started or resumed.
    store
        The trial log that it writes to.
    writer
        Writes there.
    on_complete
        Called in the transaction of the last response.
    clock
        Seconds, rising.
    handed_out
        What was handed out of the sessions of this database.
    """

    def __init__(
        self,
        session: Session,
        store: Store,
        writer: Writes,
        on_complete: Callable[[Session], None],
        clock: Clock,
        handed_out: HandedOut,
    ) -> None:
        self.session = session
        self.is_stale = False
        self._store = store
        self._writer = writer
        self._on_complete = on_complete
        self._lock = threading.Lock()
        self._pixels: tuple[int, bytes, str] = (-1, b"", "")
        self._handed_out = handed_out
        handed_out.begin(session.id, session.n_recorded)
        self._screens = Budget(SCREENS_AT_ONCE, SCREENS_PER_S, clock)
        self.answers = Budget(ANSWERS_AT_ONCE, ANSWERS_PER_S, clock)
        recorded = store.trials(session.id) if session.n_recorded else []
        self._last_block = recorded[-1].spec.block if recorded else None
        self._pace = Pace(session.protocol)
        for record in recorded:
            self._pace.responded(record.spec.block, record.received_at)

    def is_usable(self) -> bool:
        """Whether it is as the log has it, by now; a write that failed ends it."""
        with self._lock:
            if not self.is_stale and self._is_behind():
                self._catch_up()
            return not self.is_stale

    def _catch_up(self) -> None:
        """Take in what another process stored of the session."""
        try:
            new = self.session.catch_up()
        except ValueError:  # withdrawn: who asks the log anew is told
            self.is_stale = True
            return
        for record in new:
            self._last_block = record.spec.block
            self._pace.responded(record.spec.block, record.received_at)

    @property
    def is_complete(self) -> bool:
        """Whether no trial is left."""
        with self._lock:
            self._require_fresh()
            return self.session.is_complete

    def next(self) -> dict[str, Any]:
        """Say what comes next, and nothing that would give the response away."""
        with self._lock:
            self._require_fresh()
            return self._next()

    def frames(self, trial: int) -> bytes:
        """Give the pixels of the next trial: contrast levels (interval, frame, y, x).

        Raises
        ------
        OutOfTurn
            If `trial` is not the next one.
        """
        with self._lock:
            self._require_turn(trial)
            self._handed_out.note(self.session.id, trial)
            return self._render(trial)[0]

    def record(
        self, trial: int, sent: SentResponse, with_pixels: bool = False
    ) -> dict[str, Any]:
        """Store a response, durably; return its receipt with what comes next.

        The same response again has the same receipt.

        Parameters
        ----------
        trial
            Its number.
        sent
            The response.
        with_pixels
            Whether the next trial's pixels come with it, where they are few: that
            saves a request for each trial.

        Raises
        ------
        OutOfTurn
            If another trial is due, or this one has another response.
        StaleSession
            If an earlier write of this session failed.
        """
        with self._lock:
            self._require_fresh()
            if trial < self.session.n_recorded:
                record = self._stored(trial, sent)
            else:
                spec = self._require_turn(trial)
                judged = sent.judged(
                    self._render(trial)[1],
                    as_drawn(self.session, trial),
                    self._handed_out.since_ms(self.session.id, trial),
                )
                record = self._record(spec, judged, sent)
            feedback = self.session.block(record.spec.block).feedback
            early = is_anticipation(self.session.protocol, record.response)
            return {
                "correct": record.correct if feedback else None,
                "too_soon": early,
                "next": {**self._next(), **self._pixels_along(with_pixels)},
            }

    def _pixels_along(self, is_wanted: bool) -> dict[str, str]:
        """Give the next trial's pixels for a reply that nobody then waits for."""
        specs = self.session.next_batch(1) if is_wanted else []
        if not specs:
            return {}
        trial = specs[0].trial
        levels = self._render(trial)[0]
        if len(levels) > MOST_BYTES_ALONG:
            return {}
        self._handed_out.note(self.session.id, trial)
        return {"pixels": base64.b64encode(levels).decode()}

    def set_display(self, display: dict[str, Any]) -> None:
        """Store what the browser said of its screen, beside the look-up table.

        The same again is not stored again.

        Raises
        ------
        TooMany
            If the screen changes more often than anybody's does.
        """
        with self._lock:
            self._require_fresh()
            asked = self.session.protocol.display

            def merged(known: dict[str, Any]) -> dict[str, Any]:
                return merged_display(known, display, asked)

            known = self.session.row.display or {}
            if merged(known) != known:
                self._screens.spend("changes of the screen")
                self._keep_display(merged, "display", display)

    def set_viewing(self, viewing: dict[str, Any]) -> None:
        """Store how far away somebody sits, which was measured before the first trial.

        Raises
        ------
        TooMany
            If it is measured more often than anybody does.
        """
        with self._lock:
            self._require_fresh()
            self._screens.spend("changes of the screen")

            def merged(known: dict[str, Any]) -> dict[str, Any]:
                return {**known, "viewing": viewing}

            self._keep_display(merged, "viewing", viewing)

    def _keep_display(
        self,
        merged: Callable[[dict[str, Any]], dict[str, Any]],
        kind: str,
        detail: dict[str, Any],
    ) -> None:
        """Store what is known of the screen by now, which another process may have."""

        def write() -> dict[str, Any]:
            row = self.session.row
            self._store.hold(f"session {row.id}")
            if not self._store.has_one_writer:
                row = self._store.session(row.id)
            display = merged(row.display or {})
            self._store.set_display(row.id, display, None)
            self._store.add_event(row.id, kind, detail)
            return display

        self.session.set_display(self._write(write))

    def _next(self) -> dict[str, Any]:
        specs = self.session.next_batch(1)
        if not specs:
            return {"done": True, "progress": 1}
        spec = specs[0]
        block = self.session.block(spec.block)
        return {
            "done": False,
            "trial": spec.trial,
            "block": spec.block,
            "block_kind": block.kind,  # the block's: a catch trial must look like any
            "feedback": block.feedback,
            "progress": self._progress(),
            "break": self._break_before(spec),
            **self._durations(spec.trial),
        }

    def _durations(self, trial: int) -> dict[str, Any]:
        """Give the durations of a trial, where they differ from trial to trial."""
        if not self.session.protocol.timing.is_jittered:
            return {}
        drawn = as_drawn(self.session, trial).timing
        return {"timing": {name: getattr(drawn, name) for name in DRAWN}}

    def _progress(self) -> float:
        """Give the share that is done, of all kinds of trial and those shown again.

        It never falls: a trial that has to be shown again is one more that is done.
        """
        done = self.session.n_recorded
        return round(done / (done + max(1, self.session.n_left)), 4)

    def _break_before(self, spec: TrialSpec) -> dict[str, Any] | None:
        if self._last_block is None or self._last_block == spec.block:
            return None
        kinds = [
            block.kind
            for block in self.session.protocol.blocks
            for _ in range(block.n_blocks)
        ]
        return {
            "finished": self.session.block(self._last_block).kind,
            "next": self.session.block(spec.block).kind,
            "main_block": kinds[: spec.block + 1].count("main"),
            "n_main_blocks": kinds.count("main"),
            "is_last": spec.block + 1 == len(kinds),
            "told_before": self._tells(self._last_block),
            "told_next": self._tells(spec.block),
            "minutes_left": self._pace.minutes(self.session.n_left),
        }

    def _tells(self, block: int) -> bool:
        """Whether a block tells somebody that they were right, in words or sounds."""
        protocol = self.session.protocol
        shown = protocol.timing.feedback_ms > 0 or protocol.feedback.by != "text"
        feedback = self.session.block(block).feedback
        return feedback and shown and protocol.task.has_target

    def _require_fresh(self) -> None:
        if self.is_stale:
            raise StaleSession(f"session {self.session.id} must be taken up anew")

    def _is_behind(self) -> bool:
        if self._store.has_one_writer:
            return False
        return self._store.n_recorded(self.session.id) != self.session.n_recorded

    def _require_turn(self, trial: int) -> TrialSpec:
        self._require_fresh()
        specs = self.session.next_batch(1)
        if not specs or specs[0].trial != trial:
            due = specs[0].trial if specs else "none, the session is complete"
            raise OutOfTurn(f"the trial must be the next one ({due}), got {trial}")
        return specs[0]

    def _render(self, trial: int) -> tuple[bytes, str]:
        """Give bytes and digest of the trial that is due, made once for both."""
        if self._pixels[0] != trial:
            frames = self.session.frames(self.session.next_columns(1))[0]
            self._pixels = (trial, frames.tobytes(), digest(frames))
        return self._pixels[1:]

    def _stored(self, trial: int, sent: SentResponse) -> TrialRecord:
        """Give the record of a trial that this response was given to before."""
        record = self._store.trials(self.session.id)[trial]
        if not sent.is_stored_as(record.response):
            raise OutOfTurn(f"trial {trial} must have one response, got another")
        return record

    def _record(
        self, spec: TrialSpec, response: Response, sent: SentResponse
    ) -> TrialRecord:
        def write() -> TrialRecord:
            self._store.hold(f"session {self.session.id}")
            if self._is_behind():
                raise Behind(f"session {self.session.id} must be taken up anew")
            record = self.session.record([spec], [response])[0]
            for event in sent.events:
                about = {"trial": spec.trial, **event}
                kind = about.pop("kind")
                self._store.add_event(self.session.id, kind, about)
            if self.session.is_complete:
                self.session.finish()
                self._on_complete(self.session)
            return record

        record = self._write(write)
        self._last_block = spec.block
        self._pace.responded(spec.block, record.received_at)
        return record

    def _write(self, job: Any) -> Any:
        """Run a job in the writer; after a failure this object is of no more use."""
        try:
            return self._writer.run(job)
        except BaseException:
            self.is_stale = True
            raise
