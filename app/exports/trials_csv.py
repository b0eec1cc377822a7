"""The trial log as a table: one CSV row a trial, whoever responded."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING

from ...experiments.store.cells import exact, written
from .trial_table import SESSION_COLUMNS, Beside, columns_of, rows_of

if TYPE_CHECKING:
    from ...experiments.store.rows import SessionRow
    from ...experiments.store.trial_log import Store

_SEED = SESSION_COLUMNS.index("seed")
_PIECE = 1 << 16  # characters


def write_trials(
    file: IO[str],
    store: "Store",
    sessions: Iterable["SessionRow"],
    beside: Beside | None = None,
) -> int:
    """Write the trials of sessions, a row at a time, and return how many.

    What a session has once (observer, protocol, seed) stands before each of its
    trials, so that every row can be read, and its stimulus made again, on its own.
    Seeds and texts are written as `cells` says, so that R and spreadsheets keep them.
    """
    writer = csv.writer(file, lineterminator="\n")
    lines = _lines(store, sessions, beside or Beside())
    writer.writerow(next(lines))
    n_trials = 0
    for cells in lines:
        writer.writerow(cells)
        n_trials += 1
    return n_trials


def csv_pieces(
    store: "Store",
    sessions: Iterable["SessionRow"],
    beside: Beside | None = None,
    counted: Callable[[int], object] = lambda n: None,
) -> Iterator[bytes]:
    """Give the file that `write_trials` writes in pieces, of which one is in memory.

    `counted` is told how many trials are in them, at the end.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    n_trials = -1  # the header is none
    for cells in _lines(store, sessions, beside or Beside()):
        writer.writerow(cells)
        n_trials += 1
        if text.tell() >= _PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    counted(n_trials)
    yield text.getvalue().encode()


def _lines(
    store: "Store", sessions: Iterable["SessionRow"], beside: Beside
) -> Iterator[Iterable[object]]:
    """Give the header and the rows, as they are written."""
    yield columns_of(beside)
    for session in sessions:
        seed = exact(session.seed, "seed")
        for cells in rows_of(store, session, beside):
            cells[_SEED] = seed
            yield map(written, cells)
