"""Published sets, pages of ours and HELIOS folders as sessions.

Adds its commands to the group `yoked import`, which the command line takes from
`importing_faces.py`.
"""

from pathlib import Path

import click

from ..options import DATABASE
from ..output import Row, output
from .importing import doubts, import_, with_extra, written_row
from .trials import opened

_FILE = click.Path(dir_okay=False, path_type=Path)
_ALLOW_UNPUBLISHED = click.option(
    "--allow-unpublished",
    is_flag=True,
    help="Also take a file that is not byte for byte a published one.",
)


@import_.command()
@click.argument("file", type=_FILE)
@click.argument("db", type=DATABASE)
@_ALLOW_UNPUBLISHED
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
    from ...experiments.imports.murray2015 import import_murray2015

    return _described(db, import_murray2015(file, db, allow_unpublished))


@import_.command()
@click.argument("file", type=_FILE)
@click.argument("db", type=DATABASE)
@output()
def pritchett2015(file: Path, db: Path) -> Row:
    """Read an observer of Pritchett & Murray (2015).

    A file of experiment 2 (PNAS 112, 7321), with the noise made again from its seeds:
    one field with a dot on each side, of which the right half is read turned over. The
    whole file is checked before anything is written.

    \b
    Example:
        yoked import pritchett2015 experiment2_subject1.txt results.db
    """
    from ...experiments.imports.pritchett2015 import import_pritchett2015

    return _described(db, import_pritchett2015(file, db))


@import_.command()
@click.argument("file", type=_FILE)
@click.argument("db", type=DATABASE)
@_ALLOW_UNPUBLISHED
@output()
def gabor(file: Path, db: Path, allow_unpublished: bool) -> Row:
    """Read the observer of Thomas & Knoblauch (2005).

    The file Gabor.rda of the R package MPDiR (CRAN): 3,584 yes/no trials in temporal
    noise, which goes into the database. It needs the extra `data`.

    \b
    Example:
        yoked import gabor Gabor.rda results.db
    """
    from ...experiments.imports.thomas2005 import import_gabor

    return _described(db, with_extra(import_gabor, file, db, allow_unpublished))


@import_.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("data", type=_FILE, nargs=-1, required=True)
@click.argument("db", type=DATABASE)
@click.option(
    "--observer",
    help="Who responded; by default the data's `observer`, or the file's name.",
)
@output()
def page(
    folder: Path, data: tuple[Path, ...], db: Path, observer: str | None
) -> list[Row]:
    """Read the sessions that a page of `yoked page` has run.

    jsPsych's data as JSON or CSV, any number of files. The frames are made again, and a
    trial whose digest is another's is refused; then nothing is written.

    
    Example:
        yoked import page bars/ p01.json p02.json results.db
    """
    from dataclasses import asdict

    from ..web.page_sessions import import_page

    return [asdict(each) for each in import_page(folder, data, db, observer)]


@import_.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("db", type=DATABASE)
@click.option(
    "--background", type=float, help="Gray level of contrast 0; by default the mean."
)
@click.option(
    "--score",
    "is_score",
    is_flag=True,
    help="A response of 1 was right; by default it says that there was a signal.",
)
@output()
def helios(
    folder: Path, db: Path, background: float | None, is_score: bool
) -> list[Row]:
    """Read a folder of images and labels, as HELIOS has them.

    A PNG for each trial in `images`; in `labels` response, subject and contrast, as a
    table or a file each. Noise is what the mean image of its class leaves.

    \b
    Example:
        yoked import helios project/ results.db
    """
    from ...experiments.imports.helios import import_helios

    made = with_extra(import_helios, folder, db, background, is_score)
    return [written_row(db, each) for each in made]


def _described(db: Path, session: str) -> Row:
    with opened(db) as store:
        row = store.session(session)
        (event,) = store.events(session)
    return {
        "session": row.id,
        "observer": row.observer.name,
        "protocol": row.protocol_name,
        "trials": row.n_trials,
        "notes": [*event["detail"]["notes"], *doubts(db, session)],
    }
