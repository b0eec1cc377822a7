"""What a server does by the hour: names whose time is over are erased."""

import logging
import threading
from datetime import datetime

from ...experiments.clock import utc_now
from ...experiments.store.sqlite import Store
from ..studies.kept import every_study
from ..studies.retention import erase_ids
from .writer import Writes

EVERY_S = 3600.0


class Tidier:
    """Tidies as it begins, and every hour, in a thread of its own.

    Parameters
    ----------
    store, writer
        Of the trial log.
    """

    def __init__(self, store: Store, writer: Writes) -> None:
        self._store, self._writer = store, writer
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tidier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish what is going on, then stop."""
        self._is_closing.set()
        self._thread.join()

    def _run(self) -> None:
        is_over = False
        while not is_over:
            try:
                self._writer.run(self._tidy)
            except Exception as error:  # the next hour may do better
                logging.getLogger(__name__).error("could not erase names: %s", error)
            is_over = self._is_closing.wait(EVERY_S)

    def _tidy(self) -> None:
        now = datetime.fromisoformat(utc_now())
        with self._store.beside() as connection:
            studies = every_study(self._store)
            n = sum(erase_ids(connection, each, now) for each in studies)
        if n:
            logging.getLogger(__name__).info("erased %d names of participants", n)
