"""What a cue does to an observer of a scene."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import DATABASE, WITH_KERNELS
from ..output import output
from .analyse import to_analyse
from .trials import opened

if TYPE_CHECKING:
    from ...analysis.sessions.cueing import Cueing


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("session")
@click.option("--unfinished", is_flag=True, help="Also a session that is not finished.")
@WITH_KERNELS
@output()
def cueing(db: Path, session: str, unfinished: bool, kernels: bool) -> "Cueing":
    """Say how d' depends on whether the cue was valid.

    Of a session with places: d', proportion correct and the first-order kernels at the
    signal's place and elsewhere, for valid, invalid and neutral cues, and the
    differences with 95 % intervals. Where trials of noise alone have no place, valid
    and invalid d' share their false alarms. SESSION/CONDITION takes one condition.

    \b
    Example:
        yoked cueing results.db 2026-01-10-kq7m4x2p --table
    """
    from ...analysis.sessions.cueing import cueing as by_cue
    from ...experiments.session.results import session_data

    with opened(db) as store:
        (name,) = to_analyse(store, (session,), unfinished)
        return by_cue(session_data(store, name), kernels)
