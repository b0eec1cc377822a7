"""Trials of a session at a screen, one by one: shown, read back, answered, logged.

Whoever asks for them decides what stands between: a sitting has pages, blocks and
pauses, a script of somebody else has what it likes.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ..protocols.protocol import Protocol
from ..session.durations import as_drawn
from ..session.scoring import scored
from ..session.session import Session
from ..session.shown import timing_fault
from ..stimulus.render import digest
from ..store.sqlite import Store
from ..store.trial import Response, TrialRecord, TrialSpec
from .attention import NOTICE_MS, found_at_the_end, in_words, notice
from .keys import PAUSE_KEY, Keys, wait_for_key
from .pages import FEEDBACK, confidence_page
from .screen import Handle, Screen, place
from .stage import Stage, trial_pictures
from .trial import (
    EMPTY,
    FIRST_STIMULUS,
    KeyedResponse,
    Presentation,
    plan_trial,
    present,
    wait_for_response,
)

Play = Callable[[bool], None]
READ_BACK = ("block", "every")
MOST_WRONG = 3  # trials in a row whose pixels were not ours, before the session stops
PAUSED_REASON = "paused with Escape"


class WrongPixels(ValueError):
    """The screen does not show the pixels that it was given."""


@dataclass(frozen=True)
class Shown:
    """A trial that is over.

    Attributes
    ----------
    record
        As the log has it.
    screen, keyed
        What the screen and the observer did.
    """

    record: TrialRecord
    screen: Presentation
    keyed: KeyedResponse


class Showing:
    """Shows the trials of a session, and stores what comes back.

    Parameters
    ----------
    session
        Started or resumed, and held by nobody else.
    store
        The trial log that it writes to.
    screen, keys
        Where trials are shown and answered.
    stage
        Where on the screen patches and marks are.
    read_back
        Which trials are read back from the back buffer and compared with the contract
        before they are shown: the first of each 'block', or 'every' one.
    language
        Of the protocol's texts.
    play
        Plays the tone of a correct response, or of a wrong one; None: feedback is
        written.

    Attributes
    ----------
    to_press
        What there is to press, in words.
    block
        Number of the block that is on; -1 before the first trial.
    """

    def __init__(
        self,
        session: Session,
        store: Store,
        screen: Screen,
        keys: Keys,
        stage: Stage,
        read_back: str = "block",
        language: str = "en",
        play: Play | None = None,
    ) -> None:
        if read_back not in READ_BACK:
            rule = f"one of {', '.join(READ_BACK)}"
            raise ValueError(f"read_back must be {rule}, got {read_back!r}")
        self._session, self._store = session, store
        self._screen, self._keys, self._stage = screen, keys, stage
        self._read_back, self._language, self._play = read_back, language, play
        has_box = keys.backend.startswith("box")
        names = session.protocol.task.keys
        self.to_press = "a button of the box" if has_box else in_words(names)
        self.block = -1
        self._n_others: Counter[str] = Counter()  # keys that are no response
        self._n_wrong_trials = 0  # in a row
        self._marks: Sequence[Handle] = []

    def prepare(self) -> None:
        """Take in the marks; once, before the first trial."""
        self._marks = self._screen.prepare(
            [self._stage.picture(fixation=True), self._stage.picture()]
        )

    def show(self, spec: TrialSpec) -> Shown:
        """Show and log the next trial of the session.

        Raises
        ------
        WrongPixels
            If the screen shows other pixels than it is given.
        """
        response, shown, keyed, n_wrong = self._present(spec)
        record = self._log(spec, response, shown, keyed)
        self._require_right_pixels(n_wrong)
        return Shown(record, shown, keyed)

    def show_unlogged(self, spec: TrialSpec) -> Shown:
        """Show a trial that is none of the session's schedule; nothing is stored."""
        response, shown, keyed, n_wrong = self._present(spec)
        self._require_right_pixels(n_wrong)
        return Shown(scored(self._session.protocol, spec, response), shown, keyed)

    def tell(self, shown: Shown) -> None:
        """Say what the protocol has said after a trial: too soon, right or wrong."""
        protocol, record = self._session.protocol, shown.record
        told = notice(protocol, record.response, shown.keyed, self.to_press)
        if told:
            self._tell(told, NOTICE_MS)
        elif self._has_feedback(record):
            self._tell_whether(record.correct, protocol)

    def _tell_whether(self, correct: bool | None, protocol: Protocol) -> None:
        """Say or play whether a response was correct; a missing one is written."""
        with_text = True
        if self._play is not None and correct is not None:
            self._play(correct)
            with_text = protocol.feedback.has_text
        said = FEEDBACK[correct] if with_text else ""
        self._tell(said, protocol.timing.feedback_ms)

    def _has_feedback(self, record: TrialRecord) -> bool:
        return record.response.valid and self._session.block(record.spec.block).feedback

    def finish(self) -> tuple[list[str], set[str]]:
        """Finish the session; give what is amiss as sentences, and kinds of events."""
        self._session.finish()
        records = self._store.trials(self._session.id)
        protocol = self._session.protocol
        said, events = found_at_the_end(protocol, records, self._n_others)
        for kind, detail in events.items():
            self.event(kind, detail)
        return said, set(events)

    def clear(self) -> None:
        """Leave the empty stage on the screen."""
        self._screen.draw(self._marks[EMPTY])
        self._screen.flip()

    def event(self, kind: str, detail: dict[str, Any]) -> None:
        """Log what happened beside the trials."""
        self._store.add_event(self._session.id, kind, detail)

    def _present(
        self, spec: TrialSpec
    ) -> tuple[Response, Presentation, KeyedResponse, int | None]:
        frames = self._session.frames([spec])[0]
        pictures = trial_pictures(self._stage, frames)
        prepared = self._screen.prepare(pictures[FIRST_STIMULUS:])
        handles = [*self._marks, *prepared]
        n_wrong = None
        if self._is_sampled(spec):
            n_wrong = self._n_wrong_pixels(handles, pictures)
        self.block = spec.block
        protocol = as_drawn(self._session, spec.trial)
        shown, keyed = self._show(protocol, handles)
        self._screen.release(prepared)
        keyed = self._asked_how_sure(keyed)
        response = judged(protocol, shown, keyed, n_wrong, digest(frames))
        return response, shown, keyed, n_wrong

    def _is_sampled(self, spec: TrialSpec) -> bool:
        every = self._read_back == "every" or self._n_wrong_trials > 0
        return every or spec.block != self.block

    def _n_wrong_pixels(
        self,
        handles: Sequence[Handle],
        pictures: Sequence[UInt8[np.ndarray, " y x"]],
    ) -> int:
        """Draw every picture into the back buffer, unseen, and compare it there."""
        region = place(pictures[0].shape, self._screen.size_px)
        n_wrong = 0
        for handle, picture in zip(handles, pictures, strict=True):
            self._screen.draw(handle)
            n_wrong += int((self._screen.read_back(region) != picture).sum())
        self._screen.draw(handles[EMPTY])
        return n_wrong

    def _require_right_pixels(self, n_wrong: int | None) -> None:
        if n_wrong is None:
            return
        self._n_wrong_trials = self._n_wrong_trials + 1 if n_wrong else 0
        if self._n_wrong_trials >= MOST_WRONG:
            rule = f"shown as they are, got other pixels in {MOST_WRONG} trials in turn"
            way = "`yoked lab --check` looks into it"
            raise WrongPixels(f"the stimuli must be {rule}; {way}")

    def _show(
        self, protocol: Protocol, handles: Sequence[Handle]
    ) -> tuple[Presentation, KeyedResponse]:
        plan = plan_trial(protocol, self._screen.refresh_hz)
        self._keys.clear()
        with _no_collection():
            shown = present(self._screen, plan, handles)
            keyed = wait_for_response(
                self._screen,
                self._keys,
                protocol.task.keys,
                shown.onsets_ms[-1],
                protocol.timing.longest_response_ms,
            )
        return shown, keyed

    def _asked_how_sure(self, keyed: KeyedResponse) -> KeyedResponse:
        """Ask after the response how sure it is, where the protocol does."""
        asked = self._session.protocol.confidence
        if keyed.response is None or not asked.is_asked:
            return keyed
        self._screen.write(confidence_page(asked, self._language))
        self._screen.flip()
        names = (*asked.keys, PAUSE_KEY)
        press = wait_for_key(self._keys, names, self._screen.pause)
        self.clear()
        if press.name == PAUSE_KEY:
            return replace(keyed, paused=True)
        return replace(keyed, confidence=1.0 + asked.keys.index(press.name))

    def _log(
        self,
        spec: TrialSpec,
        response: Response,
        shown: Presentation,
        keyed: KeyedResponse,
    ) -> TrialRecord:
        """Make the trial, its flips and its vain keys durable, all or none."""
        start, *_ = times = shown.flips_ms
        steps = [round(b - a, 3) for a, b in pairwise(times)]
        with self._store.transaction():
            (record,) = self._session.record([spec], [response])
            flips = {
                "trial": spec.trial,
                "start_ms": round(start, 3),
                "steps_ms": steps,
            }
            self.event("flips", flips)
            for kind, presses in (
                ("early_key", keyed.early),
                ("other_key", keyed.others),
            ):
                for press in presses:
                    at_ms = round(press.time_ms - start, 3)
                    pressed = {"trial": spec.trial, "key": press.name, "at_ms": at_ms}
                    self.event(kind, pressed)
        self._n_others.update(press.name for press in keyed.others)
        return record

    def _tell(self, text: str, lasting_ms: float) -> None:
        """Show a line for a while."""
        self._screen.write(text)
        end = self._screen.flip() + lasting_ms
        while self._screen.now() < end:
            self._screen.pause()
        self.clear()


def judged(
    protocol: Protocol,
    shown: Presentation,
    keyed: KeyedResponse,
    n_wrong: int | None,
    own_digest: str,
) -> Response:
    """Give the response as the log takes it, with its validity.

    Parameters
    ----------
    protocol
        Says what was asked for, and how far from it a trial may be.
    shown, keyed
        What the screen and the observer did.
    n_wrong
        Pixels of the back buffer that were not ours; None if they were not read.
    own_digest
        Of the contrast levels, which the buffer held if no pixel was wrong.
    """
    start = shown.flips_ms[0]
    response = Response(
        response=keyed.response,
        rt_ms=keyed.rt_ms,
        confidence=keyed.confidence,
        digest=own_digest if n_wrong == 0 else None,
        onsets_ms=tuple(round(onset - start, 3) for onset in shown.onsets_ms),
        offsets_ms=tuple(round(offset - start, 3) for offset in shown.offsets_ms),
        frames_shown=shown.frames_shown,
        frames_dropped=shown.frames_dropped,
    )
    reasons = []
    if keyed.paused:
        reasons.append(PAUSED_REASON)
    if n_wrong:
        reasons.append(f"pixels of the back buffer were other than drawn: {n_wrong}")
    if shown.frames_dropped:
        reasons.append(f"frames dropped: {shown.frames_dropped}")
    if fault := timing_fault(protocol, response):
        reasons.append(fault)
    why = "; ".join(reasons) or None
    return replace(response, valid=not reasons, invalid_reason=why)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python from collecting garbage while frames are counted."""
    gc.collect(0)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
