"""The database of a server: the trial log, with the app's own tables beside it."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ..experiments.store.connection import Connection
from ..experiments.store.sqlite import open_store
from ..experiments.store.trial_log import Store
from ..experiments.store.url import is_url
from .accounts.schema import migrations as accounts
from .studies.tables import migrations as studies

T = TypeVar("T")
MIGRATIONS = (studies, accounts)


def open_database(place: str | Path, create: bool = True) -> Store:
    """Open the database of a server to write; arguments and errors of `open_store`."""
    return open_store(place, create=create, beside=MIGRATIONS)


class Reader:
    """Reads the app's tables while somebody writes; threads may share it.

    A file has one connection that writes: who only reads does not wait for its disk,
    by a connection of their own.

    Parameters
    ----------
    store
        The database, open.
    place
        Where it is.
    """

    def __init__(self, store: Store, place: str | Path) -> None:
        self._store, self._lock = store, threading.Lock()
        self._own: sqlite3.Connection | None = None
        if not is_url(place):
            self._own = sqlite3.connect(str(place), timeout=30, check_same_thread=False)

    def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job that only reads."""
        if self._own is None:
            with self._store.beside() as connection:
                return job(connection)
        with self._lock:
            return job(self._own)

    def close(self) -> None:
        """Close what is its own."""
        if self._own is not None:
            with self._lock:
                self._own.close()
