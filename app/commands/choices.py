"""Choices without noise: tables of who called which picture what."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..output import output
from .importing import RENAMING, with_extra

if TYPE_CHECKING:
    from ...analysis.agreement.choices import Choices


@click.command()
@click.argument(
    "tables",
    type=click.Path(exists=True, path_type=Path),
    nargs=-1,
    required=True,
    metavar="TABLE [TABLE ...]",
)
@click.option(
    "--model",
    "models",
    metavar="OBSERVER",
    multiple=True,
    help="An observer that is a model, where the tables do not say it. Any number of "
    "times.",
)
@click.option(
    "--column",
    "columns",
    type=RENAMING,
    multiple=True,
    help="What the tables call a column: response=key. Any number of times.",
)
@click.option(
    "--missing",
    type=click.Choice(["wrong", "left out"]),
    help="What a missing response is. In tables of model-vs-human it is wrong, as its "
    "authors have it; in others it is left out.",
)
@output()
def choices(
    tables: tuple[Path, ...],
    models: tuple[str, ...],
    columns: tuple[tuple[str, str], ...],
    missing: str | None,
) -> "Choices":
    """Compare people and models by their choices alone, without noise.

    TABLE is a file, or a folder of them at once: a row for each choice, with the
    stimulus by name, the target and the response as words, and where there is one the
    condition. Says how often people and models were right at each condition, whether
    they err on the same stimuli (kappa, beside what people reach among each other and
    what no model can exceed), and their shape bias where names have two cues. Nothing
    is written.

    \b
    Examples:
        yoked choices raw-data/cue-conflict --table
        yoked choices people.csv net.csv --model net --column stimulus=picture
    """
    from ...analysis.agreement.choices import choices as analysed
    from ...experiments.imports.choice_files import read_choices

    def read() -> "Choices":
        table = read_choices(
            *tables, models=models, columns=dict(columns), missing=missing
        )
        return analysed(table)

    return with_extra(read)
