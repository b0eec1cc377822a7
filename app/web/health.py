"""Whether the server can do what a participant needs: store, and show a trial."""

import contextlib
import threading
from collections.abc import Callable

from ...experiments.clock import utc_now
from ...experiments.protocols.protocol import Protocol
from ...experiments.session.procedures import ProcedureSetting, make_procedure
from ...experiments.stimulus.render import render
from ...experiments.stimulus.scene_frames import in_turn
from ...experiments.stimulus.sources import noise_source
from ...experiments.store.sqlite import Store
from .limits import Clock
from .writer import Writes

GOOD_FOR_S = 10.0  # a monitor may ask as often as it likes
_FILLING_BYTES = 16 * 1024  # more than a trial with all its events


class Health:
    """Tries what every trial does, and remembers the outcome for a while.

    Parameters
    ----------
    protocol_of
        Gives the protocol of a new session; None if none may begin.
    store, writer
        Of the trial log.
    clock
        Seconds, rising.
    """

    def __init__(
        self,
        protocol_of: Callable[[], Protocol | None],
        store: Store,
        writer: Writes,
        clock: Clock,
    ) -> None:
        self._protocol_of, self._store, self._writer = protocol_of, store, writer
        self._clock = clock
        self._lock = threading.Lock()
        self._checked_at: float | None = None
        self._fault: Exception | None = None

    def require(self) -> None:
        """Raise what stood in the way of a participant, at most `GOOD_FOR_S` ago."""
        with self._lock:
            now = self._clock()
            if self._checked_at is None or now - self._checked_at >= GOOD_FOR_S:
                self._fault = self._try()
                self._checked_at = now
            if self._fault is not None:
                raise self._fault

    def warm(self) -> None:
        """Try it once ahead of anybody; what stands in the way is said when asked."""
        with contextlib.suppress(Exception):
            self.require()

    def _try(self) -> Exception | None:
        try:
            protocol = self._protocol_of()
            if protocol is not None:
                self._show(protocol)
            self._writer.run(self._write)
        except Exception as error:  # whatever it is, a participant would meet it
            return error
        return None

    def _show(self, protocol: Protocol) -> None:
        noise = noise_source(protocol.noise.generator, protocol, 1)
        contrast = protocol.contrast.values[0]
        table = {"stimulus_id": [0], "contrast": [contrast], "target": [0]}
        table |= {"block_kind": ["main"], **in_turn(protocol, 1)}
        render(protocol, noise, table)
        for own in protocol.resolved:
            if own.contrast.grid:
                setting = ProcedureSetting.of(own, 1, own.condition, 0)
                make_procedure(own.contrast.procedure, setting).ask()

    def _write(self) -> None:
        """Write as much as a trial may need, durably, and leave nothing behind."""
        with self._store.beside() as connection:
            row = [utc_now(), bytes(_FILLING_BYTES)]
            connection.execute("INSERT INTO health VALUES (?, ?)", row)
            connection.execute("DELETE FROM health")
