"""Reverse correlation with faces: rcicr's and rcpyci's experiments as sessions.

Adds its commands to the group `yoked import`, which the command line takes from here.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..options import DATABASE
from ..output import Row, output
from .importing import RENAMING, with_extra
from .importing_sets import import_

_FILE = click.Path(dir_okay=False, path_type=Path)
_COMMON = (
    click.option(
        "--column",
        "columns",
        type=RENAMING,
        multiple=True,
        help="What the table calls a column: stimulus_id=pair. Any number of times.",
    ),
    click.option(
        "--observer", help="Name, where no column has it; by default the file's."
    ),
    click.option(
        "--deg-per-pixel",
        type=float,
        default=1.0,
        show_default=True,
        help="Degrees of visual angle across a pixel.",
    ),
    click.option("--name", help="Of the protocol; by default the stimuli's file's."),
)


def _with_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_COMMON):
        function = option(function)
    return function


def _counted_from(default: int) -> Callable[..., Any]:
    return click.option(
        "--counted-from",
        type=click.IntRange(0, 1),
        default=default,
        show_default=True,
        help="Number of the first stimulus in the table.",
    )


@import_.command()
@click.argument("stimuli", type=_FILE)
@click.argument("responses", type=_FILE)
@click.argument("db", type=DATABASE)
@click.option("--base-face", help="Which base picture was shown, of several.")
@_counted_from(1)
@_with_options
@output()
def rcicr(
    stimuli: Path, responses: Path, db: Path, base_face: str | None, **settings: Any
) -> list[Row]:
    """Read a reverse correlation experiment of rcicr.

    The .Rdata file that generateStimuli2IFC wrote, and a table with a row for each
    trial: columns subject, stimulus and response (1 the original, -1 the inverted
    picture). Every subject becomes a session, without a correct answer; `yoked analyse`
    gives its classification image. It needs the extra `data`.

    \b
    Example:
        yoked import rcicr rcic_seed_1.Rdata responses.csv results.db
    """
    from ...experiments.imports.rcicr_file import read_rcicr

    read = with_extra(read_rcicr, stimuli, base_face)
    return _imported(read, responses, db, **settings)


@import_.command()
@click.argument("stimuli", type=_FILE)
@click.argument("responses", type=_FILE)
@click.argument("db", type=DATABASE)
@click.option("--picture", type=_FILE, help="The base picture, a grayscale PNG.")
@click.option(
    "--image-size", type=click.IntRange(1), help="Its rows, where it is not given."
)
@_counted_from(0)
@_with_options
@output()
def rcpyci(
    stimuli: Path,
    responses: Path,
    db: Path,
    picture: Path | None,
    image_size: int | None,
    **settings: Any,
) -> list[Row]:
    """Read a reverse correlation experiment of rcpyci, or parameters of one's own.

    The .npz file that setup_experiment wrote, whose parameters are drawn again from its
    seed, or a .npy array (stimulus, coefficient). And a table with a row for each
    trial: columns participant_id, stimulus_id and responses (1 the original, -1 the
    inverted picture), and perhaps condition. Every participant becomes a session in
    each condition, without a correct answer.

    \b
    Examples:
        yoked import rcpyci data_rcpyci_seed_1.npz data.csv results.db --picture f.png
        yoked import rcpyci parameters.npy data.csv results.db --image-size 512
    """
    from ...experiments.imports.rcpyci_file import read_rcpyci

    read = with_extra(read_rcpyci, stimuli, picture, image_size)
    return _imported(read, responses, db, **settings)


def _imported(
    stimuli: Any,
    responses: Path,
    db: Path,
    columns: tuple[tuple[str, str], ...],
    deg_per_pixel: float,
    **settings: Any,
) -> list[Row]:
    from ...experiments.imports.face_choices import FaceSettings
    from ...experiments.imports.face_sessions import import_faces

    read = FaceSettings(dict(columns), deg_per_element=deg_per_pixel, **settings)
    found = with_extra(import_faces, stimuli, responses, db, read)
    return [{**asdict(each), "notes": list(each.notes)} for each in found]
