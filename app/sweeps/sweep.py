"""A sweep from its recipe to its tables: `yoked.sweep`."""

import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import write_text
from .cell import LOG, Work
from .collect import SeedMean, table_of, write, write_log
from .plan import Plan
from .recipe import SweepRecipe
from .running import Course, LocalPool, Pool, Told, do_all
from .worker import Answer

if TYPE_CHECKING:
    import pandas as pd

_KEPT = "recipe.json"


def sweep(
    recipe: SweepRecipe | str | Path | Mapping[str, Any],
    out: str | Path,
    *,
    resume: bool = False,
    processes: int | None = None,
    cluster: Any = None,
    progress: Told | None = None,
) -> "pd.DataFrame":
    """Let observers of several seeds do several protocols, or several people's trials.

    Every combination is a cell, which a process of its own does and writes to a folder
    of its own. A cell that fails, or whose process dies, is a row with its sentence;
    the others go on. What they came to is collected in the folder: `results.db`, the
    trial log of all sessions; `results.parquet`, the table that is returned; and
    `summary.csv`, its means over seeds (`yoked.over_seeds`).

    Parameters
    ----------
    recipe
        A TOML file, or a dict like one; see docs/sweeps.md. Paths in a file are from
        its folder on, in a dict from the working directory.
    out
        Folder, which is made. It holds one sweep.
    resume
        Go on with the sweep in `out`: a cell that is done, of the same inputs, stays; a
        training goes on from its checkpoint.
    processes
        How many at once on this machine; one for each core unless told otherwise.
    cluster
        In their place the address of a Dask scheduler, or a cluster of
        `dask.distributed` or `dask_jobqueue`. All its machines need the folder.
    progress
        Called with the sweep's `Course` whenever a cell has ended.

    Returns
    -------
    DataFrame
        A row for each cell.

    Raises
    ------
    ValueError
        If the recipe breaks rules, or there is a sweep in `out` already that is not to
        be resumed.
    LookupError
        If there is no observer, protocol or session of a name.
    ModuleNotFoundError
        If pyarrow is missing, or for a cluster Dask.

    Examples
    --------
    >>> import tempfile, yoked
    >>> recipe = {"observer": [{"name": "template"}, {"name": "guesser"}], "seeds": [7],
    ...           "protocols": ["bar-in-noise"], "trials": 200, "contrast": 0.2}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = yoked.sweep(recipe, folder, processes=1)
    >>> table[["observer", "seed", "status"]].values.tolist()
    [['template', 7, 'done'], ['guesser', 7, 'done']]
    """
    require_parquet()
    plan = Plan(recipe, Path(out))
    pool = pool_of(processes, cluster)
    return run_plan(plan, pool, resume, progress or silent).table


def silent(_: Course) -> None:
    """Tell nobody."""


def pool_of(processes: int | None, cluster: Any) -> Callable[[], Pool]:
    """Give what makes the pool: of this machine's processes, or of a cluster."""
    if cluster is not None:
        if processes is not None:
            rule = "left out with a cluster, whose workers do the cells"
            raise ValueError(f"processes must be {rule}, got {processes}")
        from .cluster import DaskPool

        return lambda: DaskPool(cluster)
    if processes is not None and processes < 1:
        raise ValueError(f"processes must be 1 or more, got {processes}")
    return lambda: LocalPool(processes or n_cores())


def n_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def require_parquet() -> None:
    """Refuse to begin what could not be written in the end."""
    if importlib.util.find_spec("pyarrow") is None:
        message = 'a sweep needs pyarrow: pip install "yoked[data]"'
        raise ModuleNotFoundError(message, name="pyarrow")


@dataclass(frozen=True)
class Outcome:
    """What a sweep came to.

    Attributes
    ----------
    table
        A row for each cell.
    means
        Over seeds.
    failed
        Sentence by id of each cell that failed, trainings too.
    """

    table: "pd.DataFrame"
    means: "list[SeedMean]"
    failed: dict[str, str]


def run_plan(
    plan: Plan, pool_of: Callable[[], Pool], resume: bool, told: Told
) -> Outcome:
    """Do what is to be done of a plan, and collect all of it.

    An interrupt, too, leaves what is done; it is collected when the sweep is resumed.
    """
    out = plan.out
    if (out / _KEPT).exists() and not resume:
        rule = "a new folder, or that of a sweep to be resumed (--resume)"
        raise ValueError(f"the folder of a sweep must be {rule}, got {str(out)!r}")
    _prepare(plan)
    due = [cell for cell in plan.all if cell.folder not in plan.records]
    answers: dict[str, Answer] = {
        folder: {"record": record} for folder, record in plan.records.items()
    }
    if due:
        pool = pool_of()
        try:
            answers |= do_all(due, len(plan.records), pool, told)
        finally:
            pool.stop()
    write_errors(plan.all, answers)
    table = table_of(plan.cells, answers)
    done = [Path(cell.folder) / LOG for cell in plan.cells]
    logs = [log for log in done if "record" in answers[str(log.parent)]]
    failed = {
        cell.id: answers[cell.folder]["error"]
        for cell in plan.all
        if "error" in answers[cell.folder]
    }
    return Outcome(table, write(out, logs, table), failed)


def _prepare(plan: Plan) -> None:
    """Make the folder, and the trial log of each person that a cell is yoked to."""
    for place in ("cells", "training"):
        tidy(plan.out / place)
    for folder in plan.stale:
        shutil.rmtree(folder)
    write_text(plan.out / _KEPT, json.dumps(plan.recipe.to_dict(), indent=1))
    for person, log in plan.people.items():
        log.parent.mkdir(exist_ok=True)
        write_log(log, [plan.people_db], [person])


def tidy(place: Path) -> None:
    """Make a folder for cells, without what is half-written in it."""
    place.mkdir(parents=True, exist_ok=True)
    for half in place.glob(".*"):  # of a process that was killed
        shutil.rmtree(half, ignore_errors=True)


def write_errors(cells: Sequence[Work], answers: Mapping[str, Answer]) -> None:
    """Leave a cell's traceback beside its folder, for who looks for the cause."""
    for cell in cells:
        file = Path(f"{cell.folder}.error.txt")
        answer = answers.get(cell.folder, {})
        if "error" in answer:
            write_text(file, f"{answer.get('traceback', answer['error'])}\n")
        else:
            file.unlink(missing_ok=True)
