"""What an analysis found, asked of a process of its own and kept: participants first.

No page waits for it, and no thread of the server computes: a page shows what is known,
says of how many trials, and looks again.
"""

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...experiments.store.url import absolute

_CODE = "from yoked.app.reports.looking import serve; serve()"
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
MOST_KEPT = 300  # answers, of about 0.1 MB each
MEANS = "means"  # how the names of answers about several sessions begin
IDLE_S = 300.0  # then the process ends
LONGEST_S = 300.0  # for one answer


@dataclass(frozen=True)
class Found:
    """An answer.

    Attributes
    ----------
    version
        Of what it was about, such as the number of trials.
    answer
        As `reports.looking` gives it.
    """

    version: str
    answer: dict[str, Any]


class Looker:
    """Asks one process, one question at a time, the latest first.

    Parameters
    ----------
    db_path
        The trial log.
    """

    def __init__(self, db_path: str | Path) -> None:
        self._db_path = db_path
        self._found: OrderedDict[str, Found] = OrderedDict()
        self._wanted: OrderedDict[str, tuple[str, dict[str, Any]]] = OrderedDict()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._is_closing = False

    def find(self, name: str, version: str, question: dict[str, Any]) -> Found | None:
        """Give the newest answer that is there, and ask again where it is of before.

        Parameters
        ----------
        name
            What it is about: a newer question takes the place of an older one.
        version
            An answer of this version is kept for good.
        question
            For `reports.looking`.
        """
        with self._changed:
            found = self._found.get(name)
            if found is not None:
                self._found.move_to_end(name)
                if found.version == version:
                    return found
            self._wanted[name] = (version, question)
            self._wanted.move_to_end(name)
            if self._thread is None and not self._is_closing:
                self._thread = threading.Thread(target=self._run, name="looker")
                self._thread.daemon = True
                self._thread.start()
            self._changed.notify_all()
        return found

    def forget(self, session: str) -> None:
        """Forget what was found of a session, which was withdrawn, and all means."""
        with self._changed:
            for known in (self._found, self._wanted):
                for name in [*known]:
                    if session in name or name.startswith(MEANS):
                        del known[name]

    def close(self) -> None:
        """End the process, whatever it does."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            thread = self._thread
            if self._process is not None:
                self._process.kill()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._is_closing:
            asked = self._next()
            if asked is None:
                self._end()
                continue
            name, version, question = asked
            answer = self._ask(question)
            with self._changed:
                self._found[name] = Found(version, answer)
                while len(self._found) > MOST_KEPT:
                    self._found.popitem(last=False)
                self._changed.notify_all()
        self._end()

    def _next(self) -> tuple[str, str, dict[str, Any]] | None:
        """Give the latest question, waiting for one; None after a long while."""
        with self._changed:
            self._changed.wait_for(self._is_needed, IDLE_S)
            if not self._wanted or self._is_closing:
                return None
            name, (version, question) = self._wanted.popitem()
            return name, version, question

    def _is_needed(self) -> bool:
        return bool(self._wanted) or self._is_closing

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        process = self._started()
        if process is None:
            return {"fault": "closing"}
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Timer(LONGEST_S, process.kill)
        late.daemon = True
        late.start()
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            late.cancel()
        if not line:
            self._end()
        answer = json.loads(line) if line else {"fault": "the process has ended"}
        if "fault" in answer and not self._is_closing:
            logging.getLogger(__name__).error("no results: %s", answer["fault"])
        return answer

    def _started(self) -> "subprocess.Popen[str] | None":
        """Give the process, started where it does not run; None at the end."""
        with self._changed:
            if self._process is None and not self._is_closing:
                environment = os.environ | dict.fromkeys(_ONE_THREAD, "1")
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _CODE, absolute(self._db_path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    encoding="utf-8",
                    env=environment,
                )
            return self._process

    def _end(self) -> None:
        with self._changed:
            process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was never read
                    pipe.close()
