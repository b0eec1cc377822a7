"""What is in a database: its sessions, and their trials as files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import DATABASE_OR_URL
from ..output import Row, output

if TYPE_CHECKING:
    from ...experiments.store.rows import SessionRow
    from ...experiments.store.sqlite import Store


@contextmanager
def opened(db: Path | str) -> Iterator["Store"]:
    """Open a database that must exist, and close it again."""
    from ...experiments.store.sqlite import open_store

    store = open_store(db, create=False, to_read=True)
    try:
        yield store
    finally:
        store.close()


@click.command()
@click.argument("db", type=DATABASE_OR_URL)
@output()
def sessions(db: Path | str) -> list[Row]:
    """List the sessions of a database.

    \b
    Example:
        yoked sessions results.db
    """
    with opened(db) as store:
        return [
            {
                "session": row.id,
                "observer": row.observer.name,
                "presenter": row.presenter,
                "protocol": row.protocol_name,
                "trials": row.n_trials,
                "responses": row.n_responses,
                "status": row.status,
                "yoked_to": row.yoked_to,
                "started_at": row.started_at,
            }
            for row in store.sessions()
        ]


@click.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("place", type=click.Path(path_type=Path), default="-", metavar="[FILE]")
@click.option(
    "--format",
    "style",
    type=click.Choice(["csv", "psychopy", "psych-ds"]),
    default="csv",
    show_default=True,
    help="The trial log's columns, PsychoPy's wide CSV, or a Psych-DS folder.",
)
@click.option(
    "--session", "chosen", multiple=True, help="Only this session; may be repeated."
)
def export(db: Path | str, place: Path, style: str, chosen: tuple[str, ...]) -> None:
    """Write trials as CSV.

    One row a trial, people and models alike, to a file or to standard output; or as a
    folder that follows Psych-DS. Any number of trials fits: they are never all in
    memory.

    \b
    Examples:
        yoked export results.db trials.csv
        yoked export results.db trials.csv --format psychopy
        yoked export results.db my-data-set --format psych-ds
    """
    is_printed = str(place) == "-"
    if style == "psych-ds" and is_printed:
        raise click.UsageError("--format psych-ds needs the name of a folder to make")
    with opened(db) as store:
        names = chosen or [row.id for row in store.sessions()]
        found = [store.session(name) for name in names]
        n_trials = _write(store, found, style, None if is_printed else place)
    if not is_printed:
        click.echo(f"{n_trials} trials of {len(found)} sessions in {place}.", err=True)


def _write(
    store: "Store", found: list["SessionRow"], style: str, place: Path | None
) -> int:
    """Write trials to a place, or to standard output, and return how many."""
    import sys

    from ..exports.trials_csv import write_trials
    from ..files import whole_file

    if style == "psych-ds" and place is not None:
        from ..exports.psych_ds import write_psych_ds

        return write_psych_ds(place, store, found)
    write = write_trials
    if style == "psychopy":
        from ..exports.wide_csv import write_wide as write
    if place is None:
        return write(sys.stdout, store, found)
    with whole_file(place) as file:
        if style == "psychopy":
            file.write("\ufeff")  # as PsychoPy's files begin, for spreadsheets
        return write(file, store, found)
