"""Backups of a database, made while it is served, and brought back."""

from pathlib import Path

import click

from ..options import DATABASE
from ..output import Row, output

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("to", type=FILE)
def backup(db: Path, to: Path) -> None:
    """Copy a database, also while a server writes to it.

    The copy is checked, and is there whole or not at all. The key beside the database
    is not in it: keep that elsewhere.

    \b
    Example:
        yoked backup results.db /backup/results-2026-01-10.db
    """
    from ..keyfile import key_path
    from ..progress import progress
    from ..studies.backups import back_up

    with progress("backup") as told:
        back_up(db, to, lambda done, total: told("pages", done, total))
    click.echo(f"Wrote {to}; the key {key_path(db).name} is not in it.", err=True)


@click.command()
@click.argument("copy", type=FILE)
@click.argument("db", type=DATABASE)
@output()
def restore(copy: Path, db: Path) -> Row:
    """Bring a backup back, without those who withdrew since it was made.

    Who withdrew is named by the file DB.withdrawn, which is beside the database and
    must outlive it. A database that is there is kept under a dated name. Participants
    whose last trials are not in the backup go on from where it has them.

    \b
    Example:
        yoked restore /backup/results-2026-01-10.db results.db
    """
    from ...experiments.clock import utc_now
    from ..studies.backups import restore as bring_back

    at = utc_now()[:19].replace(":", "")
    kept_as = db.with_name(f"{db.stem}-before-restore-{at}{db.suffix}")
    restored = bring_back(copy, db, kept_as)
    return {
        "sessions": restored.n_sessions,
        "forgotten": list(restored.forgotten),
        "kept_as": None if restored.kept_as is None else str(restored.kept_as),
    }
