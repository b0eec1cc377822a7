"""How far the participants of a plan of sittings are."""

from pathlib import Path

import click

from ..options import DATABASE
from ..output import Row, output
from .trials import opened


@click.command()
@click.argument("plan", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("db", type=DATABASE)
@output()
def sittings(plan: Path, db: Path) -> list[Row]:
    """List the participants of a plan of sittings, and when each may come again.

    Times are ISO 8601 in UTC; `may_begin_at` is empty where no sitting is left.

    \b
    Example:
        yoked sittings sittings.toml results.db --table
    """
    from ...experiments.clock import utc_now
    from ...experiments.protocols.sittings import load_sittings
    from ...experiments.session.sittings import due, sittings_of

    asked = load_sittings(plan)
    rows: list[Row] = []
    with opened(db) as store:
        people = (row for row in store.sessions() if row.observer.kind == "person")
        for participant in dict.fromkeys(row.observer.name for row in people):
            had = sittings_of(store, participant)
            of_plan = [row for sitting, row in had if sitting.plan == asked.name]
            if not of_plan:
                continue
            found = due(asked, participant, had, utc_now())
            last = of_plan[-1]
            rows.append(
                {
                    "observer": participant,
                    "done": found.number - 1,
                    "of": found.n_sittings,
                    "unfinished": last.id if last.status == "unfinished" else None,
                    "next": None if found.protocol is None else found.protocol.name,
                    "may_begin_at": found.ready_at if found.protocol else None,
                    "may_begin": found.is_ready,
                }
            )
    return rows
