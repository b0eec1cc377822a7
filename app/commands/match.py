"""Noise that makes a model as consistent as a person."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import CRITERION, DATABASE, NOISE_AT, OBSERVER_OPTIONS
from ..output import output
from ..progress import progress
from .simulate import as_option
from .trials import opened

if TYPE_CHECKING:
    from ..matched_noise import MatchedNoise


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("session")
@click.option("--observer", required=True, help="The model, as in `yoked simulate`.")
@click.option(
    "--repeatable",
    is_flag=True,
    help="Also noise that is the same at each showing: accuracy matches, too.",
)
@NOISE_AT
@CRITERION
@OBSERVER_OPTIONS
@output()
def match(
    db: Path,
    session: str,
    observer: str,
    repeatable: bool,
    noise_at: str,
    criterion: float | None,
    options: tuple[str, ...],
) -> "MatchedNoise":
    """Find the noise that makes a model as consistent as a person.

    SESSION is one with a double pass. The model sees its pairs, and gets the internal
    noise with which it is expected to respond as often twice the same as the person
    did. Beside it stands what that leaves of the model's accuracy: one knob cannot
    match both. `yoked simulate --yoke-to SESSION --internal-noise matched` runs it so.
    With --noise-at the noise is at a place inside a network, and its SD is found.

    \b
    Examples:
        yoked match results.db 2026-01-10-kq7m4x2p --observer retina-cnn --table
        yoked match results.db 2026-01-10-kq7m4x2p --observer bl --noise-at input
    """
    from ...experiments.session.results import session_data
    from ...models.registry import load
    from ..matched_noise import match_noise

    model = load(observer, **dict(map(as_option, options)))
    with opened(db) as store, progress(model.name) as update:
        person = session_data(store, session)
        found = match_noise(person, model, repeatable, criterion, update, noise_at)
    click.echo(found.sentence, err=True)
    return found
