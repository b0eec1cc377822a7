"""The web task."""

from pathlib import Path

import click

from ..options import DATABASE
from ..web.lut import LUTS


@click.command()
@click.argument("db", type=DATABASE)
@click.option(
    "--protocol",
    default="bar-in-noise",
    show_default=True,
    help="Protocol that participants run: a name, or a TOML file.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; the default can be reached from this machine only.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes any that is free.",
)
@click.option(
    "--lut",
    type=click.Choice(LUTS),
    default=LUTS[0],
    show_default=True,
    help="Correction of the participants' screens; identity for none.",
)
def serve(db: Path, protocol: str, host: str, port: int, lut: str) -> None:
    """Collect data online: start the web task.

    Whoever opens the address and agrees to the consent text takes part. Ctrl-C ends
    the server; what participants sent until then is stored.

    \b
    Example:
        yoked serve results.db --protocol bar-in-noise
    """
    from ..web.serving import serve as run_server

    def announce(url: str) -> None:
        click.echo(f"Collecting {protocol} at {url} (Ctrl-C ends it).", err=True)

    run_server(db, protocol, host, port, lut, announce)
