"""The trial log, whatever keeps it: what a store must offer, and how it complains."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, runtime_checkable
from typing import Protocol as Interface

import numpy as np

from ..protocols.protocol import Protocol
from ..stimulus.sources import NoiseArray
from .connection import Connection
from .rows import SessionRow
from .trial import TrialRecord
from .trial_batch import TrialColumns


class StoreError(ValueError):
    """The file is not a trial log that we can use."""


class TrialConflict(StoreError):
    """A different trial is already stored under the same number."""


@runtime_checkable
class Store(Interface):
    """The trial log, whatever keeps it.

    Attributes
    ----------
    has_one_writer
        Whether transactions of one process wait for each other, so that one thread does
        best to write for all; else what must not happen at once is to be held.
    """

    has_one_writer: bool

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Make all that is written inside durable at its end, or none of it."""
        ...

    def beside(self) -> contextlib.AbstractContextManager[Connection]:
        """Open the file for the tables of others, beside the trial log.

        What is written there must be within a `transaction`, which may hold rows of
        the log too.
        """
        ...

    def at_hand(self) -> contextlib.AbstractContextManager[None]:
        """Keep one connection for what this thread does inside, where there are many.

        To take one from those that are open, and to look whether it still is, takes as
        long as a query.
        """
        ...

    def hold(self, what: str) -> None:
        """Hold off whoever holds the same words, until the transaction around it ends.

        Who needs several holds what is of a session before what is of a study.
        """
        ...

    def add_protocol(self, protocol: Protocol) -> None:
        """Write a protocol, where it is not there yet; part of a transaction."""
        ...

    def add_session(self, protocol: Protocol, row: SessionRow) -> None:
        """Write a session with its protocol and observer."""
        ...

    def append_trials(
        self, session_id: str, trials: Sequence[TrialRecord] | TrialColumns
    ) -> None:
        """Write trials; the same again is a no-op, a different one is refused."""
        ...

    def session(self, session_id: str) -> SessionRow:
        """Give one session."""
        ...

    def sessions(self) -> list[SessionRow]:
        """List the sessions in the order of their start."""
        ...

    def n_recorded(self, session_id: str) -> int:
        """Count the trials of a session, which are numbered from 0 without a gap."""
        ...

    def protocol(self, protocol_hash: str) -> Protocol:
        """Give the protocol that a session is pinned to."""
        ...

    def trials(self, session_id: str, first: int = 0) -> list[TrialRecord]:
        """Give the trials of a session in order, from a number on."""
        ...

    def trial_columns(self, session_id: str) -> TrialColumns:
        """Give the trials of a session in order, as columns."""
        ...

    def trial_cells(self, session_id: str) -> dict[str, Sequence[Any]]:
        """Give the trials of a session in order, every column as the log keeps it."""
        ...

    def trial_rows(self, session_id: str) -> Iterator[dict[str, Any]]:
        """Stream the trials of a session as plain rows."""
        ...

    def excluded(self, session_id: str) -> set[int]:
        """Give the numbers of the trials that somebody excluded."""
        ...

    def exclude(
        self, session_id: str, trials: Iterable[int], by: str, reason: str
    ) -> None:
        """Exclude trials from every statistic; they stay in the log."""
        ...

    def set_display(self, session_id: str, display: dict, device: dict | None) -> None:
        """Store what the stimulus is shown on."""
        ...

    def finish(self, session_id: str, ended_at: str | None = None) -> None:
        """Mark a session finished, now or when a recording says that it ended."""
        ...

    def add_event(self, session_id: str, kind: str, detail: dict[str, Any]) -> None:
        """Write down something that happened besides a trial."""
        ...

    def events(self, session_id: str) -> list[dict[str, Any]]:
        """Give the events of a session in order."""
        ...

    def observer_seeds(self) -> set[int]:
        """Give every observer seed in use."""
        ...

    def add_noise(self, noise: np.ndarray) -> str:
        """Write noise that came without seeds; give its SHA-256."""
        ...

    def noise(self, sha256: str) -> NoiseArray:
        """Give stored noise by its SHA-256."""
        ...

    def withdraw(self, session_id: str) -> None:
        """Delete the trials, events and exclusions of a session for good."""
        ...

    def forget_journal(self) -> bool:
        """Empty the file's journal, in which deleted rows may still stand."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...
