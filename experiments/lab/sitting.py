"""A participant sits at the screen: pages, blocks, trials, pauses.

A trial is in the log before anything of the next is shown. What interrupts a trial
spoils it: it is logged as invalid, and the schedule repeats it later with a fresh
stimulus, so that the log alone always says what comes next. Only a yoked session, whose
schedule is its source's rows, does not repeat it.
"""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ..protocols.protocol import Protocol
from ..protocols.texts import in_language, text_version
from ..session.session import Session
from ..session.shown import timing_fault
from ..stimulus.render import digest
from ..store.sqlite import Store
from ..store.trial import Response, TrialRecord, TrialSpec
from .attention import (
    ABSENT,
    ABSENT_AFTER,
    NO_RESPONSES,
    NOTICE_MS,
    absent_page,
    found_at_the_end,
    in_words,
    notice,
)
from .keys import GO_ON_KEYS, PAUSE_KEY, QUIT_KEY, Keys, Say, wait_for_key
from .pages import (
    AGREE,
    CLOSE,
    FEEDBACK,
    FINISHED,
    PAUSED,
    PAUSED_ON_PAGE,
    WELCOME_BACK,
    block_page,
    consent_text,
    pages,
)
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

READ_BACK = ("block", "every")
MOST_WRONG = 3  # trials in a row whose pixels were not ours, before the session stops
PAUSED_REASON = "paused with Escape"


class WrongPixels(ValueError):
    """The screen does not show the pixels that it was given."""


class Sitting:
    """Shows the trials of a session that are left, and stores what comes back.

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
    language
        Of the protocol's texts.
    read_back
        Which trials are read back from the back buffer and compared with the contract
        before they are shown: the first of each 'block', or 'every' one.
    absent_after
        After how many trials without a response, in a row, the session asks whether
        somebody is there; 0: never.
    say
        Takes sentences for the operator.
    """

    def __init__(
        self,
        session: Session,
        store: Store,
        screen: Screen,
        keys: Keys,
        stage: Stage,
        language: str = "en",
        read_back: str = "block",
        absent_after: int = ABSENT_AFTER,
        say: Say = lambda sentence: None,
    ) -> None:
        if read_back not in READ_BACK:
            rule = f"one of {', '.join(READ_BACK)}"
            raise ValueError(f"read_back must be {rule}, got {read_back!r}")
        self._session, self._store = session, store
        self._screen, self._keys, self._stage = screen, keys, stage
        self._language, self._read_back = language, read_back
        self._absent_after, self._say = absent_after, say
        has_box = keys.backend.startswith("box")
        names = session.protocol.task.keys
        self._to_press = "a button of the box" if has_box else in_words(names)
        self._n_missed = 0  # trials without a response, in a row
        self._n_others: Counter[str] = Counter()  # keys that are no response
        self._plan = plan_trial(session.protocol, screen.refresh_hz)
        self._block = -1  # that is on
        self._n_wrong_trials = 0  # in a row
        self._marks: Sequence[Handle] = []

    def run(self) -> bool:
        """Run until no trial is left; False if somebody quit before.

        Raises
        ------
        WrongPixels
            If the screen shows other pixels than it is given.
        """
        self._marks = self._screen.prepare(
            [self._stage.picture(fixation=True), self._stage.picture()]
        )
        if not self._open():
            return False
        while specs := self._session.next_batch(1):
            if not self._begin_block(specs[0]) or not self._run_trial(specs[0]):
                return False
        self._session.finish()
        self._end()
        return True

    def _end(self) -> None:
        """Tell operator and participant how it ended, and log what is amiss."""
        session = self._session
        records = self._store.trials(session.id)
        said, events = found_at_the_end(session.protocol, records, self._n_others)
        for kind, detail in events.items():
            self._event(kind, detail)
        for sentence in said:
            self._say(sentence)
        texts = in_language(session.protocol.texts.debrief, self._language)
        last = [NO_RESPONSES] if "no_response" in events else []
        for page in last or pages(texts, CLOSE) or [FINISHED]:
            self._page(page)

    def _open(self) -> bool:
        """Show consent and instructions, or welcome the participant back."""
        texts, is_new = self._session.protocol.texts, self._session.n_recorded == 0
        if not is_new and not self._page(WELCOME_BACK):
            return False
        if is_new and texts.consent and not self._agrees():
            return False
        instructions = in_language(texts.instructions, self._language)
        return all(map(self._page, pages(instructions)))

    def _agrees(self) -> bool:
        """Show the consent; log which text was agreed to, and the protocol's own."""
        protocol = self._session.protocol
        shown = consent_text(protocol, self._language)
        if not all(map(self._page, pages(shown, AGREE))):
            return False
        own = text_version(in_language(protocol.texts.consent, self._language))
        versions = {"sha256": text_version(shown), "protocol_sha256": own}
        self._event("consent", versions)
        return True

    def _begin_block(self, spec: TrialSpec) -> bool:
        if spec.block == self._block:
            return True
        block = self._session.block(spec.block)
        n_blocks = sum(b.n_blocks for b in self._session.protocol.blocks)
        done = self._session.n_recorded / max(self._session.n_planned, spec.trial + 1)
        return self._page(block_page(block, max(n_blocks, block.number + 1), done))

    def _page(self, text: str) -> bool:
        """Show a page until somebody goes on; False if they quit."""
        while True:
            self._screen.write(text)
            self._screen.flip()
            names = (*GO_ON_KEYS, PAUSE_KEY)
            if wait_for_key(self._keys, names, self._screen.pause).name != PAUSE_KEY:
                self._clear()
                return True
            if not self._goes_on(PAUSED_ON_PAGE):
                return False

    def _goes_on(self, text: str, kind: str = "paused", **detail: Any) -> bool:
        """Ask whether to continue or to quit, and log what was said."""
        self._event(kind, {"next_trial": self._session.n_recorded, **detail})
        self._screen.write(text)
        self._screen.flip()
        names = (*GO_ON_KEYS, QUIT_KEY)
        quits = wait_for_key(self._keys, names, self._screen.pause).name == QUIT_KEY
        self._event("quit" if quits else "continued", {})
        self._clear()
        return not quits

    def _clear(self) -> float:
        self._screen.draw(self._marks[EMPTY])
        return self._screen.flip()

    def _event(self, kind: str, detail: dict[str, Any]) -> None:
        self._store.add_event(self._session.id, kind, detail)

    def _run_trial(self, spec: TrialSpec) -> bool:
        """Show, log and (in practice) judge one trial; False if somebody quit."""
        frames = self._session.frames([spec])[0]
        pictures = trial_pictures(self._stage, frames)
        prepared = self._screen.prepare(pictures[FIRST_STIMULUS:])
        handles = [*self._marks, *prepared]
        n_wrong = None
        if self._is_sampled(spec):
            n_wrong = self._n_wrong_pixels(handles, pictures)
        self._block = spec.block
        shown, keyed = self._show(handles)
        self._screen.release(prepared)
        protocol = self._session.protocol
        response = judged(protocol, shown, keyed, n_wrong, digest(frames))
        record = self._log(spec, response, shown, keyed)
        self._require_right_pixels(n_wrong)
        if keyed.paused:
            return self._goes_on(PAUSED)
        if told := notice(protocol, response, keyed, self._to_press):
            self._tell(told, NOTICE_MS)
        elif self._session.block(spec.block).feedback and response.valid:
            self._tell(FEEDBACK[record.correct], protocol.timing.feedback_ms)
        return self._is_there(response)

    def _is_there(self, response: Response) -> bool:
        """Ask, after many trials without a response; False if nobody is."""
        self._n_missed = 0 if response.response is not None else self._n_missed + 1
        n = self._n_missed
        if not self._absent_after or n < self._absent_after:
            return True
        self._n_missed = 0
        self._say(ABSENT.format(n))
        return self._goes_on(absent_page(n, self._to_press), "absent", n_missed=n)

    def _is_sampled(self, spec: TrialSpec) -> bool:
        every = self._read_back == "every" or self._n_wrong_trials > 0
        return every or spec.block != self._block

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

    def _show(self, handles: Sequence[Handle]) -> tuple[Presentation, KeyedResponse]:
        protocol = self._session.protocol
        self._keys.clear()
        with _no_collection():
            shown = present(self._screen, self._plan, handles)
            keyed = wait_for_response(
                self._screen,
                self._keys,
                protocol.task.keys,
                shown.onsets_ms[-1],
                protocol.timing.response_ms,
            )
        return shown, keyed

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
            self._event("flips", flips)
            for kind, presses in (
                ("early_key", keyed.early),
                ("other_key", keyed.others),
            ):
                for press in presses:
                    at_ms = round(press.time_ms - start, 3)
                    pressed = {"trial": spec.trial, "key": press.name, "at_ms": at_ms}
                    self._event(kind, pressed)
        self._n_others.update(press.name for press in keyed.others)
        return record

    def _tell(self, text: str, lasting_ms: float) -> None:
        """Show a line for a while."""
        self._screen.write(text)
        end = self._screen.flip() + lasting_ms
        while self._screen.now() < end:
            self._screen.pause()
        self._clear()


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
