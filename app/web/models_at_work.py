"""Models that take part, each in a process of its own: the server loads none.

They are started here, and come back over HTTP as anybody does.
"""

import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ...experiments.store.url import absolute

_CODE = "import os; getattr(os, 'nice', int)(15); from yoked.app.cli import cli; cli()"
MOST_AT_ONCE = 2
_MOST_KEPT = 50
_MOST_SAID = 400  # letters of why one failed


@dataclass(frozen=True)
class AtWork:
    """A model that was started.

    Attributes
    ----------
    study, observer
        Which study, and who.
    state
        'taking part', 'done' or 'failed'.
    said
        Why it failed; empty otherwise.
    """

    study: str
    observer: str
    state: str
    said: str


class ModelsAtWork:
    """Starts models, and knows how they fared.

    Parameters
    ----------
    db_path
        The trial log.
    """

    def __init__(self, db_path: str | Path) -> None:
        self._db_path = db_path
        self._lock = threading.Lock()
        self._started: list[tuple[str, str, subprocess.Popen[bytes], IO[bytes]]] = []

    def start(
        self, study: str, observer: str, options: Sequence[str], called: str = ""
    ) -> None:
        """Let a model take part.

        Parameters
        ----------
        study, observer
            Names.
        options
            Of `yoked study model`.
        called
            What it is called in the list; its name where this is empty.

        Raises
        ------
        ValueError
            If as many as may be are at it.
        """
        told = [absolute(self._db_path), study, observer, *options]
        with self._lock:
            n = sum(process.poll() is None for _, _, process, _ in self._started)
            if n >= MOST_AT_ONCE:
                rule = f"{MOST_AT_ONCE} at once or fewer; wait for one to end"
                raise ValueError(f"models that take part must be {rule}")
            said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
            process = subprocess.Popen(
                [sys.executable, "-c", _CODE, "study", "model", *told],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
            self._started.append((study, called or observer, process, said))
            while len(self._started) > _MOST_KEPT:
                self._started.pop(0)[3].close()

    def of(self, study: str) -> list[AtWork]:
        """List the models that were started for a study since the server began."""
        with self._lock:
            return [_state(*each) for each in self._started if each[0] == study]

    def close(self) -> None:
        """End those that are at it; what they responded to stays."""
        with self._lock:
            for _, _, process, said in self._started:
                with contextlib.suppress(OSError):
                    process.kill()
                process.wait()
                said.close()
            self._started = []


def _state(
    study: str, observer: str, process: "subprocess.Popen[bytes]", said: IO[bytes]
) -> AtWork:
    code = process.poll()
    if not code:
        state = "taking part" if code is None else "done"
        return AtWork(study, observer, state, "")
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines() or [""]
    why = lines[-1].removeprefix("Error: ")[:_MOST_SAID]
    return AtWork(study, observer, "failed", why)
