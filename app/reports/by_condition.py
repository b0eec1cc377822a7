"""What a report shows of sessions with conditions: a table each, side by side."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ...analysis.plot.equivalent_noise import draw_equivalent_noise
from ...analysis.sessions.conditions import conditions
from ...analysis.sessions.equivalent_noise import session_equivalent_noise
from ...analysis.trials.estimate import CannotTell
from ...analysis.trials.result import Cells
from ...experiments.session.results import SessionData
from ..figures import as_svg


@dataclass(frozen=True)
class ConditionTable:
    """The conditions of one session.

    Attributes
    ----------
    session, observer
        Id and name.
    rows
        As `yoked conditions --table` has them.
    figure
        Thresholds by noise SD as SVG; None where they tell no equivalent noise.
    """

    session: str
    observer: str
    rows: list[Cells]
    figure: str | None


def condition_tables(sessions: Sequence[SessionData]) -> list[ConditionTable]:
    """Give a table of each session whose conditions are among these sessions."""
    parts: dict[str, dict[str, SessionData]] = {}
    for each in sessions:
        session, is_one, condition = each.id.partition("/")
        if is_one:
            parts.setdefault(session, {})[condition] = each
    return [_table(own) for own in parts.values() if len(own) > 1]


def _table(parts: dict[str, SessionData]) -> ConditionTable:
    found = conditions(parts, kernels=False)
    figure = None
    with suppress(CannotTell):  # of other conditions than those of equivalent noise
        figure = as_svg(draw_equivalent_noise([session_equivalent_noise(parts)]))
    return ConditionTable(found.session, found.observer, found.table(), figure)
