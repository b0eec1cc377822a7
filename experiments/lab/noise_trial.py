"""Our trials in somebody's own PsychoPy script: its window, its order, our pixels."""

import atexit
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..protocols.files import load_protocol
from ..protocols.protocol import Protocol
from ..session.signals import logged_signal
from ..store.trial import TrialRecord, TrialSpec
from ..store.trial_columns import TRIAL
from .borrowed import BorrowedWindow
from .keys import KeyPress
from .rehearsal import shortened
from .request import Request, Unfinished
from .run import at_desk
from .setup import choose_lut, find_monitor
from .showing import Shown
from .stage import IDENTITY
from .window import require_synchronised

NOBODY = "anonymous"  # responds where nothing is logged
MEMORY = ":memory:"
GAMMA_TWICE = (
    "a window must have no gamma of its own where a calibration's table is used, got "
    "{}: luminance would be corrected twice; say lut='identity', or give the window no "
    "Monitor with a gamma"
)


class NoiseTrial:
    """Trials of a protocol in a PsychoPy script, one at each `run`.

    While a trial runs, nothing else is drawn: not what the script draws by itself
    (autoDraw), and not through a frame buffer object; afterwards the window is as it
    was. Escape ends a trial, which then is invalid; what comes of it is the script's.

    Parameters
    ----------
    win
        The script's window; it must wait for the screen's refresh.
    protocol
        Name of a shipped one, path of a TOML file, or what `load_protocol` gives.
    log
        Trial log that responses go to before the next trial begins, as with `yoked
        lab`; None keeps them nowhere: they are what `run` returns.
    participant
        A code, never a name; needed with a log.
    seed
        Of noise and schedule; by default one that cannot be guessed.
    trials, contrast
        Main trials, and their contrast, instead of the protocol's.
    monitor
        As `yoked calibrate` stored it: for the size in degrees and the table.
    refresh_hz
        Of a screen that cannot be measured, such as a virtual one; by default the
        refresh is measured, which takes some seconds.
    feedback
        Whether the screen says what the protocol has it say after a trial.
    more
        Whatever else `yoked lab` can be asked for: distance_cm, scale, lut, sitting,
        resume, is_new, yoke_to, accept_irregular, keyboard, box, box_map, read_back.

    Attributes
    ----------
    session_id
        Id of the session.
    paused
        Whether Escape ended the last trial.

    Raises
    ------
    LookupError
        If there is no such protocol, session or monitor.
    ValueError
        If the window cannot show the protocol as it is, or the session cannot go on.

    Examples
    --------
    With a window of PsychoPy, and nobody's log but the script's own::

        trial = yoked.psychopy.NoiseTrial(win, "bar-in-noise", trials=100)
        for row in trial:
            print(row["contrast"], row["target"], row["response"], row["rt_ms"])
    """

    def __init__(
        self,
        win: Any,
        protocol: str | Path | Protocol,
        *,
        log: str | Path | None = None,
        participant: str = "",
        seed: int | None = None,
        trials: int | None = None,
        contrast: float | None = None,
        monitor: str = "",
        refresh_hz: float | None = None,
        feedback: bool = True,
        **more: Any,
    ) -> None:
        from psychopy import logging  # pyright: ignore[reportMissingImports]

        self._logging: Any = logging
        self._is_logged, self._feedback = log is not None, feedback
        self.paused = False
        self._n_own = 0  # trials that were none of the schedule
        self._is_finished = False
        wanted = _variant(protocol, trials, contrast)
        request = Request(
            protocol=None if more.get("resume") else wanted,
            participant=participant if log is not None else participant or NOBODY,
            seed=seed, monitor=monitor, refresh_hz=refresh_hz,
            screen=win.screen, full_screen=bool(win._isFullScr), **more,
        )  # fmt: skip
        _require_one_gamma(win, request)
        self._held = ExitStack()
        atexit.register(self._held.close)  # of a script that does not close it
        try:
            self._desk = self._held.enter_context(self._at_desk(win, log, request))
        except Unfinished as error:
            way = f"go on with resume={error.session_id!r}, or say is_new=True"
            raise ValueError(f"{error}; {way}") from error
        self._window: Any = self._desk.screen
        self._desk.showing.prepare()
        self.session_id = self._desk.session.id
        script = {"script": Path(sys.argv[0]).name, "use_fbo": bool(win.useFBO)}
        self._desk.showing.event("script", script)
        self._window.close()
        self._say(f"session {self.session_id}, {self._desk.session.n_recorded} done")

    def _at_desk(self, win: Any, log: str | Path | None, request: Request) -> Any:
        def borrow(asked: Request, background: int) -> BorrowedWindow:
            return _borrowed(win, asked, background)

        return at_desk(MEMORY if log is None else log, request, self._say, borrow)

    def run(self) -> dict[str, Any] | None:
        """Show the next trial of the session, and take its response.

        Returns
        -------
        dict or None
            A value for every column of the trial log, with `session` and `seed`, from
            which the pixels can be made again; None when no trial is left.
        """
        specs = self._desk.session.next_batch(1)
        if not specs:
            self._finish()
            return None
        with self._window.taken():
            shown = self._desk.showing.show(specs[0])
            self._tell(shown)
        if self._desk.session.is_complete:
            self._finish()
        return self._row(shown.record)

    def show(
        self, contrast: float, target: int, stimulus_id: int | None = None
    ) -> dict[str, Any]:
        """Show a trial of the script's own schedule, and take its response.

        Parameters
        ----------
        contrast
            Of the signal, up to the highest of the protocol.
        target
            The correct alternative from 0; in yes/no and rating the class, 1 = signal.
        stimulus_id
            Which noise field of the seed; by default another at every call.

        Returns
        -------
        dict
            As `run` does.

        Raises
        ------
        ValueError
            If responses go to a log of ours, which follows the protocol's schedule; or
            if contrast or target are none of the protocol's.
        """
        if self._is_logged:
            rule = "run by `run` where a log is given, got one of the script's own"
            raise ValueError(f"a trial must be {rule}")
        spec = self._own_spec(contrast, target, stimulus_id)
        with self._window.taken():
            shown = self._desk.showing.show_unlogged(spec)
            self._tell(shown)
        self._n_own += 1
        return self._row(shown.record)

    def _own_spec(
        self, contrast: float, target: int, stimulus_id: int | None
    ) -> TrialSpec:
        session = self._desk.session
        protocol = session.protocol
        highest, n = protocol.contrast.highest_shown, protocol.task.n_targets
        if not 0 <= contrast <= highest:
            raise ValueError(f"contrast must be from 0 to {highest:g}, got {contrast}")
        if target not in range(n):
            raise ValueError(f"target must be from 0 to {n - 1}, got {target}")
        stimulus_id = self._n_own if stimulus_id is None else stimulus_id
        if stimulus_id < 0:
            raise ValueError(f"stimulus_id must be 0 or more, got {stimulus_id}")
        signal = logged_signal(protocol, session.row.seed, stimulus_id)
        return TrialSpec(
            trial=self._n_own, block=0, block_kind="main", condition="main",
            stimulus_id=stimulus_id, pass_=1, repeats=None, contrast=contrast,
            target=target, signal=signal,
        )  # fmt: skip

    @property
    def is_over(self) -> bool:
        """Whether no trial of the session is left."""
        return self._desk.session.is_complete

    def close(self) -> None:
        """Let go of the session, which may go on later; a second time is a no-op."""
        self._held.close()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Run one trial after the other, until none is left or Escape is pressed."""
        while (row := self.run()) is not None:
            yield row
            if self.paused:
                return

    def _tell(self, shown: Shown) -> None:
        """Tell the participant and PsychoPy's log what came of a trial."""
        self.paused = shown.keyed.paused
        self._to_psychopys_log(shown)
        if self._feedback and not self.paused:
            self._desk.showing.tell(shown)

    def _to_psychopys_log(self, shown: Shown) -> None:
        spec, response = shown.record.spec, shown.record.response
        start, *_ = shown.screen.flips_ms
        what = f"stimulus {spec.stimulus_id}, contrast {spec.contrast:g}"
        self._say(f"trial {spec.trial}, {what}, target {spec.target}", start)
        for number, onset in enumerate(shown.screen.onsets_ms):
            self._say(f"trial {spec.trial}, interval {number} on", onset)
        for why, presses in _vain(shown):
            for press in presses:
                said = f"yoked: trial {spec.trial}, key {press.name} {why}"
                self._logging.data(said, t=press.time_ms / 1000)
        given, at_ms = "no response", shown.screen.flips_ms[-1]
        if response.response is not None and response.rt_ms is not None:
            right = "correct" if shown.record.correct else "wrong"
            given = f"response {response.response} ({right}, {response.rt_ms:g} ms)"
            at_ms = shown.screen.onsets_ms[-1] + response.rt_ms
        self._logging.data(f"yoked: trial {spec.trial}, {given}", t=at_ms / 1000)
        if not response.valid:
            said = f"yoked: trial {spec.trial} is invalid: {response.invalid_reason}"
            self._logging.warning(said)

    def _say(self, sentence: str, at_ms: float | None = None) -> None:
        self._logging.exp(
            f"yoked: {sentence}", t=None if at_ms is None else at_ms / 1000
        )

    def _finish(self) -> None:
        """Finish the session, once; what is amiss is in both logs."""
        if not self._is_finished:
            self._is_finished = True
            for sentence in self._desk.showing.finish()[0]:
                self._logging.warning(f"yoked: {sentence}")

    def _row(self, record: TrialRecord) -> dict[str, Any]:
        session = self._desk.session
        parts = {"spec": record.spec, "response": record.response, "record": record}
        cells = {c.name: getattr(parts[c.part], c.field) for c in TRIAL}
        return {"session": session.id, "seed": session.row.seed, **cells}


def _vain(shown: Shown) -> Iterator[tuple[str, tuple[KeyPress, ...]]]:
    """Give the keys that were no response, by what was wrong with them."""
    yield "came too early", shown.keyed.early
    yield "is no response", shown.keyed.others


def _variant(
    protocol: str | Path | Protocol, trials: int | None, contrast: float | None
) -> Protocol:
    if not isinstance(protocol, Protocol):
        protocol = load_protocol(protocol)
    protocol = protocol.with_options(contrast=contrast)
    return protocol if trials is None else shortened(protocol, trials)


def _require_one_gamma(win: Any, request: Request) -> None:
    lut = choose_lut(request.lut, find_monitor(request.monitor))
    if lut != IDENTITY and win.gamma is not None:
        raise ValueError(GAMMA_TWICE.format(win.gamma))


def _borrowed(win: Any, request: Request, background: int) -> BorrowedWindow:
    """Take a script's window, if it can show what a trial needs."""
    window = BorrowedWindow(win, background)
    window.take()
    try:
        window.require_plain()
        window.set_refresh(request.refresh_hz)
        require_synchronised(window, "refresh_hz")
    except BaseException:
        window.close()
        raise
    return window
