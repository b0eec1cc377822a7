"""A session by condition, and what its conditions say together."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import DATABASE, WITH_KERNELS
from ..output import output
from .analyse import to_analyse
from .trials import opened

if TYPE_CHECKING:
    from ...analysis.sessions.conditions import Conditions
    from ...analysis.sessions.equivalent_noise import SessionEquivalentNoise
    from ...experiments.session.results import SessionData

_SESSIONS = click.argument(
    "sessions", nargs=-1, required=True, metavar="SESSION [SESSION ...]"
)


@click.command()
@click.argument("db", type=DATABASE)
@_SESSIONS
@click.option("--unfinished", is_flag=True, help="Also a session that is not finished.")
@WITH_KERNELS
@output()
def conditions(
    db: Path, sessions: tuple[str, ...], unfinished: bool, kernels: bool
) -> "Conditions":
    """Summarise a session by condition, and how the conditions differ.

    d', criterion, proportion correct, the threshold where a condition has three
    contrasts or more, and the first-order kernel where it has noise; and of each
    condition the differences from the first, with 95 % intervals. Nothing is pooled
    over conditions. Several sessions are sittings of one participant, which are
    pooled.

    \b
    Example:
        yoked conditions results.db 2026-01-10-kq7m4x2p --table
    """
    from ...analysis.sessions.conditions import conditions as by_condition

    return by_condition(_parts(db, sessions, unfinished), kernels)


@click.command()
@click.argument("db", type=DATABASE)
@_SESSIONS
@click.option("--unfinished", is_flag=True, help="Also a session that is not finished.")
@output()
def equivalent_noise(
    db: Path, sessions: tuple[str, ...], unfinished: bool
) -> "SessionEquivalentNoise":
    """Estimate equivalent input noise from thresholds at several noise SDs.

    Of a session whose conditions differ in noise SD, such as one of the protocol
    `equivalent-noise`, or of several sittings of a participant. The linear amplifier
    model gives the noise that, added to the stimulus, would do what the observer's own
    does; the gain; and the efficiency. Its plot is `yoked plot DB equivalent-noise
    SESSION`.

    \b
    Example:
        yoked equivalent-noise results.db 2026-01-10-kq7m4x2p --table
    """
    from ...analysis.sessions.equivalent_noise import session_equivalent_noise

    return session_equivalent_noise(_parts(db, sessions, unfinished))


def _parts(
    db: Path, sessions: tuple[str, ...], unfinished: bool
) -> "dict[str, SessionData]":
    """Read a session by condition, or several as one."""
    from ...experiments.session.pooled import pooled
    from ...experiments.session.results import by_condition, session_data

    with opened(db) as store:
        names = to_analyse(store, sessions, unfinished)
        found = [session_data(store, name) for name in names]
    return by_condition(found[0] if len(found) == 1 else pooled(found))
