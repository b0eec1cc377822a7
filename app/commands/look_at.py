"""A network looks at pictures, as Brain-Score asks its models to."""

from pathlib import Path

import click

from ..brain.look_at import TASKS, Looking, look_at
from ..options import OBSERVER_OPTIONS, OUTPUT_FILE, SEED
from ..output import Row, output
from .importing import with_extra
from .simulate import as_option

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MS = (float, float)


@click.command(name="look-at")
@click.argument("stimuli", type=_FILE)
@click.argument("observer")
@click.option(
    "-o", "--output", "path", type=OUTPUT_FILE, required=True, help="NetCDF (.nc)."
)
@click.option(
    "--record",
    metavar="REGION=LAYER",
    multiple=True,
    help="A region and the module that stands for it; may be repeated for more "
    "modules of the region.",
)
@click.option(
    "--time-bin",
    "time_bins",
    type=_MS,
    multiple=True,
    help="From when to when is recorded, in ms; any number of times.",
)
@click.option(
    "--step",
    "steps",
    type=_MS,
    multiple=True,
    help="Of a network that runs in time: when each call of the modules is, in ms.",
)
@click.option("--task", type=click.Choice(TASKS), help="Instead of a recording.")
@click.option(
    "--fit", type=_FILE, help="For probabilities: stimuli with a column image_label."
)
@click.option(
    "--behavioral-layer",
    help="The module that probabilities and odd ones are read from; by default what "
    "the observer reads.",
)
@click.option(
    "--classes",
    type=_FILE,
    help="For label: names of the network's outputs, a line each (.txt), or of each "
    "label the numbers of its outputs (.toml).",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    help="One of those to choose from, by default all of --classes; may be repeated.",
)
@click.option(
    "--label-layer",
    default="",
    help="The module of these outputs; by default the network's.",
)
@click.option(
    "--similarity",
    type=click.Choice(["dot", "cosine"]),
    default="dot",
    show_default=True,
    help="For odd_one_out.",
)
@click.option(
    "--odd-as",
    type=click.Choice(["index", "stimulus_id"]),
    default="index",
    show_default=True,
    help="How odd_one_out names the odd one.",
)
@click.option(
    "--degrees",
    type=click.IntRange(1),
    help="Across a picture; by default as wide as the network's field.",
)
@click.option(
    "--size-px",
    type=click.IntRange(1),
    help="Across a picture as shown; by default as many as the network has there.",
)
@click.option(
    "--trials",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Showings of each stimulus, whose mean is given.",
)
@click.option(
    "--fit-trials",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="The same of the stimuli of --fit.",
)
@click.option("--identifier", help="Of the model; by default the observer's name.")
@OBSERVER_OPTIONS
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="Of the network's own noise.",
)
@output()
def look_at_(
    stimuli: Path,
    observer: str,
    path: Path,
    record: tuple[str, ...],
    time_bins: tuple[tuple[float, float], ...],
    steps: tuple[tuple[float, float], ...],
    task: str | None,
    fit: Path | None,
    behavioral_layer: str | None,
    classes: Path | None,
    labels: tuple[str, ...],
    label_layer: str,
    similarity: str,
    odd_as: str,
    degrees: int | None,
    size_px: int | None,
    trials: int,
    fit_trials: int,
    identifier: str | None,
    options: tuple[str, ...],
    seed: int,
) -> Row:
    """Let a network look at pictures as a Brain-Score model, and write an assembly.

    STIMULI is a table (.csv) with stimulus_id and a column of files (stimulus_path,
    path, file, filename), relative to the table; all its columns are coordinates of
    the assembly, which is NetCDF in BrainIO's layout. A region is recorded, or the
    network does a task. So Brain-Score, in an environment of its own, uses networks
    of this one: docs/brain-score.md.

    \b
    Examples:
        yoked look-at set.csv cornet-z --record V4=v4 --time-bin 70 170 -o v4.nc
        yoked look-at new.csv cornet-z --task probabilities --fit seen.csv -o p.nc
    """
    from ...models.brain_score.assemblies import write_assembly
    from ...models.registry import load

    asked = Looking(
        _region(record),
        time_bins,
        steps,
        task,
        fit,
        None if classes is None else _classes(classes),
        labels,
        trials,
        fit_trials,
    )
    model = load(observer, **dict(map(as_option, options)))
    found = with_extra(
        lambda: look_at(
            model,
            stimuli,
            asked,
            behavioral_layer=behavioral_layer,
            identifier=identifier,
            visual_degrees=degrees,
            label_layer=label_layer,
            similarity=similarity,
            odd_as=odd_as,
            size_px=size_px,
            seed=seed,
        )
    )
    with_extra(write_assembly, found, path)
    return {
        "assembly": str(path),
        "identifier": found.attrs["identifier"],
        "dimensions": [str(dim) for dim in found.dims],
        "shape": list(found.shape),
        "formula": found.attrs.get("formula"),
    }


def _region(record: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    """Give the one region of REGION=LAYER, and its layers."""
    parts = [each.partition("=") for each in record]
    wrong = next(
        (each for each, p in zip(record, parts, strict=True) if not p[1]), None
    )
    if wrong is not None:
        raise click.UsageError(f"--record must be REGION=LAYER, got {wrong!r}")
    regions = sorted({region for region, _, _ in parts})
    if len(regions) > 1:
        raise click.UsageError(f"--record must be one region, got {', '.join(regions)}")
    return (regions[0], tuple(layer for _, _, layer in parts)) if regions else None


def _classes(path: Path) -> list[str] | dict[str, list[int]]:
    """Read names of outputs, or the numbers of each label."""
    from ...models.probing.readout import read_indices

    if path.suffix == ".toml":
        return read_indices(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]
