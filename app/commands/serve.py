"""The web task."""

from pathlib import Path

import click
from click.core import ParameterSource

from ..options import DATABASE, PLAN, server_options
from ..web.lut import LUTS


@click.command()
@click.argument("db", type=DATABASE)
@click.option(
    "--protocol",
    default="bar-in-noise",
    show_default=True,
    help="Protocol that participants run: a name, or a TOML file.",
)
@PLAN
@click.option(
    "--lut",
    type=click.Choice(LUTS),
    default=LUTS[0],
    show_default=True,
    help="Correction of the participants' screens; identity for none.",
)
@server_options()
def serve(
    db: Path,
    protocol: str,
    plan: Path | None,
    lut: str,
    config: Path | None,
    **settings: str | None,
) -> None:
    """Collect data online: start the web task.

    Whoever opens the address and agrees to the consent text takes part. Ctrl-C ends
    the server; what participants sent until then is stored. With --plan, the link of a
    participant leads to one sitting after the other. `yoked doctor` says whether a
    server can run as it is told.

    \b
    Examples:
        yoked serve results.db --protocol bar-in-noise
        yoked serve results.db --plan sittings.toml
    """
    from ...experiments.protocols.sittings import load_sittings
    from ..hosting.logs import log_to_stderr
    from ..hosting.settings import read_settings
    from ..web.serving import serve as run_server

    told = read_settings(settings, config)
    log_to_stderr(told.log_level)
    source = click.get_current_context().get_parameter_source("protocol")
    if plan is not None and source is ParameterSource.COMMANDLINE:
        raise click.UsageError("--plan says the protocols; leave out --protocol")
    sittings = None if plan is None else load_sittings(plan)
    what = protocol if sittings is None else f"{sittings.n_sittings} sittings"

    def announce(url: str) -> None:
        click.echo(f"Collecting {what} at {url} (Ctrl-C ends it).", err=True)

    run_server(db, protocol, told, lut, announce, sittings)
