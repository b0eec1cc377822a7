"""`yoked reproduce v1-controls`: what makes a layer like V1."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..output import Partly, Row, output
from ..progress import progress
from .interrupted import going_on
from .network_figures import DIGITS, DRY_RUN, PROCESSES, SEEDS, cells_at_hand, say
from .sweep import bar

if TYPE_CHECKING:
    from ..reproduce.control_claims import ControlClaim
    from ..reproduce.control_outcome import ControlMeans
    from ..reproduce.v1_controls import ControlsExtent

_FILE = click.Path(exists=True, path_type=Path)
_WEIGHTS = click.Choice(["trained", "random", "shuffled", "responses"])
_ACTIVATIONS = click.Choice(["relu", "tanh", "elu", "linear"])
_POOLINGS = click.Choice(["max", "average", "none"])
_AT_LEAST_1 = click.IntRange(1)


@click.command("v1-controls")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for pictures, tables and weights; more seeds or controls add to it.",
)
@click.option(
    "--network",
    default="plain-cnn",
    show_default=True,
    help="A network by name.",
)
@click.option(
    "--layer", default="stage2", show_default=True, help="The module of it to measure."
)
@click.option(
    "--weights",
    multiple=True,
    type=_WEIGHTS,
    help="May be repeated; by default all but responses, and all of the next two. "
    "Shuffled ones are of trained ones, which are then done too; responses: trained "
    "on those of the first --recording alone.",
)
@click.option(
    "--activation",
    "activations",
    multiple=True,
    type=_ACTIVATIONS,
    help="In the place of every non-linearity.",
)
@click.option(
    "--pooling",
    "poolings",
    multiple=True,
    type=_POOLINGS,
    help="In the place of every max-pooling.",
)
@SEEDS
@click.option(
    "--steps",
    type=_AT_LEAST_1,
    default=200,
    show_default=True,
    help="Of each training.",
)
@click.option(
    "--fit",
    type=click.IntRange(100),
    default=2000,
    show_default=True,
    help="Pictures to fit read-outs to, and as many others to train on.",
)
@click.option(
    "--test",
    type=click.IntRange(10),
    default=1000,
    show_default=True,
    help="Pictures held out.",
)
@DIGITS
@click.option(
    "--ringach",
    type=_FILE,
    help="The table of cells of Ringach et al. (2002): its file or folder. Unless "
    "given it is fetched, once.",
)
@click.option(
    "--without-cells", is_flag=True, help="Without that table: no similarity to V1."
)
@click.option(
    "--recording",
    "files",
    multiple=True,
    type=_FILE,
    help="Responses to pictures, as `yoked brain` takes them, which the layer is to "
    "foretell; may be repeated. Each region of a file is one.",
)
@click.option(
    "--stimuli",
    type=_FILE,
    help="Table (.csv) of the recordings' stimuli, with the pictures beside it.",
)
@click.option(
    "--width-deg",
    type=click.FloatRange(0, min_open=True),
    help="Visual angle across their pictures, where the files do not say it.",
)
@click.option(
    "--features",
    type=_AT_LEAST_1,
    default=256,
    show_default=True,
    help="Of the layer, drawn at random, that foretell a recording.",
)
@PROCESSES
@DRY_RUN
@output()
def v1_controls(
    out: Path,
    network: str,
    layer: str,
    weights: tuple[str, ...],
    activations: tuple[str, ...],
    poolings: tuple[str, ...],
    seeds: int,
    steps: int,
    fit: int,
    test: int,
    digits: Path | None,
    ringach: Path | None,
    without_cells: bool,
    files: tuple[Path, ...],
    stimuli: Path | None,
    width_deg: float | None,
    features: int,
    processes: int | None,
    dry_run: bool,
) -> "list[ControlMeans | ControlClaim] | Row | Partly":
    """Compare trained, random and shuffled networks with V1, and what they know.

    Of one layer, with three kinds of weights, four non-linearities and three poolings:
    circular variance beside macaque cells, complexity, and what a linear read-out knows
    of digits and of textures (docs/v1-controls.md). Prints means over seeds, then what
    signs of differences say of the claims of Farahat & Vinck.

    \b
    Examples:
        yoked reproduce v1-controls --out controls --seeds 1 --dry-run
        yoked reproduce v1-controls --out controls --recording v1.npz --recording it.npz
    """
    from ..reproduce.control_recordings import recorded
    from ..reproduce.v1_controls import ControlsExtent

    if without_cells and ringach is not None:
        raise click.UsageError("--without-cells must stand without --ringach")
    given = {"weights": weights, "activations": activations, "poolings": poolings}
    extent = ControlsExtent(
        network=network,
        layer=layer,
        n_seeds=seeds,
        steps=steps,
        n_fit=fit,
        n_test=test,
        cells=None if without_cells else cells_at_hand(ringach, dry_run),
        recordings=recorded(files, stimuli, width_deg),
        n_features=features,
        **{name: levels for name, levels in given.items() if levels},
    )
    click.echo(extent.sentence(), err=True)
    if dry_run:
        return extent.to_dict()
    with going_on(out):
        return _made(out, extent, digits, processes)


def _made(
    out: Path, extent: "ControlsExtent", digits: Path | None, processes: int | None
) -> "list[ControlMeans | ControlClaim] | Partly":
    from ...experiments.pictures.digits import load_digits
    from ..reproduce.v1_controls import v1_controls as make

    known = None if digits is None else load_digits(digits)
    with ExitStack() as stack:
        update = stack.enter_context(progress("pictures"))
        told = stack.enter_context(bar("networks", extent.n_cells))
        made = make(
            out,
            extent,
            digits=known,
            processes=processes,
            told=told,
            progress=update,
        )
    say(out / "controls.svg", made.failed)
    found = [*made.means, *made.claims]
    return Partly(found) if made.failed else found
