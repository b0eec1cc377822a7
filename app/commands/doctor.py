"""What stands in the way of a server."""

from pathlib import Path

import click

from ..options import DATABASE_OR_URL, server_options
from ..output import Partly, Row, output


@click.command()
@click.argument("db", type=DATABASE_OR_URL, required=False)
@server_options()
@output()
def doctor(
    db: Path | str | None, config: Path | None, **settings: str | None
) -> list[Row] | Partly:
    """Say whether a server can run as it is told, and what helps where it cannot.

    Give it what `yoked serve` gets. With --url it also asks at the public address
    whether the server there is well. Nothing is changed; the exit code is 1 if there
    is a problem.

    \b
    Examples:
        yoked doctor results.db --config server.toml
        yoked doctor --url https://lab.example.org/psych/yoked/
    """
    from ..hosting.doctor import PROBLEM, examine
    from ..hosting.settings import read_settings

    told = read_settings(settings, config)
    found = examine(db, told, ask=settings["url"] is not None)
    rows: list[Row] = [vars(finding) for finding in found]
    is_well = all(finding.status != PROBLEM for finding in found)
    return rows if is_well else Partly(rows)
