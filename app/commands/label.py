"""A network's choices: what it calls pictures."""

from pathlib import Path

import click

from ..options import OBSERVER_OPTIONS, OUTPUT_FILE
from ..output import Row, output
from .importing import with_extra
from .simulate import as_option

_THERE = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("observer")
@click.argument("pictures", type=_THERE)
@click.option(
    "-o", "--output", "path", type=OUTPUT_FILE, required=True, help="The table (CSV)."
)
@click.option(
    "--fit", type=_THERE, help="Other pictures, to which a read-out is fitted."
)
@click.option(
    "--layer",
    default="",
    help="The module of the network that is read; by default its output.",
)
@click.option(
    "--indices",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Instead of --fit: a TOML file with the numbers of the network's own classes "
    "for each category, cat = [281, 282].",
)
@click.option(
    "--size-px",
    type=click.IntRange(1),
    default=224,
    show_default=True,
    help="Across a picture as shown.",
)
@click.option(
    "--degrees",
    type=click.FloatRange(0, min_open=True),
    help="Across a picture; by default as wide as the network's field.",
)
@click.option("--name", help="Of the network in the table; by default its own.")
@OBSERVER_OPTIONS
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Of the network's own noise, if it has any.",
)
@output()
def label(
    observer: str,
    pictures: Path,
    path: Path,
    fit: Path | None,
    layer: str,
    indices: Path | None,
    size_px: int,
    degrees: float | None,
    name: str | None,
    options: tuple[str, ...],
    seed: int,
) -> Row:
    """Let a network say what pictures show, as a table of choices.

    PICTURES and --fit are folders with a folder for each category (or for each
    condition, with those of categories in it), or tables with columns file, category
    and condition. A read-out of a layer is fitted to the pictures of --fit
    (multinomial logistic regression, as Brain-Score's), or the network's own classes
    are put together by --indices. `yoked choices` and `yoked objects` read the table.

    \b
    Examples:
        yoked label cornet-z test/ --fit train/ --layer it -o net.csv
        yoked choices people.csv net.csv
        yoked label my_net.py:resnet test/ --indices classes.toml -o resnet.csv
    """
    from ...models.probing.labels import label_pictures
    from ...models.probing.readout import read_indices
    from ...models.registry import load

    if (fit is None) == (indices is None):
        raise click.UsageError("one of --fit and --indices must be given")
    model = load(observer, **dict(map(as_option, options)))
    found = with_extra(
        lambda: label_pictures(
            model,
            pictures,
            fit,
            layer,
            None if indices is None else read_indices(indices),
            size_px=size_px,
            degrees=degrees,
            name=name,
            seed=seed,
        )
    )
    found.to_csv(path, index=False)
    return {
        "table": str(path),
        "observer": str(found["observer"].iloc[0]),
        "n_pictures": len(found),
        "proportion_correct": float((found["choice"] == found["category"]).mean()),
    }
