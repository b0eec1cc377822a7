"""The completion codes of a study, for whoever pays or credits its participants."""

from pathlib import Path

import click

from ..options import DATABASE_OR_URL
from ..output import Row, output
from .trials import opened


@click.command()
@click.argument("db", type=DATABASE_OR_URL)
@output()
def codes(db: Path | str) -> list[Row]:
    """List the completion codes of web sessions, and how each ended.

    A code begins with C for a complete session and S for one that was screened out by
    the protocol's rules; it is shown once the session has ended, and a session that
    has not has none here. Whoever declined has a code with N, the same for all, and no
    session. Codes are in no other export.

    \b
    Example:
        yoked codes results.db --csv
    """
    from ..studies.participations import codes as codes_of

    with opened(db) as store, store.beside() as connection:
        return list(codes_of(connection))
