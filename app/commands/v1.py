"""The V1 battery of a network's layer."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..figures import check_plot_name, write_figure
from ..options import OBSERVER_OPTIONS, OUTPUT_FILE, SEED
from ..output import output
from ..progress import progress
from .simulate import as_option

if TYPE_CHECKING:
    from ...analysis.tuning.battery import V1Battery


@click.command()
@click.argument("observer")
@click.option("--layer", required=True, help="A module of the network's.")
@click.option("-o", "--output", "path", type=OUTPUT_FILE, help="The picture, if any.")
@click.option(
    "--ringach",
    type=click.Path(exists=True, path_type=Path),
    help="The table of cells of Ringach et al. (2002): its file or folder. Unless "
    "given it is fetched, once.",
)
@click.option(
    "--seven",
    is_flag=True,
    help="Without that table: the seven properties whose histograms are in print.",
)
@click.option(
    "--property",
    "properties",
    multiple=True,
    help="Only this one, such as circular_variance; may be repeated. Gratings that "
    "tell none of them are not shown.",
)
@click.option(
    "--passes",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Of every grating, averaged; several for a network with noise.",
)
@click.option(
    "--without-noise", is_flag=True, help="Leave the network's own noise out."
)
@click.option(
    "--field-deg",
    type=click.FloatRange(0, min_open=True),
    help="Degrees that a network sees which does not say it; 4 unless told.",
)
@click.option(
    "--size-px",
    type=click.IntRange(1),
    help="Pixels of its input, where it does not say it; 64 unless told.",
)
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="Of the network's own noise, and of the bootstrap.",
)
@OBSERVER_OPTIONS
@output()
def v1(
    observer: str,
    layer: str,
    path: Path | None,
    ringach: Path | None,
    seven: bool,
    properties: tuple[str, ...],
    passes: int,
    without_noise: bool,
    field_deg: float | None,
    size_px: int | None,
    seed: int,
    options: tuple[str, ...],
) -> "V1Battery":
    """Compare a layer's tuning with cells of macaque V1, in fifteen properties.

    Shows 9,097 gratings to the network and says how similar the units whose receptive
    field is there are to published cells, in orientation, spatial frequency, size and
    response magnitude: Brain-Score's properties of Marques et al. (2021), without a
    connection but for one table of 42 kB.

    \b
    Examples:
        yoked v1 vonenet --layer v1 --option size=full -o v1.svg --table
        yoked v1 cornet-z --layer v1 --seven
        yoked v1 cornet-z --layer v1 --property circular_variance
    """
    from ...analysis.plot import figure
    from ...models.registry import load
    from ..brain.v1 import fetch_ringach, v1_battery

    if seven and ringach is not None:
        raise click.UsageError("--seven must stand without --ringach")
    if path is not None:
        check_plot_name(path)
    model: Any = load(observer, **dict(map(as_option, options)))
    table = None if seven else ringach or fetch_ringach()
    with progress(model.name) as update:
        found = v1_battery(
            model,
            layer,
            ringach=table,
            passes=passes,
            noise=not without_noise,
            seed=seed,
            field_deg=field_deg,
            size_px=size_px,
            properties=properties or None,
            progress=lambda done, total: update("gratings", done, total),
        )
    for note in found.notes:
        click.echo(note, err=True)
    if path is not None:
        write_figure(path, figure.v1(found))
    return found
