"""How well layers of networks foretell a recording of the user's."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import OBSERVER_OPTIONS, SEED
from ..output import output
from ..progress import progress
from .simulate import as_option

if TYPE_CHECKING:
    from ..brain.layer_scores import LayerScore

_FILE = click.Path(exists=True, path_type=Path)
MEASURES = ("pls", "ridge", "ridge-cv", "cka", "rsa", "encoding")


@click.command()
@click.argument("recording", type=_FILE)
@click.argument("observers", nargs=-1, required=True, metavar="OBSERVER...")
@click.option(
    "--layer",
    "layers",
    multiple=True,
    required=True,
    help="A module of every network's; any number of times.",
)
@click.option(
    "--measure",
    type=click.Choice(MEASURES),
    default="pls",
    show_default=True,
    help="pls, ridge, ridge-cv: cross-validated predictivity. cka: unbiased. rsa. "
    "encoding: as many features of every layer.",
)
@click.option(
    "--ceiling-formula",
    "formula",
    type=click.Choice(["square-over-ceiling", "square-of-ratio"]),
    default="square-over-ceiling",
    show_default=True,
    help="Which ceiled score a table shows: Brain-Score's now, or before December "
    "2025. JSON has both.",
)
@click.option("--region", help="Only the units of this region.")
@click.option(
    "--commit-on",
    type=_FILE,
    help="Another recording, on which each network's layer is chosen first.",
)
@click.option(
    "--stimuli",
    type=_FILE,
    help="Table (.csv) of the stimuli, with the pictures in files beside it.",
)
@click.option(
    "--commit-stimuli", type=_FILE, help="The same of the recording of --commit-on."
)
@click.option(
    "--width-deg",
    type=click.FloatRange(0, min_open=True),
    help="Visual angle across a picture, where the file does not say it.",
)
@click.option(
    "--window-ms",
    type=(float, float),
    default=(70.0, 170.0),
    show_default=True,
    help="From when to when responses in time bins are averaged.",
)
@click.option(
    "--frames",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Of the movies before spikes, in a recording of cells.",
)
@click.option(
    "--objects/--no-objects",
    "spread",
    default=True,
    help="Whether objects are spread evenly over splits; they are, unless told "
    "otherwise.",
)
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="Of the networks' own noise.",
)
@OBSERVER_OPTIONS
@output()
def brain(
    recording: Path,
    observers: tuple[str, ...],
    layers: tuple[str, ...],
    measure: str,
    formula: str,
    region: str | None,
    commit_on: Path | None,
    stimuli: Path | None,
    commit_stimuli: Path | None,
    width_deg: float | None,
    window_ms: tuple[float, float],
    frames: int,
    spread: bool,
    seed: int,
    options: tuple[str, ...],
) -> "list[LayerScore]":
    """Score layers of networks by responses that were recorded to pictures.

    RECORDING is arrays (.npz), a NetCDF file in BrainIO's layout (.nc), or a recording
    of cells, whose test segments are taken as movies. Says how well each layer
    foretells responses to pictures held out, or how alike the two are, beside the
    internal consistency of the responses and both ceiled scores of Brain-Score.

    \b
    Examples:
        yoked brain it.nc cornet-z --layer it --stimuli it.csv --width-deg 8
        yoked brain v1.npz cornet-z --layer v1 --layer v2 --commit-on public.npz
    """
    from ...experiments.recordings.population_files import load_population
    from ...models.registry import load
    from ..brain.layer_scores import layer_scores

    if options and len(observers) > 1:
        raise click.UsageError("--option must come with one observer")
    how = {"width_deg": width_deg, "window_ms": window_ms, "frames": frames}
    found = load_population(recording, stimuli, **how)
    other = commit_on and load_population(commit_on, commit_stimuli, **how)
    for each in (found, other) if other else (found,):
        for note in each.notes:
            click.echo(f"{each.name}: {note}", err=True)
    models = [load(each, **dict(map(as_option, options))) for each in observers]
    with progress("brain") as update:
        return layer_scores(
            found,
            models,
            layers,
            measure,
            region,
            other,
            formula,
            spread,
            seed,
            update,
        )
