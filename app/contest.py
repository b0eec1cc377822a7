"""A contest: two ways to do the same work, timed in turns."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Contest:
    """Two ways to do the same work.

    Attributes
    ----------
    name, unit
        What is done, and what is counted.
    n
        How many of them one call does.
    ours, theirs
        The two ways; both are called once before the clock runs.
    against
        What the other way is.
    goal
        The ratio that is wanted, where there is one.
    """

    name: str
    unit: str
    n: int
    ours: Callable[[], object]
    theirs: Callable[[], object]
    against: str
    goal: float | None = None


def run_contest(contest: Contest, rounds: int) -> dict[str, Any]:
    """Give the rates of both ways, by the fastest of some rounds, and their ratio."""
    contest.ours()
    contest.theirs()
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(seconds(contest.ours))
        theirs.append(seconds(contest.theirs))
    row = {
        "what": contest.name,
        "unit": contest.unit,
        "ours_per_s": contest.n / min(ours),
        "against": contest.against,
        "against_per_s": contest.n / min(theirs),
        "ratio": min(theirs) / min(ours),
    }
    return row if contest.goal is None else {**row, "goal": contest.goal}


def seconds(work: Callable[[], object]) -> float:
    """Time a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def n_threads() -> int:
    """Give how many threads our noise may use."""
    import numba

    return numba.get_num_threads()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let Numba use one thread only, as NumPy's generator does."""
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def gpu() -> str | None:
    """Give the name of the graphics card; None where there is none."""
    try:
        import torch
    except ModuleNotFoundError:
        return None
    return torch.cuda.get_device_name() if torch.cuda.is_available() else None
