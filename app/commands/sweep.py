"""Observers x seeds x protocols or people."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..output import Partly, Row, output
from .simulate import as_option

if TYPE_CHECKING:
    from ..sweeps.collect import SeedMean
    from ..sweeps.plan import Plan
    from ..sweeps.running import Course, Pool, Told

INTERRUPTED = (
    "Interrupted: what is done stays in {}. The same command with --resume goes on."
)


@click.command()
@click.argument("recipe", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the sweep, which is made. It must be given, unless with --dry-run.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with the sweep in the folder: the rest of it."
)
@click.option(
    "--processes",
    type=click.IntRange(1),
    help="Cells at once on this machine; one for each core unless told otherwise.",
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Do the cells on the Dask cluster whose scheduler is there, tcp://host:port.",
)
@click.option(
    "--slurm",
    "jobs",
    type=click.IntRange(1),
    help="Do the cells in so many jobs of SLURM, which are submitted from here.",
)
@click.option(
    "--slurm-option",
    "slurm_options",
    metavar="NAME=VALUE",
    multiple=True,
    help="What a job is told, such as queue=gpu or walltime=04:00:00; may be repeated.",
)
@click.option(
    "--slurm-script",
    is_flag=True,
    help="Print the script of one job, for the scheduler of --cluster if given.",
)
@click.option(
    "--dry-run", is_flag=True, help="List the cells, say what is to be done, and stop."
)
@output()
def sweep(
    recipe: Path,
    out: Path | None,
    resume: bool,
    processes: int | None,
    cluster: str | None,
    jobs: int | None,
    slurm_options: tuple[str, ...],
    slurm_script: bool,
    dry_run: bool,
) -> "list[SeedMean] | list[Row] | Partly":
    """Let observers of several seeds do several protocols, or several people's trials.

    RECIPE is a TOML file (docs/sweeps.md). Every observer x seed x protocol or person
    is a cell, which a process of its own does: what fails or dies is named at the end,
    and the rest goes on. In the folder stand then results.db, the trial log of all
    sessions; results.parquet, a row for each cell; and summary.csv, what is printed:
    means over seeds, which are a random factor. The exit code is 1 if a cell failed.

    \b
    Examples:
        yoked sweep sweep.toml --dry-run
        yoked sweep sweep.toml --out first-sweep
        yoked sweep sweep.toml --out first-sweep --resume
        yoked sweep sweep.toml --out first-sweep --slurm 20 --slurm-option queue=short
    """
    from ..sweeps.plan import Plan
    from ..sweeps.sweep import require_parquet, run_plan

    where = {"--processes": processes, "--cluster": cluster, "--slurm": jobs}
    named = [name for name, given in where.items() if given is not None]
    if len(named) > 1:
        raise click.UsageError(f"one of {', '.join(where)} must do, got {named}")
    job = dict(map(as_option, slurm_options))
    if job and not (jobs or slurm_script):
        raise click.UsageError(
            "--slurm-option must come with --slurm or --slurm-script"
        )
    if slurm_script:
        from ..sweeps.cluster import slurm_script as script_of

        click.echo(script_of(job, cluster))
        click.get_current_context().exit()
    if out is None and not dry_run:
        raise click.UsageError("--out must be given, unless with --dry-run")
    plan = Plan(recipe, out or Path("out"))
    click.echo(plan.sentence(), err=True)
    if dry_run:
        return listed(plan)
    require_parquet()
    assert out is not None
    try:
        with (
            pool_maker(processes, cluster, jobs, job) as pool,
            bar(plan.recipe.name, len(plan.all)) as told,
        ):
            made = run_plan(plan, pool, resume, told)
    except KeyboardInterrupt:
        click.echo(f"\n{INTERRUPTED.format(out)}", err=True)
        raise
    n_all = len(plan.all)
    click.echo(f"{n_all - len(made.failed)} of {n_all} cells are done.", err=True)
    for cell, sentence in made.failed.items():
        click.echo(f"{cell} failed: {sentence}", err=True)
    return Partly(made.means) if made.failed else made.means


@contextmanager
def pool_maker(
    processes: int | None, cluster: str | None, jobs: int | None, job: dict[str, object]
) -> "Iterator[Callable[[], Pool]]":
    """Give what makes the pool; jobs of SLURM end with the block."""
    from ..sweeps.sweep import pool_of

    if jobs is None:
        yield pool_of(processes, cluster)
        return
    from ..sweeps.cluster import slurm_cluster

    with slurm_cluster(job, jobs) as made:
        yield pool_of(None, made)


def listed(plan: "Plan") -> list[Row]:
    """Return a row for each cell of a plan."""
    return [
        {
            "cell": cell.id,
            "observer": cell.observer,
            "seed": cell.seed,
            "of": "training" if cell.is_training else cell.person or cell.protocol,
            "trials": plan.n_trials(cell) or None,
            "done": cell.folder in plan.records,
        }
        for cell in plan.all
    ]


@contextmanager
def bar(name: str, n_cells: int) -> "Iterator[Told]":
    """Show a bar of cells; what is no terminal gets a line where there is news.

    That is once the rest is reckoned, and whenever nobody is there to do it.
    """
    said, told = {"words": ""}, {"left": False, "waiting": False}
    with click.progressbar(
        length=n_cells,
        label=name,
        show_pos=False,
        show_eta=False,
        item_show_func=lambda _: said["words"],
        file=sys.stderr,
    ) as shown:

        def update(course: "Course") -> None:
            was_told, told["waiting"] = told["waiting"], course.is_waiting
            is_new = course.is_waiting and not was_told
            if course.seconds_left and not told["left"]:
                is_new = told["left"] = True
            said["words"] = course.words
            shown.update(course.n_done + len(course.failed) - shown.pos)
            if is_new and not sys.stderr.isatty():
                click.echo(course.words, err=True)

        yield update
