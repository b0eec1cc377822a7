"""A participant sits at the screen: pages, blocks, trials, pauses.

A trial is in the log before anything of the next is shown. What interrupts a trial
spoils it: it is logged as invalid, and the schedule repeats it later with a fresh
stimulus, so that the log alone always says what comes next. Only a yoked session, whose
schedule is its source's rows, does not repeat it.
"""

from typing import Any

from ..protocols.texts import in_language, text_version
from ..session.session import Session
from ..store.trial import Response, TrialSpec
from .attention import ABSENT, ABSENT_AFTER, NO_RESPONSES, absent_page
from .keys import GO_ON_KEYS, PAUSE_KEY, QUIT_KEY, Keys, Say, wait_for_key
from .pages import (
    AGREE,
    CLOSE,
    FINISHED,
    PAUSED,
    PAUSED_ON_PAGE,
    WELCOME_BACK,
    block_page,
    consent_text,
    pages,
)
from .screen import Screen
from .showing import Showing


class Sitting:
    """Shows the trials of a session that are left, and stores what comes back.

    Parameters
    ----------
    session
        Started or resumed, and held by nobody else.
    showing
        Shows its trials.
    screen, keys
        Where pages are shown and answered.
    language
        Of the protocol's texts.
    absent_after
        After how many trials without a response, in a row, the session asks whether
        somebody is there; 0: never.
    say
        Takes sentences for the operator.
    """

    def __init__(
        self,
        session: Session,
        showing: Showing,
        screen: Screen,
        keys: Keys,
        language: str = "en",
        absent_after: int = ABSENT_AFTER,
        say: Say = lambda sentence: None,
    ) -> None:
        self._session, self._showing = session, showing
        self._screen, self._keys = screen, keys
        self._language = language
        self._absent_after, self._say = absent_after, say
        self._n_missed = 0  # trials without a response, in a row

    def run(self) -> bool:
        """Run until no trial is left; False if somebody quit before.

        Raises
        ------
        WrongPixels
            If the screen shows other pixels than it is given.
        """
        self._showing.prepare()
        if not self._open():
            return False
        while specs := self._session.next_batch(1):
            if not self._begin_block(specs[0]) or not self._run_trial(specs[0]):
                return False
        self._end()
        return True

    def _end(self) -> None:
        """Tell operator and participant how it ended, and log what is amiss."""
        said, events = self._showing.finish()
        for sentence in said:
            self._say(sentence)
        debrief = self._session.protocol.texts.debrief
        texts = in_language(debrief, self._language)
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
        self._showing.event("consent", versions)
        return True

    def _begin_block(self, spec: TrialSpec) -> bool:
        if spec.block == self._showing.block:
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
                self._showing.clear()
                return True
            if not self._goes_on(PAUSED_ON_PAGE):
                return False

    def _goes_on(self, text: str, kind: str = "paused", **detail: Any) -> bool:
        """Ask whether to continue or to quit, and log what was said."""
        self._showing.event(kind, {"next_trial": self._session.n_recorded, **detail})
        self._screen.write(text)
        self._screen.flip()
        names = (*GO_ON_KEYS, QUIT_KEY)
        quits = wait_for_key(self._keys, names, self._screen.pause).name == QUIT_KEY
        self._showing.event("quit" if quits else "continued", {})
        self._showing.clear()
        return not quits

    def _run_trial(self, spec: TrialSpec) -> bool:
        """Show, log and (in practice) judge one trial; False if somebody quit."""
        shown = self._showing.show(spec)
        if shown.keyed.paused:
            return self._goes_on(PAUSED)
        self._showing.tell(shown)
        return self._is_there(shown.record.response)

    def _is_there(self, response: Response) -> bool:
        """Ask, after many trials without a response; False if nobody is."""
        self._n_missed = 0 if response.response is not None else self._n_missed + 1
        n = self._n_missed
        if not self._absent_after or n < self._absent_after:
            return True
        self._n_missed = 0
        self._say(ABSENT.format(n))
        return self._goes_on(
            absent_page(n, self._showing.to_press), "absent", n_missed=n
        )
