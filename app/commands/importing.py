"""Published data as sessions."""

from pathlib import Path

import click

from ..options import DATABASE
from ..output import Row, output
from .trials import opened


@click.group(name="import")
def import_() -> None:
    """Read published data as sessions.

    \b
    Example:
        yoked import murray2015 experiment1_subject01.txt results.db
    """


@import_.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("db", type=DATABASE)
@click.option(
    "--allow-unpublished",
    is_flag=True,
    help="Also take a file that is not byte for byte a published one.",
)
@output()
def murray2015(file: Path, db: Path, allow_unpublished: bool) -> Row:
    """Read an observer of Murray, Patel & Yee (2015).

    A file of experiment 1 or 2 as published (PLOS Comput. Biol. 11, e1004342), with
    the noise made again from its seeds. The whole file is checked before anything is
    written.

    \b
    Example:
        yoked import murray2015 experiment1_subject01.txt results.db
    """
    from ...experiments.imports import import_murray2015

    session = import_murray2015(file, db, allow_unpublished)
    with opened(db) as store:
        row = store.session(session)
    return {
        "session": row.id,
        "observer": row.observer.name,
        "protocol": row.protocol_name,
        "trials": row.n_trials,
    }
