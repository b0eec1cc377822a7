"""Cells done by whatever does them: a training first, then what waits for it.

What fails is kept as a sentence, and the rest goes on.
"""

import queue
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol, runtime_checkable

from .cell import Work
from .worker import Answer, Workers

_PATIENCE_S = 1.0  # between looks at whether anybody works


@runtime_checkable
class Started(Protocol):
    """A cell that is being done: a future of `concurrent.futures` or of Dask."""

    def add_done_callback(self, told: Callable[[Any], object], /) -> object:
        """Have a function called with it when it is done."""
        ...

    def result(self) -> Any:
        """Give the answer, or raise what ended it."""
        ...


@runtime_checkable
class Pool(Protocol):
    """Does cells, several at once."""

    @property
    def size(self) -> int:
        """How many it does at once; 0 where nobody is there to do any."""
        ...

    def start(self, cell: Work) -> Started:
        """Begin a cell, or let it wait for its turn."""
        ...

    def stop(self) -> None:
        """End all that was begun."""
        ...


class LocalPool:
    """Processes on this machine.

    Parameters
    ----------
    size
        How many.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._threads = ThreadPoolExecutor(size, "yoked-sweep")
        self._workers = Workers()

    @property
    def size(self) -> int:
        """How many it does at once."""
        return self._size

    def start(self, cell: Work) -> Started:
        """Begin a cell, or let it wait for its turn."""
        return self._threads.submit(self._workers.ask, cell.to_dict())

    def stop(self) -> None:
        """End all that was begun."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._workers.stop()


@dataclass
class Course:
    """How far a sweep is.

    Attributes
    ----------
    n_all, n_done
        Cells in all, and those that are done: earlier ones too.
    failed
        Sentence by id of each cell that failed.
    seconds_left
        About how long the rest will take, from what cells of its kind took; None where
        none of a kind is done.
    is_waiting
        Whether nobody is there to do cells.
    """

    n_all: int
    n_done: int
    failed: dict[str, str] = field(default_factory=dict)
    seconds_left: float | None = None
    is_waiting: bool = False

    @property
    def words(self) -> str:
        """What stands beside the bar."""
        said = [f"{self.n_done} of {self.n_all} cells"]
        if self.failed:
            said.append(f"{len(self.failed)} failed")
        if self.seconds_left:
            said.append(f"about {in_words(self.seconds_left)} left")
        if self.is_waiting:
            said.append("waiting for a worker")
        return ", ".join(said)


def in_words(seconds: float) -> str:
    """Give a time roughly.

    Examples
    --------
    >>> in_words(42), in_words(400), in_words(20_000)
    ('42 s', '7 min', '5.6 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


Told = Callable[[Course], None]


def do_all(
    cells: Sequence[Work], n_before: int, pool: Pool, told: Told
) -> dict[str, Answer]:
    """Do cells, and give the answer of each by its folder.

    Parameters
    ----------
    cells
        What is to be done, trainings among them.
    n_before
        How many of the sweep are done already.
    pool
        Who does them.
    told
        Called whenever something has changed.
    """
    waiting: dict[str, list[Work]] = defaultdict(list)
    trainings = {cell.folder for cell in cells if cell.is_training}
    ended: queue.SimpleQueue[tuple[Work, Started]] = queue.SimpleQueue()
    answers: dict[str, Answer] = {}
    took: dict[bool, list[float]] = {True: [], False: []}
    course = Course(n_before + len(cells), n_before)

    def start(cell: Work) -> None:
        pool.start(cell).add_done_callback(lambda found: ended.put((cell, found)))

    def end(cell: Work, answer: Answer) -> None:
        answers[cell.folder] = answer
        if "error" in answer:
            course.failed[cell.id] = answer["error"]
            reason = f"its training failed: {answer['error']}"
            for each in waiting.pop(cell.folder, []):
                end(each, {"error": reason})
            return
        course.n_done += 1
        took[cell.is_training].append(answer["record"]["seconds"])
        for each in waiting.pop(cell.folder, []):
            start(each)

    for cell in cells:
        if cell.weights_of in trainings:
            waiting[str(cell.weights_of)].append(cell)
        else:
            start(cell)
    told(course)
    last_end = monotonic()
    while len(answers) < len(cells):
        try:
            cell, found = ended.get(timeout=_PATIENCE_S)
        except queue.Empty:
            is_waiting = monotonic() - last_end > _PATIENCE_S and not pool.size
            if is_waiting != course.is_waiting:
                course.is_waiting = is_waiting
                told(course)
            continue
        end(cell, answer_of(found))
        last_end, course.is_waiting = monotonic(), False
        due = [each for each in cells if each.folder not in answers]
        course.seconds_left = _left(due, took, pool.size)
        told(course)
    return answers


def answer_of(found: Started) -> Answer:
    """Give what a cell came to, or what ended it."""
    try:
        return found.result()
    except Exception as error:  # whatever a cluster raises of a worker that died
        return {"error": " ".join(f"{type(error).__name__}: {error}".split())}


def _left(
    due: Sequence[Work], took: dict[bool, list[float]], size: int
) -> float | None:
    kinds = {cell.is_training for cell in due}
    if not size or any(not took[kind] for kind in kinds):
        return None
    mean = {kind: sum(took[kind]) / len(took[kind]) for kind in kinds}
    return sum(mean[cell.is_training] for cell in due) / min(size, max(len(due), 1))
