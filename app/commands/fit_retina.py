"""Models of ganglion cells, fitted to a recording."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import SEED
from ..output import output
from ..progress import progress

if TYPE_CHECKING:
    from ..recordings.cell_scores import CellScores

INTERRUPTED = "Interrupted: what is done stays in {}. The same command goes on."


@click.command("fit-retina")
@click.argument("recording", type=click.Path(path_type=Path))
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the weights, MODEL.pt each, and for what fits keep on the way. A "
    "model whose weights are there is read, not fitted again.",
)
@click.option(
    "--step-ms",
    type=click.FloatRange(0, min_open=True),
    help="Step that the spike times of an NWB file are counted in.",
)
@click.option(
    "--cell",
    "cells",
    multiple=True,
    help="Only this cell; may be repeated. All unless told otherwise.",
)
@click.option(
    "--likelihood",
    type=click.Choice(["poisson", "bernoulli"]),
    default="poisson",
    show_default=True,
    help="Of models with linear filters; networks are Poisson.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    help="Of networks, at most.",
)
@click.option(
    "--seed",
    type=SEED,
    default=1,
    show_default=True,
    help="Of networks: another seed is another individual.",
)
@click.option("--device", help="cpu or cuda; a GPU where there is one.")
@output()
def fit_retina(
    recording: Path,
    models: tuple[str, ...],
    out: Path,
    step_ms: float | None,
    cells: tuple[str, ...],
    likelihood: str,
    epochs: int,
    seed: int,
    device: str | None,
) -> "list[CellScores]":
    """Fit models of ganglion cells to a recording, and score them on held-out data.

    RECORDING is a folder in our plain format or with the files of mahuas2020, or an NWB
    file (docs/recordings.md). MODEL is ln, glm, two-step-glm, two-step-glm-published,
    cnn-2016, bn-cnn, amacrine-feedback, multiplexed or staged-retina; a network's with
    +couplings behind it gets them from the repeats. Models are fitted on the segments
    for that, and scored on those for testing: the table has means over cells, JSON each
    cell. The weights become a front of networks (docs/learned-retina.md).

    \b
    Examples:
        yoked fit-retina mahuas2020 ln two-step-glm glm --out retina
        yoked fit-retina cells.nwb bn-cnn+couplings --out retina --step-ms 2
    """
    from ...experiments.recordings.files import load_recording
    from ...models.ganglion_cells.fitting import FitSettings
    from ...models.ganglion_cells.learning import Learning
    from ..recordings.fit_retina import fit_retina as fit_all

    loaded = load_recording(recording, step_ms, cells)
    settings = FitSettings(likelihood, learning=Learning(epochs=epochs, seed=seed))
    try:
        with progress("fit") as update:
            return fit_all(
                loaded,
                models,
                out,
                settings=settings,
                device=device,
                progress=update,
            )
    except KeyboardInterrupt:
        click.echo(f"\n{INTERRUPTED.format(out)}", err=True)
        raise
