"""The cells of a figure: what is done stays, the rest is done by processes."""

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..sweeps.cell import Work
from ..sweeps.running import Course, do_all
from ..sweeps.sweep import pool_of, silent, write_errors

if TYPE_CHECKING:
    from ..sweeps.running import Told


@runtime_checkable
class FigureCell(Work, Protocol):
    """A cell that reads by itself what it came to."""

    def record(self) -> dict[str, Any] | None:
        """Read it; None where it is not done, or of other inputs."""
        ...


def do_cells(
    cells: Sequence[FigureCell], processes: int | None, told: "Told | None" = None
) -> dict[str, str]:
    """Do the cells that are not done; give the sentence of each that failed, by id.

    Parameters
    ----------
    cells
        All of a figure. Folders of cells of other inputs are removed.
    processes
        At once; one for each core unless told otherwise.
    told
        Called as cells end.
    """
    told = told or silent
    due = [cell for cell in cells if cell.record() is None]
    for cell in due:  # of other inputs
        shutil.rmtree(cell.folder, ignore_errors=True)
    failed: dict[str, str] = {}
    if due:
        pool = pool_of(processes, None)()
        try:
            answers = do_all(due, len(cells) - len(due), pool, told)
        finally:
            pool.stop()
        write_errors(due, answers)
        failed = {
            cell.id: answers[cell.folder]["error"]
            for cell in due
            if "error" in answers[cell.folder]
        }
    told(Course(len(cells), len(cells) - len(failed), failed))
    return failed
