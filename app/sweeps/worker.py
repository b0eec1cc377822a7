"""Processes that do cells, one at a time each: what dies takes no other cell with it.

A worker is an interpreter of its own that reads a cell a line and answers with a line.
It ends when whoever started it ends. It is no `multiprocessing` process: that one would
run the script that calls `yoked.sweep` again, and a pool of them ends with the first
that is killed.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, Any

from ..complaints import one_line
from .cell import Work, work_of

Answer = dict[str, Any]  # "record" of a cell that is done, or "error" and "traceback"
# One core each: several workers share a machine. Who sets them knows better.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Worker:
    """A process that does one cell after the other."""

    def __init__(self) -> None:
        env = {**dict.fromkeys(_ONE_THREAD, "1"), **os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for whoever started it
        )

    def ask(self, cell: dict[str, Any]) -> Answer:
        """Have a cell done; a process that dies over it answers with how it died."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        try:
            asked.write(json.dumps({"cell": cell, "folder": os.getcwd()}) + "\n")
            asked.flush()
            line = answers.readline()
        except (OSError, ValueError):  # its pipe is closed
            line = ""
        if line.endswith("\n"):
            return json.loads(line)
        self._process.wait()
        return {"error": died(self._process.returncode)}

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it at once; what it had begun is not there."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):  # what is written has nowhere to go
                pipe.close()


def died(code: int) -> str:
    """Say how a process died.

    Examples
    --------
    >>> died(1), died(-11)
    ('its process ended with code 1', 'its process was ended by SIGSEGV')
    """
    if code >= 0:
        return f"its process ended with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    perhaps = "; perhaps memory did not suffice" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{perhaps}"


class Workers:
    """As many processes as cells are asked for at once, kept for the next ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._all: list[Worker] = []
        self._is_stopped = False

    def ask(self, cell: dict[str, Any]) -> Answer:
        """Have a cell done by a process that is free, or by a new one."""
        with self._lock:
            if self._is_stopped:
                return {"error": "the sweep was interrupted"}
            worker = self._free()
        answer = worker.ask(cell)
        with self._lock:
            if worker.is_alive:
                self._idle.append(worker)
            else:
                worker.stop()
                self._all.remove(worker)
        return answer

    def _free(self) -> Worker:
        while self._idle:
            if (worker := self._idle.pop()).is_alive:
                return worker
            self._all.remove(worker)
        self._all.append(worker := Worker())
        return worker

    def rest(self) -> None:
        """End those that have no cell; a later one gets a new process."""
        with self._lock:
            for worker in self._idle:
                worker.stop()
                self._all.remove(worker)
            self._idle.clear()

    def stop(self) -> None:
        """End all processes."""
        with self._lock:
            self._is_stopped = True
            for worker in self._all:
                worker.stop()


def answer(cell: Work) -> Answer:
    """Do a cell, and give its record, or the sentence of what went wrong."""
    try:
        return {"record": cell.do()}
    except Exception as error:
        try:
            sentence = one_line(error)
        except RuntimeError:  # of a missing extra, where there is no command
            sentence = str(error)
        said = sentence or f"{type(error).__name__}: {error}"
        return {"error": said, "traceback": traceback.format_exc()}


def main() -> None:
    """Do the cells that come by standard input, until it ends."""
    # Whatever prints goes to standard error: this line is for answers alone.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        for text in iter(_lines(sys.stdin).get, ""):
            asked = json.loads(text)
            if Path(asked["folder"]).is_dir():
                os.chdir(asked["folder"])
            said = json.dumps(answer(work_of(asked["cell"])))
            answers.write(f"{said}\n")
            answers.flush()


def _lines(asked: IO[str]) -> "queue.SimpleQueue[str]":
    """Read in a thread of its own, which ends the process when nobody is there."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in asked:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return lines


if __name__ == "__main__":
    main()
