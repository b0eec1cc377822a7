"""Figures that the project answers its question with, made anew."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import DATABASE
from ..output import Partly, Row, output
from ..progress import progress
from .sweep import bar
from .trials import opened

if TYPE_CHECKING:
    from ..reproduce.outcome import Shares
    from ..reproduce.surrogates import Extent

FIGURES = ("deep-vs-shallow",)
INTERRUPTED = "Interrupted: what is done stays in {}. The same command goes on."


@click.command()
@click.argument("figure", type=click.Choice(FIGURES))
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for pictures, tables, weights and trial logs; of one extent, which is "
    "gone on with.",
)
@click.option(
    "--people",
    "db",
    type=DATABASE,
    help="Trial log with people's sessions, for part B, which is left out without.",
)
@click.option(
    "--session",
    "chosen",
    multiple=True,
    help="One of its sessions; by default all that people finished.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Networks that each recipe trains.",
)
@click.option(
    "--trials",
    type=click.IntRange(200),
    default=6000,
    show_default=True,
    help="That each surrogate does, and each network sees again.",
)
@click.option(
    "--steps",
    type=click.IntRange(2),
    default=300,
    show_default=True,
    help="Of each training.",
)
@click.option(
    "--surrogate",
    "surrogates",
    multiple=True,
    type=click.Choice(["linear", "max", "energy"]),
    help="May be repeated; by default all, as of the next three.",
)
@click.option(
    "--position",
    "positions",
    multiple=True,
    type=click.Choice(["known", "unknown"]),
    help="Of the bar.",
)
@click.option(
    "--goal",
    "goals",
    multiple=True,
    type=click.Choice(["task", "shadow", "kernel", "shuffled"]),
    help="Of the training.",
)
@click.option(
    "--front",
    "fronts",
    multiple=True,
    type=click.Choice(["none", "retina", "linear-retina", "vone-block"]),
    help="Before the network.",
)
@click.option(
    "--processes",
    type=click.IntRange(1),
    help="Cells at once; one for each core unless told otherwise.",
)
@click.option("--dry-run", is_flag=True, help="Say what is to be done, and stop.")
@output()
def reproduce(
    figure: str,
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
    """Make a figure of the docs anew: what it rests on, pictures and tables.

    deep-vs-shallow (docs/deep-vs-shallow.md): networks that learn a task, an observer's
    responses or its kernel, right or shuffled, behind four fronts, and what they share
    with it at orders zero, one and two; people beside templates, circuits and networks;
    kernels from gradients beside kernels from responses. What is printed are the shares
    of the ceiling. The same command goes on where it was interrupted.

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
    try:
        return _made(out, extent, db, chosen, processes)
    except KeyboardInterrupt:
        click.echo(f"\n{INTERRUPTED.format(out)}", err=True)
        raise


def _made(
    out: Path,
    extent: "Extent",
    db: Path | None,
    chosen: tuple[str, ...],
    processes: int | None,
) -> "list[Shares] | Partly":
    from ..reproduce.deep_vs_shallow import deep_vs_shallow
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
        made = deep_vs_shallow(
            out,
            extent=extent,
            log=db,
            people=people,
            processes=processes,
            told=told,
            progress=update,
        )
    for name in ("shares.svg", "boxes.svg"):
        click.echo(f"Wrote {out / name}.", err=True)
    for cell, sentence in made.failed.items():
        click.echo(f"{cell} failed: {sentence}", err=True)
    return Partly(made.shares) if made.failed else made.shares
