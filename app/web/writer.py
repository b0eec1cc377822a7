"""One thread writes: it commits what has queued up as a group, and acknowledges after.

A durable commit costs a wait for the disk whatever its size, so requests that arrive
meanwhile share the next one. Nobody is acknowledged before their own write is durable.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, TypeVar, runtime_checkable
from typing import Protocol as Interface

from ...experiments.store.trial_log import Store

T = TypeVar("T")
MOST_JOBS_A_COMMIT = 256

# After these SQLite may have rolled back more than the job that met them.
_FATAL_TO_THE_GROUP = (sqlite3.Error, OSError, MemoryError)


@runtime_checkable
class Writes(Interface):
    """Runs jobs in transactions, for many threads."""

    def run(self, job: Callable[[], T]) -> T:
        """Run a job; return its result once it is durable."""
        ...

    def close(self) -> None:
        """Finish what was begun, then stop."""
        ...


def writer_of(store: Store) -> Writes:
    """Give what writes to a database best: one thread, or everybody at once."""
    if store.has_one_writer:
        return Writer(store.transaction)
    return EachForItself(store.transaction)


class EachForItself:
    """Runs each job in the thread that asks, in a transaction of its own.

    For a database that takes many writers at once, and groups their commits itself.

    Parameters
    ----------
    transaction
        Opens a transaction of this thread.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[Any]]) -> None:
        self._transaction = transaction

    def run(self, job: Callable[[], T]) -> T:
        """Run a job; return its result once it is durable."""
        with self._transaction():
            return job()

    def close(self) -> None:
        """Do nothing: a job is over when `run` is."""


class Writer:
    """Runs jobs in one thread, in order, in transactions that hold many.

    Parameters
    ----------
    transaction
        Opens a transaction, or a savepoint within one: leaving it normally makes the
        writes durable, leaving it by an exception undoes them.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[Any]]) -> None:
        self._transaction = transaction
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future] | None]
        self._jobs = queue.SimpleQueue()
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def run(self, job: Callable[[], T]) -> T:
        """Run a job in the writer's thread; return its result once it is durable.

        Raises
        ------
        Exception
            What the job raised, with its own writes undone; or what the commit raised,
            with all of the group's writes undone.
        RuntimeError
            If the writer is closed.
        """
        future: Future[T] = Future()
        with self._gate:
            if self._closed:
                raise RuntimeError("the writer must be open, got a closed one")
            self._jobs.put((job, future))
        return future.result()

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        is_open = True
        while is_open:
            group = [self._jobs.get()]
            while len(group) < MOST_JOBS_A_COMMIT and not self._jobs.empty():
                group.append(self._jobs.get())
            is_open = None not in group
            self._commit([entry for entry in group if entry is not None])

    def _commit(self, group: list[tuple[Callable[[], Any], Future]]) -> None:
        outcomes: list[tuple[Future, Any, BaseException | None]] = []
        try:
            if group:
                with self._transaction():
                    outcomes = [(future, *self._attempt(job)) for job, future in group]
        except BaseException as error:  # the thread must outlive it, and all must know
            outcomes = [(future, None, error) for _, future in group]
        for future, result, error in outcomes:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def _attempt(self, job: Callable[[], Any]) -> tuple[Any, Exception | None]:
        """Run a job in its own savepoint; its own mistake undoes nobody else's work."""
        try:
            with self._transaction():
                return job(), None
        except _FATAL_TO_THE_GROUP:
            raise
        except Exception as error:
            return None, error
