"""Figures that the project answers its question with, made anew."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..options import DATABASE
from ..output import Partly, Row, output
from ..progress import progress
from .interrupted import going_on
from .reproduce_brainlike_vs_seeing import brainlike_vs_seeing
from .reproduce_regimes import regimes
from .reproduce_v1_controls import v1_controls
from .sweep import bar
from .trials import opened

if TYPE_CHECKING:
    from ..reproduce.learned_outcome import FrontShares
    from ..reproduce.learned_retina import LearnedExtent
    from ..reproduce.outcome import Shares
    from ..reproduce.surrogates import Extent

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PROCESSES = click.option(
    "--processes",
    type=click.IntRange(1),
    help="Cells at once; one for each core unless told otherwise.",
)
_DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Say what is to be done, and stop."
)
_SESSION = click.option(
    "--session",
    "chosen",
    multiple=True,
    help="One of its sessions; by default all that people finished.",
)


def _out(what: str) -> Callable[[Any], Any]:
    """Give the option that says where."""
    return click.option(
        "-o",
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        required=True,
        help=f"Folder for pictures, tables, weights and trial logs; {what}.",
    )


def _people(help_text: str) -> Callable[[Any], Any]:
    """Give the option that says whose sessions stand beside the networks."""
    return click.option("--people", "db", type=DATABASE, help=help_text)


def _count(flag: str, least: int, default: int, help_text: str) -> Callable[[Any], Any]:
    """Give an option that says how many."""
    kind = click.IntRange(least)
    return click.option(
        flag, type=kind, default=default, show_default=True, help=help_text
    )


def _levels(
    flag: str, name: str, levels: list[str], help_text: str
) -> Callable[[Any], Any]:
    """Give an option that chooses levels of a factor, all of them unless told."""
    kind = click.Choice(levels)
    return click.option(flag, name, multiple=True, type=kind, help=help_text)


@click.group()
def reproduce() -> None:
    """Make a figure of the docs anew: what it rests on, pictures and tables.

    A figure goes on where it was interrupted, by the same command.

    \b
    Examples:
        yoked reproduce deep-vs-shallow --out figure --people people.db
        yoked reproduce learned-retina --retina retina/two-step-glm.pt --out figure
        yoked reproduce v1-controls --out figure --seeds 1
    """


@reproduce.command("deep-vs-shallow")
@_out("of one extent, which is gone on with")
@_people("Trial log with people's sessions, for part B, which is left out without.")
@_SESSION
@_count("--seeds", 1, 3, "Networks that each recipe trains.")
@_count("--trials", 200, 6000, "That each surrogate does, and each network sees again.")
@_count("--steps", 2, 300, "Of each training.")
@_levels(
    "--surrogate",
    "surrogates",
    ["linear", "max", "energy"],
    "May be repeated; by default all, as of the next three.",
)
@_levels("--position", "positions", ["known", "unknown"], "Of the bar.")
@_levels(
    "--goal", "goals", ["task", "shadow", "kernel", "shuffled"], "Of the training."
)
@_levels(
    "--front",
    "fronts",
    ["none", "retina", "linear-retina", "vone-block"],
    "Before the network.",
)
@_PROCESSES
@_DRY_RUN
@output()
def deep_vs_shallow(
    out: Path,
    db: Path | None,
    chosen: tuple[str, ...],
    seeds: int,
    trials: int,
    steps: int,
    surrogates: tuple[str, ...],
    positions: tuple[str, ...],
    goals: tuple[str, ...],
    fronts: tuple[str, ...],
    processes: int | None,
    dry_run: bool,
) -> "list[Shares] | Row | Partly":
    """Compare networks of four goals and four fronts with what they learnt from.

    Networks that learn a task, an observer's responses or its kernel, right or
    shuffled, behind four fronts, and what they share with it at orders zero, one and
    two; people beside templates, circuits and networks; kernels from gradients beside
    kernels from responses (docs/deep-vs-shallow.md). What is printed are the shares of
    the ceiling.

    \b
    Examples:
        yoked reproduce deep-vs-shallow --out figure --people people.db
        yoked reproduce deep-vs-shallow --out look --seeds 1 --trials 1000 --steps 50
    """
    from ..reproduce.surrogates import Extent
    from ..sweeps.sweep import require_parquet

    if chosen and db is None:
        raise click.UsageError("--session must come with --people")
    factors = {
        "surrogates": surrogates,
        "positions": positions,
        "goals": goals,
        "fronts": fronts,
    }
    given = {name: levels for name, levels in factors.items() if levels}
    extent = Extent(seeds, trials, steps, **given)
    click.echo(extent.sentence(), err=True)
    if db is None:
        click.echo("part B: left out without --people", err=True)
    if dry_run:
        return extent.to_dict()
    require_parquet()
    with going_on(out):
        return _deep_vs_shallow(out, extent, db, chosen, processes)


def _deep_vs_shallow(
    out: Path,
    extent: "Extent",
    db: Path | None,
    chosen: tuple[str, ...],
    processes: int | None,
) -> "list[Shares] | Partly":
    from ..reproduce.deep_vs_shallow import deep_vs_shallow as make
    from ..reproduce.people import left_out
    from .score import sessions_of

    with ExitStack() as stack:
        people = []
        if db is not None:
            people = sessions_of(stack.enter_context(opened(db)), chosen)
            if (said := left_out(people)) is not None:
                click.echo(said, err=True)
        told = stack.enter_context(bar("part A", extent.n_cells))
        update = stack.enter_context(progress("figure"))
        made = make(
            out,
            extent=extent,
            log=db,
            people=people,
            processes=processes,
            told=told,
            progress=update,
        )
    _say(out, ("shares.svg", "boxes.svg"), made.failed)
    return Partly(made.shares) if made.failed else made.shares


@reproduce.command("learned-retina")
@_out("more seeds, tasks, retinas or lesions add to what is there")
@click.option(
    "--retina",
    "files",
    multiple=True,
    type=FILE,
    help="Weights that `yoked fit-retina` wrote, of a linear or two-step model or of "
    "staged-retina; may be repeated.",
)
@_levels(
    "--task",
    "tasks",
    ["position-unknown", "movie-bar"],
    "May be repeated; by default all, as of the next two.",
)
@_levels("--front", "fronts", ["none", "retina", "learned"], "Before the network.")
@_levels(
    "--lesion",
    "lesions",
    ["surround", "rectification", "gain-control", "noise-correlations"],
    "Of the learned retinas, where they have it.",
)
@click.option(
    "--eccentricity",
    type=click.FloatRange(0, min_open=True),
    default=5.0,
    show_default=True,
    help="Degrees at which learned mosaics are declared to be: sets their scale.",
)
@_people("Trial log with people's sessions of the tasks, to be scored beside them.")
@_SESSION
@_count("--seeds", 1, 3, "Networks behind each front.")
@_count("--trials", 200, 2000, "That each circuit does, and each network sees again.")
@_count("--steps", 2, 150, "Of each training.")
@_PROCESSES
@_DRY_RUN
@output()
def learned_retina(
    out: Path,
    files: tuple[Path, ...],
    tasks: tuple[str, ...],
    fronts: tuple[str, ...],
    lesions: tuple[str, ...],
    eccentricity: float,
    db: Path | None,
    chosen: tuple[str, ...],
    seeds: int,
    trials: int,
    steps: int,
    processes: int | None,
    dry_run: bool,
) -> "list[FrontShares] | Row | Partly":
    """Compare networks behind no front, the fixed retina, learned ones and lesions.

    One backbone learns two tasks behind each front; what it shares with six circuits at
    orders zero, one and two (docs/retina-in-front.md). What is printed are the shares
    of the ceiling, of all that is in the folder.

    \b
    Examples:
        yoked fit-retina mahuas2020 two-step-glm staged-retina --out retina
        yoked reproduce learned-retina --retina retina/two-step-glm.pt --out figure
    """
    from ..reproduce.fronts import retinas_of
    from ..reproduce.learned_retina import LearnedExtent

    if chosen and db is None:
        raise click.UsageError("--session must come with --people")
    given = {"tasks": tasks, "fronts": fronts, "lesions": lesions}
    extent = LearnedExtent(
        retinas_of(files),
        n_seeds=seeds,
        trials=trials,
        steps=steps,
        eccentricity_deg=eccentricity,
        **{name: levels for name, levels in given.items() if levels},
    )
    click.echo(extent.sentence(), err=True)
    if dry_run:
        return extent.to_dict()
    with going_on(out):
        return _learned_retina(out, extent, db, chosen, processes)


def _learned_retina(
    out: Path,
    extent: "LearnedExtent",
    db: Path | None,
    chosen: tuple[str, ...],
    processes: int | None,
) -> "list[FrontShares] | Partly":
    from ..reproduce.learned_people import people_of_tasks, score_people
    from ..reproduce.learned_retina import learned_retina as make
    from .score import sessions_of

    with ExitStack() as stack:
        people = []
        if db is not None:
            everybody = sessions_of(stack.enter_context(opened(db)), chosen)
            people = people_of_tasks(everybody, extent.tasks)
            if n_left := len(everybody) - len(people):
                click.echo(
                    f"people: {n_left} sessions of other tasks left out", err=True
                )
        with bar("networks", extent.n_networks) as told:
            made = make(out, extent, processes=processes, told=told)
        _say(out, ("shares.svg",), made.failed)
        if people:
            update = stack.enter_context(progress("people"))
            score_people(out / "people", people, made.weights, update)
            click.echo(f"Wrote {out / 'people'}.", err=True)
    return Partly(made.shares) if made.failed else made.shares


def _say(out: Path, pictures: tuple[str, ...], failed: dict[str, str]) -> None:
    """Say what was written, and what failed."""
    for name in pictures:
        click.echo(f"Wrote {out / name}.", err=True)
    for cell, sentence in failed.items():
        click.echo(f"{cell} failed: {sentence}", err=True)


for figure in (v1_controls, regimes, brainlike_vs_seeing):
    reproduce.add_command(figure)
