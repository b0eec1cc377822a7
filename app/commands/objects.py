"""Which object, of two: people's trials beside models' probabilities."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..output import output
from .importing import with_extra

if TYPE_CHECKING:
    from ...analysis.objects.consistency import ObjectConsistency

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("people", type=_FILE)
@click.argument(
    "models", type=_FILE, nargs=-1, required=True, metavar="MODEL [MODEL ...]"
)
@click.option(
    "--measure",
    "measures",
    type=click.Choice(["i1", "i1n", "i2", "i2n", "o1", "o2"]),
    multiple=True,
    default=("i2n",),
    show_default=True,
    help="Of images (i) or objects (o), against all others (1) or each (2), without "
    "what objects explain (n). Any number of times.",
)
@click.option(
    "--draws",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    help="How often images are drawn again for the intervals.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draws."
)
@output()
def objects(
    people: Path,
    models: tuple[Path, ...],
    measures: tuple[str, ...],
    draws: int,
    seed: int,
) -> "list[ObjectConsistency]":
    """Say whether models and people find the same images hard to tell from others.

    PEOPLE has a row for each trial: the image, the object in it, the distractor that
    could be chosen, and the choice. MODEL has a row for each image and a column
    probability_OBJECT for each object, as `yoked label` writes it. Both may be
    Brain-Score's files (.nc). Prints the correlation of their patterns of d' (I2n of
    Rajalingham et al. 2018), what two halves of people's trials reach, and the first
    over the root of the second.

    \b
    Examples:
        yoked objects people.csv net.csv --table
        yoked objects objectome.nc alexnet-probabilities.nc --measure i2n --measure o2
    """
    from ...analysis.objects.consistency import object_consistency
    from ...experiments.imports.object_files import (
        read_object_probabilities,
        read_object_trials,
    )

    def compared() -> "list[ObjectConsistency]":
        trials = read_object_trials(people)
        given = [read_object_probabilities(model) for model in models]
        return [
            object_consistency(trials, model, measure, draws, seed)
            for model in given
            for measure in measures
        ]

    return with_extra(compared)
