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


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("session")
@click.option("--unfinished", is_flag=True, help="Also a session that is not finished.")
@WITH_KERNELS
@output()
def conditions(db: Path, session: str, unfinished: bool, kernels: bool) -> "Conditions":
    """Summarise a session by condition, and how the conditions differ.

    d', criterion, proportion correct, the threshold where a condition has three
    contrasts or more, and the first-order kernel where it has noise; and of each
    condition the differences from the first, with 95 % intervals. Nothing is pooled
    over conditions.

    \b
    Example:
        yoked conditions results.db 2026-01-10-kq7m4x2p --table
    """
    from ...analysis.sessions.conditions import conditions as by_condition

    return by_condition(_parts(db, session, unfinished), kernels)


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("session")
@click.option("--unfinished", is_flag=True, help="Also a session that is not finished.")
@output()
def equivalent_noise(
    db: Path, session: str, unfinished: bool
) -> "SessionEquivalentNoise":
    """Estimate equivalent input noise from thresholds at several noise SDs.

    Of a session whose conditions differ in noise SD, such as one of the protocol
    `equivalent-noise`. The linear amplifier model gives the noise that, added to the
    stimulus, would do what the observer's own does; the gain; and the efficiency. Its
    plot is `yoked plot DB equivalent-noise SESSION`.

    \b
    Example:
        yoked equivalent-noise results.db 2026-01-10-kq7m4x2p --table
    """
    from ...analysis.sessions.equivalent_noise import session_equivalent_noise

    return session_equivalent_noise(_parts(db, session, unfinished))


def _parts(db: Path, session: str, unfinished: bool) -> "dict[str, SessionData]":
    """Read a session by condition."""
    from ...experiments.session.results import by_condition, session_data

    with opened(db) as store:
        (name,) = to_analyse(store, (session,), unfinished)
        return by_condition(session_data(store, name))
