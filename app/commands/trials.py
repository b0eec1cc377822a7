"""What is in a database: its sessions, and their trials as CSV."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import DATABASE
from ..output import Row, output

if TYPE_CHECKING:
    from ...experiments.store import Store


@contextmanager
def opened(db: Path) -> Iterator["Store"]:
    """Open a database that must exist, and close it again."""
    from ...experiments.store import open_store

    store = open_store(db, create=False)
    try:
        yield store
    finally:
        store.close()


@click.command()
@click.argument("db", type=DATABASE)
@output()
def sessions(db: Path) -> list[Row]:
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
                "status": row.status,
                "yoked_to": row.yoked_to,
                "started_at": row.started_at,
            }
            for row in store.sessions()
        ]


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("table", type=click.Path(path_type=Path), default="-", metavar="[CSV]")
@click.option(
    "--session", "chosen", multiple=True, help="Only this session; may be repeated."
)
def export(db: Path, table: Path, chosen: tuple[str, ...]) -> None:
    """Write trials as CSV.

    One row a trial, people and models alike, to a file or to standard output. Any
    number of trials fits: they are never all in memory.

    \b
    Example:
        yoked export results.db trials.csv
    """
    import sys

    from ..files import whole_file
    from ..tables import write_trials

    with opened(db) as store:
        names = chosen or [row.id for row in store.sessions()]
        found = [store.session(name) for name in names]
        if str(table) == "-":
            write_trials(sys.stdout, store, found)
            return
        with whole_file(table) as file:
            n_trials = write_trials(file, store, found)
    click.echo(f"{n_trials} trials of {len(found)} sessions in {table}.", err=True)
