"""How close observers come to people."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import DATABASE, OBSERVER_OPTIONS, SEED
from ..output import Row, output
from ..progress import progress
from .simulate import as_option
from .trials import opened

if TYPE_CHECKING:
    from ...experiments.session.results import SessionData
    from ...experiments.store.sqlite import Store
    from ..scores.card import Score


@click.command()
@click.argument("observers", nargs=-1, required=True, metavar="OBSERVER...")
@click.option(
    "--people",
    "db",
    type=DATABASE,
    required=True,
    help="Trial log with people's sessions, imported ones too.",
)
@click.option(
    "--session",
    "chosen",
    multiple=True,
    help="One of its sessions, of anybody; by default all that people finished.",
)
@click.option(
    "-o",
    "--out",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the page, pictures, JSON and CSV; what was interrupted goes on.",
)
@click.option(
    "--repeatable",
    is_flag=True,
    help="Also noise that is the same at each showing: accuracy matches, too.",
)
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="Of the observers' noise, and of the choice of the best circuit.",
)
@click.option(
    "--dry-run", is_flag=True, help="Say how long it would take here, and stop."
)
@OBSERVER_OPTIONS
@output()
def score(
    observers: tuple[str, ...],
    db: Path,
    chosen: tuple[str, ...],
    folder: Path | None,
    repeatable: bool,
    seed: int,
    dry_run: bool,
    options: tuple[str, ...],
) -> "Score | Row":
    """Score how close observers come to people, at three depths.

    Each is shown each person's trials, with the noise that makes it as consistent, and
    stands beside the ideal template and the best of six circuits: how alike responses,
    kernels and second-order kernels are, as shares of what noise allows. OBSERVER is a
    name that `yoked observers` lists, a file of `yoked train`, or your own.

    \b
    Examples:
        yoked score retina-cnn --people people.db --out retina-cnn/
        yoked score net.safetensors energy --people people.db --table
    """
    from ...models.registry import load
    from ..scores.budget import budget
    from ..scores.kept import KeptAnswers
    from ..scores.outcome import write_score
    from ..scores.score import score as scored

    if options and len(observers) > 1:
        raise click.UsageError("--option must come with one observer")
    models = [load(each, **dict(map(as_option, options))) for each in observers]
    with opened(db) as store, progress("score") as update:
        people = sessions_of(store, chosen)
        took = budget(models, people, update)
        click.echo(took.sentence(), err=True)
        if dry_run:
            return took.to_dict()
        ask = None if folder is None else KeptAnswers(folder / "answers", update)
        how = {"seed": seed, "repeatable": repeatable, "ask": ask, "progress": update}
        found = scored(models, people, **how)
    if folder is not None:
        click.echo(f"Wrote {write_score(found, folder)}.", err=True)
    for card in found.cards:
        if card.observer not in found.references:
            click.echo(card.sentence, err=True)
    return found


def sessions_of(store: "Store", chosen: Sequence[str]) -> list["SessionData"]:
    """Give the sessions that were named, or all that people finished."""
    return [_session(store, each) for each in chosen] or _of_people(store)


def _session(store: "Store", name: str) -> "SessionData":
    from ...experiments.session.results import session_data

    return session_data(store, name)


def _of_people(store: "Store") -> list["SessionData"]:
    """Give every session that a person finished."""
    rows = [
        row
        for row in store.sessions()
        if row.observer.kind == "person" and row.status == "finished"
    ]
    if not rows:
        rule = "hold a person's finished session, or --session name one of a model"
        raise ValueError(f"--people must {rule}, got none")
    return [_session(store, row.id) for row in rows]
