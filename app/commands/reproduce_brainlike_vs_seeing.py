"""`yoked reproduce brainlike-vs-seeing`: whether brain-like ones see as people do."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import DATABASE
from ..output import Partly, Row, output
from ..progress import progress
from .interrupted import going_on
from .network_figures import DIGITS, DRY_RUN, PROCESSES, SEEDS, cells_at_hand, say
from .sweep import bar
from .trials import opened

if TYPE_CHECKING:
    from ...experiments.pictures.digits import Digits
    from ..reproduce.seeing import SeeingExtent
    from ..reproduce.seeing_outcome import SeeingLink, SeeingMeans

_FAMILIES = (
    *("plain-cnn", "alexnet", "resnet-18", "cornet-z", "cornet-s", "cornet-rt"),
    *("vone-block", "ssn"),
)
_REGIMES = ("untrained", "plain", "alignment", "harmonizer", "adversarial")


@click.command("brainlike-vs-seeing")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for pictures, tables and weights; more seeds, families or regimes "
    "add to it.",
)
@click.option(
    "--people",
    "db",
    type=DATABASE,
    help="Trial log with people's sessions; without it three circuits stand in.",
)
@click.option(
    "--session",
    "chosen",
    multiple=True,
    help="One of its sessions; by default all that people finished.",
)
@click.option(
    "--family",
    "families",
    multiple=True,
    type=click.Choice(_FAMILIES),
    help="May be repeated; by default all but ssn, which is slow.",
)
@click.option(
    "--regime",
    "regimes",
    multiple=True,
    type=click.Choice(_REGIMES),
    help="May be repeated; by default all.",
)
@SEEDS
@click.option(
    "--steps",
    type=click.IntRange(2),
    default=200,
    show_default=True,
    help="Of each training.",
)
@click.option(
    "--fit",
    type=click.IntRange(200),
    default=4000,
    show_default=True,
    help="Pictures that are learnt.",
)
@click.option(
    "--test",
    type=click.IntRange(40),
    default=600,
    show_default=True,
    help="Pictures held out.",
)
@click.option(
    "--trials",
    type=click.IntRange(200),
    default=2000,
    show_default=True,
    help="Of each circuit, where no people are at hand.",
)
@DIGITS
@click.option(
    "--ringach",
    type=click.Path(exists=True, path_type=Path),
    help="The table of cells of Ringach et al. (2002): its file or folder. Unless "
    "given it is fetched, once.",
)
@click.option(
    "--without-cells",
    is_flag=True,
    help="Without that table: seven properties, and no circular variance.",
)
@PROCESSES
@DRY_RUN
@output()
def brainlike_vs_seeing(
    out: Path,
    db: Path | None,
    chosen: tuple[str, ...],
    families: tuple[str, ...],
    regimes: tuple[str, ...],
    seeds: int,
    steps: int,
    fit: int,
    test: int,
    trials: int,
    digits: Path | None,
    ringach: Path | None,
    without_cells: bool,
    processes: int | None,
    dry_run: bool,
) -> "list[SeeingMeans | SeeingLink] | Row | Partly":
    """Ask whether networks that are more like the brain see more as people do.

    Families of small networks by regimes, each compared with V1 (tuning, circular
    variance), attacked, probed, and shown people's trials with their noise: the shares
    of orders zero, one and two (docs/brainlike-vs-seeing.md). Prints means over seeds,
    then correlations within families, tested by permutations within them.

    \b
    Examples:
        yoked reproduce brainlike-vs-seeing --out seeing --people people.db --dry-run
        yoked reproduce brainlike-vs-seeing --out seeing --people people.db --seeds 1
    """
    from ..reproduce.seeing import SeeingExtent

    if without_cells and ringach is not None:
        raise click.UsageError("--without-cells must stand without --ringach")
    if chosen and db is None:
        raise click.UsageError("--session must come with --people")
    given = {"families": families, "regimes": regimes}
    extent = SeeingExtent(
        n_seeds=seeds,
        steps=steps,
        n_fit=fit,
        n_test=test,
        trials=trials,
        cells=None if without_cells else cells_at_hand(ringach, dry_run),
        log=db,
        sessions=() if db is None else _sessions(db, chosen),
        **{name: levels for name, levels in given.items() if levels},
    )
    click.echo(extent.sentence(), err=True)
    if dry_run:
        return extent.to_dict()
    with going_on(out):
        return _made(out, extent, digits, processes)


def _sessions(db: Path, chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Give the ids of the sessions that networks are put beside."""
    from .score import sessions_of

    with opened(db) as store:
        return tuple(session.id for session in sessions_of(store, chosen))


def _made(
    out: Path, extent: "SeeingExtent", package: Path | None, processes: int | None
) -> "list[SeeingMeans | SeeingLink] | Partly":
    from ...experiments.pictures.digits import load_digits
    from ..reproduce.seeing import brainlike_vs_seeing as make

    def digits() -> "Digits":
        return load_digits(package)

    with ExitStack() as stack:
        update = stack.enter_context(progress("pictures"))
        told = stack.enter_context(bar("networks", extent.n_networks))
        made = make(
            out, extent, digits, processes=processes, told=told, progress=update
        )
    say(out / "seeing.svg", made.failed)
    found = [*made.means, *made.links]
    return Partly(found) if made.failed else found
