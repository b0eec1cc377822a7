"""`yoked reproduce regimes`: whether each regime moves its own measure."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..output import Partly, Row, output
from ..progress import progress
from .interrupted import going_on
from .network_figures import DIGITS, DRY_RUN, PROCESSES, SEEDS, say
from .sweep import bar

if TYPE_CHECKING:
    from ...experiments.pictures.digits import Digits
    from ..reproduce.regime_outcome import RegimeEffect
    from ..reproduce.regimes import RegimesExtent

REGIMES = (
    *("alignment", "harmonizer", "similarity", "multi-task", "adversarial"),
    *("vone-block", "fixation"),
    *("recurrence-in-clutter", "recurrence-under-debris", "ssn", "attention"),
)


@click.command()
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for pictures, tables and weights; more seeds or regimes add to it.",
)
@click.option(
    "--regime",
    "chosen",
    multiple=True,
    type=click.Choice(REGIMES),
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
    type=click.IntRange(40),
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
@DIGITS
@PROCESSES
@DRY_RUN
@output()
def regimes(
    out: Path,
    chosen: tuple[str, ...],
    seeds: int,
    steps: int,
    fit: int,
    test: int,
    digits: Path | None,
    processes: int | None,
    dry_run: bool,
) -> "list[RegimeEffect] | Row | Partly":
    """Train small networks by regimes that make them brain-like, and their controls.

    Alignment with a simulated V1, the Neural Harmonizer, similarities, a second task,
    attacks, a V1 in front, eyes with a gaze, recurrence, a stabilised supralinear
    network and attention: each beside the network without it and its paper's controls,
    by its own measure on pictures held out (docs/regimes.md).

    \b
    Examples:
        yoked reproduce regimes --out regimes --dry-run
        yoked reproduce regimes --out some --regime alignment --regime harmonizer
    """
    from ..reproduce.regimes import RegimesExtent

    given = {"regimes": chosen} if chosen else {}
    extent = RegimesExtent(n_seeds=seeds, steps=steps, n_fit=fit, n_test=test, **given)
    click.echo(extent.sentence(), err=True)
    if dry_run:
        return extent.to_dict()
    with going_on(out):
        return _made(out, extent, digits, processes)


def _made(
    out: Path, extent: "RegimesExtent", package: Path | None, processes: int | None
) -> "list[RegimeEffect] | Partly":
    from ...experiments.pictures.digits import load_digits
    from ..reproduce.regimes import regimes as make

    def digits() -> "Digits":
        return load_digits(package)

    with ExitStack() as stack:
        update = stack.enter_context(progress("pictures"))
        n = len(extent.networks) * extent.n_seeds
        told = stack.enter_context(bar("networks", n))
        made = make(
            out, extent, digits, processes=processes, told=told, progress=update
        )
    say(out / "effects.svg", made.failed)
    return Partly(made.effects) if made.failed else made.effects
