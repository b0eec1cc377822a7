"""The web task."""

from pathlib import Path

import click

from ..lut import LUTS
from ..options import DATABASE_OR_URL, PLAN, server_options


@click.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.option(
    "--protocol",
    default=None,
    help="Protocol that participants run alone, a name or a TOML file; without it the "
    "studies of the database are served.",
)
@PLAN
@click.option(
    "--lut",
    type=click.Choice(LUTS),
    default=LUTS[0],
    show_default=True,
    help="Correction of the participants' screens with --protocol or --plan; identity "
    "for none. Studies have their own.",
)
@server_options()
def serve(
    db: Path | str,
    protocol: str | None,
    plan: Path | None,
    lut: str,
    config: Path | None,
    **settings: str | None,
) -> None:
    """Collect data online: start the web task.

    All studies of the database are served (`yoked study`), each at its own address; or
    one protocol alone, to whoever opens the address and agrees to its consent text.
    Ctrl-C ends the server; what participants sent until then is stored. With --plan,
    the link of a participant leads to one sitting after the other. `yoked doctor` says
    whether a server can run as it is told.

    \b
    Examples:
        yoked serve results.db
        yoked serve results.db --protocol bar-in-noise
        yoked serve results.db --plan sittings.toml
    """
    from ...experiments.protocols.sittings import load_sittings
    from ...experiments.store.url import name_of
    from ..hosting.logs import log_to_stderr
    from ..hosting.settings import read_settings
    from ..web.serving import serve as run_server

    told = read_settings(settings, config)
    log_to_stderr(told.log_level)
    if plan is not None and protocol is not None:
        raise click.UsageError("--plan says the protocols; leave out --protocol")
    sittings = None if plan is None else load_sittings(plan)
    what = f"Collecting {protocol}"
    if sittings is not None:
        what = f"Collecting {sittings.n_sittings} sittings"
    elif protocol is None:
        what = f"Serving the studies of {name_of(db)}"

    def announce(url: str) -> None:
        click.echo(f"{what} at {url} (Ctrl-C ends it).", err=True)

    run_server(db, protocol, told, lut, announce, sittings)
